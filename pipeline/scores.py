"""Figures of a training run's out-of-fold predictions, in the same JSON object as every evaluation."""

from collections import Counter
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from pipeline.labels import LABELS

FIGURES = ("precision", "recall", "f1")


def evaluate_folds(y_true: np.ndarray, y_pred: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Confusion matrix (rows: truth), figures per class and averaged, and what the largest class alone would score."""
    truth, predicted = [str(label) for label in y_true], [str(label) for label in y_pred]
    per_class = precision_recall_fscore_support(truth, predicted, labels=list(LABELS), zero_division=0)
    support = [int(count) for count in per_class[3]]
    counts = Counter(truth)
    largest = max(LABELS, key=lambda label: counts[label])
    constant = [largest] * len(truth)
    return {
        "labels": list(LABELS),
        "confusion": confusion_matrix(truth, predicted, labels=list(LABELS)).tolist(),
        "support": support,
        "per_class": {
            label: {
                **{name: float(per_class[index][row]) for index, name in enumerate(FIGURES)},
                "support": support[row],
            }
            for row, label in enumerate(LABELS)
        },
        "averages": {average: _average(truth, predicted, average) for average in ("macro", "weighted", "micro")},
        "accuracy": float(accuracy_score(truth, predicted)),
        "baseline": {
            "label": largest,
            "accuracy": float(accuracy_score(truth, constant)),
            "macro_f1": float(f1_score(truth, constant, labels=list(LABELS), average="macro", zero_division=0)),
        },
        "n": len(truth),
        "groups": len(np.unique(groups)),
    }


def _average(truth: list[str], predicted: list[str], average: str) -> dict[str, float]:
    figures = precision_recall_fscore_support(truth, predicted, labels=list(LABELS), average=average, zero_division=0)
    return {name: float(figures[index]) for index, name in enumerate(FIGURES)}
