"""Whether a model is right as often as it says."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from evaluation.reliability import reliability


def test_a_model_that_knows_itself_has_no_error() -> None:
    confidence = np.repeat([0.5, 0.8], [10, 10])
    right = np.array([1] * 5 + [0] * 5 + [1] * 8 + [0] * 2, dtype=bool)
    found = reliability(confidence, right)
    assert found.error == pytest.approx(0)
    assert found.overconfidence == pytest.approx(0)
    assert [(step.n, step.accuracy) for step in found.steps] == [(10, 0.5), (10, 0.8)]


def test_the_error_weighs_each_step_by_its_rows() -> None:
    confidence = np.array([0.95] * 30 + [0.65] * 10)
    right = np.array([True] * 15 + [False] * 15 + [True] * 10)
    found = reliability(confidence, right)
    assert found.error == pytest.approx((30 * 0.45 + 10 * 0.35) / 40)
    assert found.overconfidence == pytest.approx((30 * 0.45 - 10 * 0.35) / 40)
    assert found.error_points == 42


def test_steps_have_the_rows_that_scikit_learn_puts_in_them() -> None:
    rng = np.random.default_rng(0)
    # Edges of steps among them, as a rounded probability may be one.
    confidence = np.concatenate([rng.uniform(1 / 3, 1, 500), np.linspace(0.4, 1, 7)])
    right = rng.random(len(confidence)) < confidence
    found = reliability(confidence, right)
    accuracy, mean = calibration_curve(right, confidence, n_bins=10)
    assert [step.accuracy for step in found.steps] == accuracy.tolist()
    assert [step.confidence for step in found.steps] == mean.tolist()
    assert sum(step.n for step in found.steps) == found.n == len(confidence)
    assert sum(step.n * step.accuracy for step in found.steps) == pytest.approx(right.sum())
    assert all(step.low <= step.confidence <= step.high for step in found.steps)
