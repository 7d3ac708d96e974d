"""Why videos wait for their site, for pages and commands."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video


@dataclass(frozen=True)
class RestingSite:
    """A site that refused this machine, and how many videos wait for it."""

    name: str
    rests_until: datetime
    reason: str
    waiting: int

    @property
    def summary(self) -> str:
        """For a command's output, with the time in the installation's time zone."""
        until = timezone.localtime(self.rests_until)
        day = "" if until.date() == timezone.localdate() else f"{until:%Y-%m-%d} "
        videos = "1 video waits" if self.waiting == 1 else f"{self.waiting} videos wait"
        return f"{self.name} rests until {day}{until:%H:%M %Z}, {videos}: {self.reason}"


def resting_sites() -> list[RestingSite]:
    """Sites that rest, those that hold up most first; one query."""
    waiting = Video.objects.awaiting_site().filter(site=OuterRef("name")).order_by().values("site")
    counted = Subquery(waiting.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    rows = DownloadSite.objects.resting(timezone.now()).annotate(waiting=Coalesce(counted, 0))
    values = rows.order_by("-waiting", "name").values_list("name", "rests_until", "reason", "waiting")
    return [RestingSite(name, until, reason, n) for name, until, reason, n in values if until]


@dataclass(frozen=True)
class Wait:
    """What a video that is not fetched yet waits for: its site's rest, or its turn there."""

    site: str
    rests_until: datetime | None
    reason: str
    before_it: int


def why_it_waits(video: Video) -> Wait | None:
    """Return what holds up a video that waits to be fetched; None where it waits for no site."""
    if video.state != VideoState.QUEUED or not video.asks_site or not video.site:
        return None
    now = timezone.now()
    site = DownloadSite.objects.filter(name=video.site).first()
    if site is None:
        return None
    earlier = Q(state_since__lt=video.state_since) | Q(state_since=video.state_since, pk__lt=video.pk)
    before_it = Video.objects.in_line(now).filter(earlier, site=video.site).count() + bool(site.holder)
    if site.rests_until and site.rests_until > now:
        return Wait(site.name, site.rests_until, site.reason, before_it)
    return Wait(site.name, None, "", before_it) if before_it else None
