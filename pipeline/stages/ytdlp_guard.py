"""yt-dlp's requests, let through to public addresses only."""

import logging
import re
import urllib.request
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from yt_dlp.networking._urllib import HTTPHandler, UrllibRH
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils.networking import select_proxy

from pipeline.stages.addresses import DEFAULT_PORTS, public_addresses
from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_limits import Meter, RefusedError
from pipeline.stages.ytdlp_responses import ENCODINGS, BoundedResponse, MeteredResponse

log = logging.getLogger(__name__)

Endpoint = tuple[str, int]
# Letters, digits, dots and the like, or an IPv6 address: what every program reads in the same way.
PLAIN_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
# Servers refuse longer addresses (Apache and nginx at 8 kB); signed ones of media servers have some 2 kB.
MAX_ADDRESS_LENGTH: Final = 16 * 1024
# A name may lead to hundreds of addresses that do not answer, each for as long as an answer is waited for.
MAX_CANDIDATES: Final = 4


def guarded_handler(allowed_origin: str | None, meter: Meter) -> Callable[..., "_PublicOnly"]:
    """Return what makes the request handler of a YoutubeDL.

    Parameters
    ----------
    allowed_origin : str or None
        An origin that is opened although it is not public.
    meter : Meter
        What counts all that is asked for and received.
    """
    allowed = endpoint_of(allowed_origin) if allowed_origin else None
    return partial(_PublicOnly, allowed={allowed} if allowed else set(), meter=meter)


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

    def __init__(self, *, allowed: Collection[Endpoint], meter: Meter, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allowed = frozenset(allowed)
        self._meter = meter
        through = (proxy for scheme, proxy in self.proxies.items() if proxy and scheme != "no")
        self._through = frozenset(found for proxy in through if (found := endpoint_of(proxy)))

    def _get_proxies(self, request: Any) -> dict[str, str | None]:
        return dict(self.proxies)

    def _check_proxies(self, proxies: Any) -> None:
        super()._check_proxies(self.proxies)

    def _prepare_headers(self, request: Any, headers: Any) -> None:
        if "Accept-Encoding" not in headers:
            headers["Accept-Encoding"] = ", ".join(ENCODINGS)

    def _send(self, request: Any) -> BoundedResponse:
        self._meter.count_request()
        try:
            return BoundedResponse(super()._send(request), self._meter)
        except HTTPError as error:
            bounded = BoundedResponse(error.response, self._meter)
            raise HTTPError(bounded, redirect_loop=error.redirect_loop) from error

    def _create_instance(self, *args: Any, **kwargs: Any) -> urllib.request.OpenerDirector:
        opener: urllib.request.OpenerDirector = super()._create_instance(*args, **kwargs)
        opener.add_handler(_NoFtp())
        opener.add_handler(_CheckedTargets(self.proxies, self._allowed, self._through))
        for handler in list(opener.handlers):  # type: ignore[attr-defined]
            if isinstance(handler, HTTPHandler):
                handler._make_conn_class = partial(_guarded_class, self._allowed | self._through, self._meter)
                handler.http_response = handler.https_response = _as_it_is
        return opener


def _as_it_is(request: Any, response: Any) -> Any:
    """Take the place of yt-dlp's decoding, which unpacks an answer of any size at once."""
    return response


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
        if len(request.full_url) > MAX_ADDRESS_LENGTH:
            raise RefusedError(StageError("The page leads to an address that is too long to be one."))
        target = endpoint_of(f"{request.type}://{request.host}")
        proxied = select_proxy(request.full_url, self._proxies)
        if not proxied and (target is None or target not in self._through):
            return  # checked where the connection is made
        if target is None or "@" in request.host or not PLAIN_HOST.fullmatch(target[0]):
            # The proxy might read such a host in another way than it is checked here.
            raise RefusedError(
                StageError(f"The address leads to “{request.host}”, which is no host name and is not opened.")
            )
        if target not in self._checked:
            try:
                public_addresses(*target, self._allowed)
            except StageError as refusal:
                raise RefusedError(refusal) from refusal
            except OSError:
                log.debug("%s is not resolved here; the proxy decides", target[0])
            self._checked.add(target)

    https_open = http_open


class _NoFtp(urllib.request.BaseHandler):
    """urllib follows redirects to FTP; nothing here needs it."""

    handler_order = 1

    def ftp_open(self, request: urllib.request.Request) -> None:
        raise RefusedError(StageError("The page leads to an FTP address, which is not opened."))


def _guarded_class(allowed: Collection[Endpoint], meter: Meter, base: type, request: urllib.request.Request) -> type:
    """The class of one connection; yt-dlp's own way to a SOCKS proxy, named in a header, is not taken."""
    request.headers.pop("Ytdl-socks-proxy", None)

    class GuardedConnection(base):  # type: ignore[misc]
        response_class = staticmethod(partial(MeteredResponse, meter=meter))

        def connect(self) -> None:
            plain = self.__dict__["_create_connection"]  # as http.client and yt-dlp set it

            def checked(address: tuple[str, int], *rest: Any, **options: Any) -> Any:
                try:
                    candidates = public_addresses(*address, allowed)
                except StageError as refusal:
                    raise RefusedError(refusal) from refusal
                *first, last = candidates[:MAX_CANDIDATES]
                for candidate in first:
                    meter.check_time()
                    with suppress(OSError):
                        return plain((candidate, address[1]), *rest, **options)
                meter.check_time()
                return plain((last, address[1]), *rest, **options)

            self._create_connection = checked
            super().connect()

    return GuardedConnection
