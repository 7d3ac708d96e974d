"""Leaving out what the model is least sure of: the curve, by hand and by chance."""

import json

import numpy as np
import pytest

from pipeline.labels import LABELS
from pipeline.stages.abstention import risk_coverage


def rows(*confidences: float) -> np.ndarray:
    """Probabilities whose highest is that of "positive"."""
    return np.array([[p, (1 - p) / 2, (1 - p) / 2] for p in confidences])


def test_the_curve_of_four_rows_is_that_computed_by_hand() -> None:
    y = np.array(["positive", "positive", "negative", "positive"])
    curve = risk_coverage(y, rows(0.9, 0.8, 0.7, 0.6))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.7, 0.6]
    np.testing.assert_allclose(curve.accuracy, [1, 1, 2 / 3, 3 / 4])
    # Only positive is predicted: its F1 over three classes.
    np.testing.assert_allclose(curve.macro_f1, [1 / 3, 1 / 3, 0.8 / 3, 6 / 7 / 3])
    assert curve.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    assert curve.area_at_random == pytest.approx(1 / 4)
    assert curve.area_at_best == pytest.approx((0 + 0 + 0 + 1 / 4) / 4)


def test_rows_of_one_probability_are_kept_or_left_out_together() -> None:
    y = np.array(["positive", "negative", "positive", "negative"])
    for order in ([0, 1, 2, 3], [1, 0, 3, 2]):
        curve = risk_coverage(y[order], rows(0.8, 0.8, 0.6, 0.6))
        assert curve.coverage.tolist() == [0.5, 1]
        assert curve.accuracy.tolist() == [0.5, 0.5]
        assert curve.area == 0.5


def test_probabilities_that_mean_something_lie_between_best_and_random() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], 4_000)
    y = np.array([rng.choice(LABELS, p=share) for share in shares])
    curve = risk_coverage(y, shares)
    assert curve.area_at_best < curve.area < curve.area_at_random - 0.1
    assert len(curve.coverage) == 50
    assert (np.diff(curve.coverage) > 0).all()
    assert (np.diff(curve.thresholds) < 0).all()
    # Of calibrated probabilities the accuracy of what is kept is the mean confidence.
    kept = shares.max(axis=1) >= curve.thresholds[24]
    assert curve.accuracy[24] == pytest.approx(shares[kept].max(axis=1).mean(), abs=0.03)


def test_confidence_without_meaning_gains_nothing() -> None:
    rng = np.random.default_rng(0)
    curve = risk_coverage(rng.choice(LABELS, 4_000), rng.dirichlet([1, 1, 1], 4_000))
    assert curve.area == pytest.approx(curve.area_at_random, abs=0.03)


def test_it_fits_into_json() -> None:
    stored = risk_coverage(np.array(LABELS), np.eye(3)).as_dict()
    assert json.loads(json.dumps(stored, allow_nan=False)) == stored
    assert stored["curve"] == [{"threshold": 1, "coverage": 1, "accuracy": 1, "macro_f1": 1}]
