"""Whose turn it is to ask a site for a video: one download per site at a time, with a pause between two of them.

A site that refuses this machine rests for all its videos. The turns are rows of `DownloadSite`, changed by
conditional update only, so that they hold over all workers and machines. A video whose turn it is not costs a job
some milliseconds and no try: it stays in line in the database, without a job, and whoever frees the site calls the
one that waits longest. `recovery` does so too, for turns that were lost.

Sites on this machine or its network take any number of downloads at once, and rest all the same.
"""

import logging
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from rq import Retry, get_current_job

from pipeline.choices import VideoState
from pipeline.download_site import DownloadSiteQuerySet
from pipeline.hosts import private_origins
from pipeline.models import DownloadSite, Video
from pipeline.own_jobs import JOBS
from pipeline.queues import QueueUnavailable, enqueue_at
from pipeline.stages.addresses import host_of, origin_of, split_url
from pipeline.stages.errors import LockedRecordingError, SiteRefusesError, StageError
from pipeline.stages.list_addresses import YOUTUBE_HOSTS

log = logging.getLogger(__name__)

# A pause is up to this much longer than set, so that requests come in no rhythm.
JITTER = 0.5
# A rest doubles with each further refusal, up to a day.
MAX_REST = timedelta(days=1)
# The longest pause of `caption_fetching.CAPTIONS_PAUSES_S`; those between tries are shorter.
MAX_VIDEO_WAIT = timedelta(days=1)
# A site is held no longer than a job may last.
LEASE = timedelta(seconds=JOBS["fetch_video"].timeout_s + 600)
# Who is called has this long to come; then the turn is anybody's, so that a lost job holds nobody up.
CALL_GRACE = timedelta(seconds=60)
# Between taking a turn and claiming the video lie milliseconds; a holder that is not fetching after this is gone.
CLAIM_GRACE = timedelta(seconds=60)
# RQ counts how often a job puts itself off; a job may do so without end.
NO_LIMIT = 10**9


@dataclass(frozen=True)
class Turn:
    """The right to ask a site for one video; without a token where the site is shared."""

    site: str
    video: int
    token: datetime | None


def is_shared(url: str) -> bool:
    """Whether any number of downloads may run at once: the site is on this machine or its network."""
    return origin_of(url) in private_origins()


def site_of(url: str) -> str:
    """Name of the site that an address belongs to, the same for all its hosts; empty for no web address."""
    try:
        parts = split_url(url)
        host = host_of(parts)
    except StageError:
        return ""
    if is_shared(url):
        return parts.netloc.lower()
    if any(host == name or host.endswith(f".{name}") for name in YOUTUBE_HOSTS):
        return YOUTUBE_HOSTS[0]
    families = [name for name in settings.DOWNLOAD_ALLOWED_HOSTS if host.endswith(f".{name}")]
    return min(families, key=len, default=host).removeprefix("www.")


def name_sites() -> None:
    """Note the site of each video that waits for one and does not name it, or names it as other settings did."""
    waiting = Video.objects.awaiting_site().order_by()
    for name in list(waiting.values_list("site", flat=True).distinct()):
        first = waiting.filter(site=name).first()
        if name and first and site_of(first.url) == name:
            continue
        for video in waiting.filter(site=name).only("pk", "url"):
            Video.objects.filter(pk=video.pk).update(site=site_of(video.url))


def take(video: Video) -> Turn | None:
    """The turn of a waiting video, or None where the site is held, pauses, rests or has called another one."""
    name, now = site_of(video.url), timezone.now()
    if video.site != name:
        Video.objects.filter(pk=video.pk).update(site=name)
        video.site = name
    if is_shared(video.url):
        return None if DownloadSite.objects.resting(now).filter(name=name).exists() else Turn(name, video.pk, None)
    DownloadSite.objects.get_or_create(name=name, defaults={"free_at": now})
    until = now + LEASE
    # The only job of a video knows that an earlier one, which still seems to hold the site, is dead.
    own = Q(holder=video.pk) if get_current_job() else Q(pk__in=[])
    open_to_it = DownloadSite.objects.filter(
        Q(holder=None) | Q(held_until__lte=now) | own,
        Q(rests_until=None) | Q(rests_until__lte=now),
        Q(called=None) | Q(called=video.pk) | Q(called_until__lte=now),
        name=name,
        free_at__lte=now,
    )
    taken = open_to_it.update(holder=video.pk, held_until=until, called=None, called_until=None)
    return Turn(name, video.pk, until) if taken else None


@contextmanager
def asking(turn: Turn | None) -> Iterator[None]:
    """The block asks the site; afterwards the site is free for the next one, or rests where it refused."""
    if turn is None:
        yield
        return
    try:
        yield
    except (SiteRefusesError, LockedRecordingError) as refusal:
        _rest(turn, refusal)
        raise
    except BaseException:
        free(turn)
        raise
    # What was under way at a shared site when it refused another download does not end the rest.
    awake = Q(rests_until=None) | Q(rests_until__lte=timezone.now())
    _held(turn).filter(awake, refusals__gt=0).update(refusals=0, rests_until=None, reason="")
    free(turn)
    call_next(turn.site)


def _held(turn: Turn) -> DownloadSiteQuerySet:
    rows = DownloadSite.objects.filter(name=turn.site)
    return rows.filter(holder=turn.video, held_until=turn.token) if turn.token else rows


def free(turn: Turn) -> None:
    """Let go of the site, if it is held still; the pause before the next download begins."""
    if turn.token:
        free_at = timezone.now() + timedelta(seconds=_pause_s(turn.site))
        _held(turn).update(holder=None, held_until=None, free_at=free_at)


def _pause_s(site: str) -> float:
    return _longest_pause_s(site) * random.uniform(1, 1 + JITTER) / (1 + JITTER)  # noqa: S311 - no secret


def _longest_pause_s(site: str) -> float:
    pauses: dict[str, float] = settings.DOWNLOAD_PAUSE_S
    return pauses.get(site, pauses[""]) * (1 + JITTER)


def _rest(turn: Turn, refusal: SiteRefusesError | LockedRecordingError) -> None:
    """Begin a rest; downloads that were under way when it began do not prolong it.

    A recording that this machine could not unlock may be the only one, so the second in a row begins the rest.
    """
    now = timezone.now()
    if not turn.token:
        DownloadSite.objects.get_or_create(name=turn.site)
    site = _held(turn).first()
    if site is None:
        return
    doublings = site.refusals - isinstance(refusal, LockedRecordingError)
    if doublings < 0:
        _held(turn).filter(refusals=0).update(refusals=1)
        free(turn)
        return
    rest = min(MAX_REST, timedelta(seconds=refusal.rest_s) * 2 ** min(doublings, 10))
    awake = _held(turn).filter(Q(rests_until=None) | Q(rests_until__lte=now), refusals=site.refusals)
    if awake.update(rests_until=now + rest, refusals=F("refusals") + 1, reason=refusal.message):
        log.warning("%s rests for %s: %s", turn.site, rest, refusal.message)
    free(turn)


def refused(name: str, refusal: SiteRefusesError) -> None:
    """Let a site rest that refused something else than a video, such as a list."""
    _rest(Turn(name, 0, None), refusal)


@dataclass(frozen=True)
class _Call:
    """Who comes next, and when."""

    video: int
    when: datetime


def _call(name: str, *, me: int | None = None, again: bool = False) -> _Call | None:
    """Note whose turn is next; None where nobody waits, the site is held, or (but for `again`) another is called."""
    now = timezone.now()
    site = DownloadSite.objects.filter(name=name).first()
    if site is None or (site.holder and site.held_until and site.held_until > now):
        return None
    line = Video.objects.in_line(now).filter(site=name).values_list("pk", flat=True)
    called = site.called if site.called_until and site.called_until > now else None
    if called is None or not line.filter(pk=called).exists():
        called = line.first()
    elif called != me and not again:
        return None
    if called is None:
        return None
    when = max(now, site.free_at, site.rests_until or now)
    unchanged = DownloadSite.objects.filter(pk=site.pk, holder=site.holder, called=site.called)
    return _Call(called, when) if unchanged.update(called=called, called_until=when + CALL_GRACE) else None


def _queue_next(name: str, *, again: bool = False, patient: bool = False) -> bool:
    call = _call(name, again=again)
    return call is not None and enqueue_at("fetch_video", call.video, when=call.when, patient=patient)


def call_next(name: str, *, again: bool = False) -> None:
    """Have the video that waits longest for a site come as soon as the site is free."""
    try:
        _queue_next(name, again=again)
    except QueueUnavailable:
        log.warning("The next video of %s could not be called; it is found by the next look", name)


def step_back(video: Video) -> Retry | None:
    """End a job that did not get, or no longer needs, its site: call the next video.

    Where that is the job's own, which cannot be queued while it runs, returns how it puts itself off.
    """
    name = video.site
    call = _call(name, me=video.pk)
    if call is None:
        return None
    if call.video == video.pk:
        return Retry(max=NO_LIMIT, interval=max(1, math.ceil((call.when - timezone.now()).total_seconds())))
    call_next(name, again=True)
    return None


def leave(turn: Turn, video: Video) -> Retry | None:
    """End a job that had its turn, whatever came of it; as `step_back`."""
    free(turn)
    return step_back(video)


def let_go(pk: int) -> None:
    """The video's worker is dead: its site is free."""
    DownloadSite.objects.filter(holder=pk).update(holder=None, held_until=None)


def give_turn_back(pk: int, name: str) -> None:
    """The video was removed, maybe in the middle of its download: after the pause its site is the next one's."""
    free_at = timezone.now() + timedelta(seconds=_pause_s(name))
    if DownloadSite.objects.filter(name=name, holder=pk).update(holder=None, held_until=None, free_at=free_at):
        call_next(name)


def resume() -> int:
    """Free sites whose holder is gone, and call the next video of each site; how many jobs were queued.

    Raises QueueUnavailable.
    """
    name_sites()
    now = timezone.now()
    just_taken = (now + LEASE - CLAIM_GRACE, now + LEASE + CLAIM_GRACE)
    for site in DownloadSite.objects.exclude(holder=None).exclude(held_until__range=just_taken):
        if not Video.objects.filter(pk__in=[site.holder], state=VideoState.FETCHING).exists():
            held = DownloadSite.objects.filter(pk=site.pk, holder=site.holder, held_until=site.held_until)
            held.update(holder=None, held_until=None)
    waiting = Video.objects.in_line(now).exclude(site="").order_by()
    return sum(_resume_site(name) for name in waiting.values_list("site", flat=True).distinct())


def forget_impossible_waits() -> None:
    """End waits that reach further ahead than any begun now could: the clock was set back, or a pause was shortened."""
    now = timezone.now()
    for site in DownloadSite.objects.all():
        longest = timedelta(seconds=_longest_pause_s(site.name))
        DownloadSite.objects.filter(pk=site.pk, free_at__gt=now + longest).update(free_at=now)
    DownloadSite.objects.filter(rests_until__gt=now + MAX_REST).update(rests_until=None)
    Video.objects.filter(waits_until__gt=now + MAX_VIDEO_WAIT).update(waits_until=None)


def _resume_site(name: str) -> int:
    now = timezone.now()
    if name not in {split_url(origin).netloc for origin in private_origins()}:
        DownloadSite.objects.get_or_create(name=name)
        return _queue_next(name, again=True, patient=True)
    if DownloadSite.objects.resting(now).filter(name=name).exists():
        return 0
    line = Video.objects.in_line(now).filter(site=name).values_list("pk", flat=True)
    return sum(enqueue_at("fetch_video", pk, when=now, patient=True) for pk in line)


def end_rest(name: str) -> bool:
    """Ask a resting site again at once; False where it does not rest. A further refusal rests it for longer."""
    now = timezone.now()
    ended = DownloadSite.objects.resting(now).filter(name=name).update(rests_until=None, free_at=now, called=None)
    if ended:
        call_next(name)
    return bool(ended)
