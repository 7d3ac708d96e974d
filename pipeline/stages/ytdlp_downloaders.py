"""The downloaders of yt-dlp that are used, and what they are used for; everything else is refused.

All of them open addresses through the request handler of their YoutubeDL and nothing else.
"""

import importlib
from collections.abc import Mapping
from typing import Any, Final

from yt_dlp.dependencies import Cryptodome
from yt_dlp.downloader.dash import DashSegmentsFD
from yt_dlp.downloader.hls import HlsFD
from yt_dlp.downloader.http import HttpFD
from yt_dlp.utils import determine_protocol, parse_m3u8_attributes

from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_manifests import weigh

DRM: Final = "The recording is protected against copying (DRM)."
KEY_TAGS: Final = ("#EXT-X-KEY:", "#EXT-X-SESSION-KEY:")
READ_METHODS: Final = ("NONE", "AES-128")
# Of the address of one piece; longer ones are no addresses that servers take.
PIECE_BYTES: Final = 600


class CheckedHls(HlsFD):  # type: ignore[misc]
    """yt-dlp's HLS downloader, which asks here before it unfolds a playlist and would otherwise start FFmpeg."""

    @classmethod
    def can_download(cls, manifest: str, info_dict: Any, allow_unplayable_formats: bool = False) -> bool:
        if cls._has_drm(manifest):
            raise StageError(DRM)
        if info_dict.get("is_live"):
            raise StageError("This is a live broadcast; submit it when it is over.")
        methods = {_method(line.strip()) for line in manifest.splitlines() if line.strip().startswith(KEY_TAGS)}
        if unread := sorted(methods.difference(READ_METHODS)):
            raise StageError(
                f"The recording is encrypted in a way that is not read ({unread[0]}); upload it as a file."
            )
        if "AES-128" in methods and not Cryptodome.AES:
            raise StageError(
                "The recording is encrypted (AES-128), and the library that decrypts it (pycryptodomex) is missing; "
                "run “make setup” in Crossmodal's folder.",
                permanent=False,
            )
        pieces = sum(1 for line in manifest.splitlines() if line.strip() and not line.lstrip().startswith("#"))
        weigh(pieces, len(str(info_dict.get("url") or "")), PIECE_BYTES)
        return True


class CheckedDash(DashSegmentsFD):  # type: ignore[misc]
    """yt-dlp's DASH downloader, for recordings whose pieces are all named."""

    def real_download(self, filename: str, info_dict: Any) -> Any:
        if info_dict.get("is_live") or not isinstance(info_dict.get("fragments"), list | tuple):
            raise StageError("This is a live broadcast; submit it when it is over.")
        weigh(len(info_dict["fragments"]))
        return super().real_download(filename, info_dict)


DOWNLOADERS: Final[Mapping[str, type]] = {
    "http": HttpFD,
    "https": HttpFD,
    "m3u8": CheckedHls,
    "m3u8_native": CheckedHls,
    "http_dash_segments": CheckedDash,
}


def protocol_of(info: Mapping[str, Any]) -> str:
    """Return how a recording is sent, as yt-dlp names it."""
    return str(info.get("protocol") or determine_protocol(info))


def in_fragments(info: Mapping[str, Any]) -> bool:
    """Return whether a recording is fetched piece by piece."""
    return DOWNLOADERS.get(protocol_of(info)) is not HttpFD


def announced_bytes(info: Mapping[str, Any]) -> int:
    """Return how large a site says that a recording is, in bytes; 0 where it does not say, or says nonsense."""
    sizes = (info.get(name) for name in ("filesize", "filesize_approx"))
    return next((int(size) for size in sizes if isinstance(size, int | float) and 0 < size < float("inf")), 0)


def is_fetched(info: Mapping[str, Any]) -> bool:
    """Return whether there is a downloader for a format or a caption track."""
    return "data" in info or protocol_of(info) in DOWNLOADERS


def check_protocol(info: Mapping[str, Any]) -> None:
    """Refuse what is sent in another way than by HTTP, HLS or DASH.

    Raises
    ------
    StageError
    """
    protocol = protocol_of(info)
    if protocol not in DOWNLOADERS:
        raise StageError(
            f"The recording is sent by the protocol {protocol[:40]}, which is not opened; upload it as a file."
        )


def described(forms: Any) -> list[dict[str, Any]]:
    """Return formats or caption tracks without what describes none; an extractor may hand on what a page holds."""
    return [one for one in forms if isinstance(one, dict)] if isinstance(forms, list | tuple) else []


def fetched_formats(formats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the formats that there is a downloader for."""
    return [one for one in formats if is_fetched(one)]


def fetched_tracks(tracks: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return caption tracks without those that there is no downloader for."""
    named = tracks.items() if isinstance(tracks, Mapping) else ()
    kept = {str(language): [form for form in described(forms) if is_fetched(form)] for language, forms in named}
    return {language: forms for language, forms in kept.items() if forms}


def check_formats(formats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the formats that can be fetched; all of them where none of the others has sound either.

    Raises
    ------
    StageError
        The recording is there in formats of other protocols alone.
    """
    if fetched := fetched_formats(formats):
        return fetched
    for one in formats:
        if one.get("acodec") != "none":
            check_protocol(one)
    return formats


def _method(line: str) -> str:
    found: Any = parse_m3u8_attributes(line.partition(":")[2])
    return str(found.get("METHOD") or "none named")[:40]


def _downloader(info_dict: Any, *args: Any, **options: Any) -> type:
    """Take the place of yt-dlp's choice of a downloader, which knows twenty."""
    check_protocol(info_dict)
    return DOWNLOADERS[protocol_of(info_dict)]


# The package hides its module of this name behind the class.
vars(importlib.import_module("yt_dlp.YoutubeDL"))["get_suitable_downloader"] = _downloader
