"""yt-dlp's requests, let through to public addresses only."""

import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from yt_dlp.networking._urllib import HTTPHandler, UrllibRH
from yt_dlp.networking.exceptions import RequestError

from pipeline.stages.addresses import DEFAULT_PORTS, public_addresses
from pipeline.stages.errors import StageError


def guarded_handler(proxies: Mapping[str, str | None], allowed_origin: str | None) -> Callable[..., "_PublicOnly"]:
    """What makes the handler of a YoutubeDL's requests.

    Parameters
    ----------
    proxies : mapping
        The YoutubeDL's own proxies.
    allowed_origin : str or None
        An origin that is opened although it is not public.
    """
    allowed = _endpoint(allowed_origin) if allowed_origin else None
    through = {endpoint for proxy in proxies.values() if proxy and (endpoint := _endpoint(proxy))}
    return partial(_PublicOnly, allowed={endpoint for endpoint in (allowed, *through) if endpoint})


def _endpoint(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    with suppress(ValueError):
        if parts.hostname:
            return parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 1080)
    return None


class _RefusedError(RequestError):  # type: ignore[misc]
    """A connection that is not made; the message is a StageError's."""


class _PublicOnly(UrllibRH):  # type: ignore[misc]
    """yt-dlp's request handler on urllib, connecting to public addresses and to what is explicitly allowed.

    The check stands where connections are made, so that redirects, captions and fragments pass it too, and the
    checked address is the one connected to, whatever the name resolves to a moment later. Through a proxy only the
    proxy's address is seen; it decides on its own what it opens.
    """

    _SUPPORTED_URL_SCHEMES = ("http", "https", "data")
    RH_KEY = "Urllib"

    def __init__(self, *, allowed: Collection[tuple[str, int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allowed = allowed

    def _create_instance(self, *args: Any, **kwargs: Any) -> urllib.request.OpenerDirector:
        opener: urllib.request.OpenerDirector = super()._create_instance(*args, **kwargs)
        opener.add_handler(_NoFtp())
        for handler in list(opener.handlers):  # type: ignore[attr-defined]
            if isinstance(handler, HTTPHandler):
                handler._make_conn_class = partial(_guarded_class, handler._make_conn_class, self._allowed)
        return opener


class _NoFtp(urllib.request.BaseHandler):
    """urllib follows redirects to FTP; nothing here needs it."""

    handler_order = 1

    def ftp_open(self, request: urllib.request.Request) -> None:
        raise urllib.error.URLError("FTP is not opened")


def _guarded_class(make: Callable[..., type], allowed: Collection[tuple[str, int]], *args: Any) -> type:
    base = make(*args)

    class GuardedConnection(base):  # type: ignore[misc, valid-type]
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
