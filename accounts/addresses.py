"""Client addresses: read behind trusted proxies, and kept only as a keyed hash."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

KEY_PERIOD_DAYS = 90
IPV6_PREFIX = 64


def read_client_address(request: HttpRequest) -> str:
    """Return the client's address, or "" when there is none that can be trusted.

    Each trusted proxy appends the address it was called from to the header that the settings name; with N of them the
    client is the Nth from the right. Anything further left was written by the client itself.
    """
    count = settings.TRUSTED_PROXY_COUNT
    if not count:
        return str(request.META.get("REMOTE_ADDR", ""))
    if settings.TRUSTED_PROXY_HEADER == "Forwarded":
        hops = [_address_in(hop) for hop in request.META.get("HTTP_FORWARDED", "").split(",")]
    else:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    return hops[-count] if len(hops) >= count else ""


def hash_address(address: str, *, now: datetime) -> str:
    """Return 32 hex digits that tell addresses apart (IPv4, or the /64 of IPv6) for up to 90 days.

    The key changes with each period, so hashes of different periods cannot be joined. An address that
    cannot be read gets the hash of "unknown", so that it is limited like one client.
    """
    period = int(now.timestamp()) // (KEY_PERIOD_DAYS * 86400)
    return hmac.new(_key_of_period(period), _network_of(address).encode(), hashlib.sha256).hexdigest()[:32]


def is_address_in(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Return whether an address is in one of the networks; one that cannot be read is in none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def _address_in(hop: str) -> str:
    """Return the address in one element of Forwarded (RFC 7239), as in `for="[2001:db8::7]:4711";proto=https`."""
    pairs = (pair.partition("=") for pair in hop.split(";"))
    node = next((value.strip().strip('"') for name, _, value in pairs if name.strip().lower() == "for"), "")
    if node.startswith("["):
        return node[1:].partition("]")[0]
    # More than one colon is IPv6 as proxies write it that know only the bare address.
    return node.partition(":")[0] if node.count(":") == 1 else node


@lru_cache(maxsize=4)
def _key_of_period(period: int) -> bytes:
    return hmac.new(
        str(getattr(settings, "ADDRESS_KEY")).encode(), f"addresses:{period}".encode(), hashlib.sha256
    ).digest()


def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed)
