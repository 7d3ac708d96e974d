"""What a download of an address would fetch, looked up without fetching any media."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.stages.caption_choice import Tracks, choose_captions
from pipeline.stages.caption_errors import missing_token
from pipeline.stages.download import DownloadLimits
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ignore_progress
from pipeline.stages.site_text import one_line
from pipeline.stages.ytdlp import _Fetcher, extract
from pipeline.stages.ytdlp_downloaders import announced_bytes, check_protocol
from pipeline.stages.ytdlp_guarded import PageCheck

MAX_WARNING_LENGTH = 300
# Nothing is written.
NOWHERE = Path("/nonexistent")
# Nothing is tried again after a look.
LATER = r"; it is tried again later\.$"


@dataclass(frozen=True)
class Format:
    """One form in which the site has the recording; sizes and rates as it says, None where it does not."""

    id: str
    container: str
    audio_codec: str
    video_codec: str
    audio_kbps: float | None
    bytes: int | None
    protocol: str
    chosen: bool


@dataclass(frozen=True)
class CaptionTrack:
    """Captions of one kind ("manual" or "automatic") in one language, with the formats there are."""

    kind: str
    language: str
    formats: tuple[str, ...]
    chosen: bool


@dataclass(frozen=True)
class ClientAnswer:
    """What one client of YouTube's player was told: "OK" or another status, the site's words, and how many formats."""

    name: str
    status: str
    reason: str
    formats: int


@dataclass(frozen=True)
class Lookup:
    """Everything a site said of one video, and in one sentence why it cannot be fetched, if so.

    `captions_need_token`: English captions are there, and the site gives them only to a player with a token.
    """

    title: str = ""
    duration_s: float | None = None
    extractor: str = ""
    id: str = ""
    live_status: str = ""
    formats: tuple[Format, ...] = ()
    captions: tuple[CaptionTrack, ...] = ()
    captions_need_token: bool = False
    clients: tuple[ClientAnswer, ...] = ()
    warnings: tuple[str, ...] = ()
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def look_up(
    url: str,
    options: DownloadOptions,
    *,
    limits: DownloadLimits,
    allowed_origin: str | None,
    check_page: PageCheck | None = None,
) -> Lookup:
    """Ask a site what it has at an address.

    What went wrong, or why the recording would be refused, is told in `problem`, beside all that is known.

    Parameters
    ----------
    limits : DownloadLimits
        Those of a download.
    allowed_origin : str or None
        An origin that is opened although it is not public.
    check_page : callable or None
        Raises a StageError for a page that may not be opened, of those that the address leads to.

    Raises
    ------
    StageError
        The cookies file or the proxy cannot be used.
    """
    asker = _Asker(options, limits, allowed_origin, check_page)
    info: dict[str, Any] = {}
    problem = ""
    try:
        info = _extract(asker, url)
        asker.refuse(info)
    except StageError as error:
        problem = re.sub(LATER, ".", error.message)
    return _describe(info, asker, problem)


def _extract(asker: "_Asker", url: str) -> dict[str, Any]:
    info = extract(asker, url, download=False)
    if not isinstance(info, dict) or info.get("_type", "video") != "video":
        raise StageError("The address does not lead to one recording; give the address of a single video.")
    return info


class _Asker(_Fetcher):
    """What fetches recordings, asked for their description alone; it notes all that it is told."""

    def __init__(
        self,
        options: DownloadOptions,
        limits: DownloadLimits,
        allowed_origin: str | None,
        check_page: PageCheck | None = None,
    ) -> None:
        super().__init__(NOWHERE, limits, ignore_progress, allowed_origin, options, check_page=check_page)
        self.params["logger"] = self.listener = _Listener()
        self.params["match_filter"] = None  # it would end the look before the description is there
        self.answers: dict[str, ClientAnswer] = {}

    def refuse(self, info: dict[str, Any]) -> None:
        """Raise what a download of this recording would be refused with."""
        check_protocol(info)
        self._refuse_unfit(info)
        size = info.get("filesize")
        if isinstance(size, int) and size > self._limits.max_bytes:
            raise StageError(f"The recording has {size / 1024**2:.0f} MB, more than MAX_VIDEO_BYTES allows.")

    def get_info_extractor(self, ie_key: str) -> Any:
        extractor = super().get_info_extractor(ie_key)
        if ie_key == "Youtube" and not hasattr(extractor, "_crossmodal_watched"):
            extractor._crossmodal_watched = True
            self._watch(extractor)
        return extractor

    def _watch(self, extractor: Any) -> None:
        """Note the answer of each client of YouTube's player as it comes in."""
        one, all_of_them = extractor._extract_player_response, extractor._extract_player_responses

        def watch_one(client: str, *args: Any, **kwargs: Any) -> Any:
            try:
                answer = one(client, *args, **kwargs)
            except Exception as error:
                self._note(client, "no answer", _plain(str(error)), {})
                raise
            self._note(client, *_status(answer), answer)
            return answer

        def watch_all(*args: Any, **kwargs: Any) -> Any:
            found = all_of_them(*args, **kwargs)
            for answer in found[0]:
                # yt-dlp writes beside the formats whose answer it was; the page itself holds one client's.
                name = ((answer or {}).get("streamingData") or {}).get("__yt_dlp_client")
                if name:
                    self._note(str(name), *_status(answer), answer)
            return found

        extractor._extract_player_response, extractor._extract_player_responses = watch_one, watch_all

    def _note(self, client: str, status: str, reason: str, answer: Any) -> None:
        streaming = (answer or {}).get("streamingData") or {}
        formats = sum(len(streaming.get(kind) or ()) for kind in ("formats", "adaptiveFormats"))
        self.answers[client] = ClientAnswer(client, status, reason, formats)


class _Listener:
    """Keeps what yt-dlp warns of, each thing once."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, message: str) -> None:
        """Steps of the way are of no interest."""

    info = debug

    def warning(self, message: str) -> None:
        if (text := _plain(message)) not in self.warnings:
            self.warnings.append(text)

    error = debug  # it is raised as well


def _plain(text: str) -> str:
    return one_line(text).removeprefix("ERROR: ").removeprefix("WARNING: ")[:MAX_WARNING_LENGTH]


def _status(answer: Any) -> tuple[str, str]:
    playability = (answer or {}).get("playabilityStatus") or {}
    return one_line(playability.get("status")) or "no answer", _plain(str(playability.get("reason") or ""))


def _describe(info: Mapping[str, Any], asker: _Asker, problem: str) -> Lookup:
    duration = info.get("duration")
    chosen_id = str(info.get("format_id") or "")
    people, automatic = info.get("subtitles") or {}, info.get("automatic_captions") or {}
    warnings = asker.listener.warnings
    return Lookup(
        title=one_line(info.get("title")),
        duration_s=float(duration) if isinstance(duration, int | float) else None,
        extractor=one_line(info.get("extractor")),
        id=one_line(info.get("id")),
        live_status=one_line(info.get("live_status")),
        formats=tuple(_format(one, chosen_id) for one in info.get("formats") or () if one.get("acodec") != "none"),
        captions=tuple(_tracks(people, automatic)),
        captions_need_token=choose_captions(people, automatic) is None and missing_token(warnings) is not None,
        clients=tuple(asker.answers.values()),
        warnings=tuple(warnings),
        problem=problem,
    )


def _format(one: Mapping[str, Any], chosen_id: str) -> Format:
    rate = one.get("abr") or (one.get("tbr") if one.get("vcodec") == "none" else None)
    return Format(
        id=one_line(one.get("format_id")),
        container=one_line(one.get("ext")),
        audio_codec=_codec(one.get("acodec")),
        video_codec=_codec(one.get("vcodec")),
        audio_kbps=float(rate) if isinstance(rate, int | float) else None,
        bytes=announced_bytes(one) or None,
        protocol=one_line(one.get("protocol")),
        chosen=str(one.get("format_id") or "") == chosen_id,
    )


def _codec(name: Any) -> str:
    return "" if name in (None, "none") else one_line(name)


def _tracks(people: Tracks, automatic: Tracks) -> list[CaptionTrack]:
    choice = choose_captions(people, automatic)
    taken = (choice[0].get("url") or choice[0].get("data"), choice[1]) if choice else None
    found = []
    for kind, tracks in (("manual", people), ("automatic", automatic)):
        for language, forms in tracks.items():
            if language == "live_chat":
                continue
            chosen = any((form.get("url") or form.get("data"), kind) == taken for form in forms)
            formats = tuple(dict.fromkeys(one_line(form.get("ext")) for form in forms))
            found.append(CaptionTrack(kind, one_line(language), formats, chosen))
    return found
