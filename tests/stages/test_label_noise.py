"""Wrong labels are found again where they were put."""

import json

import numpy as np
import pytest

from pipeline.labels import LABELS
from pipeline.stages.label_noise import estimate_noise
from pipeline.stages.training import TrainingParameters, train
from tests.stages.test_training import make_data


def test_the_confident_joint_of_five_rows_is_that_computed_by_hand() -> None:
    y = np.array(["positive", "positive", "neutral", "neutral", "negative"])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8]])
    noise = estimate_noise(y, probabilities)
    np.testing.assert_allclose(noise.thresholds, [0.5, 0.6, 0.8])
    # The fourth row is confidently of no class.
    assert noise.counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(noise.joint, [[0.2, 0.2, 0], [0, 0.4, 0], [0, 0, 0.2]])
    assert noise.likely_wrong.tolist() == [1]
    assert noise.better.tolist() == ["neutral"]
    assert noise.noise == pytest.approx(0.2)
    np.testing.assert_allclose(noise.noise_by_class, [0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_labels_changed_on_purpose_are_found(share: float) -> None:
    X, true, groups = make_data(groups=20, rows=50, distance=4)
    rng = np.random.default_rng(1)
    y = true.copy()
    changed = (true == "neutral") & (rng.random(len(y)) < share)
    y[changed] = "positive"
    result = train(X, y, groups, TrainingParameters(classifier="logistic", c_values=(0.1,), balancing="none"))
    noise = estimate_noise(y, result.out_of_fold_probabilities)
    found = np.zeros(len(y), dtype=bool)
    found[noise.likely_wrong] = True
    # By its definition about half of a class's rows are above the class's mean, so not all that is wrong is listed.
    assert (found & changed).sum() / changed.sum() > 0.5
    assert (found & changed).sum() / found.sum() > 0.95
    assert noise.noise == pytest.approx(changed.mean(), abs=0.05)
    assert noise.noise_by_class[0] > 0.1
    assert (noise.noise_by_class[1:] < 0.02).all()
    assert (noise.better == true[noise.likely_wrong]).mean() > 0.95


def test_right_labels_are_left_alone() -> None:
    X, y, groups = make_data(groups=10, rows=30, distance=8)
    result = train(X, y, groups, TrainingParameters(c_values=(0.1,)))
    noise = estimate_noise(y, result.out_of_fold_probabilities)
    assert len(noise.likely_wrong) == 0
    assert noise.noise == pytest.approx(0, abs=1e-9)


def test_the_joint_keeps_the_shares_of_the_given_labels() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(LABELS, 500, p=[0.2, 0.5, 0.3])
    noise = estimate_noise(y, rng.dirichlet([1, 1, 1], 500))
    np.testing.assert_allclose(noise.joint.sum(axis=1), [(y == label).mean() for label in LABELS])


def test_a_class_that_no_fold_met_is_not_called_wrong() -> None:
    """Its rows have the probability 0 of their own class, and so has every other row."""
    y = np.array(["positive", "neutral", "negative", "neutral"])
    probabilities = np.array([[0, 0.5, 0.5], [0, 0.9, 0.1], [0, 0.1, 0.9], [0, 0.8, 0.2]])
    noise = estimate_noise(y, probabilities)
    assert noise.likely_wrong.tolist() == []
    assert noise.noise == pytest.approx(0)


def test_it_fits_into_json_also_where_a_class_is_not_given() -> None:
    y = np.array(["neutral", "negative"])
    stored = estimate_noise(y, np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])).as_dict(y)
    assert json.loads(json.dumps(stored, allow_nan=False)) == stored
    assert stored["per_class"]["positive"] == {"given": 0, "likely_wrong": 0, "noise": None}
