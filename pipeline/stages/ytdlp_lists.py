"""What reading lists needs of yt-dlp: a few entries of one list, with few requests and in limited time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yt_dlp.utils import PlaylistEntries, unsmuggle_url

from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.download_verdicts import TRY_LATER
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback
from pipeline.stages.ytdlp_alarm import ExpiredError
from pipeline.stages.ytdlp_guarded import GuardedYoutubeDL, PageCheck, explain_extraction
from pipeline.stages.ytdlp_limits import MAX_PAGE_BYTES, Allowance, Meter, SpentError, megabytes
from pipeline.stages.ytdlp_options import ytdlp_params

if TYPE_CHECKING:
    from pipeline.stages.video_lists import ListLimits

# A channel's address leads to its tab, and that to a regional channel; more hops are a loop.
MAX_HOPS = 5
# (what yt-dlp or the site says about a list, the sentence); what is said about videos too stands in download_errors.
SAYINGS: tuple[tuple[str, str], ...] = (
    (r"HTTP Error (?:404|410)", "There is nothing at this address; open the list in a browser and copy its address."),
    (r"does not have an? \w+ tab", "This channel has no such tab; try its other tabs or its playlists."),
    (r"playlist does not exist|playlist is private|unviewable", "There is no such playlist, or it is private."),
    (r"channel (?:does not exist|is not available)|handle.*not exist", "There is no such channel."),
    (
        r"unsupported url|unable to recognize tab page",
        "No list of videos was found at this address; of feeds, RSS alone is read.",
    ),
)
NO_VIDEOS_TAB = re.compile(r"does not have a videos tab")


@dataclass(frozen=True)
class FoundEntries:
    """A stretch of a list as yt-dlp describes it.

    Attributes
    ----------
    info : dict
        Of the list.
    entries : tuple of (int, dict)
        Position in the list, from 1, and description.
    more : bool
        Whether the list goes on after them.
    stopped : StageError or None
        Why reading ended early.
    """

    info: dict[str, Any]
    entries: tuple[tuple[int, dict[str, Any]], ...]
    more: bool
    stopped: StageError | None


def read_entries(
    url: str,
    *,
    first: int,
    count: int,
    limits: "ListLimits",
    progress: ProgressCallback,
    allowed_origin: str | None,
    options: DownloadOptions,
    check_page: PageCheck | None = None,
) -> FoundEntries:
    """Return the entries of a list from a position on; every failure becomes a StageError with a sentence."""
    found: list[tuple[int, dict[str, Any]]] = []
    stopped = None
    try:
        lister = _Lister(limits, allowed_origin, options, check_page)
        with lister.working(), lister:
            info = _open(lister, url)
            try:
                for position, entry in _numbered(lister, info, first, first + count):
                    found.append((position, entry))
                    progress(min(len(found), count), count)
            except (Exception, ExpiredError) as error:  # extractors raise anything
                stopped = _explain(error)
                if not found:
                    raise _unreached(stopped, first) from error
    except Exception as error:  # extractors raise anything
        raise _explain(error) from error
    if isinstance(info.get("entries"), list):
        info.setdefault("playlist_count", len(info["entries"]))
    return FoundEntries(info, tuple(found[:count]), len(found) > count, stopped)


def plain_url(url: str) -> str:
    """Return an address without what yt-dlp's extractors hide in it for one another."""
    return str(unsmuggle_url(url)[0])


class _Lister(GuardedYoutubeDL):
    """A YoutubeDL that reads lists only, within their limits.

    Its results are taken as the extractors give them, so that no entry is looked up, and a list that comes page by
    page is asked for no more pages than are wanted.
    """

    def __init__(
        self,
        limits: "ListLimits",
        allowed_origin: str | None,
        options: DownloadOptions,
        check_page: PageCheck | None,
    ) -> None:
        private = allowed_origin is not None
        params = ytdlp_params(options, socket_timeout_s=limits.socket_timeout_s, private=private)
        super().__init__(
            {**params, "noplaylist": False},
            options=options,
            meter=Meter(list_allowance(limits), patience_s=limits.patience_s, min_rate_bytes_s=limits.min_rate_bytes_s),
            allowed_origin=allowed_origin,
            check_page=check_page,
        )


def list_allowance(limits: "ListLimits") -> Allowance:
    """Return what reading a list may cost. Its pages wait for each other within its time."""
    return Allowance(
        seconds=limits.seconds,
        out_of_time=f"Reading stopped after {limits.seconds:.0f} seconds.",
        requests=limits.requests,
        out_of_requests=f"Reading stopped after {limits.requests} requests to the site.",
        total_bytes=limits.max_bytes,
        stream_bytes=min(MAX_PAGE_BYTES, limits.max_bytes),
        too_large=f"The list is larger than {megabytes(limits.max_bytes)}; it is not read.",
    )


def _open(lister: _Lister, url: str) -> dict[str, Any]:
    """The description of a list. A channel without a tab for videos is opened as a whole, for what it has."""
    try:
        return _resolve(lister, url)
    except Exception as error:  # extractors raise anything
        if url.endswith("/videos") and NO_VIDEOS_TAB.search(str(error)):
            return _resolve(lister, url.removesuffix("/videos"))
        raise


def _resolve(lister: _Lister, url: str) -> dict[str, Any]:
    key: str | None = None
    for _ in range(MAX_HOPS):
        info = lister.extract_info(url, download=False, ie_key=key, process=False)
        if not isinstance(info, dict):
            break
        if info.get("_type") not in ("url", "url_transparent"):
            return info
        url, key = str(info.get("url") or ""), info.get("ie_key")
        if key == "Youtube":  # one video: looking it up would cost more than the list
            return info
    raise StageError("The address leads from one page to another and never to a list.")


def _numbered(lister: _Lister, info: dict[str, Any], first: int, last: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Entries by their position from `first` to `last`; what is no list is its own single entry."""
    if info.get("_type", "video") in ("video", "url", "url_transparent"):
        if first == 1:
            yield 1, info
        return
    if info.get("entries") is None:
        return
    for position, entry in PlaylistEntries(lister, info)[first:last]:
        if isinstance(entry, dict):
            yield position, entry


def _unreached(stopped: StageError, first: int) -> StageError:
    """Many sites give a list from its start only, so that a far entry takes many requests, every time."""
    if not isinstance(stopped, SpentError) or first == 1:
        return stopped
    return StageError(f"{stopped.message} The list cannot be read as far as its entry {first}.", permanent=False)


def _explain(error: BaseException) -> StageError:
    """The sentence for a failure; nobody tries a list again by himself."""
    if isinstance(error, ExpiredError):
        if not isinstance(error.told, StageError):
            raise error
        return error.told
    if isinstance(error, StageError):
        return error
    for saying, sentence in SAYINGS:
        if re.search(saying, str(error), re.IGNORECASE):
            return StageError(sentence)
    told = explain_extraction(error)
    told.message = told.message.replace(TRY_LATER, "try again later.")
    told.args = (told.message,)
    return told
