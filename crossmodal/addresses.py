"""The address of a client, also behind proxies."""

import ipaddress
import logging
import re
from functools import cache

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)

# An address with a port, as some proxies write it: 192.0.2.1:4711 and [2001:db8::1]:4711, or in brackets alone.
WITH_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]{1,5}|\[(?P<v6>[^\]]+)\](:[0-9]{1,5})?")
# RFC 6052: the address of an IPv4 client as a translator shows it to a server that speaks IPv6 alone.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 4291 gives one network of one customer 64 bits for its machines; all of them can be the same person's.
IPV6_CUSTOMER_PREFIX = 64
# The most that RFC 6177 expects a provider to give to one site.
IPV6_SITE_PREFIX = 48

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> IPAddress | None:
    """Return where a request comes from; None over a Unix socket without a trusted proxy in front.

    Every trusted proxy writes the address that it was reached from to the end of X-Forwarded-For. So the client's
    stands as many places from the right as there are proxies; what stands farther left is what the client claims.
    """
    connection = parse_address(request.META.get("REMOTE_ADDR", ""))
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    proxies: int = settings.TRUSTED_PROXIES
    if not proxies:
        if forwarded:
            _warn("X-Forwarded-For is not read: where a proxy stands in front, set BEHIND_PROXY to their number.")
        return connection
    places = forwarded.rsplit(",", proxies)[-proxies:]
    address = parse_address(places[0]) if len(places) == proxies else None
    if address is None:
        _warn(f"X-Forwarded-For does not hold the {proxies} addresses that BEHIND_PROXY={proxies} promises.")
        return connection
    return address


def parse_address(written: str) -> IPAddress | None:
    """Read an address with or without brackets, port and zone; one of IPv4 in an IPv6 dress becomes IPv4."""
    written = written.strip().strip('"')
    if found := WITH_PORT.fullmatch(written):
        written = found["v4"] or found["v6"]
    try:
        address = ipaddress.ip_address(written.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def customer_of(address: IPAddress | None) -> str:
    """Return what one customer of a network has: an address of IPv4, a /64 of IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        return _network(address, IPV6_CUSTOMER_PREFIX)
    return str(address)


def ipv6_site_of(address: IPAddress | None) -> str:
    """Return the /48 of an address of IPv6; empty for IPv4."""
    return _network(address, IPV6_SITE_PREFIX) if isinstance(address, ipaddress.IPv6Address) else ""


def _network(address: ipaddress.IPv6Address, prefix: int) -> str:
    return str(ipaddress.ip_network((address, prefix), strict=False))


@cache
def _warn(sentence: str) -> None:
    """Log a sentence once per process: anybody can send such a header as often as they like."""
    log.warning(sentence)
