"""What the download stage needs of yt-dlp: which site an address belongs to, and one careful extraction.

Only this module and the others named ytdlp_… import yt-dlp.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes, get_info_extractor
from yt_dlp.networking.exceptions import HTTPError

from pipeline.stages.caption_choice import choose_captions
from pipeline.stages.download_errors import explain
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback
from pipeline.stages.ytdlp_guard import check_protocol, guarded_handler
from pipeline.stages.ytdlp_options import ytdlp_params

if TYPE_CHECKING:
    from pipeline.stages.download import DownloadLimits

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
    url: str,
    *,
    folder: Path,
    limits: "DownloadLimits",
    progress: ProgressCallback,
    allowed_origin: str | None,
    options: DownloadOptions,
) -> Found:
    """Extract one address into the folder; every failure becomes a StageError with a sentence."""
    try:
        with _Fetcher(folder, limits, progress, allowed_origin, options) as fetcher:
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
        self,
        folder: Path,
        limits: "DownloadLimits",
        progress: ProgressCallback,
        allowed_origin: str | None,
        options: DownloadOptions,
    ) -> None:
        self.captions_kind = ""
        self._limits = limits
        self._progress = progress
        self._audio = str(folder / AUDIO_NAME)
        self._allowed_origin = allowed_origin
        super().__init__(
            {
                **ytdlp_params(options, socket_timeout_s=limits.socket_timeout_s, private=allowed_origin is not None),
                "format": "bestaudio/best",
                "outtmpl": {"default": self._audio},
                "writesubtitles": True,
                "writeautomaticsub": True,
                "playlist_items": "1",
                "match_filter": self._refuse_unfit,
                "max_filesize": limits.max_bytes,
                "progress_hooks": [self._watch],
                "skip_unavailable_fragments": False,
                "updatetime": False,
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
        check_protocol(info)
        try:
            return super().dl(name, info, subtitle, test)
        except HTTPError as error:
            if subtitle and error.status in GONE:
                return False, False
            raise

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        guarded = guarded_handler(self._allowed_origin)
        return super().build_request_director([guarded], preferences)


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MB"
