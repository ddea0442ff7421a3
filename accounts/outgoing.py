"""Requests to other services: bounded in time and size, without redirects, and never into a private network unasked.

The address that was checked is the one that is connected to, so a name that changes its mind in between leads
nowhere else. What failed is told apart by the one question that matters to whoever sends money: did the request
leave this machine?
"""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpx

# NAT64: the IPv4 address in the last 32 bits is the one that is reached.
NAT64 = ip_network("64:ff9b::/96")


class NotSent(Exception):
    """Nothing of the request has left: no address, a forbidden one, or no connection."""


class NoAnswer(Exception):
    """The request may have arrived, and no complete answer came back in time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take: seconds for each step and for the whole answer, and bytes of the answer."""

    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: HTTP status and at most ``Limits.size`` bytes, never decompressed."""

    status: int
    body: bytes


def send_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    limits: Limits,
    allow_private: bool,
    json: Any = None,
) -> Reply:
    """Return the answer to one request, sent over a connection of its own.

    Each address of the host is tried until one can be connected to. Raises NotSent or NoAnswer. A connection is
    never used twice: the other side may be closing an idle one, and then it would be unclear what arrived.
    """
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NotSent(f"{url} is no address") from error
    problem: NotSent | None = None
    for address in _addresses_of(target, allow_private=allow_private):
        try:
            return _send_to(address, target, method, headers, limits, json)
        except NotSent as error:
            problem = error
    raise problem or NotSent(f"{target.host} is in a private network only")


def is_public(text: str) -> bool:
    """Return whether an address is one of the public internet; one that wraps an IPv4 address counts as that."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = _inner_address(address) or address
    return address.is_global and not address.is_multicast


def _inner_address(address: IPv6Address) -> IPv4Address | None:
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _addresses_of(target: httpx.URL, *, allow_private: bool) -> list[str]:
    if target.scheme not in {"http", "https"}:
        raise NotSent("only http and https are spoken")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(target.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent(f"{target.host} has no address") from error
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [address for address in addresses if allow_private or is_public(address)]


def _send_to(
    address: str, target: httpx.URL, method: str, headers: Mapping[str, str], limits: Limits, json: Any
) -> Reply:
    until = time.monotonic() + limits.seconds
    request_headers = {**headers, "Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"}
    extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
    try:
        # Proxies and certificates named by the environment would lead around the check of the address.
        with (
            httpx.Client(timeout=limits.seconds, verify=_tls(), trust_env=False, follow_redirects=False) as client,
            client.stream(
                method, target.copy_with(host=address), headers=request_headers, json=json, extensions=extensions
            ) as response,
        ):
            return Reply(response.status_code, _read(response, until, limits.size))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSent(f"{target.host} cannot be connected to") from error
    except httpx.HTTPError as error:
        raise NoAnswer(f"{target.host} did not answer: {type(error).__name__}") from error


def _read(response: httpx.Response, until: float, size: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > size:
            raise NoAnswer("the answer is too large")
        if time.monotonic() > until:
            raise NoAnswer("the answer took too long")
    return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    """Return the context that checks certificates; reading all roots anew would cost more than the request."""
    return httpx.create_ssl_context(trust_env=False)
