"""Recipes: what they are made of, and normalising within groups."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sklearn.metrics import f1_score

from pipeline.stages.features import EXTRACTORS, BatchExtractor, get_extractor
from pipeline.stages.folds import LEAVE_ONE_GROUP_OUT
from pipeline.stages.recipes import HALF_OWN_SEGMENTS, RECIPES, normalise_per_group
from pipeline.stages.training import TrainingParameters, train

# Letters of EmoDB's file names; boredom has no class here.
EMOTIONS = {"F": "positive", "N": "neutral", "W": "negative", "E": "negative", "A": "negative", "T": "negative"}


def test_the_2019_recipe_is_unchanged() -> None:
    recipe = RECIPES["seed-2019"]
    assert (recipe.extractor, recipe.normalise_groups) == ("pyaudioanalysis-136", False)
    assert recipe.parameters == TrainingParameters()
    assert (recipe.parameters.classifier, recipe.parameters.balancing) == ("svm-linear", "smote")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_can_be_followed(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.name == name
    assert recipe.extractor in EXTRACTORS
    recipe.parameters.check()


class TestNormalising:
    rng = np.random.default_rng(0)

    def test_large_groups_come_to_lie_upon_each_other(self) -> None:
        groups = np.repeat([0, 1, 2], 400)
        X = self.rng.normal(size=(1200, 3)) * (1 + groups[:, None]) + 10 * groups[:, None]
        Z = normalise_per_group(X, groups)
        for group in range(3):
            assert np.abs(Z[groups == group].mean(axis=0)).max() < 0.2  # 10 before
            np.testing.assert_allclose(Z[groups == group].std(axis=0), 1, atol=0.1)

    def test_tiny_groups_of_one_class_keep_what_tells_it_apart(self) -> None:
        y = np.repeat([0, 1], 30)
        X = (3 * y + self.rng.normal(size=60))[:, None]
        groups = np.arange(60) // 2  # each group has two segments, of one class
        Z = normalise_per_group(X, groups)[:, 0]
        assert Z[y == 1].mean() - Z[y == 0].mean() > 1.5 * Z[y == 0].std()

    def test_a_group_of_half_own_segments_moves_half_way(self) -> None:
        n = HALF_OWN_SEGMENTS
        own = self.rng.normal(size=n)
        own = (own - own.mean()) / own.std()
        Z = normalise_per_group(np.concatenate([own + 4, own - 4])[:, None], np.repeat(["a", "b"], n))[:, 0]
        # Both groups have a variance of 1, pooled without bias n / (n - 1); half of the shift of 4 is taken off.
        np.testing.assert_allclose(Z[:n], (own + 2) / np.sqrt(0.5 + 0.5 * n / (n - 1)))

    def test_no_row_but_those_given_and_no_unit_matters(self) -> None:
        X, groups = self.rng.normal(size=(40, 4)), np.repeat([1, 2], 20)
        Z = normalise_per_group(X, groups)
        np.testing.assert_allclose(normalise_per_group(1000 * X + 7, groups), Z, atol=1e-9)
        order = self.rng.permutation(40)
        np.testing.assert_allclose(normalise_per_group(X[order], groups[order]), Z[order], atol=1e-12)

    def test_constant_features_and_lonely_rows_stay_finite(self) -> None:
        X = np.array([[5.0, 0.1, 1.0], [5.0, 0.1, 2.0], [5.0, 0.1, 4.0]])
        Z = normalise_per_group(X, np.array(["a", "b", "b"]))
        assert np.isfinite(Z).all()
        assert (Z[:, :2] == 0).all()


@pytest.mark.shared_data
def test_recommended_tells_classes_apart_for_speakers_it_has_not_heard(shared_data: Path) -> None:
    """As `crossvalidate` does with one group left out at a time."""
    paths = [path for path in sorted((shared_data / "emodb").glob("*.flac")) if path.name[5] in EMOTIONS]
    assert len(paths) == 454
    y, groups = np.array([EMOTIONS[path.name[5]] for path in paths]), np.array([path.name[:2] for path in paths])
    recipe = RECIPES["recommended"]
    extractor = get_extractor(recipe.extractor)
    assert isinstance(extractor, BatchExtractor)
    X = extractor.extract_many([sf.read(path, dtype="float32")[0] for path in paths], 16_000)
    parameters = TrainingParameters(
        classifier=recipe.parameters.classifier,
        c_values=recipe.parameters.c_values,
        gamma_values=recipe.parameters.gamma_values,
        balancing=recipe.parameters.balancing,
        fold_scheme=LEAVE_ONE_GROUP_OUT,
    )
    found = train(normalise_per_group(X, groups), y, groups, parameters)
    assert f1_score(y, found.out_of_fold_labels, average="macro") >= 0.8
