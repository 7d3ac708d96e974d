"""Which given labels are likely wrong, by what a model predicts for rows that it has not learned from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.labels import LABELS


@dataclass(frozen=True)
class LabelNoise:
    """Confident learning's estimate of how given labels go wrong.

    Attributes
    ----------
    thresholds : np.ndarray [shape=(3,), dtype=float64]
        Mean probability of each class over the rows given that class; above it a row counts as confidently that class.
        NaN for a class that is not given.
    counts : np.ndarray [shape=(3, 3), dtype=int64]
        Rows that are confidently of a class; row of the matrix: given label, column: confident class.
    joint : np.ndarray [shape=(3, 3), dtype=float64]
        Estimated shares of given label (row) and true label (column) among all rows; the rows add up to the shares of
        the given labels, all together to 1.
    likely_wrong : np.ndarray [shape=(m,), dtype=int64]
        Numbers of the rows whose label is likely wrong, the least believable first.
    better : np.ndarray of str [shape=(m,)]
        For each of them the most probable class.
    """

    thresholds: np.ndarray
    counts: np.ndarray
    joint: np.ndarray
    likely_wrong: np.ndarray
    better: np.ndarray

    @property
    def noise_by_class(self) -> np.ndarray:
        """Estimated share of wrong labels among those given, per class [shape=(3,)]; NaN where none is given."""
        given = self.joint.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 - np.diag(self.joint) / np.where(given > 0, given, np.nan))

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels among all rows."""
        return float(1 - np.trace(self.joint))

    def as_dict(self, y: np.ndarray) -> dict[str, Any]:
        """What JSON can hold, per class of the given label; `y` are the given labels."""
        wrong = y[self.likely_wrong]
        by_class = {}
        for index, label in enumerate(LABELS):
            share = self.noise_by_class[index]
            by_class[label] = {
                "given": int((y == label).sum()),
                "likely_wrong": int((wrong == label).sum()),
                "noise": None if np.isnan(share) else round(float(share), 4),
            }
        return {
            "labels": list(LABELS),
            "noise": round(self.noise, 4),
            "per_class": by_class,
            "counts": self.counts.tolist(),
            "joint": np.round(self.joint, 6).tolist(),
        }


def estimate_noise(y: np.ndarray, probabilities: np.ndarray) -> LabelNoise:
    """Estimate the joint distribution of given and true labels, and list the rows off its diagonal.

    A row is confidently of class j if its probability of j is at least the mean probability of j over the rows given j;
    of several such classes the most probable counts. Counts of given label against confident class, with each row of
    the matrix scaled to the number of rows given that label, estimate the joint distribution. A row is likely wrong if
    it is confidently of another class than the given one, unless the given one is still the most probable.

    Parameters
    ----------
    y : np.ndarray of str [shape=(n,)]
        The labels given; n above 0.
    probabilities : np.ndarray [shape=(n, 3)]
        By a model that has not learned from the row, in the order of `pipeline.labels.LABELS`.

    References
    ----------
    C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70,
    2021, section 3.1 (confident joint, equations 1 to 3).
    """
    given = np.array([LABELS.index(label) for label in y.tolist()])
    classes = np.arange(len(LABELS))
    thresholds = np.array(
        [probabilities[given == index, index].mean() if (given == index).any() else np.nan for index in classes]
    )
    # A mean of equal numbers may come out a hair above them; and a class that a fold never met is never confident.
    confident = (probabilities >= thresholds - 1e-12) & (probabilities > 0)
    believed = np.where(confident, probabilities, -1.0).argmax(axis=1)
    sure = confident.any(axis=1)
    counts = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    np.add.at(counts, (given[sure], believed[sure]), 1)

    totals = np.bincount(given, minlength=len(LABELS))
    weights = counts.astype(np.float64)
    unknown = (weights.sum(axis=1) == 0) & (totals > 0)  # nothing is known of a class: its labels are taken as right
    weights[unknown, classes[unknown]] = 1
    joint = np.divide(weights, np.maximum(weights.sum(axis=1, keepdims=True), 1)) * totals[:, None] / len(y)

    likely = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(sure & (believed != given) & (likely != given))
    margin = probabilities[wrong, given[wrong]] - probabilities[wrong, likely[wrong]]
    wrong = wrong[np.argsort(margin, kind="stable")]
    return LabelNoise(thresholds, counts, joint, wrong, np.asarray(LABELS)[likely[wrong]])
