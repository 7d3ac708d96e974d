"""Scores of a classifier to probabilities, by one number fitted on predictions that do not flatter."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from pipeline.labels import LABELS

# Temperatures looked through, as natural logarithms of shares of the scores' own spread: from 0.01 (scores hardly
# overlap) to 100 (scores mean nothing).
LOG_TEMPERATURE_BOUNDS = (np.log(0.01), np.log(100.0))


class TemperatureScaled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier whose scores, divided by a temperature, go through a softmax.

    The order of the classes never changes by it: the label is always the class with the highest score. The name and
    module of this class are written into stored models, so they must stay.

    Parameters
    ----------
    estimator : fitted classifier with ``decision_function``
    temperature : float
        From `fit_temperature`.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
    """

    def __init__(self, estimator: Any, temperature: float = 1.0) -> None:
        self.estimator = estimator
        self.temperature = temperature

    @property
    def classes_(self) -> np.ndarray:
        return np.asarray(LABELS)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities, float64 [shape=(n, 3)], columns in the order of `pipeline.labels.LABELS`."""
        return np.asarray(softmax(class_scores(self.estimator, X) / self.temperature, axis=1))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels [shape=(n,)]: the class with the highest score."""
        return labels_of(class_scores(self.estimator, X))


def class_scores(classifier: Any, X: np.ndarray) -> np.ndarray:
    """Scores of a fitted classifier in the order of the three classes.

    Returns
    -------
    np.ndarray [shape=(n, 3), dtype=float64]
        Minus infinity for a class that the classifier has never met.
    """
    decisions = np.asarray(classifier.decision_function(X), dtype=np.float64)
    if decisions.ndim == 1:  # two classes: one number, positive for the second
        decisions = np.column_stack([-decisions, decisions])
    scores = np.full((len(X), len(LABELS)), -np.inf)
    for column, label in enumerate(classifier.classes_):
        scores[:, LABELS.index(str(label))] = decisions[:, column]
    return scores


def labels_of(scores: np.ndarray) -> np.ndarray:
    """The class with the highest score, str [shape=(n,)], from scores [shape=(n, 3)]."""
    return np.asarray(LABELS)[scores.argmax(axis=1)]


def fit_temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """The temperature with the least log loss.

    Parameters
    ----------
    scores : np.ndarray [shape=(n, 3)]
        Out-of-fold scores, so that the probabilities are not over-confident.
    y : np.ndarray of str [shape=(n,)]
        True labels.

    Returns
    -------
    float
        Above 0. Rows whose true class was unknown to their fold's classifier count for nothing.
    """
    columns = np.array([LABELS.index(label) for label in y])
    own = scores[np.arange(len(y)), columns]
    known = np.isfinite(own)
    if not known.any():
        return 1.0
    scores, columns = scores[known], columns[known]
    finite = np.where(np.isfinite(scores), scores, np.nan)
    # With a very small C all scores are very small, however sure they are.
    spread = float(np.sqrt(np.nanmean((finite - np.nanmean(finite, axis=1, keepdims=True)) ** 2))) or 1.0
    scores = scores / spread

    def loss(log_temperature: float) -> float:
        logs = log_softmax(scores / np.exp(log_temperature), axis=1)
        return float(-logs[np.arange(len(columns)), columns].mean())

    return spread * float(np.exp(minimize_scalar(loss, bounds=LOG_TEMPERATURE_BOUNDS, method="bounded").x))
