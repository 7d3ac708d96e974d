"""A web site that videos are fetched from: who asks it just now, and whether it is left alone."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils import timezone


class DownloadSiteQuerySet(models.QuerySet["DownloadSite"]):
    def resting(self, now: datetime) -> "DownloadSiteQuerySet":
        """Sites that refused this machine and are left alone for a while."""
        return self.filter(rests_until__gt=now)


class DownloadSite(models.Model):
    """The turns in which the downloads from one site are taken, over all workers and machines."""

    name = models.CharField(max_length=255, unique=True)
    free_at = models.DateTimeField(default=timezone.now, help_text="The pause after the last download ends.")
    holder = models.BigIntegerField(null=True, blank=True, help_text="Key of the video that is fetched now.")
    held_until = models.DateTimeField(null=True, blank=True, help_text="Held no longer than this, whatever happens.")
    called = models.BigIntegerField(null=True, blank=True, help_text="Key of the video whose turn is next.")
    called_until = models.DateTimeField(null=True, blank=True, help_text="Then anybody else may take the turn.")
    rests_until = models.DateTimeField(null=True, blank=True)
    refusals = models.PositiveSmallIntegerField(default=0, help_text="Since the last success.")
    reason = models.TextField(blank=True, help_text="What the site said, and what helps.")

    objects: ClassVar[DownloadSiteQuerySet] = DownloadSiteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
