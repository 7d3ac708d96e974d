"""The classifiers that a run may choose from, and the pipeline around them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SMOTE_BALANCING = "smote"
CLASS_WEIGHT = "class-weight"
BALANCINGS = (SMOTE_BALANCING, "none", CLASS_WEIGHT)
# Chawla et al. 2002, and the default of imbalanced-learn.
SMOTE_NEIGHBOURS = 5
# Megabytes of kernel matrix that libsvm may keep: all of it for some thousand rows.
SVM_CACHE_MB = 500
# Where classes overlap much and C is large, libsvm goes on for minutes per fit without a better model: on 3,000 rows
# that hardly differ, C = 10 took 18 million steps and 115 s. A hundred thousand steps take about 2 s, and predicted
# unseen rows as well as two million did.
SVM_MAX_STEPS = 100_000
LOGISTIC_MAX_STEPS = 5_000


def _linear_svm(c: float, class_weight: str | None) -> Any:
    return SVC(kernel="linear", C=c, class_weight=class_weight, cache_size=SVM_CACHE_MB, max_iter=SVM_MAX_STEPS)


def _rbf_svm(c: float, class_weight: str | None) -> Any:
    return SVC(kernel="rbf", C=c, class_weight=class_weight, cache_size=SVM_CACHE_MB, max_iter=SVM_MAX_STEPS)


def _logistic(c: float, class_weight: str | None) -> Any:
    return LogisticRegression(C=c, class_weight=class_weight, max_iter=LOGISTIC_MAX_STEPS)


_BUILDERS: dict[str, Callable[[float, str | None], Any]] = {
    "svm-linear": _linear_svm,
    "svm-rbf": _rbf_svm,
    "logistic-regression": _logistic,
}
CLASSIFIERS = tuple(_BUILDERS)


@dataclass(frozen=True)
class PipelineFactory:
    """Makes unfitted pipelines of scaler, balancing and classifier, alike but for C.

    Attributes
    ----------
    classifier : str
        One of `CLASSIFIERS`.
    balancing : str
        One of `BALANCINGS`.
    seed : int
        Of SMOTE.
    neighbours : int
        Of SMOTE; 0 repeats segments instead.
    notes : tuple of str
        What had to be adjusted, one sentence each.
    """

    classifier: str
    balancing: str
    seed: int
    neighbours: int = SMOTE_NEIGHBOURS
    notes: tuple[str, ...] = ()

    @classmethod
    def fitting(cls, parts: Sequence[np.ndarray], classifier: str, balancing: str, seed: int) -> "PipelineFactory":
        """The factory whose SMOTE has no more neighbours than the smallest class of any training part allows.

        One number for the whole run, so that all folds are fitted alike.

        Parameters
        ----------
        parts : sequence of np.ndarray of str
            Labels of each training part.
        classifier, balancing, seed
            As the attributes.
        """
        if balancing != SMOTE_BALANCING:
            return cls(classifier, balancing, seed)
        smallest = min(min(Counter(part.tolist()).values()) for part in parts)
        neighbours = min(SMOTE_NEIGHBOURS, smallest - 1)
        notes: tuple[str, ...] = ()
        if not neighbours:
            notes = (
                "Segments were repeated instead of interpolated by SMOTE: in one training part a class has only one "
                "segment.",
            )
        elif neighbours < SMOTE_NEIGHBOURS:
            notes = (
                f"SMOTE used {neighbours} neighbours instead of {SMOTE_NEIGHBOURS}: in one training part a class has "
                f"only {smallest} segments.",
            )
        return cls(classifier, balancing, seed, neighbours, notes)

    def __call__(self, c: float) -> Any:
        """An unfitted imblearn pipeline; nothing in it is shared with another one, so threads may fit them."""
        class_weight = "balanced" if self.balancing == CLASS_WEIGHT else None
        steps: list[tuple[str, Any]] = [("scaler", StandardScaler())]
        if self.balancing == SMOTE_BALANCING and self.neighbours:
            steps.append(("balance", SMOTE(random_state=self.seed, k_neighbors=self.neighbours)))
        elif self.balancing == SMOTE_BALANCING:
            steps.append(("balance", RandomOverSampler(random_state=self.seed)))
        return Pipeline([*steps, ("classifier", _BUILDERS[self.classifier](c, class_weight))])
