"""What a matrix of features must be before a model learns from it or predicts."""

import numpy as np

from pipeline.stages.errors import StageError

# Standardising squares the features; no measure of sound comes near it.
LARGEST_FEATURE = 1e100


def as_floats(X: np.ndarray) -> np.ndarray:
    """The features as they are where they are floating-point numbers, so that a memory-mapped file is not read."""
    X = np.asarray(X)
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def check_finite(X: np.ndarray) -> None:
    """Raise StageError where a feature is not a finite number of a usable size, saying in how many segments."""
    if X.max(initial=0.0) <= LARGEST_FEATURE and X.min(initial=0.0) >= -LARGEST_FEATURE:  # NaN is neither
        return
    bad = int((~(np.abs(X) <= LARGEST_FEATURE)).any(axis=1).sum())
    raise StageError(
        f"{bad} of {len(X)} segments have features that are not finite numbers up to {LARGEST_FEATURE:g}; extract "
        "them again."
    )
