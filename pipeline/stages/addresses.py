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
    if parts.scheme.lower() not in DEFAULT_PORTS or not parts.hostname or re.search(r"[\s\x00-\x1f\\]", text):
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
    """Whether an IP address, IPv4 inside IPv6 included, is reachable by everybody."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inside = parsed.ipv4_mapped or parsed.sixtofour
        if inside is not None:
            return is_public(str(inside))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):  # NAT64 (RFC 6052)
            return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
    return parsed.is_global and not parsed.is_multicast
