"""AI Horde as kudos sees it: it can be asked to award kudos, and what a user has there.

One question decides about every answer: is it certain that nothing was awarded? Only then may the same kudos be
sent again, or given back, without a human.
"""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Protocol

import redis
import structlog
from django.conf import settings

from accounts.metrics import PAYOUT_ANSWERS
from accounts.outgoing import Limits, NoAnswer, NotSent, Reply, send_request
from accounts.valkey import ValkeyUnavailable, ask_valkey

log = structlog.get_logger(__name__)

AWARD_LIMITS = Limits(seconds=5.0, size=16 * 1024)
USER_LIMITS = Limits(seconds=5.0, size=512 * 1024)
# After three troubles without a success in between, AI Horde is left alone for ten minutes, by every worker.
TROUBLES_BEFORE_RESTING = 3
REST_SECONDS = 600
TROUBLES = "kudos:award:troubles"
ANSWER_LENGTH = 300
LARGEST = 2**63 - 1

# Not carried out, and no word about the user: our key, our pace, or our address is wrong.
NOT_NOW: Final = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
}


class Verdict(StrEnum):
    """What an answer means for the kudos that were sent."""

    AWARDED = "awarded"
    REFUSED = "refused"  # certain, and final for this user
    LATER = "later"  # certain that nothing was awarded; worth another try
    UNCLEAR = "unclear"  # they may have arrived


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, the HTTP status if there was one, and what was said, fit to be stored and shown."""

    verdict: Verdict
    status: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What AI Horde says that a user has. ``kudos`` is None where it did not say."""

    is_reachable: bool
    kudos: int | None = None


class Award(Protocol):
    """Who takes kudos out of this service."""

    is_on: bool

    def is_resting(self) -> bool:
        """Return whether it should not be asked just now."""
        ...

    def give(self, *, username: str, amount: int) -> Answer: ...

    def read_standing(self, *, external_id: str) -> Standing: ...


class NullAward:
    """Nobody: kudos stay where they are."""

    is_on = False

    def is_resting(self) -> bool:
        return True

    def give(self, *, username: str, amount: int) -> Answer:
        del username, amount
        return Answer(Verdict.LATER, text="payouts are switched off")

    def read_standing(self, *, external_id: str) -> Standing:
        del external_id
        return Standing(is_reachable=False)


class HordeAward:
    """AI Horde: POST /api/v2/kudos/award with the key of an account that may award."""

    is_on = True

    def __init__(self, *, url: str, key: str, allow_private: bool) -> None:
        self.url = url
        self.key = key
        self.allow_private = allow_private

    def is_resting(self) -> bool:
        """Return whether it had trouble lately. Without Valkey nobody remembers, and each run tries anew."""
        try:
            count = ask_valkey("award", lambda valkey: valkey.get(TROUBLES))
        except ValkeyUnavailable:
            return False
        return int(count or 0) >= TROUBLES_BEFORE_RESTING

    def give(self, *, username: str, amount: int) -> Answer:
        try:
            reply = self._ask("POST", "/api/v2/kudos/award", AWARD_LIMITS, {"username": username, "amount": amount})
        except NotSent as error:
            answer = Answer(Verdict.LATER, text=clean(str(error)))
        except NoAnswer as error:
            answer = Answer(Verdict.UNCLEAR, text=clean(str(error)))
        else:
            answer = read_answer(reply, amount)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            log.error("award_key_refused", status=answer.status, answer=answer.text)
        self._remember(is_trouble=answer.verdict in {Verdict.LATER, Verdict.UNCLEAR})
        PAYOUT_ANSWERS.labels(answer.verdict.value).inc()
        return answer

    def read_standing(self, *, external_id: str) -> Standing:
        try:
            reply = self._ask("GET", f"/api/v2/users/{external_id}", USER_LIMITS, None)
        except (NotSent, NoAnswer) as error:
            log.warning("award_unreachable", error=str(error))
            self._remember(is_trouble=True)
            return Standing(is_reachable=False)
        standing = read_user(reply)
        if not standing.is_reachable:
            log.warning("award_unreachable", status=reply.status)
            self._remember(is_trouble=True)
        return standing

    def _ask(self, method: str, path: str, limits: Limits, body: dict[str, Any] | None) -> Reply:
        headers = {"Client-Agent": "kudoscope:1:unknown"} | ({"apikey": self.key} if method == "POST" else {})
        return send_request(
            method=method,
            url=self.url + path,
            headers=headers,
            limits=limits,
            allow_private=self.allow_private,
            json=body,
        )

    @staticmethod
    def _remember(*, is_trouble: bool) -> None:
        def note(valkey: redis.Redis) -> None:
            if not is_trouble:
                valkey.delete(TROUBLES)
                return
            with valkey.pipeline() as pipeline:
                pipeline.incr(TROUBLES)
                pipeline.expire(TROUBLES, REST_SECONDS)
                pipeline.execute()

        try:
            ask_valkey("award", note)
        except ValkeyUnavailable:
            return


def current_award() -> Award:
    """Return whom the settings name, or nobody."""
    if not settings.HORDE_URL or not settings.HORDE_AWARD_KEY:
        return NullAward()
    return HordeAward(url=settings.HORDE_URL, key=settings.HORDE_AWARD_KEY, allow_private=settings.HORDE_ALLOW_PRIVATE)


def read_answer(reply: Reply, amount: int) -> Answer:
    """Return what an answer to an award means (wire protocol, section 4: some refusals come as 200 with a list)."""
    body = _parsed(reply.body)
    if reply.status in NOT_NOW:
        return Answer(Verdict.LATER, reply.status, _message_of(body) or "the request was turned away")
    if reply.status == HTTPStatus.OK:
        return _read_success(body, reply.body, amount)
    is_client_error = HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
    # A time-out that the other side reports says nothing about what it had done by then.
    if is_client_error and reply.status != HTTPStatus.REQUEST_TIMEOUT and (message := _message_of(body)):
        return Answer(Verdict.REFUSED, reply.status, message)
    return Answer(Verdict.UNCLEAR, reply.status, _message_of(body) or _shown(reply.body))


def read_user(reply: Reply) -> Standing:
    """Return what the public page of a user says. A server error, or a page that is no JSON, is nobody at home."""
    body = _parsed(reply.body)
    is_away = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in NOT_NOW
    if is_away or not isinstance(body, dict):
        return Standing(is_reachable=False)
    return Standing(is_reachable=True, kudos=_whole(body.get("kudos")) if reply.status == HTTPStatus.OK else None)


def clean(text: str) -> str:
    """Return foreign text without what PostgreSQL or a reader chokes on, cut to what is kept of it."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:ANSWER_LENGTH]


def _read_success(body: Any, raw: bytes, amount: int) -> Answer:
    if isinstance(body, dict) and _is_number(body.get("awarded")) and body["awarded"] == amount:
        return Answer(Verdict.AWARDED, HTTPStatus.OK, f"awarded {amount}")
    if _is_refusal(body):
        reason = body[1] if isinstance(body[-1], str) else "refused without a reason"
        return Answer(Verdict.REFUSED, HTTPStatus.OK, clean(reason))
    return Answer(Verdict.UNCLEAR, HTTPStatus.OK, _shown(raw))


def _is_refusal(body: Any) -> bool:
    """Return whether this is ``[0, "reason"]``, or the same after AI Horde's marshalling."""
    if not isinstance(body, list) or not body:
        return False
    is_plain = len(body) == 2 and body[0] == 0 and not isinstance(body[0], bool) and isinstance(body[1], str)  # noqa: PLR2004
    return is_plain or all(item == {"awarded": None} for item in body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _message_of(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return clean(message) if isinstance(message, str) else ""


def _shown(body: bytes) -> str:
    return clean("not understood: " + body[:ANSWER_LENGTH].decode("utf-8", "replace"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> int | None:
    """Return a figure as whole kudos, or None for what is none: AI Horde sends floats, and they may be negative."""
    if not _is_number(value) or abs(value) > LARGEST or not math.isfinite(value):
        return None
    figure: float = value
    return round(figure)
