"""Playlists, channels and feeds: which videos a list names, without looking any of them up.

Only the adapter `pipeline.stages.ytdlp_lists` knows yt-dlp, and this module imports it on first use.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pipeline.stages.addresses import normalise, origin_of
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import find_list
from pipeline.stages.list_entries import ListedVideo, describe_entry
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.site_text import one_line

# What a reader can look through on one page, and two requests to YouTube for a playlist (seven for a channel).
PAGE_ENTRIES = 200
# Far above a corpus of the 2019 kind (133 videos). YouTube gives 30 to 100 entries a request and has to be asked for
# all that come before, so that farther on a page costs more requests than one reading may send.
MAX_POSITION = 5000


@dataclass(frozen=True)
class ListLimits:
    """What reading a list may cost: requests, seconds, bytes, seconds without an answer, and how slowly it may come.

    60 requests bring 1,800 entries of a channel. With a pause of a second before each they last about two minutes.
    """

    requests: int = 60
    seconds: float = 150
    max_bytes: int = 64 * 1024**2
    socket_timeout_s: float = 20
    patience_s: float = 60
    min_rate_bytes_s: float = 1000


@dataclass(frozen=True)
class VideoList:
    """A stretch of a list, in the list's order.

    Attributes
    ----------
    url : str
        The list's address.
    title : str
    first, last : int
        The position that was asked for, and that of the last entry read; `first` - 1 where there was none.
    total : int or None
        How many entries the list has, as the site says.
    entries : tuple of ListedVideo
        Each video once.
    repeated : int
        How many entries of this stretch were left out because they are in it already.
    next : int or None
        The position to go on from; None where the list ends.
    problems : tuple of str
        Why entries of this stretch may be missing.
    stopped : StageError or None
        What ended the reading early, also told in `problems`.
    """

    url: str
    title: str
    first: int
    last: int
    total: int | None
    entries: tuple[ListedVideo, ...]
    repeated: int = 0
    next: int | None = None
    problems: tuple[str, ...] = ()
    stopped: StageError | None = None


def list_address(url: str) -> str:
    """Return the one spelling of the address of a list; of any other page, its own.

    Raises
    ------
    StageError
        It is no web address.
    """
    found = find_list(url)
    return found.url if found else normalise(url)


def read_list(
    url: str,
    *,
    first: int = 1,
    count: int = PAGE_ENTRIES,
    limits: ListLimits | None = None,
    progress: ProgressCallback = ignore_progress,
    private_origins: Collection[str] = (),
    options: DownloadOptions | None = None,
    check_page: Callable[[str], object] | None = None,
) -> VideoList:
    """Read some entries of a playlist, a channel, a feed or a page with several videos.

    Parameters
    ----------
    url : str
    first : int
        Position of the first entry wanted, from 1.
    count : int
        How many entries, at most `PAGE_ENTRIES`.
    limits : ListLimits
    progress : callable
        Called with (entries so far, `count`).
    private_origins : collection of str
        Origins that are opened although they are not public, when the list is on them.
    options : DownloadOptions
        Runtime, cookies, proxy and the like; those of a fresh installation if not given.
    check_page : callable or None
        Raises a StageError for a page that may not be opened, of those that the address leads to.

    Raises
    ------
    StageError
        There is no list, it may not be read, or not even its first entry wanted came within the limits.
    """
    from pipeline.stages.ytdlp_lists import read_entries

    if not 1 <= count <= PAGE_ENTRIES:
        raise StageError(f"At most {PAGE_ENTRIES} entries of a list are read at once.")
    if not 1 <= first <= MAX_POSITION:
        raise StageError(f"Entries of a list can be read from number 1 to {MAX_POSITION}.")
    address = list_address(url)
    origin = origin_of(address)
    found = read_entries(
        address,
        first=first,
        count=count,
        limits=limits or ListLimits(),
        progress=progress,
        allowed_origin=origin if origin in private_origins else None,
        options=options or DownloadOptions(),
        check_page=check_page,
    )
    return build_list(address, found.info, found.entries, first=first, more=found.more, stopped=found.stopped)


def build_list(
    url: str,
    info: dict[str, Any],
    entries: tuple[tuple[int, dict[str, Any]], ...],
    *,
    first: int = 1,
    more: bool = False,
    stopped: StageError | None = None,
) -> VideoList:
    """Return a list from yt-dlp's descriptions of it and of its numbered entries."""
    listed = [describe_entry(number, entry, url, info) for number, entry in entries]
    once = {_key(video): video for video in reversed(listed)}  # the first of each stays
    kept = sorted(once.values(), key=lambda video: video.number)
    last = entries[-1][0] if entries else first - 1
    said = info.get("playlist_count")
    total = said if isinstance(said, int) and said >= (last if entries else 0) else None
    if not more and not stopped and (entries or first == 1):
        total = last  # the end was seen
    return VideoList(
        url=url,
        title=one_line(info.get("title")) if info.get("_type") else kept[0].title if kept else "",
        first=first,
        last=last,
        total=total,
        entries=tuple(kept),
        repeated=len(listed) - len(kept),
        next=last + 1 if (more or stopped) and entries and last < MAX_POSITION else None,
        problems=_problems(last, more=more, stopped=stopped),
        stopped=stopped,
    )


def _problems(last: int, *, more: bool, stopped: StageError | None) -> tuple[str, ...]:
    if stopped:
        return (f"{stopped.message} The entries after number {last} are not shown.",)
    if more and last >= MAX_POSITION:
        return (f"The list goes on, but no more than its first {MAX_POSITION} entries are read.",)
    return ()


def _key(video: ListedVideo) -> tuple[str, str]:
    """What two entries have in common that are the same video; those without any address are each their own."""
    if video.identity:
        return video.identity.extractor, video.identity.extractor_id
    return "", video.list_url or video.url or str(video.number)
