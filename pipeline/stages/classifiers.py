"""The classifiers that a run may choose from, and the pipeline around them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SMOTE_BALANCING = "smote"
CLASS_WEIGHT = "class-weight"
BALANCINGS = (SMOTE_BALANCING, "none", CLASS_WEIGHT)
SVM_RBF = "svm-rbf"
LINEAR_FAST = "linear-fast"
# Chawla et al. 2002, and the default of imbalanced-learn.
SMOTE_NEIGHBOURS = 5
# Above this many segments libsvm's time, which grows with their square, is minutes per fit, and so is SMOTE's search
# for neighbours.
MANY_SEGMENTS = 20_000
# Up to this many segments, balanced, a fold's kernel matrix (290 MB) fits into memory several times over.
MANY_FOR_KERNELS = 6_000
# Above this many an RBF SVM is approximated. Its time grows with their square: one fit on 784 features took 1.1 s with
# 2,900 segments, which makes some 13 s with so many.
MANY_FOR_RBF = 10_000
# Of 2,900 acted clips that were heard with noise, as many gave the macro F1 of the whole kernel less 0.004; 300 gave
# 0.017 less.
LANDMARKS = 1_000
# Megabytes of kernel matrix that libsvm may keep: all of it for some thousand rows.
SVM_CACHE_MB = 500
# Where classes overlap much and C is large, libsvm goes on for minutes per fit without a better model: on 3,000 rows
# that hardly differ, C = 10 took 18 million steps and 115 s. A hundred thousand steps take about 2 s, and predicted
# unseen rows as well as two million did.
SVM_MAX_STEPS = 100_000
LOGISTIC_MAX_STEPS = 5_000
# Of the largest gradient of the mean loss. On 80,000 rows a tenth of it took twice the time, and moved the macro F1 of
# unseen rows by less than 0.001.
FAST_TOLERANCE = 1e-3
FAST_MAX_STEPS = 300
# Many small trees; a leaf never rests on fewer rows than scikit-learn's own default of 20.
BOOSTING_ROUNDS = 100
BOOSTING_LEAVES = 15


@dataclass(frozen=True, order=True)
class Setting:
    """What is chosen inside folds.

    Attributes
    ----------
    c : float
        Smaller is stronger regularisation.
    gamma : float
        Of the RBF kernel, as a multiple of 1 / number of features; 1 where there is no kernel.
    """

    c: float
    gamma: float = 1.0


@dataclass(frozen=True)
class _Task:
    """What a builder needs to know besides its setting."""

    setting: Setting
    class_weight: str | None
    n_features: int
    seed: int


def _linear_svm(task: _Task) -> Any:
    return SVC(
        kernel="linear",
        C=task.setting.c,
        class_weight=task.class_weight,
        cache_size=SVM_CACHE_MB,
        max_iter=SVM_MAX_STEPS,
    )


def _rbf_svm(task: _Task) -> Any:
    return SVC(
        kernel="rbf",
        C=task.setting.c,
        gamma=task.setting.gamma / task.n_features,  # features are standardised, so this is scikit-learn's "scale"
        class_weight=task.class_weight,
        cache_size=SVM_CACHE_MB,
        max_iter=SVM_MAX_STEPS,
    )


def _landmarks(task: _Task, landmarks: int) -> Any:
    """The RBF kernel's values at some segments, turned so that their products are about the kernel's values.

    C. K. I. Williams, M. Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2000.
    """
    return Nystroem(
        kernel="rbf", gamma=task.setting.gamma / task.n_features, n_components=landmarks, random_state=task.seed
    )


def _linear_fast(task: _Task) -> Any:
    """Multinomial logistic regression in single precision, stopped early.

    One model for all three classes: one-against-rest models can lose a class that lies between the two others, as
    neutral does. Its time grows in proportion to the segments.
    """
    return LogisticRegression(
        C=task.setting.c, class_weight=task.class_weight, tol=FAST_TOLERANCE, max_iter=FAST_MAX_STEPS
    )


def _logistic(task: _Task) -> Any:
    return LogisticRegression(C=task.setting.c, class_weight=task.class_weight, max_iter=LOGISTIC_MAX_STEPS)


def _gradient_boosting(task: _Task) -> Any:
    """Boosted trees whose leaves' values are shrunk by 1/C, so that smaller C is stronger here as well.

    They never stop early by themselves: scikit-learn would set segments aside for it, and split videos.
    """
    return HistGradientBoostingClassifier(
        l2_regularization=1 / task.setting.c,
        max_iter=BOOSTING_ROUNDS,
        max_leaf_nodes=BOOSTING_LEAVES,
        class_weight=task.class_weight,
        early_stopping=False,
        random_state=task.seed,
    )


_BUILDERS: dict[str, Callable[[_Task], Any]] = {
    "svm-linear": _linear_svm,
    SVM_RBF: _rbf_svm,
    LINEAR_FAST: _linear_fast,
    "logistic": _logistic,
    "gradient-boosting": _gradient_boosting,
}
CLASSIFIERS = tuple(_BUILDERS)
# Runs made before have it stored.
FORMER_NAMES = {"logistic-regression": "logistic"}


def _balanced_size(labels: np.ndarray, balancing: str) -> int:
    """Segments of a training part after balancing."""
    counts = Counter(labels.tolist()).values()
    return len(counts) * max(counts) if balancing == SMOTE_BALANCING else len(labels)


def was_stopped(classifier: Any) -> bool:
    """Whether a fitted classifier's solver reached its limit of steps; rounds of boosting are no such limit."""
    if isinstance(classifier, HistGradientBoostingClassifier):
        return False
    return bool(np.max(classifier.n_iter_) >= classifier.max_iter)


@dataclass(frozen=True)
class PipelineFactory:
    """Makes unfitted pipelines of scaler, balancing and classifier, alike but for their setting.

    Attributes
    ----------
    classifier : str
        One of `CLASSIFIERS`.
    balancing : str
        One of `BALANCINGS`.
    seed : int
        Of SMOTE and boosting.
    neighbours : int
        Of SMOTE; 0 repeats segments instead.
    landmarks : int
        Segments whose kernel values stand for the whole RBF kernel; 0 computes all of it.
    shares_kernels : bool
        Whether the settings of an RBF SVM are fitted together, from one matrix of distances.
    notes : tuple of str
        What had to be adjusted, one sentence each.
    """

    classifier: str
    balancing: str
    seed: int
    neighbours: int = SMOTE_NEIGHBOURS
    landmarks: int = 0
    shares_kernels: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def fitting(cls, parts: Sequence[np.ndarray], classifier: str, balancing: str, seed: int) -> "PipelineFactory":
        """The factory that suits all training parts of a run, so that all folds are fitted alike.

        Its SMOTE has no more neighbours than the smallest class of any part allows. `linear-fast` weighs classes
        instead where there are many segments, as the search for neighbours would take longer than all the rest.

        Parameters
        ----------
        parts : sequence of np.ndarray of str
            Labels of each training part.
        classifier, balancing, seed
            As the attributes.
        """
        classifier = FORMER_NAMES.get(classifier, classifier)
        largest = max(len(part) for part in parts)
        size = max(_balanced_size(part, balancing) for part in parts)
        shares_kernels = classifier == SVM_RBF and size <= MANY_FOR_KERNELS
        landmarks = LANDMARKS if classifier == SVM_RBF and size > MANY_FOR_RBF else 0
        notes: tuple[str, ...] = ()
        if landmarks:
            notes = (
                f"{largest:,} segments are many for {classifier}: the values of its kernel at {landmarks:,} of them "
                "stand for all, and a logistic regression learns from these.",
            )
        elif classifier == "svm-linear" and largest > MANY_SEGMENTS:
            notes = (
                f"{largest:,} segments are many for {classifier}; {LINEAR_FAST} is made for more than "
                f"{MANY_SEGMENTS:,}.",
            )
        factory = cls(classifier, balancing, seed, landmarks=landmarks, shares_kernels=shares_kernels, notes=notes)
        if balancing != SMOTE_BALANCING:
            return factory
        if (classifier == LINEAR_FAST or landmarks) and largest > MANY_SEGMENTS:
            note = (
                f"Classes were weighted instead of balanced by SMOTE, which is slow above {MANY_SEGMENTS:,} segments."
            )
            return replace(factory, balancing=CLASS_WEIGHT, notes=(*notes, note))
        smallest = min(min(Counter(part.tolist()).values()) for part in parts)
        neighbours = min(SMOTE_NEIGHBOURS, smallest - 1)
        if not neighbours:
            notes += (
                "Segments were repeated instead of interpolated by SMOTE: in one training part a class has only one "
                "segment.",
            )
        elif neighbours < SMOTE_NEIGHBOURS:
            notes += (
                f"SMOTE used {neighbours} neighbours instead of {SMOTE_NEIGHBOURS}: in one training part a class has "
                f"only {smallest} segments.",
            )
        return replace(factory, neighbours=neighbours, notes=notes)

    def fitted_together(self, settings: Sequence[Setting]) -> list[tuple[Setting, ...]]:
        """The settings, in their order, as one worker fits them."""
        return [tuple(settings)] if self.shares_kernels else [(setting,) for setting in settings]

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Of the standardised features that the classifiers are fitted on."""
        return np.dtype(np.float32 if self.classifier == LINEAR_FAST else np.float64)

    def __call__(self, setting: Setting, n_features: int) -> Any:
        """An unfitted imblearn pipeline; nothing in it is shared with another one, so threads may fit them."""
        class_weight = "balanced" if self.balancing == CLASS_WEIGHT else None
        steps: list[tuple[str, Any]] = [("scaler", StandardScaler())]
        if self.balancing == SMOTE_BALANCING and self.neighbours:
            steps.append(("balance", SMOTE(random_state=self.seed, k_neighbors=self.neighbours)))
        elif self.balancing == SMOTE_BALANCING:
            steps.append(("balance", RandomOverSampler(random_state=self.seed)))
        task = _Task(setting, class_weight, n_features, self.seed)
        if self.landmarks:
            steps.append(("landmarks", _landmarks(task, self.landmarks)))
        classifier = _BUILDERS[LINEAR_FAST if self.landmarks else self.classifier](task)
        return Pipeline([*steps, ("classifier", classifier)])
