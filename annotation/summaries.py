"""Counts and figures for pages, in a fixed number of queries."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from annotation import agreement
from annotation.models import Campaign, Task, TaskState, Vote, VoteOrigin
from annotation.people import StandingVote
from pipeline.labels import LABELS
from pipeline.models import TextLabel

# As read after a number of segments.
STATE_WORDS = {
    TaskState.OPEN: "waiting for votes",
    TaskState.MAJORITY: "with a majority",
    TaskState.NO_MAJORITY: "without a majority",
    TaskState.ADJUDICATED: "decided by an admin",
}


def votes_of(campaign: Campaign, annotator: User) -> int:
    """How many votes of this person count, those of linked listeners among them."""
    return Vote.objects.standing().of_person(annotator.pk).filter(task__campaign=campaign).count()


def for_listener(annotator: User) -> list[Any]:
    """Open campaigns that can be heard, with ``n_tasks`` and the annotator's own ``n_done``."""
    heard = Q(tasks__segment__isnull=False) & ~Q(tasks__segment__video__audio="")
    campaigns = list(Campaign.objects.filter(is_open=True).annotate(n_tasks=Count("tasks", filter=heard)))
    own = Vote.objects.standing().of_person(annotator.pk).order_by().values_list("task__campaign")
    done = dict(own.annotate(n=Count("pk")))
    shown = [campaign for campaign in campaigns if campaign.n_tasks]
    for campaign in shown:
        campaign.n_done = done.get(campaign.pk, 0)  # type: ignore[attr-defined]
    return shown


def for_list() -> list[Any]:
    """All campaigns with ``n_tasks``, one count per state, ``n_votes``, ``n_needed`` and ``n_simulated``."""
    states = {
        f"n_{state.replace('-', '_')}": Count("tasks", filter=Q(tasks__state=state)) for state in TaskState.values
    }
    campaigns: list[Any] = list(Campaign.objects.annotate(n_tasks=Count("tasks"), **states))
    simulated = Count("pk", filter=Q(origin=VoteOrigin.SIMULATED))
    rows = Vote.objects.standing().order_by().values_list("task__campaign").annotate(n=Count("pk"), s=simulated)
    votes = {pk: (n, s) for pk, n, s in rows}
    for campaign in campaigns:
        campaign.n_votes, campaign.n_simulated = votes.get(campaign.pk, (0, 0))
        campaign.n_needed = campaign.n_tasks * campaign.votes_per_task
        campaign.n_truth = campaign.n_majority + campaign.n_adjudicated
    return campaigns


@dataclass
class AnnotatorCount:
    name: str
    votes: int = 0
    simulated: int = 0
    imported: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def per_label(self) -> list[int]:
        return [self.labels[label] for label in LABELS]


@dataclass(frozen=True)
class Disagreement:
    """A task whose listeners did not agree, as the admin who decides it sees it."""

    task: Task
    votes: list[tuple[str, str, bool]]
    text: str
    text_label: str
    likely: str
    likelihood: float | None


@dataclass(frozen=True)
class CampaignSummary:
    states: list[tuple[str, str, int]]
    n_tasks: int
    n_truth: int
    n_votes: int
    n_simulated: int
    n_imported: int
    n_needed: int
    annotators: list[AnnotatorCount]
    alpha: agreement.Agreement
    kappa: agreement.Agreement
    pairs: list[agreement.PairAgreement]
    truths: list[tuple[str, int]]


def summarise(campaign: Campaign, votes: list[StandingVote]) -> CampaignSummary:
    counts = Counter[str]()
    truths = Counter[str]()
    for state, truth, n in campaign.tasks.order_by().values_list("state", "truth").annotate(n=Count("pk")):
        counts[state] += n
        truths[truth] += n
    annotators: dict[str, AnnotatorCount] = {}
    for _, _, name, label, origin in votes:
        one = annotators.setdefault(name, AnnotatorCount(name))
        one.votes += 1
        one.simulated += origin == VoteOrigin.SIMULATED
        one.imported += origin == VoteOrigin.IMPORTED
        one.labels[label] += 1
    judgements = [(vote.task, vote.name, vote.label) for vote in votes]
    n_tasks = sum(counts.values())
    return CampaignSummary(
        states=[(state.value, words, counts[state]) for state, words in STATE_WORDS.items()],
        n_tasks=n_tasks,
        n_truth=counts[TaskState.MAJORITY] + counts[TaskState.ADJUDICATED],
        n_votes=len(votes),
        n_simulated=sum(one.simulated for one in annotators.values()),
        n_imported=sum(one.imported for one in annotators.values()),
        n_needed=n_tasks * campaign.votes_per_task,
        annotators=sorted(annotators.values(), key=lambda one: (-one.votes, one.name)),
        alpha=agreement.krippendorff_alpha(judgements),
        kappa=agreement.fleiss_kappa(judgements, campaign.votes_per_task),
        pairs=agreement.pairwise_cohen(judgements),
        truths=[(label, truths[label]) for label in LABELS],
    )


def disagreements(campaign: Campaign, votes: list[StandingVote]) -> list[Disagreement]:
    """Tasks without majority first, then those already decided, each with what Dawid and Skene's model holds likely."""
    tasks: QuerySet[Task] = (
        campaign.tasks.filter(state__in=[TaskState.NO_MAJORITY, TaskState.ADJUDICATED])
        .select_related("segment__video", "adjudication__decided_by")
        .order_by("-state", "position")
    )
    by_task: dict[int, list[tuple[str, str, bool]]] = defaultdict(list)
    for task_pk, _, name, label, origin in votes:
        by_task[task_pk].append((name, label, origin == VoteOrigin.SIMULATED))
    found = list(tasks)
    if not found:
        return []
    estimate = agreement.dawid_skene([(vote.task, vote.name, vote.label) for vote in votes])
    stored = TextLabel.objects.filter(policy=campaign.policy, segment__in=[task.segment_id for task in found])
    text_labels = dict(stored.values_list("segment_id", "label"))
    return [
        Disagreement(
            task=task,
            votes=by_task[task.pk],
            text=task.segment.text if task.segment else task.imported_text,
            text_label=task.imported_label or text_labels.get(task.segment_id or 0, ""),
            likely=estimate.labels.get(task.pk, ""),
            likelihood=max(estimate.probabilities.get(task.pk, (0.0,))) or None,
        )
        for task in found
    ]
