"""Networks and addresses, as the environment names them."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def read_networks(variable: str, names: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Return the networks that a comma list names. Raises ImproperlyConfigured, also for the whole internet."""
    networks = [_read_network(variable, name.strip()) for name in names if name.strip()]
    if not all(network.prefixlen for network in networks):
        raise ImproperlyConfigured(f"{variable} may not be the whole internet.")
    return networks


def _read_network(variable: str, name: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(name, strict=False)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} must be a comma list of networks, as 192.0.2.0/24: {error}") from error
    address = name.partition("/")[0]
    if ip_address(address) != network.network_address:
        raise ImproperlyConfigured(
            f"{variable} names {name}, which is one address and not the network that it is in. "
            f"Write {network} for all of the network, or {address}/{network.max_prefixlen} for that address alone."
        )
    return network


def read_horde_url(url: str, *, allow_private: bool) -> str:
    """Return the address of AI Horde, or "". Raises ImproperlyConfigured for one that keys may not travel to."""
    url = url.rstrip("/")
    if not url or (allow_private and url.startswith("http://")):
        return url
    if not url.startswith("https://"):
        raise ImproperlyConfigured(
            "HORDE_URL must be an address as https://aihorde.net, because keys travel there. "
            "For one of your own network, as http://127.0.0.1:7001, set HORDE_ALLOW_PRIVATE=1 as well."
        )
    if not allow_private and _is_private(urlsplit(url).hostname or ""):
        raise ImproperlyConfigured(
            "HORDE_URL is an address of a private network, which is never called unless HORDE_ALLOW_PRIVATE=1 is set."
        )
    return url


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost"
