"""Networks of addresses, as the environment names them."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.core.exceptions import ImproperlyConfigured


def read_networks(variable: str, names: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Return the networks that a comma list names. Raises ImproperlyConfigured, also for the whole internet."""
    try:
        networks = [ip_network(name.strip()) for name in names if name.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} must be a comma list of networks, as 192.0.2.0/24: {error}") from error
    if not all(network.prefixlen for network in networks):
        raise ImproperlyConfigured(f"{variable} may not be the whole internet.")
    return networks
