"""Rows of the database to the arrays that reports are made of, with everything that is left out counted.

Three comparisons (method §8): text labels against people, a model against text labels on videos that it did not see
in training, and a model against people.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from annotation.models import Campaign, TaskState
from annotation.votetable import is_made_up
from evaluation.ground_truth import COLUMNS, SETTLED, judged_once, predicted_tasks, tasks_of
from evaluation.metrics import DEFAULT_RESAMPLES, Report, evaluate
from pipeline.choices import Policy, RunState
from pipeline.labels import LABELS
from pipeline.models import Prediction, Segment, TextLabel, TrainingRun

TEXT_PEOPLE = "text-people"
MODEL_TEXT = "model-text"
MODEL_PEOPLE = "model-people"
COMPARISONS = (TEXT_PEOPLE, MODEL_TEXT, MODEL_PEOPLE)
# How sure a model is: its highest probability.
CONFIDENCE = Greatest(*(f"p_{label}" for label in LABELS))


@dataclass
class Counts:
    """Segments by what became of them; only ``compared`` ones are in the report."""

    compared: int = 0
    no_majority: int = 0
    awaiting: int = 0
    abstained: int = 0
    without_prediction: int = 0
    without_recording: int = 0
    seen_in_training: int = 0
    simulated: int = 0
    adjudicated: int = 0
    without_video: int = 0
    unsure: int = 0


@dataclass(frozen=True)
class Comparison:
    """Truth and prediction of each compared segment and the video it comes from, and counts of the others.

    ``counts.simulated``, ``adjudicated`` and ``without_video`` are parts of ``compared``, and ``unsure`` (the model was
    less sure than asked for) is a part of ``abstained``; the others stand beside it.
    """

    kind: str
    truth: list[str] = field(default_factory=list)
    predicted: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    @property
    def is_simulated(self) -> bool:
        """Whether any compared segment's truth rests on simulated votes."""
        return self.counts.simulated > 0

    @property
    def simulated_share(self) -> float:
        return self.counts.simulated / self.counts.compared if self.counts.compared else 0.0

    def report(self, *, resamples: int = DEFAULT_RESAMPLES, seed: int = 0) -> Report:
        """Raises EvaluationError where no segment could be compared."""
        report = evaluate(self.truth, self.predicted, self.groups, resamples=resamples, seed=seed)
        # That there is one group only is said in other words where no video is known.
        notes = [note for note in report.notes if not (self.names_no_video and note.startswith("No intervals"))]
        return replace(report, notes=(*self._notes_on_videos(), *notes))

    @property
    def names_no_video(self) -> bool:
        """Whether no compared segment's video is known, so that there are no intervals over videos."""
        return 0 < self.counts.compared == self.counts.without_video

    def _notes_on_videos(self) -> tuple[str, ...]:
        if self.names_no_video:
            return ("The rows of the imported table name no video, so intervals over videos cannot be given.",)
        if self.counts.without_video:
            n = self.counts.without_video
            return (f"{n} rows of an imported table name no video; intervals take them as one video.",)
        return ()

    @property
    def rejected(self) -> int:
        """Segments whose text label was rejected: those left out as abstained where the model was sure enough."""
        return self.counts.abstained - self.counts.unsure

    def counts_as_dict(self) -> dict[str, int]:
        return asdict(self.counts)

    def add(self, truth: str, predicted: str, group: str) -> None:
        self.truth.append(truth)
        self.predicted.append(predicted)
        self.groups.append(group)
        self.counts.compared += 1


@dataclass(frozen=True)
class Question:
    """What a page or a command asks for; there may be no training run."""

    split: str
    policy: str = Policy.RECOMMENDED
    campaign: Campaign | None = None
    run: TrainingRun | None = None
    min_confidence: float | None = None

    def compare(self, kind: str) -> Comparison:
        """The comparison of one kind; an empty one where it needs a run and there is none."""
        if kind == TEXT_PEOPLE:
            return text_against_people(self.split, self.campaign, self.policy)
        if self.run is None:
            return Comparison(kind)
        if kind == MODEL_TEXT:
            return model_against_text(self.run, self.min_confidence)
        return model_against_people(self.run, self.split, self.campaign, self.min_confidence)

    def split_of(self, kind: str) -> str:
        """A run meets the text labels on the split that it was trained on."""
        return self.run.split if self.run and kind == MODEL_TEXT else self.split

    def policy_of(self, kind: str) -> str:
        """Whose text labels are compared, or were learnt from."""
        return self.run.policy if self.run and kind != TEXT_PEOPLE else self.policy


def text_against_people(split: str, campaign: Campaign | None = None, policy: str = Policy.RECOMMENDED) -> Comparison:
    """The policy's text labels against ground truth; rows of imported tables bring their own text label."""
    labels = TextLabel.objects.filter(segment=OuterRef("segment"), policy=policy).values("label")[:1]
    comparison = Comparison(TEXT_PEOPLE)
    for task in judged_once(
        tasks_of(split, campaign).annotate(predicted=Subquery(labels)).values(*COLUMNS, "predicted")
    ):
        predicted = task["predicted"] if task["segment_id"] else task["imported_label"] or None
        if not _is_settled(task, comparison.counts):
            continue
        if predicted is None:
            comparison.counts.without_prediction += 1
        elif not predicted:
            comparison.counts.abstained += 1
        else:
            _add_judged(comparison, task, predicted)
    return comparison


def model_against_text(run: TrainingRun, min_confidence: float | None = None) -> Comparison:
    """Out-of-fold predictions of a run against the text labels it was trained on (its split and policy)."""
    labels = TextLabel.objects.filter(segment=OuterRef("segment"), policy=run.policy).values("label")[:1]
    comparison = Comparison(MODEL_TEXT)
    rows = (
        Prediction.objects.out_of_fold()
        .filter(run=run)
        .order_by("segment__video_id", "segment__position")
        .values_list("segment__video_id", "label", CONFIDENCE, Subquery(labels))
    )
    for video, predicted, confidence, label in rows:
        if not label:
            comparison.counts.abstained += 1
        elif _is_sure(confidence, min_confidence, comparison.counts):
            comparison.add(label, predicted, _video_group(video))
    predicted_here = Prediction.objects.out_of_fold().filter(run=run, segment=OuterRef("pk"))
    comparison.counts.without_prediction = (
        Segment.objects.labelled(run.policy).filter(~Exists(predicted_here), video__split=run.split).count()
    )
    return comparison


def model_against_people(
    run: TrainingRun, split: str, campaign: Campaign | None = None, min_confidence: float | None = None
) -> Comparison:
    """Predictions of a run against ground truth; never one that the final model made on a video it was trained on."""
    comparison = Comparison(MODEL_PEOPLE)
    for task in predicted_tasks(run, split, campaign):
        if not _is_settled(task, comparison.counts):
            continue
        if task["segment_id"] is None:
            comparison.counts.without_recording += 1
        elif task["predicted_label"] is None:
            comparison.counts.without_prediction += 1
        elif task["seen"]:
            comparison.counts.seen_in_training += 1
        elif _is_sure(max(task[f"predicted_p_{label}"] for label in LABELS), min_confidence, comparison.counts):
            _add_judged(comparison, task, task["predicted_label"])
    return comparison


def finished_runs() -> QuerySet[TrainingRun]:
    """Runs with predictions, newest first."""
    return TrainingRun.objects.filter(state=RunState.DONE).order_by("-pk")


def _is_settled(task: dict[str, Any], counts: Counts) -> bool:
    """Whether the task has ground truth; counts it where it has none."""
    if task["state"] == TaskState.NO_MAJORITY:
        counts.no_majority += 1
    elif task["state"] == TaskState.OPEN:
        counts.awaiting += 1
    return task["state"] in SETTLED


def _is_sure(confidence: float, least: float | None, counts: Counts) -> bool:
    """Whether the model is as sure as asked for; counts the segment where it is not."""
    if least is None or confidence >= least:
        return True
    counts.abstained += 1
    counts.unsure += 1
    return False


def _add_judged(comparison: Comparison, task: dict[str, Any], predicted: str) -> None:
    counts = comparison.counts
    counts.simulated += task["simulated"]
    counts.adjudicated += task["state"] == TaskState.ADJUDICATED
    named = task["imported_video"] not in ("", task["imported_key"]) and not is_made_up(task["imported_video"])
    if task["video"]:
        group = _video_group(task["video"])
    elif named:
        group = f"imported {task['imported_video']}"
    else:
        # Rows of a table without videos are taken as one video, which cannot make an interval too narrow.
        group = "unknown"
        counts.without_video += 1
    comparison.add(task["truth"], predicted, group)


def _video_group(pk: int) -> str:
    return f"video {pk}"
