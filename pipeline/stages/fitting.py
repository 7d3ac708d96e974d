"""The many fits of one training run, side by side in threads."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.labels import LABELS
from pipeline.stages.calibration import class_scores
from pipeline.stages.classifiers import PipelineFactory
from pipeline.stages.folds import Fold
from pipeline.stages.progress import ProgressCallback

# libsvm lets go of the interpreter lock, so folds are fitted in threads; more than four gain little on some thousand
# rows, because preparing the data is done under the lock.
THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Fit:
    """One fit: with this C on the fold's training part, then scores for its test part."""

    c: float
    fold: Fold


class Fitter:
    """Fits pipelines on rows of one table, and remembers for which C the solver was stopped before its end.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
    y : np.ndarray of str [shape=(n,)]
    build : PipelineFactory
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, build: PipelineFactory) -> None:
        self.X, self.y, self.build = X, y, build
        self.stopped: set[float] = set()

    def scores(self, fits: Sequence[Fit], progress: ProgressCallback, total: int) -> Iterator[np.ndarray]:
        """Scores [shape=(n_test, 3)] of every fit, in their order; each thread has one BLAS and OpenMP thread."""
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ConvergenceWarning)  # said in `notes`
            pool = Parallel(n_jobs=THREADS, backend="threading", return_as="generator")
            for done, scores in enumerate(pool(delayed(self._scores)(fit) for fit in fits), start=1):
                progress(done, total)
                yield scores

    def _scores(self, fit: Fit) -> np.ndarray:
        return class_scores(self._model(fit.c, fit.fold.train), self.X[fit.fold.test])

    def final(self, c: float) -> Any:
        """A pipeline fitted on all rows."""
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            return self._model(c, np.arange(len(self.y)))

    def _model(self, c: float, rows: np.ndarray) -> Any:
        model = self.build(c).fit(self.X[rows], self.y[rows])
        classifier = model[-1]
        if np.max(classifier.n_iter_) >= classifier.max_iter:
            self.stopped.add(c)
        return model

    @property
    def notes(self) -> tuple[str, ...]:
        """What the solver could not finish, in a sentence."""
        if not self.stopped:
            return ()
        values = " and ".join(f"{c:g}" for c in sorted(self.stopped))
        return (f"With C = {values} the solver was stopped at its limit of steps before it had converged.",)


def collect(
    scores: Iterator[np.ndarray], folds: Iterable[Fold], c_values: Sequence[float], n: int
) -> dict[float, np.ndarray]:
    """The next scores of an iterator, by C.

    Returns
    -------
    dict of float to np.ndarray [shape=(n, 3)]
        Rows outside the folds' test parts are NaN.
    """
    by_c = {c: np.full((n, len(LABELS)), np.nan) for c in c_values}
    for fold in folds:
        for c in c_values:
            by_c[c][fold.test] = next(scores)
    return by_c
