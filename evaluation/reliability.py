"""Whether a model is right as often as it says: the reliability diagram and the expected calibration error."""

from dataclasses import dataclass

import numpy as np

# Steps of the diagram: ten of equal width, as in Guo et al. 2017.
STEPS = 10


@dataclass(frozen=True)
class Step:
    """The rows whose confidence lies between `low` and `high`: their number, mean confidence and accuracy."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """Steps with rows, in rising order; `error` is the mean distance of accuracy and confidence over all `n` rows."""

    steps: tuple[Step, ...]
    n: int
    error: float

    @property
    def error_points(self) -> int:
        """The error in whole percentage points."""
        return round(100 * self.error)

    @property
    def overconfidence(self) -> float:
        """Mean confidence less accuracy: above 0 the model says to be right more often than it is."""
        return sum(step.n * (step.confidence - step.accuracy) for step in self.steps) / self.n


def reliability(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    """The reliability diagram of predictions.

    Parameters
    ----------
    confidence : np.ndarray [shape=(n,), dtype=float64]
        Probability of the predicted class, in [0, 1]; n above 0.
    right : np.ndarray [shape=(n,), dtype=bool]

    Returns
    -------
    Reliability

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 2.
    """
    from sklearn.calibration import calibration_curve  # a second, which only this page needs

    accuracy, mean = calibration_curve(right, confidence, n_bins=STEPS)
    edges = np.linspace(0, 1, STEPS + 1)
    # As calibration_curve sorts rows into steps; it leaves out the empty ones and does not give their sizes.
    counts = np.bincount(np.searchsorted(edges[1:-1], confidence), minlength=STEPS)
    places = np.flatnonzero(counts)
    steps = tuple(
        Step(float(edges[place]), float(edges[place + 1]), int(counts[place]), float(sure), float(share))
        for place, sure, share in zip(places, mean, accuracy, strict=True)
    )
    n = len(confidence)
    return Reliability(steps, n, sum(step.n * abs(step.accuracy - step.confidence) for step in steps) / n)
