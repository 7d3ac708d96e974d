"""The three text classifiers on a split's segments: rows of the database to the arrays of the label report."""

from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np
from django.db.models import BooleanField, Case, Q, Value, When

from annotation.models import Campaign, TaskState
from evaluation.ground_truth import COLUMNS, SETTLED, judged_once, tasks_of
from pipeline.models import TextLabel
from pipeline.policies import label_policies
from pipeline.stages.label_arrays import NONE, ScoredTexts, codes, decide_all
from pipeline.stages.label_policies import QUESTION_PATTERN, TWO_VOTERS, LabelPolicy
from pipeline.stages.label_report import LabelReport, label_report


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=False, output_field=BooleanField())


EXCLAIMED = _whether(Q(segment__text__contains="!"))
ASKED = _whether(Q(segment__text__regex=QUESTION_PATTERN))
ROW = [
    ("segment", np.int64),
    ("vader", np.float64),
    ("textblob", np.float64),
    ("pattern", np.float64),
    ("label", "U8"),
    ("rejection", "U40"),
    ("exclaimed", np.bool_),
    ("asked", np.bool_),
]


@dataclass
class PeopleCounts:
    """Segments before listeners by what became of them; ``judged`` ones are compared, two further counts part of it."""

    judged: int = 0
    no_majority: int = 0
    awaiting: int = 0
    without_label: int = 0
    without_recording: int = 0
    simulated: int = 0
    adjudicated: int = 0


@dataclass(frozen=True)
class LabelQuality:
    """All kept segments of a split that were scored under a policy, with people's label where there is one.

    ``truth`` is "" for segments without ground truth; ``counts`` has the labels and the reasons of rejected ones.
    """

    policy: LabelPolicy
    split: str
    campaign: Campaign | None
    texts: ScoredTexts
    truth: np.ndarray
    counts: dict[str, int]
    people: PeopleCounts = field(default_factory=PeopleCounts)

    @cached_property
    def report(self) -> LabelReport | None:
        return label_report(self.texts, self.truth, self.policy) if len(self.texts) else None

    @property
    def own_thresholds(self) -> tuple[float, ...]:
        """Least means of a positive and of a negative label."""
        if self.policy.rule == TWO_VOTERS:
            return self.policy.min_positive, self.policy.min_negative
        return (self.policy.min_abs_mean,)

    @cached_property
    def stale(self) -> int:
        """Labels that the policy would give otherwise now: its parameters were others when they were made."""
        return int((decide_all(self.texts, self.policy) != self.texts.given).sum())

    def people_as_dict(self) -> dict[str, int]:
        return asdict(self.people)


def label_quality(split: str, policy_name: str, campaign: Campaign | None = None) -> LabelQuality:
    """Two queries, however many segments there are; a campaign says whose votes count."""
    rows = (
        TextLabel.objects.filter(policy=policy_name, segment__exclusion="", segment__video__split=split)
        .order_by("segment_id")
        .values_list("segment_id", "vader", "textblob", "pattern", "label", "rejection", EXCLAIMED, ASKED)
    )
    found = np.fromiter(rows.iterator(chunk_size=10_000), dtype=ROW)
    texts = ScoredTexts(
        polarities=np.column_stack([found[name] for name in ("vader", "textblob", "pattern")]),
        exclaimed=found["exclaimed"],
        asked=found["asked"],
        given=codes(found["label"]),
    )
    truth, people = _truth(found["segment"], split, campaign)
    names, counts = np.unique(np.where(texts.given == NONE, found["rejection"], found["label"]), return_counts=True)
    return LabelQuality(
        policy=label_policies()[policy_name],
        split=split,
        campaign=campaign,
        texts=texts,
        truth=truth,
        counts=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        people=people,
    )


def _truth(segments: np.ndarray, split: str, campaign: Campaign | None) -> tuple[np.ndarray, PeopleCounts]:
    """People's label of each segment, whose keys rise, and what became of all that people were asked about."""
    truth, people = np.full(len(segments), "", dtype="U8"), PeopleCounts()
    for task in judged_once(tasks_of(split, campaign).values(*COLUMNS)):
        people.no_majority += task["state"] == TaskState.NO_MAJORITY
        people.awaiting += task["state"] == TaskState.OPEN
        if task["state"] not in SETTLED:
            continue
        if task["segment_id"] is None:
            people.without_recording += 1
            continue
        place = int(np.searchsorted(segments, task["segment_id"]))
        if place == len(segments) or segments[place] != task["segment_id"]:
            people.without_label += 1
            continue
        truth[place] = task["truth"]
        people.judged += 1
        people.simulated += task["simulated"]
        people.adjudicated += task["state"] == TaskState.ADJUDICATED
    return truth, people
