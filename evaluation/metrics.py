"""Predictions against truth: counts, scores per class, averages, intervals and a baseline (method §8).

Where a score's denominator is zero the score is 0 (the convention that scikit-learn calls ``zero_division=0``), and
the report's notes name the class.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.labels import LABELS

SCORES = ("precision", "recall", "f1")
AVERAGES = ("macro", "weighted", "micro")
# Method §8: 95 % intervals.
LEVEL = 0.95
DEFAULT_RESAMPLES = 1000
# Weights of groups in resamples are drawn in blocks of at most this many numbers, so that memory stays small.
BLOCK = 2_000_000

Scores = dict[str, float]
Interval = list[float]


class EvaluationError(ValueError):
    """Input that no report can be made of."""


@dataclass(frozen=True)
class Report:
    """How predictions compare with the truth; every number is a plain int or float.

    Attributes
    ----------
    labels : tuple of str
        Order of the classes in ``confusion`` and ``support``.
    confusion : list of list of int
        Rows: truth; columns: prediction.
    support : list of int
        True members of each class.
    averages : dict
        ``macro``, ``weighted`` and ``micro``, each with ``precision``, ``recall`` and ``f1``.
    baseline : dict
        ``label``, ``accuracy`` and ``macro_f1`` of always answering the largest true class.
    n, groups : int
        Segments, and groups (videos) they come from.
    accuracy : float
    per_class : dict
        For each class ``precision``, ``recall``, ``f1`` and ``support``.
    intervals : dict or None
        ``level``, ``resamples``, ``seed``, and ``[low, high]`` for ``accuracy``, ``averages`` and ``per_class``; None
        where there are fewer than two groups to resample.
    notes : tuple of str
        What a reader has to know about these numbers, one sentence each.
    """

    labels: tuple[str, ...]
    confusion: list[list[int]]
    support: list[int]
    averages: dict[str, Scores]
    baseline: dict[str, Any]
    n: int
    groups: int
    accuracy: float
    per_class: dict[str, dict[str, Any]]
    intervals: dict[str, Any] | None = None
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The stable JSON object of docs/api.md; the order of its keys is part of it."""
        return {
            "labels": list(self.labels),
            "confusion": self.confusion,
            "support": self.support,
            "averages": self.averages,
            "baseline": self.baseline,
            "n": self.n,
            "groups": self.groups,
            "accuracy": self.accuracy,
            "per_class": self.per_class,
            "intervals": self.intervals,
            "notes": list(self.notes),
        }


def evaluate(
    y_true: Sequence[str],
    y_pred: Sequence[str],
    groups: Sequence[str | int],
    *,
    labels: Sequence[str] = LABELS,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> Report:
    """Compare predictions with the truth.

    Parameters
    ----------
    y_true, y_pred : sequence of str [shape=(n,)]
        Classes, all of them members of ``labels``.
    groups : sequence of str or int [shape=(n,)]
        The video each segment comes from; intervals resample these.
    labels : sequence of str
        The classes in order; those that do not occur count as zeros in the macro average.
    resamples : int
        Bootstrap resamples; 0 computes no intervals.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Report

    Raises
    ------
    EvaluationError
        No segments, sequences of different lengths, a class that is not in ``labels``, or negative ``resamples``.

    References
    ----------
    Field and Welsh (2007), "Bootstrapping clustered data": the cluster bootstrap. Efron (1979): percentile intervals.
    """
    _check(y_true, y_pred, groups, labels, resamples)
    by_group = _confusion_by_group(y_true, y_pred, groups, labels)
    confusion = by_group.sum(axis=0)
    scores = _scores(confusion, labels)
    support = confusion.sum(axis=1)
    n = int(support.sum())
    intervals, notes = _intervals(by_group, labels, resamples, seed)
    largest = int(support.argmax())
    share = float(support[largest] / n)
    return Report(
        labels=tuple(labels),
        confusion=confusion.tolist(),
        support=support.tolist(),
        averages={name: _named(scores.averages[i]) for i, name in enumerate(AVERAGES)},
        # Precision of the constant answer is its share, its recall 1, and every other class scores 0.
        baseline={"label": labels[largest], "accuracy": share, "macro_f1": 2 * share / (1 + share) / len(labels)},
        n=n,
        groups=len(by_group),
        accuracy=float(scores.accuracy),
        per_class={
            label: {**_named(scores.per_class[i]), "support": int(support[i])} for i, label in enumerate(labels)
        },
        intervals=intervals,
        notes=(*_notes_on_absent(confusion, labels), *notes),
    )


@dataclass(frozen=True)
class _ScoreArrays:
    """Scores of one or many confusion matrices at once; the last axis is precision, recall, F1."""

    per_class: NDArray[np.float64]  # [shape=(..., k, 3)]
    averages: NDArray[np.float64]  # [shape=(..., 3, 3)]: macro, weighted, micro
    accuracy: NDArray[np.float64]  # [shape=(...)]


def _check(
    y_true: Sequence[str], y_pred: Sequence[str], groups: Sequence[str | int], labels: Sequence[str], resamples: int
) -> None:
    if not len(y_true) == len(y_pred) == len(groups):
        raise EvaluationError(
            f"Truth, predictions and groups must be equally long, but hold {len(y_true)}, {len(y_pred)} "
            f"and {len(groups)} entries."
        )
    if not len(y_true):
        raise EvaluationError("There is no segment with both a truth and a prediction, so there is nothing to compare.")
    if len(set(labels)) != len(labels):
        raise EvaluationError("Each class may be named only once in the class order.")
    if resamples < 0:
        raise EvaluationError("The number of bootstrap resamples must be 0 (no intervals) or more.")
    if unknown := sorted({str(label) for label in (*y_true, *y_pred)} - set(labels)):
        raise EvaluationError(f"Unknown class {', '.join(map(repr, unknown))}; the classes are {', '.join(labels)}.")


def _confusion_by_group(
    y_true: Sequence[str], y_pred: Sequence[str], groups: Sequence[str | int], labels: Sequence[str]
) -> NDArray[np.int64]:
    """One confusion matrix per group, groups in the order of their first segment [shape=(n_groups, k, k)]."""
    k = len(labels)
    code = {label: i for i, label in enumerate(labels)}
    first_seen: dict[Hashable, int] = {}
    cells = [
        first_seen.setdefault(group, len(first_seen)) * k * k + code[truth] * k + code[prediction]
        for truth, prediction, group in zip(y_true, y_pred, groups, strict=True)
    ]
    counts = np.bincount(cells, minlength=len(first_seen) * k * k)
    return counts.reshape(len(first_seen), k, k).astype(np.int64)


def _scores(confusion: NDArray[Any], labels: Sequence[str]) -> _ScoreArrays:
    """Scores of confusion matrices [shape=(..., k, k)].

    F1 is the harmonic mean of precision and recall, and averages add up the classes in alphabetical order: this is
    the arithmetic of 2019, which its recorded figures show to the last bit.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    precision, recall = _share(hits, predicted), _share(hits, true)
    per_class = np.stack([precision, recall, _share(2 * precision * recall, precision + recall)], axis=-1)
    total = true.sum(axis=-1)
    accuracy = _share(hits.sum(axis=-1), total)
    alphabetical = sorted(range(len(labels)), key=labels.__getitem__)
    weights = true[..., alphabetical, None]
    macro = per_class[..., alphabetical, :].mean(axis=-2)
    weighted = _share((per_class[..., alphabetical, :] * weights).sum(axis=-2), total[..., None])
    # Every segment has one true and one predicted class, so the three micro scores are all the accuracy.
    micro = np.broadcast_to(accuracy[..., None], macro.shape)
    return _ScoreArrays(per_class, np.stack([macro, weighted, micro], axis=-2), accuracy)


def _share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """``part / whole``, and 0 where the whole is 0."""
    zero = np.zeros(np.broadcast_shapes(part.shape, whole.shape))
    return np.divide(part, whole, out=zero, where=whole != 0)


def _named(values: NDArray[np.float64]) -> Scores:
    return dict(zip(SCORES, values.tolist(), strict=True))


def _intervals(
    by_group: NDArray[np.int64], labels: Sequence[str], resamples: int, seed: int
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Percentile intervals from resampling whole groups, with the notes that explain their absence or weakness.

    A resample is fully described by how often it holds each group, so one matrix product of these counts with the
    groups' confusion matrices gives the confusion matrices of all resamples.
    """
    n_groups, k, _ = by_group.shape
    if not resamples:
        return None, ()
    if n_groups < 2:
        return None, ("No intervals: they resample whole groups of segments, and all come from one group.",)
    rng = np.random.default_rng(seed)
    flat = by_group.reshape(n_groups, k * k).astype(np.float64)
    even = np.full(n_groups, 1 / n_groups)
    rows = max(1, BLOCK // n_groups)
    drawn = [
        rng.multinomial(n_groups, even, size=min(rows, resamples - start)) @ flat for start in range(0, resamples, rows)
    ]
    scores = _scores(np.concatenate(drawn).reshape(resamples, k, k), labels)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    accuracy = np.quantile(scores.accuracy, tails, axis=0)
    averages = np.quantile(scores.averages, tails, axis=0)
    per_class = np.quantile(scores.per_class, tails, axis=0)
    intervals: dict[str, Any] = {
        "level": LEVEL,
        "resamples": resamples,
        "seed": seed,
        "accuracy": accuracy.tolist(),
        "averages": {name: _named_intervals(averages[:, i]) for i, name in enumerate(AVERAGES)},
        "per_class": {label: _named_intervals(per_class[:, i]) for i, label in enumerate(labels)},
    }
    groups_with = (by_group.sum(axis=2) > 0).sum(axis=0)
    lonely = [label for label, count in zip(labels, groups_with.tolist(), strict=True) if count == 1]
    notes = tuple(f"All true {label} segments come from one group, so their intervals say little." for label in lonely)
    return intervals, notes


def _named_intervals(bounds: NDArray[np.float64]) -> dict[str, Interval]:
    """``bounds [shape=(2, 3)]``: low and high of precision, recall and F1."""
    return dict(zip(SCORES, bounds.T.tolist(), strict=True))


def _notes_on_absent(confusion: NDArray[np.int64], labels: Sequence[str]) -> list[str]:
    notes = []
    for label, true, predicted in zip(labels, confusion.sum(axis=1), confusion.sum(axis=0), strict=True):
        if not true and not predicted:
            notes.append(f"No segment is truly {label} or predicted so: its scores are 0 and count in the averages.")
        elif not true:
            notes.append(f"No segment is truly {label}: its scores are 0 and count in the macro average.")
        elif not predicted:
            notes.append(f"No segment was predicted {label}: its precision is undefined and counted as 0.")
    return notes
