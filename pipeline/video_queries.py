"""Which videos: by split, by how far they are, and by what they wait for."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from pipeline.choices import RUNNING_STATES, WAITING_STATES, VideoState

if TYPE_CHECKING:
    from pipeline.models import Video  # noqa: F401


class VideoQuerySet(models.QuerySet["Video"]):
    def in_split(self, split: str) -> "VideoQuerySet":
        return self.filter(split=split)

    def ready(self) -> "VideoQuerySet":
        return self.filter(state=VideoState.READY)

    def unfinished(self) -> "VideoQuerySet":
        """Videos that a job holds or that wait for one."""
        return self.filter(state__in=[*WAITING_STATES, *RUNNING_STATES])

    def awaiting_site(self) -> "VideoQuerySet":
        """Videos for which something is still to be asked of their site: all of it, or the captions alone."""
        incomplete = Q(audio="") | Q(captions="")
        waiting = Q(state=VideoState.CAPTIONS_WAIT) | Q(incomplete, state=VideoState.QUEUED, source="")
        return self.filter(waiting).exclude(url="")

    def in_line(self, now: datetime) -> "VideoQuerySet":
        """Of these, the ones that no pause of their own holds up; who waits longest comes first."""
        due = Q(waits_until=None) | Q(waits_until__lte=now)
        return self.awaiting_site().filter(due).order_by("state_since", "pk")
