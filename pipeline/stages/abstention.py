"""What is gained by leaving out the segments that a model is least sure of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from pipeline.labels import LABELS

# Points of a stored curve; a page draws no more.
CURVE_POINTS = 50


@dataclass(frozen=True)
class RiskCoverage:
    """How accuracy rises as less is predicted.

    Attributes
    ----------
    thresholds : np.ndarray [shape=(m,), dtype=float64]
        A row is kept if the probability of its label is at least this; falling, so that coverage rises.
    coverage : np.ndarray [shape=(m,), dtype=float64]
        Share of rows kept, above 0; the last one is 1.
    accuracy, macro_f1 : np.ndarray [shape=(m,), dtype=float64]
        Of the rows kept. The macro F1 is over all three classes; one that is neither there nor predicted counts 0.
    area : float
        Under the curve of the risk (1 - accuracy) over the coverage: the mean risk over all coverages; 0 is best.
    area_at_random : float
        What leaving out rows without regard to the probabilities gives: the risk of all rows.
    area_at_best : float
        What leaving out the wrong rows first would give.
    """

    thresholds: np.ndarray
    coverage: np.ndarray
    accuracy: np.ndarray
    macro_f1: np.ndarray
    area: float
    area_at_random: float
    area_at_best: float

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold, in four decimals."""
        curve = zip(self.thresholds, self.coverage, self.accuracy, self.macro_f1, strict=True)
        names = ("threshold", "coverage", "accuracy", "macro_f1")
        return {
            "curve": [dict(zip(names, (round(float(value), 4) for value in point), strict=True)) for point in curve],
            "area": round(self.area, 4),
            "area_at_random": round(self.area_at_random, 4),
            "area_at_best": round(self.area_at_best, 4),
        }


def risk_coverage(y: np.ndarray, probabilities: np.ndarray, *, points: int = CURVE_POINTS) -> RiskCoverage:
    """The risk-coverage curve of a model that abstains where its highest probability is low.

    Parameters
    ----------
    y : np.ndarray of str [shape=(n,)]
        True labels; n above 0.
    probabilities : np.ndarray [shape=(n, 3)]
        Of rows that the model has not learned from, in the order of `pipeline.labels.LABELS`.
    points : int
        At most so many points, evenly over the coverage. Rows of one probability are kept or left out together.

    References
    ----------
    R. El-Yaniv, Y. Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 11, 2010.
    Y. Geifman, R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    truth, confidence = y[order], confidence[order]
    predicted = np.asarray(LABELS)[probabilities.argmax(axis=1)][order]
    right = truth == predicted
    n = len(y)
    ends = np.flatnonzero(np.append(confidence[1:] != confidence[:-1], True)) + 1  # rows kept at each threshold
    risk = 1 - np.cumsum(right)[ends - 1] / ends
    chosen = ends[np.unique(np.searchsorted(ends, np.ceil(np.linspace(0, n, points + 1)[1:])))]
    return RiskCoverage(
        thresholds=confidence[chosen - 1],
        coverage=chosen / n,
        accuracy=np.cumsum(right)[chosen - 1] / chosen,
        macro_f1=np.array([_macro_f1(truth[:kept], predicted[:kept]) for kept in chosen]),
        area=float((risk * np.diff(ends, prepend=0)).sum() / n),
        area_at_random=float(1 - right.mean()),
        area_at_best=_area_at_best(int(right.sum()), n),
    )


def _macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float(f1_score(truth, predicted, labels=LABELS, average="macro", zero_division=0))


def _area_at_best(right: int, n: int) -> float:
    kept = np.arange(1, n + 1)
    return float((np.maximum(kept - right, 0) / kept).mean())
