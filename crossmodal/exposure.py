"""Whether others can reach the web server, and what to say of it when it starts."""

import ipaddress

PROXY_NEEDED = (
    "Others can reach these pages at {host}, without encryption: whoever is on the way can read passwords. "
    "Put a proxy with HTTPS in front, as docs/operations.md says under “Reached by others”."
)
PROXY_ONLY = "Pages are trusted to come through a proxy: see to it that nothing but the proxy reaches {host}."


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there; an empty host is every address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def sentence(host: str, *, behind_proxy: bool) -> str:
    """What to know before others use it; nothing where this machine alone reaches it."""
    if is_loopback(host):
        return ""
    return (PROXY_ONLY if behind_proxy else PROXY_NEEDED).format(host=host or "every address")
