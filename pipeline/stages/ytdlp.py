"""What the download stage needs of yt-dlp: one careful extraction.

Only this module and the others named ytdlp_… import yt-dlp.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.networking.exceptions import network_exceptions
from yt_dlp.utils import YoutubeDLError

from pipeline.stages.caption_choice import choose_captions
from pipeline.stages.caption_errors import explain_captions, fault_of_captions, missing_token
from pipeline.stages.disk import check_room
from pipeline.stages.download_errors import Evidence, http_status, own_refusal, own_shortage
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.ytdlp_alarm import ExpiredError
from pipeline.stages.ytdlp_downloaders import (
    announced_bytes,
    check_formats,
    check_protocol,
    described,
    fetched_formats,
    fetched_tracks,
    in_fragments,
)
from pipeline.stages.ytdlp_guarded import GuardedYoutubeDL, PageCheck, explain_extraction
from pipeline.stages.ytdlp_limits import (
    Meter,
    SpentError,
    TooLargeError,
    captions_allowance,
    lookup_allowance,
    megabytes,
    recording_allowance,
)
from pipeline.stages.ytdlp_options import ytdlp_params
from pipeline.stages.ytdlp_sites import find_extractor, youtube_id

if TYPE_CHECKING:
    from pipeline.stages.download import DownloadLimits

log = logging.getLogger(__name__)
AUDIO_NAME = "recording"
LEFT_OUT = re.compile(r"SABR|require a GVS PO Token|DRM protected")
GONE = (404, 410)  # captions that the site only lists are none; the recording is still good


@dataclass(frozen=True)
class FoundCaptions:
    """The captions that an extraction wrote, if any, or why it could not write what the site has."""

    path: Path | None
    kind: str
    error: StageError | None


@dataclass(frozen=True)
class Found:
    """What an extraction wrote, and yt-dlp's description of it."""

    info: dict[str, Any]
    audio_path: Path
    captions: FoundCaptions


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
    check_page: PageCheck | None = None,
) -> Found:
    """Extract one address into the folder; every failure becomes a StageError with a sentence.

    A failure of the captions alone does not fail the extraction; it is told in `FoundCaptions`.
    """
    info, captions = _extract(url, _Fetcher(folder, limits, progress, allowed_origin, options, check_page=check_page))
    audio = folder / AUDIO_NAME
    if not audio.is_file() or not audio.stat().st_size:
        raise StageError(f"The recording is larger than {megabytes(limits.max_bytes)} or empty; it was not fetched.")
    return Found(info, audio, captions)


def fetch_captions(
    url: str,
    *,
    folder: Path,
    limits: "DownloadLimits",
    allowed_origin: str | None,
    options: DownloadOptions,
    check_page: PageCheck | None = None,
) -> FoundCaptions:
    """Extract the captions of one address alone; no recording is fetched."""
    fetcher = _Fetcher(
        folder, limits, ignore_progress, allowed_origin, options, check_page=check_page, captions_only=True
    )
    return _extract(url, fetcher)[1]


def _extract(url: str, fetcher: "_Fetcher") -> tuple[dict[str, Any], FoundCaptions]:
    info = extract(fetcher, url, download=True)
    if not isinstance(info, dict) or info.get("_type", "video") != "video":
        raise StageError("The address does not lead to one recording; choose from it under “Playlist or channel”.")
    return info, fetcher.found_captions()


def extract(fetcher: "_Fetcher", url: str, *, download: bool) -> Any:
    """Let yt-dlp work on an address; every failure that a site can cause becomes a StageError with a sentence."""
    try:
        with fetcher.working(), fetcher:
            return fetcher.extract_info(url, download=download)
    except Exception as error:  # extractors raise anything
        raise explain_extraction(error, fetcher.evidence()) from error


class _Fetcher(GuardedYoutubeDL):
    """A YoutubeDL that takes one caption track, keeps to the limits and opens public addresses only."""

    def __init__(
        self,
        folder: Path,
        limits: "DownloadLimits",
        progress: ProgressCallback,
        allowed_origin: str | None,
        options: DownloadOptions,
        *,
        check_page: PageCheck | None = None,
        captions_only: bool = False,
    ) -> None:
        self._captions_kind = ""
        self._captions_error: StageError | None = None
        self._extractor = ""
        self._soundless = False
        self._folder = folder
        self._limits = limits
        self._progress = progress
        self._audio = str(folder / AUDIO_NAME)
        params = ytdlp_params(options, socket_timeout_s=limits.socket_timeout_s, private=allowed_origin is not None)
        self._lookup = lookup_allowance(limits, params["sleep_interval_requests"])
        super().__init__(
            {
                **params,
                "format": "bestaudio/best",
                "outtmpl": {"default": self._audio},
                "writesubtitles": True,
                "writeautomaticsub": True,
                "playlist_items": "1",
                "skip_download": captions_only,
                "match_filter": self._refuse_unfit,
                "max_filesize": limits.max_bytes,
                "progress_hooks": [self._watch],
                "skip_unavailable_fragments": False,
                "updatetime": False,
            },
            options=options,
            meter=Meter(self._lookup, patience_s=limits.patience_s, min_rate_bytes_s=limits.min_rate_bytes_s),
            allowed_origin=allowed_origin,
            check_page=check_page,
        )

    def _refuse_unfit(self, info: dict[str, Any], *, incomplete: bool = False) -> None:
        """Called by yt-dlp before anything is downloaded."""
        wanted = youtube_id(str(info.get("original_url") or ""))
        if wanted and info.get("id") != wanted:  # yt-dlp follows to the trailer of a film
            raise StageError("The video has to be paid for, and YouTube gives its trailer alone.")
        if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
            raise StageError("This is a live broadcast; submit it when it is over.")
        if (info.get("playlist_count") or info.get("n_entries") or 1) > 1:
            raise StageError("The page holds several recordings; choose among them under “Playlist or channel”.")
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
            raise StageError(f"The recording is larger than {megabytes(self._limits.max_bytes)}; it was not fetched.")
        total = int(status.get("total_bytes") or status.get("total_bytes_estimate") or 0)
        check_room(self._folder, max(0, total - done), "the rest of the download")
        self._refuse_crawl(done, total, float(status.get("elapsed") or 0))
        self._progress(done, total)

    def _refuse_crawl(self, done: int, total: int, elapsed_s: float) -> None:
        """End a download that could not end in time: YouTube slows down players that it doubts to a few bytes."""
        needed_s = total * elapsed_s / done if done else 0
        if elapsed_s > self._limits.patience_s and needed_s > self._limits.max_fetch_s:
            raise StageError(
                f"The site sends the recording so slowly that it would take {needed_s / 3600:.0f} hours; "
                "it is tried again later.",
                permanent=False,
            )

    def evidence(self) -> Evidence:
        """What is known so far that may explain a failure."""
        return Evidence(tuple(self.params["logger"].warnings), self._extractor, self._soundless)

    def found_captions(self) -> FoundCaptions:
        """The captions that were fetched; where there are none, why not, as far as the site has some."""
        error = self._captions_error
        path = next((one for one in sorted(self._folder.glob(f"{AUDIO_NAME}.en.*")) if one.suffix != ".part"), None)
        if path and not error:
            error = fault_of_captions(path)
        if path is None and not error and not self._captions_kind:
            error = missing_token(self.evidence().warnings)
        if error:
            log.info("No captions yet: %s", error.message)
            return FoundCaptions(None, "", error)
        return FoundCaptions(path, self._captions_kind if path else "", None)

    def write_debug(self, message: str, only_once: bool = False) -> None:
        """Of formats that its usual players leave out, yt-dlp tells here and nowhere else."""
        if LEFT_OUT.search(message):
            self.params["logger"].warnings.append(message)
        super().write_debug(message, only_once)

    def process_video_result(self, info_dict: dict[str, Any], download: bool = True) -> Any:
        formats = described(info_dict.get("formats"))
        self._extractor = str(info_dict.get("extractor") or "")
        self._soundless = bool(formats) and all(form.get("acodec") == "none" for form in formats)
        if formats:  # a look tells what else there is
            info_dict["formats"] = check_formats(formats) if download else fetched_formats(formats) or formats
        return super().process_video_result(info_dict, download)

    def process_subtitles(
        self, video_id: str, normal_subtitles: dict[str, Any] | None, automatic_captions: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        choice = choose_captions(fetched_tracks(normal_subtitles), fetched_tracks(automatic_captions))
        if choice is None:
            return None
        captions, self._captions_kind = choice
        return {"en": captions}

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Captions that fail are told later, so that the recording is fetched all the same."""
        check_protocol(info)
        check_room(self._folder, 0 if subtitle else min(announced_bytes(info), self._limits.max_bytes), "the download")
        if not subtitle:
            self.meter.begin(recording_allowance(self._limits, in_fragments=in_fragments(info)))
            return super().dl(name, info, subtitle, test)
        allowance = captions_allowance(self._limits)
        self.meter.begin(allowance)
        try:
            found = super().dl(name, info, subtitle, test)
            if found[0] is False:  # left alone for the length that the site named; None is said of pieces put together
                self._captions_error = TooLargeError(allowance.too_large)
            return found
        except (YoutubeDLError, OSError, ValueError, *network_exceptions) as error:
            refusal = own_refusal(error)
            if (refusal and not isinstance(refusal, SpentError | TooLargeError)) or own_shortage(error):
                raise
            if http_status(error) not in GONE:
                self._captions_error = refusal or explain_captions(error)
                self._captions_error.__cause__ = error
        except ExpiredError as expired:
            if not isinstance(expired.told, SpentError):
                raise
            self._captions_error = expired.told
        finally:
            self.meter.begin(self._lookup)
        return False, False
