"""Who is calling: an API key, a session, a browser without an account, or the shared anonymous key."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.addresses import hash_address, read_client_address
from accounts.limits import BAD_KEY, Demand, check_limits, take_from_limits
from accounts.models import IdentityKind, Scope, new_browser_id
from accounts.queries import PREFIX_LENGTH, KeyHolder, find_identity_id, find_key_holder
from accounts.services import KEY_CACHE_SECONDS, KEY_LENGTH, REVOKED, cache_name, digest_of
from accounts.valkey import ValkeyUnavailable, ask_valkey

SHARED_KEY = "0000000000"
KEY_USAGE = "kudoscope:key-usage"
BROWSER_COOKIE = "kudoscope_browser"
BROWSER_COOKIE_SECONDS = 365 * 24 * 3600
ANSWER_SCOPES = (Scope.RATE.value, Scope.READ.value)


class InvalidApiKey(Exception):
    """The key is unknown, revoked, or not a key at all."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as far as rules care.

    ``identity_id`` is None until the identity has answered for the first time: a GET never writes.
    ``holder`` is under whose name leases are kept; people behind the shared key are told apart by address.
    """

    kind: IdentityKind
    external_id: str
    identity_id: int | None
    user_id: int | None
    holder: str
    address_hash: str
    scopes: tuple[str, ...] = ANSWER_SCOPES

    @property
    def is_shared(self) -> bool:
        return self.kind == IdentityKind.SHARED_KEY

    @property
    def crowd(self) -> str:
        """Return the address whose browsers without an account share one limit of leases, or ""."""
        return self.address_hash if self.kind == IdentityKind.BROWSER else ""

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None


def caller_from_key(request: HttpRequest, *, now: datetime) -> Caller:
    """Return who calls the API. No key, or the anonymous one, is the shared identity.

    Raises InvalidApiKey, or RateLimited when too many keys from this address were wrong.
    """
    secret = read_key(request)
    address = hash_address(read_client_address(request), now=now)
    if secret in {"", SHARED_KEY}:
        return shared_caller(address)
    holder = _look_up_key(secret, address, now=now)
    if holder is None:
        count_bad_key(address, now=now)
        raise InvalidApiKey("Invalid API key.")
    return account_caller(holder.user_id, holder.identity_id, address, holder.scopes)


def count_bad_key(address: str, *, now: datetime) -> None:
    """Count a key that was not accepted against the address it came from. Raises RateLimited."""
    take_from_limits(demands=[Demand(BAD_KEY, address)], now=now)


def caller_from_request(request: HttpRequest) -> Caller:
    """Return who uses a page: the signed-in user, else this browser under its signed random id."""
    address = hash_address(read_client_address(request), now=timezone.now())
    user_id = request.user.pk if request.user.is_authenticated else None
    if user_id is not None:
        return account_caller(user_id, find_identity_id(kind=IdentityKind.ACCOUNT, user_id=user_id), address)
    return browser_caller(_browser_id_of(request), address)


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Give a browser that has none yet the id that its first ratings are made under."""
    if not getattr(request, "is_new_browser", False):
        return
    value = signing.dumps(_browser_id_of(request), salt=BROWSER_COOKIE)
    response.set_cookie(
        BROWSER_COOKIE,
        value,
        max_age=BROWSER_COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )


def account_caller(
    user_id: int, identity_id: int | None, address: str, scopes: tuple[str, ...] = ANSWER_SCOPES
) -> Caller:
    """Return the caller that speaks for a user, by key or by session: one holder of leases for both."""
    return Caller(IdentityKind.ACCOUNT, str(user_id), identity_id, user_id, f"user:{user_id}", address, scopes)


def browser_caller(browser_id: str, address: str) -> Caller:
    """Return the caller for a browser without an account."""
    identity_id = find_identity_id(kind=IdentityKind.BROWSER, external_id=browser_id)
    return Caller(IdentityKind.BROWSER, browser_id, identity_id, None, f"browser:{browser_id}", address)


def shared_caller(address: str) -> Caller:
    """Return the caller for the shared anonymous key; its identity is found by those who need it."""
    return Caller(IdentityKind.SHARED_KEY, SHARED_KEY, None, None, f"address:{address}", address)


def read_key(request: HttpRequest) -> str:
    """Return the key of the ``apikey`` header or of ``Authorization: Bearer``, or "" when there is none."""
    if key := request.META.get("HTTP_APIKEY"):
        return str(key).strip()
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _look_up_key(secret: str, address: str, *, now: datetime) -> KeyHolder | None:
    """Return whom the key speaks for, from Valkey when it is remembered there, else from the database.

    Raises RateLimited for a key that is not remembered, from an address that guesses: others there go on.
    """
    if len(secret) != KEY_LENGTH or not secret.isascii():
        return None
    digest = digest_of(secret)
    try:
        remembered: Any = ask_valkey("read_key", lambda valkey: valkey.get(cache_name(digest)))
        if remembered:
            return None if remembered == REVOKED else _holder_from_json(remembered)
    except ValkeyUnavailable:
        return find_key_holder(prefix=secret[:PREFIX_LENGTH], digest=digest)
    check_limits(demands=[Demand(BAD_KEY, address)], now=now)
    holder = find_key_holder(prefix=secret[:PREFIX_LENGTH], digest=digest)
    if holder is not None:
        _remember_key(digest, holder, now=now)
    return holder


def _remember_key(digest: str, holder: KeyHolder, *, now: datetime) -> None:
    """Keep the answer for a minute, and note the use: once a minute and key is as fine as anybody reads it."""

    def write(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=False)
        # A first rating makes the identity; until then the answer is not worth keeping long.
        seconds = KEY_CACHE_SECONDS if holder.identity_id else 1
        pipe.set(cache_name(digest), orjson.dumps(holder), ex=seconds, nx=True)
        pipe.hset(KEY_USAGE, str(holder.key_id), str(now.timestamp()))
        pipe.execute()

    try:
        ask_valkey("remember_key", write)
    except ValkeyUnavailable:
        return  # Counted; the next request asks the database again.


def _holder_from_json(data: bytes) -> KeyHolder:
    fields = orjson.loads(data)
    return KeyHolder(fields["key_id"], fields["user_id"], fields["identity_id"], tuple(fields["scopes"]))


def _browser_id_of(request: HttpRequest) -> str:
    """Return the id in the signed cookie, or a new one that lasts as long as the request."""
    if not hasattr(request, "browser_id"):
        browser_id = _read_browser_cookie(request.COOKIES.get(BROWSER_COOKIE, ""))
        request.is_new_browser = browser_id is None  # type: ignore[attr-defined]
        request.browser_id = browser_id or new_browser_id()  # type: ignore[attr-defined]
    return str(request.browser_id)  # type: ignore[attr-defined]


def _read_browser_cookie(value: str) -> str | None:
    if not value:
        return None
    try:
        return uuid.UUID(hex=signing.loads(value, salt=BROWSER_COOKIE, max_age=BROWSER_COOKIE_SECONDS)).hex
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None
