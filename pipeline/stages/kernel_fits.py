"""Fits of RBF-kernel SVMs on one fold, all from one matrix of distances."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from pipeline.stages.calibration import class_scores
from pipeline.stages.classifiers import PipelineFactory, Setting, was_stopped


def scores_by_kernel(
    X_train: np.ndarray, y_train: np.ndarray, X_test: np.ndarray, build: PipelineFactory, settings: Sequence[Setting]
) -> list[tuple[np.ndarray, bool]]:
    """Fit with each setting on the training part and score the test part.

    libsvm computes each kernel value by itself and again for each setting. Here BLAS computes all squared distances
    once, and each kernel is ``exp(-gamma d²)`` of them: the same models up to rounding.

    Parameters
    ----------
    X_train : np.ndarray [shape=(n, n_features), dtype=float64]
    y_train : np.ndarray of str [shape=(n,)]
    X_test : np.ndarray [shape=(n_test, n_features), dtype=float64]
    build : PipelineFactory
        Of `svm-rbf` without landmarks.
    settings : sequence of Setting

    Returns
    -------
    list of (np.ndarray [shape=(n_test, 3), dtype=float64], bool)
        For each setting the scores, and whether the solver was stopped before its end.
    """
    scaler, *balancing, _ = (step for _, step in build(settings[0], X_train.shape[1]).steps)
    rows, labels = scaler.fit_transform(X_train), y_train
    for step in balancing:
        rows, labels = step.fit_resample(rows, labels)
    within = euclidean_distances(rows, squared=True)
    across = euclidean_distances(scaler.transform(X_test), rows, squared=True)
    results = []
    for setting in settings:
        svm = build(setting, X_train.shape[1])[-1]
        svm.set_params(kernel="precomputed").fit(np.exp(-svm.gamma * within), labels)
        results.append((class_scores(svm, np.exp(-svm.gamma * across)), was_stopped(svm)))
    return results
