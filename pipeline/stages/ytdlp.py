"""What the download stage needs of yt-dlp: which site an address belongs to, and one careful extraction.

This is the only module that imports yt-dlp.
"""

import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes, get_info_extractor
from yt_dlp.globals import plugin_dirs
from yt_dlp.networking._urllib import HTTPHandler, UrllibRH
from yt_dlp.networking.exceptions import HTTPError, RequestError

from pipeline.stages.addresses import DEFAULT_PORTS, public_addresses
from pipeline.stages.caption_choice import choose_captions
from pipeline.stages.download_errors import explain
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback

if TYPE_CHECKING:
    from pipeline.stages.download import DownloadLimits

log = logging.getLogger(__name__)

# Extractors that lie in some folder of this machine never run.
plugin_dirs.value = []

AUDIO_NAME = "recording"
# Captions that the site lists but does not have are no captions; the recording is still good.
GONE = (404, 410)


@dataclass(frozen=True)
class Site:
    """The extractor that is responsible for an address."""

    name: str
    video_id: str
    is_list: bool


@dataclass(frozen=True)
class Found:
    """What an extraction wrote, and yt-dlp's description of it."""

    info: dict[str, Any]
    audio_path: Path
    captions_path: Path | None
    captions_kind: str


def youtube_id(url: str) -> str:
    """The video that YouTube's own extractor sees in an address, or nothing."""
    extractor = get_info_extractor("Youtube")
    return str(extractor.get_temp_id(url) or "") if extractor.suitable(url) else ""


def find_extractor(url: str) -> Site | None:
    """The site of an address; None where only the generic extractor fits. Nothing is loaded or contacted."""
    extractor = next(found for found in gen_extractor_classes() if found.suitable(url))
    if extractor.ie_key() == "Generic":
        return None
    is_list = getattr(extractor, "_RETURN_TYPE", None) == "playlist"
    return Site(str(extractor.IE_NAME), str(extractor.get_temp_id(url) or ""), is_list)


def load_extractors() -> None:
    """Load what yt-dlp loads when it looks for recordings on a page of no known site, once for all downloads."""
    find_extractor("https://example.org/")
    for extractor in gen_extractor_classes():
        _ = extractor.real_class


def fetch(
    url: str, *, folder: Path, limits: "DownloadLimits", progress: ProgressCallback, allowed_origin: str | None
) -> Found:
    """Extract one address into the folder; every failure becomes a StageError with a sentence."""
    try:
        with _Fetcher(folder, limits, progress, allowed_origin) as fetcher:
            info = fetcher.extract_info(url, download=True)
    except Exception as error:  # extractors raise anything
        raise explain(error) from error
    audio = folder / AUDIO_NAME
    if not isinstance(info, dict) or info.get("_type", "video") != "video":
        raise StageError("The address does not lead to one recording; give the address of a single video.")
    if not audio.is_file() or not audio.stat().st_size:
        raise StageError(f"The recording is larger than {_megabytes(limits.max_bytes)} or empty; it was not fetched.")
    captions = next(iter(sorted(folder.glob(f"{AUDIO_NAME}.en.*"))), None)
    return Found(info, audio, captions, fetcher.captions_kind if captions else "")


class _Fetcher(YoutubeDL):  # type: ignore[misc]
    """A YoutubeDL that takes one caption track, keeps to the limits and opens public addresses only."""

    def __init__(
        self, folder: Path, limits: "DownloadLimits", progress: ProgressCallback, allowed_origin: str | None
    ) -> None:
        self.captions_kind = ""
        self._limits = limits
        self._progress = progress
        self._audio = str(folder / AUDIO_NAME)
        self._allowed_origin = allowed_origin
        super().__init__(
            {
                "format": "bestaudio/best",
                "outtmpl": {"default": self._audio},
                "writesubtitles": True,
                "writeautomaticsub": True,
                "noplaylist": True,
                "playlist_items": "1",
                "match_filter": self._refuse_unfit,
                "max_filesize": limits.max_bytes,
                "progress_hooks": [self._watch],
                "socket_timeout": limits.socket_timeout_s,
                "retries": 2,
                "fragment_retries": 2,
                "extractor_retries": 1,
                "skip_unavailable_fragments": False,
                "external_downloader": {"default": "native"},
                "hls_prefer_native": True,
                "fixup": "never",
                "postprocessors": [],
                "updatetime": False,
                "cachedir": False,
                "usenetrc": False,
                "enable_file_urls": False,
                "quiet": True,
                "no_warnings": True,
                "noprogress": True,
                "logger": _QuietLog(),
                "color": "never",
                # A page on this machine is never fetched through a proxy.
                **({"proxy": ""} if allowed_origin else {}),
            }
        )

    def _refuse_unfit(self, info: dict[str, Any], *, incomplete: bool = False) -> None:
        """Called by yt-dlp before anything is downloaded."""
        if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
            raise StageError("This is a live broadcast; submit it when it is over.")
        if (info.get("playlist_count") or info.get("n_entries") or 1) > 1:
            raise StageError("The page holds several recordings; give the address of a single one.")
        duration = info.get("duration")
        if isinstance(duration, int | float) and duration > self._limits.max_duration_s:
            raise StageError(
                f"The recording lasts {duration / 60:.0f} minutes; "
                f"at most {self._limits.max_duration_s / 60:.0f} are fetched."
            )

    def _watch(self, status: dict[str, Any]) -> None:
        if status.get("filename") != self._audio or status.get("status") != "downloading":
            return
        done = int(status.get("downloaded_bytes") or 0)
        if done > self._limits.max_bytes:
            raise StageError(f"The recording is larger than {_megabytes(self._limits.max_bytes)}; it was not fetched.")
        self._progress(done, int(status.get("total_bytes") or status.get("total_bytes_estimate") or 0))

    def process_subtitles(
        self, video_id: str, normal_subtitles: dict[str, Any] | None, automatic_captions: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        choice = choose_captions(normal_subtitles or {}, automatic_captions or {})
        if choice is None:
            return None
        captions, self.captions_kind = choice
        return {"en": captions}

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        try:
            return super().dl(name, info, subtitle, test)
        except HTTPError as error:
            if subtitle and error.status in GONE:
                return False, False
            raise

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        allowed = _endpoint(self._allowed_origin) if self._allowed_origin else None
        proxies = {endpoint for proxy in self.proxies.values() if proxy and (endpoint := _endpoint(proxy))}
        guarded = partial(_PublicOnly, allowed={endpoint for endpoint in (allowed, *proxies) if endpoint})
        return super().build_request_director([guarded], preferences)


def _endpoint(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    with suppress(ValueError):
        if parts.hostname:
            return parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 1080)
    return None


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MB"


class _QuietLog:
    """yt-dlp's messages for whoever looks into the log; what matters to users is raised as an error anyway."""

    def debug(self, message: str) -> None:
        log.debug(message)

    info = debug

    def warning(self, message: str) -> None:
        log.info(message)

    error = warning


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
