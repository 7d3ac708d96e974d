"""Features and labels to a model, with out-of-fold predictions that do not flatter."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import f1_score

from pipeline.labels import LABELS
from pipeline.stages.calibration import TemperatureScaled, fit_temperature, labels_of
from pipeline.stages.classifiers import (
    BALANCINGS,
    CLASSIFIERS,
    FORMER_NAMES,
    SMOTE_BALANCING,
    SVM_RBF,
    PipelineFactory,
    Setting,
)
from pipeline.stages.errors import StageError
from pipeline.stages.feature_matrix import as_floats, check_finite
from pipeline.stages.fitting import Fit, Fitter, collect
from pipeline.stages.folds import FOLD_SCHEMES, STRATIFIED_GROUP, nested_folds
from pipeline.stages.progress import ProgressCallback, ignore_progress

__all__ = ["BALANCINGS", "CLASSIFIERS", "FOLD_SCHEMES", "TrainingParameters", "TrainingResult", "predict", "train"]

# With fewer, inner folds choose a kernel's width by chance: of 24 clear clips the middle one had all right.
MIN_SEGMENTS_FOR_GAMMA = 100


@dataclass(frozen=True)
class TrainingParameters:
    """What a training run is asked to do; the values of method §6 unless said otherwise.

    Attributes
    ----------
    classifier : str
        One of `CLASSIFIERS`.
    c_values : tuple of float
        Regularisation values to choose from; smaller is stronger.
    folds : int
        Number of folds; for leave-one-group-out that of the inner ones.
    fold_scheme : str
        One of `FOLD_SCHEMES`.
    balancing : str
        One of `BALANCINGS`.
    seed : int
        Of the folds, SMOTE and boosting.
    gamma_values : tuple of float
        Widths of the RBF kernel to choose from, as multiples of 1 / number of features; no other classifier has one.
    """

    classifier: str = "svm-linear"
    c_values: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0, 10.0)
    folds: int = 5
    fold_scheme: str = STRATIFIED_GROUP
    balancing: str = SMOTE_BALANCING
    seed: int = 0
    gamma_values: tuple[float, ...] = (0.25, 1.0, 4.0)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All that is tried, in rising order and each once."""
        gammas = self.gamma_values if self.classifier == SVM_RBF else (1.0,)
        return tuple(sorted({Setting(c, gamma) for c in self.c_values for gamma in gammas}))

    @property
    def middle(self) -> Setting:
        """For where nothing can be tried out."""
        values = sorted({setting.c for setting in self.settings})
        gammas = sorted({setting.gamma for setting in self.settings})
        return Setting(values[(len(values) - 1) // 2], gammas[(len(gammas) - 1) // 2])

    def check(self) -> None:
        """Raise StageError for a value that cannot be used."""
        for value, known in (
            (FORMER_NAMES.get(self.classifier, self.classifier), CLASSIFIERS),
            (self.fold_scheme, FOLD_SCHEMES),
            (self.balancing, BALANCINGS),
        ):
            if value not in known:
                raise StageError(f"{value!r} is not known; choose one of {', '.join(known)}.")
        if not self.c_values or not all(np.isfinite(c) and c > 0 for c in self.c_values):
            raise StageError("Give at least one value of C, each above 0.")
        if not self.gamma_values or not all(np.isfinite(gamma) and gamma > 0 for gamma in self.gamma_values):
            raise StageError("Give at least one value of gamma, each above 0.")
        if self.folds < 2:
            raise StageError("Give at least 2 folds.")


@dataclass(frozen=True)
class TrainingResult:
    """A fitted model and what it predicts for rows that it has not seen.

    Attributes
    ----------
    pipeline : TemperatureScaled
        Fitted on all rows with `best_c`; use it through `predict`.
    best_c : float
        The value with the highest macro F1 over the outer folds; of equals the smallest.
    score_by_c : dict of float to float
        Macro F1 of the pooled predictions of the outer folds, with the gamma that suits the C best. Good for choosing,
        too good for reporting.
    labels : tuple of str
        The classes, in the order of the probabilities' columns.
    out_of_fold_labels : np.ndarray of str [shape=(n,)]
    out_of_fold_probabilities : np.ndarray [shape=(n, 3), dtype=float64]
        Predictions for each row by a model that saw neither the row's group nor chose its C by it.
    folds : np.ndarray [shape=(n,), dtype=int64]
        Index of the outer fold that predicted the row.
    notes : tuple of str
        What had to be adjusted, one sentence each.
    best_c_by_fold : tuple of float
        The C chosen within the training part of each outer fold.
    best_gamma : float or None
        Chosen together with `best_c`, as a multiple of 1 / number of features; None where there is no RBF kernel.
    """

    pipeline: Any
    best_c: float
    score_by_c: dict[float, float]
    labels: tuple[str, ...]
    out_of_fold_labels: np.ndarray
    out_of_fold_probabilities: np.ndarray
    folds: np.ndarray
    notes: tuple[str, ...]
    best_c_by_fold: tuple[float, ...] = field(default=())
    best_gamma: float | None = None


def train(
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    parameters: TrainingParameters,
    *,
    progress: ProgressCallback = ignore_progress,
) -> TrainingResult:
    """Choose C, predict every row out of fold, and fit the final model on all rows.

    Scaler and SMOTE are steps of an imblearn pipeline, so they see training rows only. Nested folds: within the
    training part of each outer fold, inner folds choose C and gamma; the rows set aside are predicted with that choice.
    Probabilities are a softmax of the classifier's scores divided by a temperature, which is fitted on the inner
    folds' predictions (for the final model: the outer folds'). libsvm's own probabilities are not used: they come from
    folds that split videos, and may contradict the label.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
        May be memory-mapped (float32 or float64): then only the rows of the fits under way are in memory.
    y : np.ndarray of str [shape=(n,)]
        Labels of `pipeline.labels.LABELS`, each present.
    groups : np.ndarray [shape=(n,)]
        Which rows belong together (the video); never split.
    parameters : TrainingParameters
    progress : callable
        Called with (fits done, fits in all).

    Returns
    -------
    TrainingResult
        The same for the same input and seed.

    Raises
    ------
    StageError
        A class is missing, there are too few videos, or features are not finite.

    References
    ----------
    G. C. Cawley, N. L. C. Talbot, "On Over-fitting in Model Selection", JMLR 11, 2010.
    N. V. Chawla et al., "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 16, 2002.
    """
    parameters.check()
    X, y, groups = as_floats(X), np.asarray(y, dtype=np.str_), np.asarray(groups)
    _check_data(X, y, groups)
    plan = nested_folds(y, groups, scheme=parameters.fold_scheme, folds=parameters.folds, seed=parameters.seed)
    settings = parameters.settings
    if len(y) < MIN_SEGMENTS_FOR_GAMMA:
        settings = tuple(setting for setting in settings if setting.gamma == parameters.middle.gamma)
    all_folds = [fold for folds in (plan.outer, *plan.inner) for fold in folds]
    build = PipelineFactory.fitting(
        [y[fold.train] for fold in all_folds], parameters.classifier, parameters.balancing, parameters.seed
    )

    fits = [Fit(fold, part) for fold in all_folds for part in build.fitted_together(settings)]
    total = len(all_folds) * len(settings) + 1
    fitter = Fitter(X, y, build)
    runs = fitter.scores(fits, progress, total)
    outer_scores = collect(runs, plan.outer, settings, len(y))
    probabilities = np.zeros((len(y), len(LABELS)))
    labels = np.empty_like(np.asarray(LABELS), shape=len(y))
    fold_of = np.zeros(len(y), dtype=np.int64)
    chosen: list[float] = []
    for index, (fold, inner) in enumerate(zip(plan.outer, plan.inner, strict=True)):
        setting, temperature = parameters.middle, 1.0
        if inner:
            inner_scores = collect(runs, inner, settings, len(y))
            setting, _ = _best(inner_scores, y, fold.train)
            temperature = fit_temperature(inner_scores[setting][fold.train], y[fold.train])
        chosen.append(setting.c)
        held_out = outer_scores[setting][fold.test]
        labels[fold.test] = labels_of(held_out)
        probabilities[fold.test] = softmax(held_out / temperature, axis=1)
        fold_of[fold.test] = index

    best, score_by_c = _best(outer_scores, y, np.arange(len(y)))
    model = fitter.final(best)
    progress(total, total)
    return TrainingResult(
        pipeline=TemperatureScaled(model, fit_temperature(outer_scores[best], y)),
        best_c=best.c,
        score_by_c=score_by_c,
        labels=LABELS,
        out_of_fold_labels=labels,
        out_of_fold_probabilities=probabilities,
        folds=fold_of,
        notes=(*plan.notes, *build.notes, *fitter.notes),
        best_c_by_fold=tuple(chosen),
        best_gamma=best.gamma if build.classifier == SVM_RBF else None,
    )


def predict(pipeline: Any, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of new segments.

    Parameters
    ----------
    pipeline : TemperatureScaled
        `TrainingResult.pipeline`, or what `artifact.read_artifact` gives.
    X : np.ndarray [shape=(n, n_features)]

    Returns
    -------
    labels : np.ndarray of str [shape=(n,)]
    probabilities : np.ndarray [shape=(n, 3), dtype=float64]
        In the order of `pipeline.labels.LABELS`; the label's is the highest.

    Raises
    ------
    StageError
        The features are not finite or not as many as the model was trained on.
    """
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] != pipeline.estimator.n_features_in_:
        raise StageError(
            f"The model was trained on {pipeline.estimator.n_features_in_} features per segment and cannot use "
            f"features of the shape {X.shape}; extract them with the model's own extractor."
        )
    if not len(X):
        return np.empty(0, dtype=np.str_), np.zeros((0, len(LABELS)))
    check_finite(X)
    return pipeline.predict(X), pipeline.predict_proba(X)


def _check_data(X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
    if X.ndim != 2 or not len(X) == len(y) == len(groups):
        raise ValueError(f"X {X.shape}, y {y.shape} and groups {groups.shape} do not fit together")
    unknown = sorted(set(y.tolist()) - set(LABELS))
    if unknown:
        raise StageError(f"The label {unknown[0]!r} is not one of {', '.join(LABELS)}.")
    missing = [label for label in LABELS if label not in y]
    if missing:
        raise StageError(
            f"No segment is labelled {' or '.join(missing)}; training needs segments of all three classes, "
            "so add more videos."
        )
    check_finite(X)


def _best(scores: dict[Setting, np.ndarray], y: np.ndarray, rows: np.ndarray) -> tuple[Setting, dict[float, float]]:
    """The setting with the highest macro F1 over the pooled predictions of the rows.

    Of equals the one with the most usual gamma, then with the smallest C.

    The second value is the highest macro F1 of each C.
    """
    macro = {
        setting: float(f1_score(y[rows], labels_of(by_row[rows]), labels=LABELS, average="macro", zero_division=0))
        for setting, by_row in scores.items()
    }
    by_c: dict[float, float] = {}
    for setting, score in macro.items():
        by_c[setting.c] = max(score, by_c.get(setting.c, 0.0))
    best = max(macro.values())
    tied = (setting for setting, score in macro.items() if score == best)
    return min(tied, key=lambda setting: (abs(np.log(setting.gamma)), setting.c)), by_c
