"""Standardising within videos: one formula for tables, for parts on disk, and for a stored model."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.stages.artifact import read_artifact, write_artifact
from pipeline.stages.errors import StageError
from pipeline.stages.normalising import HALF_OWN_SEGMENTS, GroupNormaliser, NormalisedModel, predict_video
from pipeline.stages.recipes import normalise_per_group
from pipeline.stages.training import TrainingParameters, predict, train

rng = np.random.default_rng(0)
GROUPS = [rng.normal(loc=5 * group, scale=1 + group, size=(n, 3)) for group, n in enumerate((4, 30, 1, 11))]


@pytest.fixture(scope="module")
def corpus() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, y, groups: four videos whose voices lie further apart than the classes do."""
    groups = np.repeat(np.arange(4), 15)
    y = np.array(["positive", "neutral", "negative"] * 20)
    X = rng.normal(scale=0.3, size=(60, 4))
    X[:, 0] += np.tile([2.0, 0.0, -2.0], 20)
    return X + 100.0 * groups[:, None], y, groups


def test_what_is_learnt_is_the_mean_of_all_and_the_spread_within_groups() -> None:
    normaliser = GroupNormaliser.fit(iter(GROUPS))
    together = np.concatenate(GROUPS)
    within = sum(((X - X.mean(axis=0)) ** 2).sum(axis=0) for X in GROUPS) / (len(together) - len(GROUPS))
    np.testing.assert_allclose(normaliser.mean, together.mean(axis=0))
    np.testing.assert_allclose(normaliser.variance, within)
    np.testing.assert_array_equal(normaliser.largest, np.abs(together).max(axis=0))
    assert (normaliser.segments, normaliser.groups, normaliser.half_own_segments) == (46, 4, HALF_OWN_SEGMENTS)


def test_groups_of_one_segment_each_are_standardised_by_the_spread_between_them() -> None:
    rows = [X[:1] for X in GROUPS]
    np.testing.assert_allclose(GroupNormaliser.fit(rows).variance, np.concatenate(rows).var(axis=0))


@pytest.mark.parametrize("n", [1, 5, 400])
def test_a_new_group_is_drawn_towards_what_was_learnt_by_its_size(n: int) -> None:
    normaliser = GroupNormaliser.fit(GROUPS)
    new = rng.normal(loc=-7, scale=3, size=(n, 3))
    own = n / (n + HALF_OWN_SEGMENTS)
    centre = own * new.mean(axis=0) + (1 - own) * normaliser.mean
    variance = own * new.var(axis=0) + (1 - own) * normaliser.variance
    np.testing.assert_allclose(normaliser.apply(new), (new - centre) / np.sqrt(variance))
    assert normaliser.apply(new[:0]).shape == (0, 3)


def test_a_table_is_normalised_as_its_groups_are_one_by_one() -> None:
    normaliser = GroupNormaliser.fit(GROUPS)
    groups = np.repeat(np.arange(4), [len(X) for X in GROUPS])
    expected = np.concatenate([normaliser.apply(X) for X in GROUPS])
    np.testing.assert_array_equal(normalise_per_group(np.concatenate(GROUPS), groups), expected)


def test_features_that_are_not_finite_are_refused_with_their_number() -> None:
    spoilt = [X.copy() for X in GROUPS]
    spoilt[1][3, 0], spoilt[3][0, 2] = np.nan, np.inf
    with pytest.raises(StageError, match="2 of 46 segments have features that are not finite"):
        GroupNormaliser.fit(spoilt)
    with pytest.raises(StageError, match="no segment"):
        GroupNormaliser.fit([])


class TestModel:
    def model(self, corpus: tuple[np.ndarray, np.ndarray, np.ndarray]) -> NormalisedModel:
        X, y, groups = corpus
        result = train(normalise_per_group(X, groups), y, groups, TrainingParameters(c_values=(1.0,), folds=2))
        return NormalisedModel(GroupNormaliser.fit(X[groups == group] for group in range(4)), result.pipeline)

    def test_it_comes_back_from_its_file_and_predicts_as_normalising_by_hand_does(
        self, corpus: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path
    ) -> None:
        model = self.model(corpus)
        card = write_artifact(tmp_path / "a.skops", model, {})
        assert (
            write_artifact(tmp_path / "b.skops", self.model(corpus), {})["artifact_sha256"] == (card["artifact_sha256"])
        )
        again = read_artifact(tmp_path / "a.skops", card)
        new = corpus[0][:15] - 30
        labels, probabilities = predict_video(again, new)
        expected_labels, expected = predict(model.classifier, model.normaliser.apply(new))
        np.testing.assert_array_equal(probabilities, expected)
        np.testing.assert_array_equal(labels, expected_labels)
        assert (predict(model.classifier, new)[1] != expected).any()

    def test_what_it_draws_towards_is_part_of_what_the_hash_covers(
        self, corpus: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path
    ) -> None:
        model = self.model(corpus)
        hashes = {
            write_artifact(tmp_path / "a.skops", NormalisedModel(normaliser, model.classifier), {})["artifact_sha256"]
            for normaliser in (model.normaliser, GroupNormaliser.fit(X + 1 for X in (np.ones((3, 4)), np.eye(4))))
        }
        assert len(hashes) == 2

    @pytest.mark.parametrize("shape", [(2, 3), (4,)])
    def test_other_features_are_refused(
        self, shape: tuple[int, ...], corpus: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        with pytest.raises(StageError, match="was trained on 4 features"):
            predict_video(self.model(corpus), np.zeros(shape))
