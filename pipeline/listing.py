"""Lists of videos read for people: asked for on a page, read by a worker, kept for half an hour, chosen from.

What was read is kept in the queue server beside the job, not in the database: it can be read again at any time.
"""

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException

from pipeline import job_limits
from pipeline.claims import OUR_FAULT
from pipeline.download_settings import download_options
from pipeline.hosts import check_host, check_url, private_origins
from pipeline.models import DownloadSite, Video
from pipeline.own_jobs import LIST_JOB, OTHERS
from pipeline.pacing import refused, site_of
from pipeline.queues import QueueUnavailable, get_connection, get_queue, has_workers, is_alive
from pipeline.stages.download import VideoIdentity
from pipeline.stages.errors import SiteRefusesError, StageError
from pipeline.stages.list_addresses import ListAddressError
from pipeline.stages.list_entries import ListedVideo
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.video_lists import MAX_POSITION, PAGE_ENTRIES, VideoList, list_address, read_list

log = logging.getLogger(__name__)

# Time enough to choose from 200 entries; a list that has changed since can be read again.
KEPT_S = 1800
# The stage stops by itself after 150 s; the worker stops it where even that hangs.
JOB_TIMEOUT_S = OTHERS[LIST_JOB].timeout_s
PROGRESS_INTERVAL_S = 0.5

UNREAD: Final = "unread"
WAITING: Final = "waiting"
READING: Final = "reading"
DONE: Final = "done"
FAILED: Final = "failed"


class NoQueueServerError(StageError):
    """Lists are read by a worker, and none can be asked."""

    def __init__(self) -> None:
        super().__init__(
            "The queue server cannot be reached, so no list can be read here: start it with “make run”, "
            "or use “manage.py add_video --list”.",
            permanent=False,
        )


@dataclass(frozen=True)
class Listing:
    """How far a stretch of a list is: its state, entries read so far, and what was found or why nothing was."""

    url: str
    first: int
    state: str
    read: int = 0
    found: VideoList | None = None
    problem: str = ""

    @property
    def is_under_way(self) -> bool:
        return self.state in (WAITING, READING)


# ---------------------------------------------------------------- reading


def read_now(
    url: str, *, first: int = 1, count: int = PAGE_ENTRIES, progress: ProgressCallback = ignore_progress
) -> VideoList:
    """Read a stretch of a list with the settings of downloads; StageError where that is not possible.

    This is the one place where lists are read, on pages and in commands. It takes no turn at the site, since a person
    waits for it and few requests are made; a site that rests is left alone, and one that refuses rests for all.
    """
    address = check_list(url, first)
    site = site_of(address)
    if resting := DownloadSite.objects.resting(timezone.now()).filter(name=site).first():
        raise StageError(
            f"{site} rests until {_moment(resting)}, since it refused; read the list then.", permanent=False
        )
    try:
        found = read_list(
            address,
            first=first,
            count=count,
            progress=progress,
            private_origins=private_origins(),
            options=download_options(),
            check_page=check_host,
        )
    except SiteRefusesError as refusal:
        refused(site, refusal)
        raise
    if isinstance(found.stopped, SiteRefusesError):
        refused(site, found.stopped)
    return replace(found, entries=tuple(_checked(entry) for entry in found.entries), stopped=None)


def _moment(site: DownloadSite) -> str:
    return f"{timezone.localtime(site.rests_until):%H:%M %Z on %-d %B}"


def check_list(url: str, first: int = 1) -> str:
    """The one spelling of a list's address; StageError where it may not be opened."""
    check_host(url)
    address = list_address(url)
    check_host(address)
    if not 1 <= first <= MAX_POSITION:
        raise StageError(f"Entries of a list can be read from number 1 to {MAX_POSITION}.")
    return address


def _checked(entry: ListedVideo) -> ListedVideo:
    """The entry, without its identity where the video may not be fetched here."""
    if entry.identity is None:
        return entry
    try:
        check_url(entry.url)
    except ListAddressError as error:
        there = error.list_address
        return replace(entry, identity=None, problem=f"This is a {there.kind} of its own.", list_url=there.url)
    except StageError as error:
        return replace(entry, identity=None, problem=error.message)
    longest_s = settings.MAX_VIDEO_DURATION_S
    if entry.duration_s and entry.duration_s > longest_s:
        lasts = f"It lasts {entry.duration_s / 60:.0f} minutes; at most {longest_s / 60:.0f} are fetched."
        return replace(entry, identity=None, problem=lasts)
    return entry


def find_here(entries: Iterable[ListedVideo]) -> dict[VideoIdentity, Video]:
    """Which of the entries are videos here already, in one query."""
    identities = {(one.identity.extractor, one.identity.extractor_id): one.identity for one in entries if one.identity}
    videos = Video.objects.filter(extractor_id__in=[extractor_id for _, extractor_id in identities])
    keyed = ((identities.get((video.extractor, video.extractor_id)), video) for video in videos)
    return {identity: video for identity, video in keyed if identity}


# ---------------------------------------------------------------- by a worker, for the pages


def ask(url: str, first: int = 1, *, again: bool = False) -> None:
    """Have a worker read a stretch of a list, unless it is read already or under way; `again` reads what is there anew.

    Raises StageError where the list may not be opened, NoQueueServerError.
    """
    url = check_list(url, first)
    listing = look(url, first)
    if listing.is_under_way or (listing.state == DONE and not again):
        return
    key = _key(url, first)
    job = f"read_list-{key}-{secrets.token_hex(4)}"
    try:
        _store(key, {"url": url, "first": first, "job": job})
        # A person waits for it, and it takes seconds: before the downloads that wait.
        get_queue("download").enqueue_call(
            LIST_JOB,
            args=(key,),
            job_id=job,
            description=job,
            timeout=JOB_TIMEOUT_S,
            result_ttl=KEPT_S,
            at_front=True,
        )
    except RedisError as error:
        raise NoQueueServerError from error


def look(url: str, first: int = 1) -> Listing:
    """How far a stretch of a list is. Raises NoQueueServerError."""
    key = _key(url, first)
    try:
        record = _load(key)
        if record and not _is_settled(record) and not is_alive(record["job"], patient=False):
            record = _load(key)  # it may have ended in between
            if record and not _is_settled(record):
                problem = "The worker stopped in the middle; read the list again."
                return Listing(url, first, FAILED, problem=problem)
    except (RedisError, QueueUnavailable) as error:
        raise NoQueueServerError from error
    if record is None:
        return Listing(url, first, UNREAD)
    if record.get("problem"):
        return Listing(url, first, FAILED, problem=record["problem"])
    if "found" in record:
        return Listing(url, first, DONE, found=_from_json(record["found"]))
    return Listing(url, first, READING if "read" in record else WAITING, read=record.get("read", 0))


def has_worker() -> bool:
    """Whether a worker runs that could read lists. Raises NoQueueServerError."""
    try:
        return has_workers()
    except QueueUnavailable as error:
        raise NoQueueServerError from error


def carry_out(key: str) -> None:
    """The work of the job `read_list`."""
    record = _load(key)
    if record is None:
        return
    shown_at = 0.0

    def show(done: int, total: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= PROGRESS_INTERVAL_S:
            shown_at = time.monotonic()
            _store(key, {**record, "read": done})

    show(0, 0)
    try:
        with job_limits.telling():
            found = read_now(record["url"], first=record["first"], progress=show)
    except StageError as error:
        _store(key, {**record, "problem": error.message})
    except JobTimeoutException:
        _store(key, {**record, "problem": "The site took too long to answer; try again later."})
    except Exception:
        _store(key, {**record, "problem": OUR_FAULT})
        raise
    else:
        _store(key, {**record, "found": asdict(found)})


def _key(url: str, first: int) -> str:
    return hashlib.sha256(f"{first} {url}".encode()).hexdigest()[:32]


def _is_settled(record: dict[str, Any]) -> bool:
    return "found" in record or "problem" in record


def _store(key: str, record: dict[str, Any]) -> None:
    get_connection().set(f"crossmodal:list:{key}", json.dumps(record), ex=KEPT_S)


def _load(key: str) -> dict[str, Any] | None:
    stored = get_connection().get(f"crossmodal:list:{key}")
    return json.loads(stored) if stored else None


def _from_json(stored: dict[str, Any]) -> VideoList:
    entries = tuple(
        ListedVideo(**{**entry, "identity": VideoIdentity(**entry["identity"]) if entry["identity"] else None})
        for entry in stored["entries"]
    )
    return VideoList(**{**stored, "entries": entries, "problems": tuple(stored["problems"])})
