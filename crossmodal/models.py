"""What belongs to the installation itself: limits on sign-ins, and where the demonstration stands."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class SignInBudget(models.Model):
    """Guesses of passwords that are left, see ``crossmodal.throttle``; of names and addresses only a hash is kept."""

    slot = models.BigIntegerField(primary_key=True)
    whole_at_ms = models.BigIntegerField(
        db_index=True, help_text="Milliseconds since 1970 at which all guesses are there again."
    )

    def __str__(self) -> str:
        return f"{self.slot}"


class KnownAddress(models.Model):
    """An address from which an account was signed in to; of both only a hash is kept, and not for long."""

    key = models.BigIntegerField(primary_key=True)
    until_ms = models.BigIntegerField(db_index=True, help_text="Milliseconds since 1970.")

    def __str__(self) -> str:
        return f"{self.key}"


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
