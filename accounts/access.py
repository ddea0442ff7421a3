"""Who is calling: an API key, ours or AI Horde's, a session, a browser without an account, or the anonymous key."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.addresses import hash_address, read_client_address
from accounts.limits import BAD_KEY, Demand, check_limits, take_from_limits
from accounts.models import IdentityKind, Scope, new_browser_id
from accounts.providers import find_key_owner
from accounts.providers.base import ExternalProfile, KeyOwner, KeyRefused
from accounts.queries import find_identity_id, find_known_identity

SHARED_KEY = "0000000000"
BROWSER_COOKIE = "kudoscope_browser"
BROWSER_COOKIE_SECONDS = 365 * 24 * 3600
CLAIMED_BROWSER = "claimed_browser"
ANSWER_SCOPES = (Scope.RATE.value, Scope.READ.value)


class InvalidApiKey(Exception):
    """The key is unknown, revoked, or not a key at all."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as far as rules care.

    ``identity_id`` is None until the identity has answered for the first time: a GET never writes.
    ``holder`` is under whose name leases are kept; people behind the shared key are told apart by address.
    ``former_holder`` is the name under which one who was linked since may still hold some, or "".
    ``profile`` is what another service said of the caller, or None.
    """

    kind: IdentityKind
    external_id: str
    identity_id: int | None
    user_id: int | None
    holder: str
    address_hash: str
    scopes: tuple[str, ...] = ANSWER_SCOPES
    profile: ExternalProfile | None = None
    former_holder: str = ""

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

    Raises InvalidApiKey, ProviderUnavailable when whose key it is cannot be found out just now, or RateLimited when too
    many keys from this address were wrong.
    """
    secret = read_key(request)
    address = hash_address(read_client_address(request), now=now)
    if secret in {"", SHARED_KEY}:
        return shared_caller(address)
    try:
        # Keys that are remembered go on, also from an address where somebody guesses.
        owner = find_key_owner(secret, now=now, before_asking=lambda: check_bad_keys(address, now=now))
    except KeyRefused as refusal:
        count_bad_key(address, now=now)
        raise InvalidApiKey(str(refusal)) from refusal
    if owner is None:
        count_bad_key(address, now=now)
        raise InvalidApiKey("Invalid API key.")
    return caller_of_key(owner, address)


def check_bad_keys(*subjects: str, now: datetime) -> None:
    """Refuse an address, or whoever else tries keys, from where too many were wrong. Raises RateLimited."""
    check_limits(demands=[Demand(BAD_KEY, subject) for subject in subjects], now=now)


def count_bad_key(*subjects: str, now: datetime) -> None:
    """Count a key that was not accepted against the address it came from, and whoever tried it. Raises RateLimited."""
    take_from_limits(demands=[Demand(BAD_KEY, subject) for subject in subjects], now=now)


def caller_from_request(request: HttpRequest) -> Caller:
    """Return who uses a page: the signed-in user, else this browser under its signed random id."""
    address = hash_address(read_client_address(request), now=timezone.now())
    user_id = request.user.pk if request.user.is_authenticated else None
    if user_id is not None:
        caller = account_caller(user_id, find_identity_id(kind=IdentityKind.ACCOUNT, user_id=user_id), address)
        claimed = request.session.get(CLAIMED_BROWSER)
        return replace(caller, former_holder=browser_holder(claimed)) if claimed else caller
    caller = browser_caller(_browser_id_of(request), address)
    if caller.user_id is None:
        return caller
    # Somebody claimed what this browser rated, and a copy of its old cookie came back: it speaks for nobody.
    renew_browser(request)
    return browser_caller(_browser_id_of(request), address)


def read_browser_id(request: HttpRequest) -> str | None:
    """Return the id in this browser's signed cookie, or None when it has none."""
    return _read_browser_cookie(request.COOKIES.get(BROWSER_COOKIE, ""))


def renew_browser(request: HttpRequest) -> None:
    """Let this browser be another one from now on; the answer has to carry its new name (`remember_browser`)."""
    request.browser_id = new_browser_id()  # type: ignore[attr-defined]
    request.is_new_browser = True  # type: ignore[attr-defined]


def take_over_leases(request: HttpRequest, browser_id: str) -> None:
    """Let the session use what was leased to this browser before its ratings became the account's.

    A session speaks for one such browser at a time: the last whose answers arrived.
    """
    request.session[CLAIMED_BROWSER] = browser_id


def browser_holder(browser_id: str) -> str:
    """Return under whose name the leases of a browser without an account are kept."""
    return f"browser:{browser_id}"


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


def caller_of_key(owner: KeyOwner, address: str) -> Caller:
    """Return the caller that a key speaks for. All keys of one person, and their session, hold leases together."""
    if owner.kind == IdentityKind.ACCOUNT and owner.user_id is not None:
        return account_caller(owner.user_id, owner.identity_id, address, owner.scopes)
    unlinked = f"{owner.kind.value}:{owner.external_id}"
    return Caller(
        kind=owner.kind,
        external_id=owner.external_id,
        identity_id=owner.identity_id,
        user_id=owner.user_id,
        holder=f"user:{owner.user_id}" if owner.user_id else unlinked,
        address_hash=address,
        scopes=owner.scopes,
        profile=owner.profile,
        former_holder=unlinked if owner.user_id else "",
    )


def account_caller(
    user_id: int, identity_id: int | None, address: str, scopes: tuple[str, ...] = ANSWER_SCOPES
) -> Caller:
    """Return the caller that speaks for a user, by key or by session: one holder of leases for both."""
    return Caller(IdentityKind.ACCOUNT, str(user_id), identity_id, user_id, f"user:{user_id}", address, scopes)


def browser_caller(browser_id: str, address: str) -> Caller:
    """Return the caller for a browser without an account; ``user_id`` is that of who claimed its ratings, or None."""
    known = find_known_identity(kind=IdentityKind.BROWSER, external_id=browser_id)
    identity_id, user_id = (known.identity_id, known.user_id) if known else (None, None)
    return Caller(IdentityKind.BROWSER, browser_id, identity_id, user_id, browser_holder(browser_id), address)


def shared_caller(address: str) -> Caller:
    """Return the caller for the shared anonymous key; its identity is found by those who need it."""
    return Caller(IdentityKind.SHARED_KEY, SHARED_KEY, None, None, f"address:{address}", address)


def read_key(request: HttpRequest) -> str:
    """Return the key of the ``apikey`` header or of ``Authorization: Bearer``, or "" when there is none."""
    if key := request.META.get("HTTP_APIKEY"):
        return str(key).strip()
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


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
