"""Who hears what: the only place where a slot changes hands.

A task has at most ``votes_per_task`` slots, numbered from 1; the database lets each number, and each annotator, in
once per task. A slot is held by a lease that ends, and is taken over by a conditional update, so that of two people
who reach for it one gets it and the other looks further. Nothing here relies on reading before writing.
"""

import hashlib
import uuid
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from annotation import truth
from annotation.errors import AnnotationError, CampaignClosed, LeaseLost
from annotation.models import Campaign, Condition, Skip, Slot, Task, TaskQuerySet, TaskState, Vote, VoteOrigin
from annotation.people import places_as_another
from pipeline.labels import LABELS

# Long enough to hear a segment several times and think; short enough that a closed browser holds nobody up.
LEASE = timedelta(minutes=10)
# Tasks looked at before asking the database anew; all of them can be lost to others only in a crowd.
CANDIDATES = 12
ROUNDS = 8
# A prime above any likely number of tasks, and small enough that a product with a primary key stays in 64 bits.
SHUFFLE_PRIME = 2_147_483_647

LOST = "Your time for that segment ran out and it went to someone else, so nothing was counted. Go on with the next."
VOTED_AS_ANOTHER = "Your vote on that segment came with an imported table, so nothing was counted. Go on with the next."
CLOSED = "This campaign is closed, so votes are no longer taken."


def refuse_closed(campaign: Campaign) -> None:
    """Raise CampaignClosed where the campaign takes nothing any more."""
    if not campaign.is_open:
        raise CampaignClosed(CLOSED)


def audible(campaign: Campaign) -> TaskQuerySet:
    """Tasks that can be heard: rows of an imported table have no audio."""
    return campaign.tasks.filter(segment__isnull=False).exclude(segment__video__audio="")


def available(campaign: Campaign, annotator: User, now: datetime) -> TaskQuerySet:
    """Tasks with a free place that this annotator has neither judged, nor skipped, nor holds.

    Votes of linked listeners are this annotator's. Tasks nearest to completion come first, otherwise they are in an
    order of the annotator's own.
    """
    taken = Q(slots__filled=True) | Q(slots__lease_ends__gt=now)
    digest = hashlib.sha256(f"{campaign.pk}/{campaign.seed}/{annotator.pk}".encode()).digest()
    factor = 1 + int.from_bytes(digest[:8], "big") % (SHUFFLE_PRIME - 1)
    return (
        audible(campaign)
        .awaiting_votes()
        .filter(~Exists(Slot.objects.filter(task=OuterRef("pk"), annotator=annotator)))
        .filter(~Exists(places_as_another(annotator).filter(task=OuterRef("pk"))))
        .filter(~Exists(Skip.objects.filter(task=OuterRef("pk"), annotator=annotator)))
        .annotate(n_filled=Count("slots", filter=Q(slots__filled=True)), n_taken=Count("slots", filter=taken))
        .filter(n_taken__lt=campaign.votes_per_task)
        .order_by("-n_filled", (F("pk") * factor) % SHUFFLE_PRIME, "pk")
    )


def held_slot(campaign: Campaign, annotator: User) -> Slot | None:
    """The slot that the annotator has before them, also past its lease as long as nobody took it over."""
    return (
        Slot.objects.filter(task__campaign=campaign, task__state=TaskState.OPEN, annotator=annotator, filled=False)
        .filter(~Exists(places_as_another(annotator).filter(task=OuterRef("task"))))
        .select_related("task__campaign", "task__segment")
        .order_by("pk")
        .first()
    )


def claim(campaign: Campaign, annotator: User, now: datetime | None = None) -> Slot | None:
    """A slot for this annotator to vote in: the one they already hold, else a free one, else None."""
    if not campaign.is_open:
        return None
    now = now or timezone.now()
    for _ in range(ROUNDS):
        held = held_slot(campaign, annotator)
        try:
            if held is not None and renew(held, annotator, now):
                return held
        except CampaignClosed:  # since it was read
            return None
        candidates = list(available(campaign, annotator, now)[:CANDIDATES])
        if not candidates:
            return None
        for task in candidates:
            if slot := _take(task, campaign, annotator, now):
                return slot
    return None


def _take(task: Task, campaign: Campaign, annotator: User, now: datetime) -> Slot | None:
    """Take one free place on a task, or None if others were faster at all of them."""
    rows = {row.slot: row for row in Slot.objects.filter(task=task)}
    ends = now + LEASE
    for number in range(1, campaign.votes_per_task + 1):
        row = rows.get(number)
        if row is not None and (row.filled or row.lease_ends > now):
            continue
        try:
            with transaction.atomic():
                if row is None:
                    row = Slot.objects.create(task=task, slot=number, annotator=annotator, lease_ends=ends)
                elif not Slot.objects.filter(pk=row.pk, filled=False, lease_ends__lte=now).update(
                    annotator=annotator, lease_ends=ends
                ):
                    continue
        except IntegrityError:
            continue
        return Slot.objects.select_related("task__campaign", "task__segment").get(pk=row.pk)
    return None


def renew(slot: Slot, annotator: User, now: datetime | None = None) -> bool:
    """Prolong the lease; False where the slot is no longer this annotator's. CampaignClosed where nothing is taken."""
    refuse_closed(slot.task.campaign)
    ends = (now or timezone.now()) + LEASE
    held = Slot.objects.filter(pk=slot.pk, annotator=annotator, filled=False).update(lease_ends=ends)
    if held:
        slot.lease_ends = ends
    return bool(held)


def release(slot: Slot, annotator: User) -> bool:
    """Give an unused place back; False where it was not this annotator's to give."""
    deleted, _ = Slot.objects.filter(pk=slot.pk, annotator=annotator, filled=False).delete()
    return bool(deleted)


def _repeated(client_id: uuid.UUID, task_id: int, annotator: User) -> Vote | None:
    """The vote that this submission already made, if it was sent before."""
    vote = Vote.objects.filter(client_id=client_id).first()
    if vote is not None and (vote.task_id, vote.annotator_id) != (task_id, annotator.pk):
        raise AnnotationError("This submission belongs to another vote. Reload the page and vote again.")
    return vote


def submit(
    slot: Slot,
    annotator: User,
    label: str,
    client_id: uuid.UUID,
    time_spent_ms: int | None = None,
    heard_share: float | None = None,
    *,
    origin: str = VoteOrigin.LISTENED,
) -> Vote:
    """Fill the slot with a vote and derive the task's truth; the same submission sent again counts once."""
    if label not in LABELS:
        raise AnnotationError(f"“{label}” is not a class; vote {', '.join(LABELS[:-1])} or {LABELS[-1]}.")
    if vote := _repeated(client_id, slot.task_id, annotator):
        return vote
    vote = Vote(
        task_id=slot.task_id,
        annotator=annotator,
        label=label,
        client_id=client_id,
        time_spent_ms=time_spent_ms,
        heard_share=heard_share,
        origin=origin,
    )
    try:
        _fill(slot, vote)
    except (IntegrityError, LeaseLost):
        # The same submission may have arrived twice at once: then the other one counted.
        if earlier := _repeated(client_id, slot.task_id, annotator):
            return earlier
        raise
    return vote


@transaction.atomic
def _fill(slot: Slot, vote: Vote) -> None:
    """Mark the slot as filled, keep the vote and derive the truth, all or nothing."""
    task = truth.lock(vote.task_id)
    refuse_closed(task.campaign)
    if places_as_another(vote.annotator).filter(task=task).exists():
        raise LeaseLost(VOTED_AS_ANOTHER)
    if not Slot.objects.filter(pk=slot.pk, annotator=vote.annotator, filled=False).update(filled=True):
        raise LeaseLost(LOST)
    vote.condition = task.campaign.condition if vote.origin == VoteOrigin.LISTENED else Condition.UNKNOWN
    vote.save(force_insert=True)
    truth.settle(task)


def undoable(campaign: Campaign, annotator: User) -> Vote | None:
    """The annotator's last standing vote in the campaign; imported votes are history and stay."""
    return (
        Vote.objects.standing()
        .filter(task__campaign=campaign, annotator=annotator)
        .exclude(origin=VoteOrigin.IMPORTED)
        .order_by("-pk")
        .first()
    )


def undo(campaign: Campaign, annotator: User) -> Vote | None:
    """Retract the annotator's last standing vote and put its segment before them again.

    Returns the retracted vote, or None where there is nothing to undo.
    """
    refuse_closed(campaign)
    vote = undoable(campaign, annotator)
    if vote is None:
        return None
    try:
        _retract(vote)
    except IntegrityError:  # pressed twice at once: the other press undid it
        return None
    return vote


@transaction.atomic
def _retract(vote: Vote) -> None:
    task = truth.lock(vote.task_id)
    refuse_closed(task.campaign)
    if task.state == TaskState.ADJUDICATED:
        raise AnnotationError("An admin has already decided that segment, so your vote on it stays.")
    Vote.objects.create(
        task=task,
        annotator=vote.annotator,
        retracts=vote,
        origin=vote.origin,
        condition=vote.condition,
        client_id=uuid.uuid4(),
    )
    own = Slot.objects.filter(task__campaign=task.campaign, annotator=vote.annotator)
    own.filter(task=task).update(filled=False, lease_ends=timezone.now() + LEASE)
    own.filter(filled=False).exclude(task=task).delete()  # what was before them gives way
    truth.settle(task)


def skip(slot: Slot, annotator: User) -> None:
    """Give the place back and never offer this task to the annotator again."""
    with transaction.atomic():
        refuse_closed(truth.lock(slot.task_id).campaign)
        if not release(slot, annotator):
            raise LeaseLost(LOST)
        Skip.objects.get_or_create(task_id=slot.task_id, annotator=annotator)
