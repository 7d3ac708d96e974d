"""Text labels that a run's model has reason to doubt, as the training stored them, with what is still there of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery

from pipeline.labels import LABELS
from pipeline.models import Prediction, Segment, TextLabel, TrainingRun


@dataclass(frozen=True)
class Doubt:
    """A segment whose given text label is likely wrong, and which label is likelier."""

    segment: int
    given: str
    likely: str


@dataclass(frozen=True)
class DoubtfulLabels:
    """Of a run: figures per class, and the least believable labels of segments that are still stored.

    ``total`` counts all doubtful labels, ``gone`` those of the stored list whose segment was removed since.
    """

    per_class: tuple[dict[str, Any], ...]
    given: int
    total: int
    noise: float
    doubts: tuple[Doubt, ...]
    gone: int

    @property
    def listed(self) -> int:
        return len(self.doubts) + self.gone

    def counts(self) -> dict[str, int]:
        """Doubts in the list by given label."""
        found = Counter(doubt.given for doubt in self.doubts)
        return {label: found[label] for label in LABELS}

    def given_as(self, label: str) -> tuple[Doubt, ...]:
        """Doubts about one given label; about all of them for an empty one."""
        return tuple(doubt for doubt in self.doubts if not label or doubt.given == label)


def doubtful_labels(run: TrainingRun) -> DoubtfulLabels | None:
    """None for a run that was trained before such labels were looked for."""
    stored = run.scores.get("likely_wrong")
    if not stored:
        return None
    listed = [Doubt(row["segment"], row["given"], row["likely"]) for row in stored["segments"]]
    there = set(Segment.objects.kept().filter(pk__in=[doubt.segment for doubt in listed]).values_list("pk", flat=True))
    doubts = tuple(doubt for doubt in listed if doubt.segment in there)
    per_class = tuple(
        {"label": label, **figures, "share": figures["likely_wrong"] / figures["given"] if figures["given"] else None}
        for label, figures in stored["per_class"].items()
    )
    return DoubtfulLabels(
        per_class=per_class,
        given=sum(figures["given"] for figures in per_class),
        total=stored["total"],
        noise=stored["noise"],
        doubts=doubts,
        gone=len(listed) - len(doubts),
    )


def rows(run: TrainingRun, doubts: Sequence[Doubt]) -> list[dict[str, Any]]:
    """Each doubt with its segment, the video, the model's probabilities and the text label as it is now.

    A segment that was removed in the meantime has no row.
    """
    predictions = Prediction.objects.filter(run=run, segment=OuterRef("pk"))
    labels = TextLabel.objects.filter(segment=OuterRef("pk"), policy=run.policy)
    segments = (
        Segment.objects.filter(pk__in=[doubt.segment for doubt in doubts])
        .select_related("video")
        .annotate(
            label_now=Subquery(labels.values("label")[:1]),
            **{f"p_{label}": Subquery(predictions.values(f"p_{label}")[:1]) for label in LABELS},
        )
        .in_bulk()
    )
    return [_row(doubt, segments[doubt.segment]) for doubt in doubts if doubt.segment in segments]


def _row(doubt: Doubt, segment: Any) -> dict[str, Any]:
    """`segment` with what `rows` annotates."""
    return {
        "doubt": doubt,
        "segment": segment,
        "p_given": getattr(segment, f"p_{doubt.given}"),
        "p_likely": getattr(segment, f"p_{doubt.likely}"),
        "changed": segment.label_now != doubt.given,
    }
