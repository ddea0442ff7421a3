"""Keys of AI Horde: whose they are is asked there, remembered in Valkey, and known from before when it is down.

    fresh in Valkey (10 minutes; 1 minute for "nobody's")   that answer
    else AI Horde says                                      its answer, which is remembered
    else last answer in Valkey (30 days)                    that answer
    else the identity that last rated with this key         known from before, without a profile (30 days)
    else                                                    ProviderUnavailable

A key is never kept: Valkey and the database know it by a keyed hash. docs/decisions/0012 tells why.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import TypeVar

import msgspec
import structlog
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.breaker import Breaker
from accounts.metrics import HORDE_FAILURES
from accounts.models import IdentityKind, Scope
from accounts.outgoing import Limits, NoAnswer, NotSent, send_request
from accounts.providers.base import ExternalProfile, KeyOwner, KeyRefused, ProviderUnavailable
from accounts.providers.horde_user import AnswerUnintelligible, HordeUser, read_user
from accounts.queries import KnownIdentity, find_identity_by_key, find_known_identity
from accounts.valkey import ValkeyUnavailable, ask_valkey, recall

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

KEY_LENGTH = 22
SHARED_KEY_LENGTH = 36
FRESH = timedelta(minutes=10)
FRESH_UNKNOWN = timedelta(minutes=1)
KEPT = timedelta(days=30)
SECONDS = 2.0
LIMITS = Limits(seconds=SECONDS, size=64 * 1024)
# Of a process's threads, which are four, so many wait for AI Horde at a time.
CALLS_AT_ONCE = 2
# One more waits long for a turn, which leaves half a second for the answer; the last one is soon free for others.
LONG_WAITS_AT_ONCE = 1
LONG_WAIT_SECONDS = SECONDS - 0.5
SHORT_WAIT_SECONDS = 0.5
SCOPES = (Scope.RATE.value, Scope.READ.value)

_breaker = Breaker(failures=3, seconds=10.0)
_turns = BoundedSemaphore(CALLS_AT_ONCE)
_long_waits = BoundedSemaphore(LONG_WAITS_AT_ONCE)
_pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="horde")


class Remembered(msgspec.Struct, frozen=True):
    """An answer in Valkey. ``user`` is None where AI Horde knew no such key."""

    at: datetime
    user: HordeUser | None

    def is_fresh(self, now: datetime) -> bool:
        return abs(now - self.at) < (FRESH if self.user else FRESH_UNKNOWN)


class NoHorde:
    """The twin for a service that has no AI Horde beside it: no key is anybody's."""

    def memory_name(self, secret: str) -> str:
        del secret
        return ""

    def take_recalled(self, secret: str, data: bytes | None) -> None:
        del secret, data

    def remembers(self, secret: str, *, now: datetime) -> bool:
        del secret, now
        return False

    def find_owner(self, secret: str, *, now: datetime) -> KeyOwner | None:
        del secret, now
        return None


class HordeKeys:
    """The provider of AI Horde's users, by the API of the server at ``url``."""

    def __init__(self, *, url: str, allow_private: bool) -> None:
        self.url = f"{url}/api/v2/find_user"
        self.allow_private = allow_private
        # What Valkey said, for as long as this object lives: a request asks twice.
        self.recalled: dict[str, Remembered | None] = {}

    def memory_name(self, secret: str) -> str:
        return _cache_name(digest_horde_key(secret)) if _is_key(secret) else ""

    def take_recalled(self, secret: str, data: bytes | None) -> None:
        self.recalled[digest_horde_key(secret)] = _remembered_from(data)

    def remembers(self, secret: str, *, now: datetime) -> bool:
        remembered = self._recall(digest_horde_key(secret))
        return remembered is not None and remembered.user is not None and now - remembered.at < KEPT

    def find_owner(self, secret: str, *, now: datetime) -> KeyOwner | None:
        if _is_key(secret, length=SHARED_KEY_LENGTH):
            raise KeyRefused(
                _("This is a shared key of AI Horde, which several people may use. Rate with a key of your own.")
            )
        if not _is_key(secret):
            return None
        digest = digest_horde_key(secret)
        try:
            user = self._find_user(secret, digest, now)
        except ProviderUnavailable:
            if known := find_identity_by_key(digest=digest, since=now - KEPT):
                return _owner(known.external_id, known, None)
            raise
        if user is None:
            return None
        number = str(user.number)
        return _owner(
            number, find_known_identity(kind=IdentityKind.HORDE, external_id=number), _profile_of(user, digest)
        )

    def _find_user(self, secret: str, digest: str, now: datetime) -> HordeUser | None:
        remembered = self._recall(digest)
        if remembered and remembered.is_fresh(now):
            return remembered.user
        try:
            user = self._ask(secret, now)
        except ProviderUnavailable:
            if remembered:
                return remembered.user
            raise
        # A key that was good once and is no more stays refused also while AI Horde is down.
        _remember(digest, Remembered(now, user), keep=KEPT if user or remembered else FRESH_UNKNOWN)
        return user

    def _recall(self, digest: str) -> Remembered | None:
        if digest not in self.recalled:
            self.recalled[digest] = _recall(digest)
        return self.recalled[digest]

    def _ask(self, secret: str, now: datetime) -> HordeUser | None:
        """Return what AI Horde says. Raises ProviderUnavailable within about two seconds, come what may."""
        if _breaker.is_left_alone():
            raise _unavailable("breaker")
        try:
            return _run_in_turn(lambda: self._send(secret, now))
        except (NotSent, NoAnswer, AnswerUnintelligible, TimeoutError) as error:
            log.warning("horde_unavailable", error=f"{type(error).__name__}: {error}")
            raise _unavailable(type(error).__name__) from error

    def _send(self, secret: str, now: datetime) -> HordeUser | None:
        """Ask, and record how it went: who asked may have waited long for a turn, and be gone before the answer."""
        is_up = False
        try:
            reply = send_request(
                method="GET",
                url=self.url,
                headers={"apikey": secret, "Client-Agent": "kudoscope:1:this-site"},
                limits=LIMITS,
                allow_private=self.allow_private,
            )
            # One user of whom it says what is not understood is no outage for all others.
            is_up = reply.status == HTTPStatus.OK
            user = read_user(reply, now=now)
            is_up = True
            return user
        finally:
            if is_up:
                _breaker.record_success()
            else:
                _breaker.record_failure()


def _is_key(secret: str, *, length: int = KEY_LENGTH) -> bool:
    """Return whether a key could be one of theirs, which are base64url."""
    return len(secret) == length and secret.isascii() and secret.replace("-", "").replace("_", "").isalnum()


def digest_horde_key(secret: str) -> str:
    """Return the keyed hash by which a key of AI Horde is remembered: 64 hex digits."""
    return salted_hmac("accounts.providers.horde", secret, algorithm="sha256").hexdigest()


def _run_in_turn(function: Callable[[], Result]) -> Result:
    """Return the result of a call in a thread of its own; its turn and it are waited for no longer than the time-out.

    Looking up an address has no time-out of its own, and an answer may come byte by byte; so the call may go on
    when nobody waits for it any more, and holds its turn until it ends.
    """
    until = time.monotonic() + SECONDS
    if not _take_turn():
        raise _unavailable("busy")
    # Asked with a turn in hand: the call that tries for all must really be made.
    if _breaker.is_open():
        _turns.release()
        raise _unavailable("breaker")
    call = _pool.submit(function)
    call.add_done_callback(lambda _: _turns.release())
    return call.result(timeout=max(0.0, until - time.monotonic()))


def _take_turn() -> bool:
    if not _long_waits.acquire(blocking=False):
        return _turns.acquire(timeout=SHORT_WAIT_SECONDS)
    try:
        return _turns.acquire(timeout=LONG_WAIT_SECONDS)
    finally:
        _long_waits.release()


def _unavailable(reason: str) -> ProviderUnavailable:
    HORDE_FAILURES.labels(reason).inc()
    return ProviderUnavailable("AI Horde does not answer, so your key cannot be checked. Try again in ten seconds.")


def _recall(digest: str) -> Remembered | None:
    try:
        [data] = recall([_cache_name(digest)])
    except ValkeyUnavailable:
        return None
    return _remembered_from(data)


def _remembered_from(data: bytes | None) -> Remembered | None:
    try:
        return msgspec.json.decode(data, type=Remembered) if data else None
    except msgspec.DecodeError:
        return None  # What another version wrote is asked for anew.


def _remember(digest: str, answer: Remembered, *, keep: timedelta) -> None:
    data = msgspec.json.encode(answer)
    try:
        ask_valkey("remember_horde_key", lambda valkey: valkey.set(_cache_name(digest), data, ex=keep))
    except ValkeyUnavailable:
        return  # Counted; the next request asks AI Horde again.


def _cache_name(digest: str) -> str:
    return f"kudoscope:horde:{digest}"


def _profile_of(user: HordeUser, digest: str) -> ExternalProfile:
    return ExternalProfile(
        name=user.name,
        is_trusted=user.is_trusted,
        images_generated=user.images_generated,
        kudos=user.kudos,
        created_at=user.created_at,
        key_digest=digest,
        confirmed_at=user.confirmed_at,
    )


def _owner(number: str, known: KnownIdentity | None, profile: ExternalProfile | None) -> KeyOwner | None:
    """Return the owner, unless they are linked to an account that may not act."""
    if known is None:
        return KeyOwner(IdentityKind.HORDE, number, None, None, SCOPES, profile)
    if not known.may_act:
        return None
    return KeyOwner(IdentityKind.HORDE, number, known.identity_id, known.user_id, SCOPES, profile)
