"""What belongs to the installation itself: failed sign-ins, and where the demonstration stands."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class SignInFailure(models.Model):
    """One failed sign-in; only a hash of the name and the address it came from is kept, and not for long."""

    source = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["source", "created_at"], name="signinfailure_recent")]

    def __str__(self) -> str:
        return f"{self.source[:8]} {self.created_at:%Y-%m-%d %H:%M}"


class Demonstration(models.Model):
    """The one row that says that the demonstration was started; how far it is, the other tables tell."""

    ONLY_PK: ClassVar[int] = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_PK, editable=False)
    run = models.ForeignKey("pipeline.TrainingRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    held_until = models.DateTimeField(default=timezone.now, help_text="A process works on the next step until then.")
    turn = models.PositiveIntegerField(default=0, help_text="The one queued job that may go on; older ones stand back.")
    turned_at = models.DateTimeField(default=timezone.now)
    error_message = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="demonstration_only_one")]

    def __str__(self) -> str:
        return "Demonstration"
