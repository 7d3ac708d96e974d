"""Web addresses: one spelling for each page, and which machines may be contacted."""

import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from pipeline.stages.errors import StageError

DEFAULT_PORTS = {"http": 80, "https": 443}
# Parameters that say where a link was found, not where it leads.
TRACKING_PARAMETERS = re.compile(r"utm_\w+|fbclid|gclid", re.IGNORECASE)
MAX_URL_LENGTH = 500  # the width of the column that keeps it
# All that IANA gives out for unicast on the Internet (RFC 4291, 2.4).
GLOBAL_UNICAST_V6 = ipaddress.ip_network("2000::/3")
# IANA's special-purpose registries, each block inside another left out; those called globally reachable too, since
# none of them holds a site. Written out, because Python's own list differs from one patch release to the next.
SPECIAL_NETWORKS = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # in no registry: Azure's platform services, seen from its machines
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]


def split_url(url: str) -> SplitResult:
    """Parse a web address strictly.

    Raises
    ------
    StageError
        It is not an http or https address with a host, or it carries a user name.
    """
    text = url.strip()
    shown = text if len(text) <= 80 else f"{text[:80]}…"
    if len(text) > MAX_URL_LENGTH:
        raise StageError(f"The address {shown} is longer than {MAX_URL_LENGTH} characters.")
    try:
        parts = urlsplit(text)
        _ = parts.port  # parsed, and refused, only when it is read
    except ValueError:
        raise StageError(f"“{shown}” is not a web address.") from None
    if (
        parts.scheme.lower() not in DEFAULT_PORTS
        or not parts.hostname
        or re.search(r"[\s\x00-\x1f\x7f\ud800-\udfff\\]", text)
    ):
        raise StageError(f"“{shown}” is not a web address; it must start with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise StageError(f"The address {shown} carries a user name; give it without.")
    return parts


def host_of(parts: SplitResult) -> str:
    """Lower-case host name without a final dot, international names in ASCII."""
    host = (parts.hostname or "").rstrip(".")
    try:
        return host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except UnicodeError:
        raise StageError(f"“{host}” is not a host name.") from None


def origin_of(url: str) -> str:
    """Scheme, host and port, the port only where it is not the scheme's own."""
    parts = split_url(url)
    scheme, host = parts.scheme.lower(), host_of(parts)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if parts.port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{parts.port}"


def normalise(url: str) -> str:
    """The one spelling of an address: what does not change the page is dropped or written in one way.

    >>> normalise("HTTPS://Example.org:443/talk?utm_source=mail&id=3#t=20")
    'https://example.org/talk?id=3'
    """
    parts = split_url(url)
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._") or "/"
    query = "&".join(
        field for field in parts.query.split("&") if not TRACKING_PARAMETERS.fullmatch(field.partition("=")[0])
    )
    return origin_of(url) + urlunsplit(("", "", path, quote(query, safe="/%:@!$&'()*+,;=~-._?"), ""))


def public_addresses(host: str, port: int, allowed_private: Collection[tuple[str, int]] = ()) -> list[str]:
    """IP addresses of a host, all of them public.

    Parameters
    ----------
    host, port
        What is about to be contacted.
    allowed_private : collection of (host, port)
        Exceptions, by exact host as written and port.

    Raises
    ------
    StageError
        An address is on a private network or on this machine: a page must not make the server open its own
        neighbourhood (OWASP, Server-Side Request Forgery Prevention).
    OSError
        The name cannot be resolved.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if (host, port) in allowed_private:
        return found
    for address in found:
        if not is_public(address):
            raise StageError(f"The address leads to {host}, which is on a private network and is not opened.")
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is one that the Internet at large uses: allocated unicast, no special purpose.

    IPv6 counts inside 2000::/3 alone, which leaves out every form that carries an IPv4 address or leads to one.

    References
    ----------
    IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); IANA IPv6 Address Space (RFC 4291).
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in GLOBAL_UNICAST_V6:
        return False
    return not any(parsed in network for network in SPECIAL_NETWORKS)
