"""Options of all downloads: JavaScript runtime, cookies, proxy, YouTube's player clients, pauses between requests."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from pipeline.stages.errors import StageError

# The runtimes that yt-dlp 2026.10 can use. Deno alone runs scripts without access to files and network.
JS_RUNTIMES: Final = ("deno", "node", "bun", "quickjs")
# Seconds between two requests to a site while a video is looked up: the "sleep" preset of yt-dlp (0.75), rounded up.
REQUEST_PAUSE_S: Final = 1.0
PROXY_EXAMPLE: Final = "write it as http://proxy.example.org:3128"
# What OpenSSL, and so every program on it, reads the trusted certificates from.
CERTIFICATE_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class JsRuntime:
    """The program that runs YouTube's challenges: its kind as yt-dlp names it, and its full path."""

    name: str
    path: Path

    @property
    def is_there(self) -> bool:
        return self.path.is_file() and os.access(self.path, os.X_OK)


def bundled_runtime() -> JsRuntime:
    """Return the Deno that is installed beside this Python, whether it is there or not.

    The interpreter's own path counts, not where a link of the virtual environment leads.
    """
    return JsRuntime("deno", Path(sys.executable).parent / "deno")


@dataclass(frozen=True)
class DownloadOptions:
    """Options that hold for every download of an installation.

    Attributes
    ----------
    js_runtime : JsRuntime
    cookies : Path or None
        A Netscape cookies file. It is read for each download and never written.
    proxy : str
        "http://host:port" of the proxy for public addresses; "" for the one that the environment names, if any.
    player_clients : tuple of str
        The clients of YouTube's player that are asked, in this order; empty for yt-dlp's choice.
    request_pause_s : float
        Seconds between two requests while a video is looked up; none on private origins.
    """

    js_runtime: JsRuntime = field(default_factory=bundled_runtime)
    cookies: Path | None = None
    proxy: str = ""
    player_clients: tuple[str, ...] = ()
    request_pause_s: float = REQUEST_PAUSE_S


def parse_js_runtime(text: str) -> JsRuntime:
    """Read a runtime written as "deno:/path/to/deno"; the bundled one for an empty text.

    Raises
    ------
    StageError
        The kind is unknown, or the path is missing or relative.
    """
    if not text:
        return bundled_runtime()
    name, _, path = text.partition(":")
    if name.strip().lower() not in JS_RUNTIMES or not Path(path.strip()).is_absolute():
        raise StageError(
            f"“{text}” names no JavaScript runtime; write its kind ({', '.join(JS_RUNTIMES)}), a colon "
            "and the full path of the program, as in deno:/usr/local/bin/deno.",
            permanent=False,
        )
    return JsRuntime(name.strip().lower(), Path(path.strip()))


def parse_proxy(text: str) -> str:
    """Return a proxy's address as "http://host:port"; "" for an empty text.

    Raises
    ------
    StageError
        It is a SOCKS proxy, one that is itself reached over TLS, or no address at all.
    """
    if not text:
        return ""
    address = text if "://" in text else f"http://{text.removeprefix('//')}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise StageError(
            f"“{without_password(text)}” is not the address of a proxy; {PROXY_EXAMPLE}.", permanent=False
        ) from None
    shown = without_password(address)
    if parts.scheme.lower().startswith("socks"):
        raise StageError(
            f"The proxy {shown} is a SOCKS proxy, which would resolve and open any address unchecked; "
            "use an HTTP proxy (http://host:port).",
            permanent=False,
        )
    if parts.scheme.lower() == "https":
        raise StageError(
            f"The proxy {shown} is written with https://, but proxies are spoken to without TLS "
            "(what is fetched through them stays encrypted); write http:// and the port of its HTTP side.",
            permanent=False,
        )
    if parts.scheme.lower() != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise StageError(f"“{shown}” is not the address of an HTTP proxy; {PROXY_EXAMPLE}.", permanent=False)
    credentials = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"http://{credentials}{host}:{port or 80}"


def without_password(address: str) -> str:
    """Return an address as it may be shown: user name and password are left out."""
    scheme, separator, rest = address.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def environment_proxies() -> dict[str, str]:
    """Return the proxies of the environment (HTTPS_PROXY and the like) that would be used, by scheme.

    Raises
    ------
    StageError
        One of them is a SOCKS proxy or cannot be read.
    """
    found: Mapping[str, str] = getproxies()
    return {scheme: parse_proxy(found[scheme]) for scheme in ("http", "https", "all") if found.get(scheme)}


def own_certificates() -> bool:
    """Return whether the environment names the certificates to trust, as behind a proxy that opens TLS."""
    return any(os.environ.get(name) for name in CERTIFICATE_VARIABLES)
