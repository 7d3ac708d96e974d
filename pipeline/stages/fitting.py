"""The many fits of one training run, side by side."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from pipeline.labels import LABELS
from pipeline.stages.calibration import class_scores
from pipeline.stages.classifiers import PipelineFactory, Setting, was_stopped
from pipeline.stages.folds import Fold
from pipeline.stages.kernel_fits import scores_by_kernel
from pipeline.stages.progress import ProgressCallback
from pipeline.stages.workforce import workforce


@dataclass(frozen=True)
class Fit:
    """Fits with each of the settings on the fold's training part, then scores for its test part."""

    fold: Fold
    settings: tuple[Setting, ...]


class Fitter:
    """Fits pipelines on rows of one table, and remembers for which C the solver was stopped before its end.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
        May be memory-mapped: only the rows of the fits under way are read.
    y : np.ndarray of str [shape=(n,)]
    build : PipelineFactory
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, build: PipelineFactory) -> None:
        self.X, self.y, self.build = X, y, build
        self.stopped: set[float] = set()

    def scores(self, fits: Sequence[Fit], progress: ProgressCallback, total: int) -> Iterator[np.ndarray]:
        """Scores [shape=(n_test, 3)] of every setting of every fit, in their order; `total` counts settings."""
        with _quiet(), workforce(self.X, self.y) as parallel:
            tasks = (delayed(_scores)(self.X, self.y, self.build, fit) for fit in fits)
            done = 0
            for fit, results in zip(fits, parallel(tasks), strict=True):
                for setting, (scores, stopped) in zip(fit.settings, results, strict=True):
                    if stopped:
                        self.stopped.add(setting.c)
                    done += 1
                    progress(done, total)
                    yield scores

    def final(self, setting: Setting) -> Any:
        """A pipeline fitted on all rows."""
        with _quiet():
            model, stopped = _model(self.X, self.y, self.build, setting, np.arange(len(self.y)))
        if stopped:
            self.stopped.add(setting.c)
        forget_rows(model)
        return model

    @property
    def notes(self) -> tuple[str, ...]:
        """What the solver could not finish, in a sentence."""
        if not self.stopped:
            return ()
        values = " and ".join(f"{c:g}" for c in sorted(self.stopped))
        return (f"With C = {values} the solver was stopped at its limit of steps before it had converged.",)


def _scores(X: np.ndarray, y: np.ndarray, build: PipelineFactory, fit: Fit) -> list[tuple[np.ndarray, bool]]:
    """What one worker does; it gets all it needs, because it may be on another machine."""
    test = X[fit.fold.test].astype(np.float64, copy=False)
    if build.shares_kernels:
        with threadpool_limits(1):
            train = X[fit.fold.train].astype(np.float64, copy=False)
            return scores_by_kernel(train, y[fit.fold.train], test, build, fit.settings)
    models = (_model(X, y, build, setting, fit.fold.train) for setting in fit.settings)
    return [(class_scores(model, test), stopped) for model, stopped in models]


def forget_rows(pipeline: Any) -> None:
    """Put unfitted balancing steps in the place of the fitted ones.

    Predicting does not need them, and SMOTE keeps training rows, which have no place in a model that is passed on.
    """
    pipeline.steps = [(name, clone(step) if hasattr(step, "fit_resample") else step) for name, step in pipeline.steps]


def _model(
    X: np.ndarray, y: np.ndarray, build: PipelineFactory, setting: Setting, rows: np.ndarray
) -> tuple[Any, bool]:
    """A pipeline fitted on the rows, with one BLAS and OpenMP thread, and whether its solver was stopped."""
    with threadpool_limits(1):
        model = build(setting, X.shape[1])
        # Standardised before it is rounded: of a column far from 0 single precision would keep few digits that differ.
        scaled = model[0].fit_transform(X[rows].astype(np.float64, copy=False)).astype(build.dtype, copy=False)
        model[1:].fit(scaled, y[rows])
    return model, was_stopped(model[-1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Around all threads at once, as neither filters of warnings nor limits of BLAS belong to a thread."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)  # said in `Fitter.notes`
        yield


def collect(
    scores: Iterator[np.ndarray], folds: Iterable[Fold], settings: Sequence[Setting], n: int
) -> dict[Setting, np.ndarray]:
    """The next scores of an iterator, by setting.

    Returns
    -------
    dict of Setting to np.ndarray [shape=(n, 3)]
        Rows outside the folds' test parts are NaN.
    """
    by_setting = {setting: np.full((n, len(LABELS)), np.nan) for setting in settings}
    for fold in folds:
        for setting in settings:
            by_setting[setting][fold.test] = next(scores)
    return by_setting
