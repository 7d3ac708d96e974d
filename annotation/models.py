"""What people say: campaigns, tasks with slots, votes that are never changed, and adjudications."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.votetable import is_made_up
from pipeline import labels
from pipeline.choices import Policy, Split
from pipeline.models import Segment

# Method §7: three different people hear each sampled segment.
VOTES_PER_TASK = 3
# Each task has that many slots at most.
MAX_VOTES_PER_TASK = 15


class Condition(models.TextChoices):
    """What a listener had before them."""

    AUDIO = "audio", "Audio only"
    AUDIO_AND_TEXT = "audio+text", "Audio with text"
    UNKNOWN = "unknown", "Not recorded"


class Campaign(models.Model):
    """A set of segments put before people, and how it was drawn."""

    name = models.CharField(max_length=120, unique=True)
    split = models.CharField(max_length=5, choices=Split.choices)
    policy = models.CharField(max_length=40, default=Policy.RECOMMENDED, help_text="Whose text labels it is drawn by.")
    sampling = models.JSONField(default=dict, blank=True, help_text="How its segments were drawn.")
    seed = models.PositiveIntegerField(default=0)
    votes_per_task = models.PositiveSmallIntegerField(
        default=VOTES_PER_TASK, validators=[MinValueValidator(1), MaxValueValidator(MAX_VOTES_PER_TASK)]
    )
    show_text = models.BooleanField(default=False, help_text="Listeners also see what is said.")
    guidelines = models.TextField(blank=True)
    is_open = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def condition(self) -> str:
        return Condition.AUDIO_AND_TEXT if self.show_text else Condition.AUDIO


class TaskState(models.TextChoices):
    OPEN = "open", "Needs votes"
    MAJORITY = "majority", "Majority"
    NO_MAJORITY = "no-majority", "No majority"
    ADJUDICATED = "adjudicated", "Adjudicated"


class TaskQuerySet(models.QuerySet["Task"]):
    def awaiting_votes(self) -> "TaskQuerySet":
        return self.filter(state=TaskState.OPEN)

    def settled(self) -> "TaskQuerySet":
        """Tasks with ground truth."""
        return self.filter(state__in=[TaskState.MAJORITY, TaskState.ADJUDICATED])

    def without_majority(self) -> "TaskQuerySet":
        return self.filter(state=TaskState.NO_MAJORITY)


class Task(models.Model):
    """One segment of a campaign.

    Rows of an imported vote table whose segment is not stored keep their text here instead.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tasks")
    segment = models.ForeignKey(Segment, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks")
    position = models.PositiveIntegerField()
    imported_key = models.CharField(
        max_length=80, blank=True, help_text="Row of the imported table, for a second import."
    )
    imported_video = models.CharField(max_length=80, blank=True)
    imported_text = models.TextField(blank=True)
    imported_label = models.CharField(
        max_length=8, choices=labels.CHOICES, blank=True, help_text="Predicted text label."
    )
    state = models.CharField(max_length=12, choices=TaskState.choices, default=TaskState.OPEN, db_index=True)
    truth = models.CharField(
        max_length=8, choices=labels.CHOICES, blank=True, help_text="Derived from the votes; can always be rebuilt."
    )

    objects: ClassVar[TaskQuerySet] = TaskQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["campaign_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "segment"], name="task_segment_once_per_campaign"),
            models.UniqueConstraint(fields=["campaign", "position"], name="task_position_once_per_campaign"),
            models.UniqueConstraint(
                fields=["campaign", "imported_key"], condition=~Q(imported_key=""), name="task_imported_row_once"
            ),
            models.CheckConstraint(
                condition=Q(segment__isnull=False) | ~Q(imported_key=""), name="task_has_a_segment_or_a_row"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=[TaskState.MAJORITY, TaskState.ADJUDICATED], truth__in=labels.LABELS)
                    | Q(state__in=[TaskState.OPEN, TaskState.NO_MAJORITY], truth="")
                ),
                name="task_truth_fits_its_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.position}"

    @property
    def named_video(self) -> str:
        """The VideoId in the imported table; empty where it named none."""
        return (
            "" if self.imported_video == self.imported_key or is_made_up(self.imported_video) else self.imported_video
        )


class ImportedListener(models.Model):
    """A person whose votes came with a table: never an account, though an admin may say whose votes these are.

    The user row beside it stands for the person in votes and places; it cannot sign in. A listener belongs to one
    campaign, since the same heading in the table of another study may be another person.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imported_listener")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="imported_listeners")
    name = models.CharField(max_length=150, help_text="As the table names the person.")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="linked_listeners",
        help_text="Whose votes these are; both count as one person.",
    )
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who linked or unlinked it last; nobody where an upgrade did.",
    )
    linked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "campaign_id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="listener_once_per_campaign"),
            models.CheckConstraint(
                condition=Q(account__isnull=True) | Q(linked_at__isnull=False), name="listener_link_has_a_time"
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=True) | ~Q(account=F("user")), name="listener_linked_to_another"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def person(self) -> int:
        """The user row as which this listener counts: of the linked account, or of the listener alone."""
        return self.account_id or self.user_id


class Slot(models.Model):
    """A place for one person's vote on a task, held by a lease until it is filled."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="slots")
    slot = models.PositiveSmallIntegerField()
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="slots")
    lease_ends = models.DateTimeField(default=timezone.now)
    filled = models.BooleanField(default=False, help_text="The annotator's vote stands.")

    class Meta:
        ordering = ["task_id", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["task", "slot"], name="slot_once_per_task"),
            models.UniqueConstraint(fields=["task", "annotator"], name="slot_one_per_annotator_and_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id}#{self.slot}"


class Skip(models.Model):
    """An annotator does not want this task again."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="skips")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="skips")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "annotator"], name="skip_once")]

    def __str__(self) -> str:
        return f"{self.task_id} skipped by {self.annotator_id}"


class VoteOrigin(models.TextChoices):
    LISTENED = "listened", "Heard here"
    IMPORTED = "imported", "Imported"
    SIMULATED = "simulated", "Simulated"


class VoteQuerySet(models.QuerySet["Vote"]):
    def standing(self) -> "VoteQuerySet":
        """Votes that count: not a retraction, and not retracted."""
        return self.filter(retracts__isnull=True, retraction__isnull=True)

    def of_person(self, account: int) -> "VoteQuerySet":
        """Votes of an account and of the listeners that are linked to it."""
        return self.filter(Q(annotator=account) | Q(annotator__imported_listener__account=account))

    def with_person(self) -> "VoteQuerySet":
        """With ``person``, the user row as which the annotator counts, and the annotator's ``listener_name`` and
        ``account_name``, of which an imported listener without a link has the first alone."""
        listener = "annotator__imported_listener"
        return self.annotate(
            person=Coalesce(f"{listener}__account_id", "annotator_id"),
            listener_name=F(f"{listener}__name"),
            account_name=F(f"{listener}__account__username"),
        )


class Vote(models.Model):
    """One person's judgement of one task. Append-only: undoing adds a row that retracts the earlier one."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="votes")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes")
    label = models.CharField(max_length=8, choices=labels.CHOICES, blank=True, help_text="Empty in a retraction.")
    retracts = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="retraction")
    origin = models.CharField(max_length=9, choices=VoteOrigin.choices, default=VoteOrigin.LISTENED)
    condition = models.CharField(max_length=10, choices=Condition.choices, default=Condition.AUDIO)
    time_spent_ms = models.PositiveIntegerField(null=True, blank=True)
    heard_share = models.FloatField(null=True, blank=True, help_text="Share of the clip that was played, 0 to 1.")
    client_id = models.UUIDField(
        unique=True, help_text="Made by the client, so that a repeated submission counts once."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[VoteQuerySet] = VoteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(retracts__isnull=True, label__in=labels.LABELS) | Q(retracts__isnull=False, label="")),
                name="vote_is_a_label_or_a_retraction",
            ),
            models.CheckConstraint(
                condition=Q(heard_share__isnull=True) | Q(heard_share__gte=0, heard_share__lte=1),
                name="vote_heard_share_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} by {self.annotator_id}: {self.label or 'retracted'}"


class Adjudication(models.Model):
    """An admin's decision on a task whose listeners did not agree."""

    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="adjudication")
    label = models.CharField(max_length=8, choices=labels.CHOICES)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(label__in=labels.LABELS), name="adjudication_label_known")]

    def __str__(self) -> str:
        return f"{self.task_id}: {self.label}"
