"""yt-dlp's requests, let through to public addresses only."""

import logging
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from yt_dlp.networking._urllib import HTTPHandler, UrllibRH
from yt_dlp.networking.exceptions import RequestError
from yt_dlp.utils import determine_protocol
from yt_dlp.utils.networking import select_proxy

from pipeline.stages.addresses import DEFAULT_PORTS, public_addresses
from pipeline.stages.errors import StageError

log = logging.getLogger(__name__)

Endpoint = tuple[str, int]
# Letters, digits, dots and the like, or an IPv6 address: what every program reads in the same way.
PLAIN_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
# yt-dlp's downloaders for these start rtmpdump or FFmpeg, or open web sockets of their own.
UNGUARDED_PROTOCOLS = frozenset(
    {"rtmp", "rtmpe", "rtmp_ffmpeg", "websocket_frag", "niconico_live", "fc2_live", "youtube_live_chat"}
)


class _RefusedError(RequestError):  # type: ignore[misc]
    """A connection that is not made; the message is a StageError's."""


def guarded_handler(allowed_origin: str | None) -> Callable[..., "_PublicOnly"]:
    """Return what makes the request handler of a YoutubeDL.

    Parameters
    ----------
    allowed_origin : str or None
        An origin that is opened although it is not public.
    """
    allowed = endpoint_of(allowed_origin) if allowed_origin else None
    return partial(_PublicOnly, allowed={allowed} if allowed else set())


def check_protocol(info: Mapping[str, Any]) -> None:
    """Refuse what yt-dlp would hand to another program or socket, where no address is checked.

    Raises
    ------
    StageError
    """
    protocols = str(info.get("protocol") or determine_protocol(info)).split("+")
    if unguarded := sorted(UNGUARDED_PROTOCOLS.intersection(protocols)):
        raise StageError(
            f"The recording is sent by the protocol {unguarded[0]}, which is not opened; upload it as a file."
        )


def endpoint_of(url: str) -> Endpoint | None:
    """Return host and port of an address; None where it names no host."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    with suppress(ValueError):
        if parts.hostname:
            return parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
    return None


class _PublicOnly(UrllibRH):  # type: ignore[misc]
    """yt-dlp's request handler on urllib, connecting to public addresses and to what is explicitly allowed.

    The check stands where connections are made, so that redirects, captions and fragments pass it too, and the
    checked address is the one connected to, whatever the name resolves to a moment later. What goes through a proxy
    is checked before it is handed over. The proxy is the installation's own: what a page or an extractor says about
    proxies does not count.
    """

    _SUPPORTED_URL_SCHEMES = ("http", "https", "data")
    _SUPPORTED_PROXY_SCHEMES = ("http",)
    RH_KEY = "Urllib"

    def __init__(self, *, allowed: Collection[Endpoint], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allowed = frozenset(allowed)
        through = (proxy for scheme, proxy in self.proxies.items() if proxy and scheme != "no")
        self._through = frozenset(found for proxy in through if (found := endpoint_of(proxy)))

    def _get_proxies(self, request: Any) -> dict[str, str | None]:
        return dict(self.proxies)

    def _check_proxies(self, proxies: Any) -> None:
        super()._check_proxies(self.proxies)

    def _create_instance(self, *args: Any, **kwargs: Any) -> urllib.request.OpenerDirector:
        opener: urllib.request.OpenerDirector = super()._create_instance(*args, **kwargs)
        opener.add_handler(_NoFtp())
        opener.add_handler(_CheckedTargets(self.proxies, self._allowed, self._through))
        for handler in list(opener.handlers):  # type: ignore[attr-defined]
            if isinstance(handler, HTTPHandler):
                handler._make_conn_class = partial(_guarded_class, self._allowed | self._through)
        return opener


class _CheckedTargets(urllib.request.BaseHandler):
    """Checks what a request is for before a proxy gets it, and again for each redirect.

    A name that cannot be resolved here is left to the proxy: there are networks where the proxy alone can do so.
    """

    handler_order = 50  # before yt-dlp's ProxyHandler (100), which puts the proxy in the target's place

    def __init__(
        self, proxies: Mapping[str, str | None], allowed: Collection[Endpoint], through: Collection[Endpoint]
    ) -> None:
        self._proxies = proxies
        self._allowed = allowed
        self._through = through
        self._checked: set[Endpoint] = set()

    def http_open(self, request: urllib.request.Request) -> None:
        target = endpoint_of(f"{request.type}://{request.host}")
        proxied = select_proxy(request.full_url, self._proxies)
        if not proxied and (target is None or target not in self._through):
            return  # checked where the connection is made
        if target is None or "@" in request.host or not PLAIN_HOST.fullmatch(target[0]):
            # The proxy might read such a host in another way than it is checked here.
            raise _RefusedError(f"The address leads to “{request.host}”, which is no host name and is not opened.")
        if target not in self._checked:
            try:
                public_addresses(*target, self._allowed)
            except StageError as refusal:
                raise _RefusedError(refusal.message) from refusal
            except OSError:
                log.debug("%s is not resolved here; the proxy decides", target[0])
            self._checked.add(target)

    https_open = http_open


class _NoFtp(urllib.request.BaseHandler):
    """urllib follows redirects to FTP; nothing here needs it."""

    handler_order = 1

    def ftp_open(self, request: urllib.request.Request) -> None:
        raise urllib.error.URLError("FTP is not opened")


def _guarded_class(allowed: Collection[Endpoint], base: type, request: urllib.request.Request) -> type:
    """The class of one connection; yt-dlp's own way to a SOCKS proxy, named in a header, is not taken."""
    request.headers.pop("Ytdl-socks-proxy", None)

    class GuardedConnection(base):  # type: ignore[misc]
        def connect(self) -> None:
            plain = self.__dict__["_create_connection"]  # as http.client and yt-dlp set it

            def checked(address: tuple[str, int], *rest: Any, **options: Any) -> Any:
                try:
                    candidates = public_addresses(*address, allowed)
                except StageError as refusal:
                    raise _RefusedError(refusal.message) from refusal
                for candidate in candidates[:-1]:
                    with suppress(OSError):
                        return plain((candidate, address[1]), *rest, **options)
                return plain((candidates[-1], address[1]), *rest, **options)

            self._create_connection = checked
            super().connect()

    return GuardedConnection
