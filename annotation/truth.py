"""Ground truth: derived from standing votes and adjudications by one rule, and always to be rebuilt from them."""

from collections import defaultdict
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from annotation.consensus import decide
from annotation.errors import AnnotationError
from annotation.models import Adjudication, Campaign, Task, TaskState, Vote
from pipeline.labels import LABELS


def _derive(votes: Sequence[str], needed: int, decision: str) -> tuple[str, str]:
    """State and truth of a task; an admin's decision stands over the votes it was made on."""
    if decision:
        return TaskState.ADJUDICATED, decision
    verdict = decide(votes, needed)
    return verdict.state, verdict.label


def lock(task_pk: int) -> Task:
    """The task, locked until the transaction ends, so that two votes at once cannot both miss the other."""
    return Task.objects.select_related("campaign").select_for_update(of=("self",), no_key=True).get(pk=task_pk)


def settle(task: Task) -> Task:
    """Write the task's state and truth as its votes and adjudication now say."""
    with transaction.atomic():
        fresh = lock(task.pk)
        votes = list(Vote.objects.standing().filter(task=fresh).values_list("label", flat=True))
        decision = Adjudication.objects.filter(task=fresh).values_list("label", flat=True).first() or ""
        state, truth = _derive(votes, fresh.campaign.votes_per_task, decision)
        if (fresh.state, fresh.truth) != (state, truth):
            Task.objects.filter(pk=fresh.pk).update(state=state, truth=truth)
    task.state, task.truth = state, truth
    return task


def rebuild(campaign: Campaign) -> int:
    """Derive every task of a campaign anew; returns how many were not as they should be."""
    with transaction.atomic():
        tasks = list(campaign.tasks.select_for_update(no_key=True).order_by("pk"))
        votes: dict[int, list[str]] = defaultdict(list)
        for task_pk, label in Vote.objects.standing().filter(task__campaign=campaign).values_list("task_id", "label"):
            votes[task_pk].append(label)
        decisions = dict(Adjudication.objects.filter(task__campaign=campaign).values_list("task_id", "label"))
        changed = []
        for task in tasks:
            state, truth = _derive(votes[task.pk], campaign.votes_per_task, decisions.get(task.pk, ""))
            if (task.state, task.truth) != (state, truth):
                task.state, task.truth = state, truth
                changed.append(task)
        Task.objects.bulk_update(changed, ["state", "truth"], batch_size=500)
    return len(changed)


def adjudicate(task: Task, admin: User, label: str, note: str = "") -> Adjudication:
    """An admin decides a task whose listeners did not agree; a later decision replaces the earlier one."""
    if label not in LABELS:
        raise AnnotationError(f"“{label}” is not a class; decide for {', '.join(LABELS[:-1])} or {LABELS[-1]}.")
    with transaction.atomic():
        fresh = lock(task.pk)
        if fresh.state not in (TaskState.NO_MAJORITY, TaskState.ADJUDICATED):
            raise AnnotationError("Only a segment whose listeners did not agree is decided by an admin.")
        decision, _ = Adjudication.objects.update_or_create(
            task=fresh, defaults={"label": label, "decided_by": admin, "note": note}
        )
        settle(task)
    return decision
