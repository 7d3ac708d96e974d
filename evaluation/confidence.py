"""What a run's model knows of its own errors: the risk it leaves when it may stay silent, and its calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import OuterRef, Subquery

from evaluation.ground_truth import SETTLED, predicted_tasks
from evaluation.line_charts import RiskCurve
from evaluation.reliability import Reliability, reliability
from evaluation.reports import CONFIDENCE
from pipeline.choices import Split
from pipeline.labels import LABELS
from pipeline.models import Prediction, TextLabel, TrainingRun

# Rows of the table that says what the figure draws.
TABLE_COVERAGES = tuple(round(1 - 0.1 * step, 1) for step in range(10))
# What the sentence lets the model leave out.
SILENT_SHARE = 0.2


@dataclass(frozen=True)
class Curve:
    """A risk-coverage curve against one truth, as `pipeline.stages.abstention.RiskCoverage.as_dict` stores it."""

    truth: str
    n: int
    points: tuple[dict[str, float], ...]
    area: float
    area_at_random: float
    area_at_best: float
    simulated: int = 0

    @classmethod
    def stored(cls, truth: str, n: int, scores: dict[str, Any], *, simulated: int = 0) -> "Curve":
        areas = {name: scores[name] for name in ("area", "area_at_random", "area_at_best")}
        return cls(truth, n, tuple(scores["curve"]), **areas, simulated=simulated)

    def at(self, coverage: float) -> dict[str, float]:
        """The point of the least coverage that is at least this, with its risk."""
        # Stored in four decimals.
        point = next((point for point in self.points if point["coverage"] >= coverage - 5e-5), self.points[-1])
        return {**point, "risk": 1 - point["accuracy"]}

    @property
    def whole(self) -> dict[str, float]:
        return self.at(1.0)

    @property
    def quieter(self) -> dict[str, float]:
        """Where the model stays silent on about `SILENT_SHARE` of the segments."""
        point = self.at(1 - SILENT_SHARE)
        return {**point, "silent": 1 - point["coverage"]}

    @property
    def helps(self) -> bool:
        """Whether staying silent lowers the risk by what two decimals of a percentage show."""
        return round(100 * self.quieter["risk"]) < round(100 * self.whole["risk"])

    def drawn(self) -> RiskCurve:
        return RiskCurve(
            f"against {self.truth}",
            coverage=tuple(point["coverage"] for point in self.points),
            risk=tuple(1 - point["accuracy"] for point in self.points),
            thresholds=tuple(point["threshold"] for point in self.points),
        )


def curves_of(run: TrainingRun) -> list[Curve]:
    """Against the text labels as the training stored it, then against people in each split that has ground truth.

    Empty for a run that was trained before the curve was kept.
    """
    stored = run.scores.get("risk_coverage")
    if not stored or not stored.get("curve"):
        return []
    text = Curve.stored("text labels", run.scores["n"], stored)
    return [text, *filter(None, (_against_people(run, split) for split in Split.values))]


def table(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Per share of segments predicted, the point of each curve."""
    return [{"coverage": coverage, "points": [curve.at(coverage) for curve in curves]} for coverage in TABLE_COVERAGES]


def calibration_of(run: TrainingRun) -> Reliability | None:
    """Of out-of-fold predictions against the text labels as they are now; None where there are none."""
    labels = TextLabel.objects.filter(segment=OuterRef("segment"), policy=run.policy).values("label")[:1]
    rows = (
        Prediction.objects.out_of_fold()
        .filter(run=run)
        .annotate(text_label=Subquery(labels))
        .filter(text_label__in=LABELS)
        .values_list("label", "text_label", CONFIDENCE)
    )
    found = np.fromiter(
        ((predicted == label, confidence) for predicted, label, confidence in rows.iterator(chunk_size=10_000)),
        dtype=[("right", np.bool_), ("confidence", np.float64)],
    )
    return reliability(found["confidence"], found["right"]) if len(found) else None


def _against_people(run: TrainingRun, split: str) -> Curve | None:
    rows = [
        task
        for task in predicted_tasks(run, split)
        if task["state"] in SETTLED and task["predicted_label"] and not task["seen"]
    ]
    if not rows:
        return None
    from pipeline.stages.abstention import risk_coverage  # scikit-learn takes a second to load

    probabilities = np.array([[row[f"predicted_p_{label}"] for label in LABELS] for row in rows])
    found = risk_coverage(np.array([row["truth"] for row in rows]), probabilities)
    simulated = sum(row["simulated"] for row in rows)
    return Curve.stored(f"people, {split}", len(rows), found.as_dict(), simulated=simulated)
