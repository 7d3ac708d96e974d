"""Training: what it learns, what it must not see, and what it says of data that is too small."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from pipeline.labels import LABELS
from pipeline.stages import classifiers
from pipeline.stages.calibration import fit_temperature
from pipeline.stages.errors import StageError
from pipeline.stages.folds import LEAVE_ONE_GROUP_OUT, STRATIFIED_GROUP, nested_folds
from pipeline.stages.training import (
    BALANCINGS,
    CLASSIFIERS,
    FOLD_SCHEMES,
    TrainingParameters,
    TrainingResult,
    predict,
    train,
)

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def make_data(
    groups: int = 8, rows: int = 15, distance: float = 2.0, seed: int = 0, shares: tuple[float, ...] = (0.3, 0.5, 0.2)
) -> Data:
    """Three Gaussian classes, each `distance` from the middle along its own axis, in groups of `rows`."""
    rng = np.random.default_rng(seed)
    y = rng.choice(LABELS, groups * rows, p=shares)
    X = rng.normal(size=(len(y), 6))
    X[np.arange(len(y)), [LABELS.index(label) for label in y]] += distance
    return X, y, np.repeat(np.arange(groups), rows)


def macro_f1(y: np.ndarray, result: TrainingResult) -> float:
    return float(f1_score(y, result.out_of_fold_labels, labels=LABELS, average="macro"))


def quick(**values: Any) -> TrainingParameters:
    return TrainingParameters(**{"c_values": (0.01, 1.0), "folds": 3, **values})


class TestLearning:
    @pytest.mark.parametrize("scheme", FOLD_SCHEMES)
    def test_it_predicts_classes_that_can_be_told_apart(self, scheme: str) -> None:
        X, y, groups = make_data(distance=6)
        result = train(X, y, groups, quick(fold_scheme=scheme))
        assert macro_f1(y, result) > 0.95
        assert max(result.score_by_c.values()) > 0.95
        assert result.score_by_c[result.best_c] == max(result.score_by_c.values())
        assert result.labels == LABELS
        assert result.notes == ()
        assert len(result.best_c_by_fold) == {STRATIFIED_GROUP: 3, LEAVE_ONE_GROUP_OUT: 8}[scheme]

    @pytest.mark.parametrize("classifier", CLASSIFIERS)
    @pytest.mark.parametrize("balancing", BALANCINGS)
    def test_every_classifier_and_balancing_learns(self, classifier: str, balancing: str) -> None:
        X, y, groups = make_data(distance=5)
        result = train(X, y, groups, quick(classifier=classifier, balancing=balancing, c_values=(1.0,)))
        new_X, new_y, _ = make_data(distance=5, seed=9)
        labels, probabilities = predict(result.pipeline, new_X)
        assert (labels == new_y).mean() > 0.9
        assert probabilities.shape == (len(new_X), 3)

    def test_probabilities_are_whole_and_agree_with_the_labels(self) -> None:
        X, y, groups = make_data(distance=1)
        result = train(X, y, groups, quick())
        for labels, probabilities in (
            (result.out_of_fold_labels, result.out_of_fold_probabilities),
            predict(result.pipeline, X),
        ):
            np.testing.assert_allclose(probabilities.sum(axis=1), 1)
            assert (probabilities >= 0).all()
            assert (np.array(LABELS)[probabilities.argmax(axis=1)] == labels).all()

    def test_the_former_name_of_a_classifier_still_works(self) -> None:
        X, y, groups = make_data()
        results = [train(X, y, groups, quick(classifier=name)) for name in ("logistic-regression", "logistic")]
        np.testing.assert_array_equal(results[0].out_of_fold_probabilities, results[1].out_of_fold_probabilities)

    def test_gamma_is_chosen_where_the_kernel_needs_it(self) -> None:
        rng = np.random.default_rng(0)
        angle = rng.uniform(0, 2 * np.pi, 480)
        X = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.02 * rng.normal(size=(480, 2))
        y = np.asarray(LABELS)[(angle / (2 * np.pi) * 24).astype(int) % 3]  # narrow slices of a ring
        groups = np.arange(480) % 8
        chosen = train(X, y, groups, quick(classifier="svm-rbf", c_values=(10.0,), gamma_values=(0.1, 50.0)))
        fixed = train(X, y, groups, quick(classifier="svm-rbf", c_values=(10.0,), gamma_values=(0.1,)))
        assert chosen.best_gamma == 50
        assert macro_f1(y, chosen) > macro_f1(y, fixed) + 0.3
        assert train(X, y, groups, quick(c_values=(1.0,))).best_gamma is None

    def test_boosting_finds_what_no_line_can_tell_apart(self) -> None:
        X, y, groups = make_data(rows=40, distance=0)
        y = np.where(np.abs(X[:, 0]) > 1, "positive", np.where(X[:, 1] * X[:, 2] > 0, "neutral", "negative"))
        scores = {
            name: macro_f1(y, train(X, y, groups, quick(classifier=name))) for name in ("gradient-boosting", "logistic")
        }
        assert scores["gradient-boosting"] > max(0.8, scores["logistic"] + 0.2)

    def test_the_fast_model_scores_like_the_exact_one(self) -> None:
        X, y, groups = make_data(groups=20, rows=60, distance=1.2)
        scores = [macro_f1(y, train(X, y, groups, quick(classifier=name))) for name in ("linear-fast", "logistic")]
        assert scores[0] == pytest.approx(scores[1], abs=0.02)

    def test_single_precision_keeps_what_varies_little_around_a_large_number(self) -> None:
        X, y, groups = make_data(distance=5)
        scores = [macro_f1(y, train(X + far, y, groups, quick(classifier="linear-fast"))) for far in (0, 1e9)]
        assert scores[1] == pytest.approx(scores[0], abs=0.01)

    @pytest.mark.parametrize("classifier", ["svm-linear", "linear-fast"])
    def test_a_memory_mapped_table_gives_the_same_as_one_in_memory(self, tmp_path: Path, classifier: str) -> None:
        X, y, groups = make_data()
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        first, second = (train(table, y, groups, quick(classifier=classifier)) for table in (X, mapped))
        np.testing.assert_array_equal(first.out_of_fold_probabilities, second.out_of_fold_probabilities)

    @pytest.mark.parametrize("balancing", ["smote", "class-weight"])
    def test_balancing_finds_more_of_the_rare_class(self, balancing: str) -> None:
        X, y, groups = make_data(rows=40, distance=1.5, shares=(0.05, 0.8, 0.15))
        rare = y == "positive"
        found = {
            name: (train(X, y, groups, quick(balancing=name)).out_of_fold_labels[rare] == "positive").mean()
            for name in ("none", balancing)
        }
        assert found[balancing] > found["none"] + 0.2

    def test_of_equal_scores_the_smallest_c_is_chosen(self) -> None:
        X, y, groups = make_data(distance=50)
        assert train(X, y, groups, quick(c_values=(10.0, 0.1, 1.0))).best_c == 0.1

    def test_the_same_input_and_seed_give_the_same_result(self) -> None:
        X, y, groups = make_data(distance=1)
        first, second = (train(X, y, groups, quick(seed=3)) for _ in range(2))
        np.testing.assert_array_equal(first.out_of_fold_probabilities, second.out_of_fold_probabilities)
        np.testing.assert_array_equal(first.folds, second.folds)
        np.testing.assert_array_equal(predict(first.pipeline, X)[1], predict(second.pipeline, X)[1])
        assert first.score_by_c == second.score_by_c
        assert (train(X, y, groups, quick(seed=4)).folds != first.folds).any()

    def test_progress_counts_every_fit_up_to_the_total(self) -> None:
        told: list[tuple[int, int]] = []
        X, y, groups = make_data()
        train(X, y, groups, quick(), progress=lambda done, total: told.append((done, total)))
        # 2 values of C over 3 outer folds, and over 3 inner folds in each; then the final model.
        assert told == [(done, 25) for done in range(1, 26)]

    def test_temperature_is_found_again(self) -> None:
        rng = np.random.default_rng(0)
        scores = rng.normal(size=(20_000, 3)) * 2
        shares = np.exp(scores / 2.5)
        shares /= shares.sum(axis=1, keepdims=True)
        y = np.array([rng.choice(LABELS, p=share) for share in shares])
        found = fit_temperature(scores, y)
        assert found == pytest.approx(2.5, rel=0.05)
        for unit in (1e-9, 1e9):
            assert fit_temperature(scores * unit, y) == pytest.approx(found * unit, rel=1e-6)

    def test_scores_without_spread_have_a_temperature(self) -> None:
        assert fit_temperature(np.zeros((3, 3)), np.array(LABELS)) > 0


class TestLeakage:
    @pytest.mark.parametrize("scheme", FOLD_SCHEMES)
    @pytest.mark.parametrize("seed", range(5))
    def test_no_group_is_on_both_sides_of_any_fold(self, scheme: str, seed: int) -> None:
        _, y, groups = make_data(groups=9, rows=7, seed=seed)
        plan = nested_folds(y, groups, scheme=scheme, folds=4, seed=seed)
        tested = np.concatenate([fold.test for fold in plan.outer])
        assert sorted(tested) == list(range(len(y)))
        for outer, inner in zip(plan.outer, plan.inner, strict=True):
            assert not set(groups[outer.train]) & set(groups[outer.test])
            assert sorted(np.concatenate([fold.test for fold in inner])) == sorted(outer.train)
            for fold in inner:
                assert not set(groups[fold.train]) & set(groups[fold.test])
                assert not {*fold.train, *fold.test} & {*outer.test}

    def test_each_group_is_predicted_by_one_fold(self) -> None:
        X, y, groups = make_data()
        folds = train(X, y, groups, quick()).folds
        assert all(len(set(folds[groups == group])) == 1 for group in range(8))
        assert set(folds) == {0, 1, 2}

    def test_knowing_a_group_is_of_no_use(self) -> None:
        rng = np.random.default_rng(0)
        groups = np.repeat(np.arange(24), 10)
        # Every row tells its group exactly, and a group has one label; other groups tell nothing of it.
        X = rng.normal(size=(24, 40))[groups] + 0.01 * rng.normal(size=(240, 40))
        y = rng.permutation(np.repeat(LABELS, 8))[groups]
        assert macro_f1(y, train(X, y, groups, quick())) < 0.55

    def test_scaler_and_smote_see_training_rows_only(self) -> None:
        X, y, groups = make_data(distance=1)
        before = train(X, y, groups, quick())
        fold = before.folds[groups == 0][0]
        neighbours = (before.folds == fold) & (groups != 0)
        assert neighbours.any()
        X = X.copy()
        X[groups == 0] *= 1000
        after = train(X, y, groups, quick())
        np.testing.assert_array_equal(after.folds, before.folds)
        np.testing.assert_array_equal(
            after.out_of_fold_probabilities[neighbours], before.out_of_fold_probabilities[neighbours]
        )
        others = before.folds != fold
        assert (after.out_of_fold_probabilities[others] != before.out_of_fold_probabilities[others]).any()

    def test_the_labels_of_a_group_play_no_part_in_its_predictions(self) -> None:
        X, y, groups = make_data(groups=6, distance=1)
        parameters = quick(fold_scheme=LEAVE_ONE_GROUP_OUT, c_values=(0.001, 0.01, 0.1))
        before = train(X, y, groups, parameters)
        own = groups == 5
        changed = y.copy()
        changed[own] = np.roll(y[own], 1)
        assert (changed != y).any()
        after = train(X, changed, groups, parameters)
        np.testing.assert_array_equal(after.out_of_fold_probabilities[own], before.out_of_fold_probabilities[own])
        assert after.best_c_by_fold[5] == before.best_c_by_fold[5]


class TestSmallData:
    def test_fewer_groups_than_folds_make_fewer_folds(self) -> None:
        X, y, groups = make_data(groups=3)
        result = train(X, y, groups, quick(folds=5))
        assert len(set(result.folds)) == 3
        assert "3 folds instead of 5: the 3 groups do not allow more." in result.notes

    def test_smote_takes_fewer_neighbours_where_a_class_is_small(self) -> None:
        X, y, groups = make_data(groups=6, rows=10, shares=(0.0, 0.6, 0.4))
        y[[0, 10, 20, 30, 40, 50]] = "positive"
        result = train(X, y, groups, quick())
        assert any(note.startswith("SMOTE used 1 neighbours instead of 5") for note in result.notes)
        assert np.isfinite(result.out_of_fold_probabilities).all()

    def test_a_class_with_one_segment_in_a_training_part_is_repeated(self) -> None:
        X, y, groups = make_data(groups=6, rows=10, shares=(0.0, 0.6, 0.4))
        y[[0, 10]] = "positive"
        result = train(X, y, groups, quick())
        assert any(note.startswith("Segments were repeated instead") for note in result.notes)

    def test_a_class_held_by_one_group_is_never_predicted_for_it(self) -> None:
        X, y, groups = make_data(groups=6, rows=10, shares=(0.0, 0.6, 0.4))
        y[:5] = "positive"
        result = train(X, y, groups, quick())
        assert any("no positive segment was left to learn from" in note for note in result.notes)
        own = result.folds == result.folds[0]
        assert (result.out_of_fold_probabilities[own, 0] == 0).all()
        assert not (result.out_of_fold_labels[own] == "positive").any()

    def test_the_fast_model_weighs_classes_where_smote_would_be_slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(classifiers, "MANY_SEGMENTS", 50)
        X, y, groups = make_data()
        smote, weights = (
            train(X, y, groups, quick(classifier="linear-fast", balancing=name)) for name in BALANCINGS[::2]
        )
        assert smote.notes == ("Classes were weighted instead of balanced by SMOTE, which is slow above 50 segments.",)
        assert weights.notes == ()
        np.testing.assert_array_equal(smote.out_of_fold_probabilities, weights.out_of_fold_probabilities)

    def test_many_segments_for_a_kernel_are_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(classifiers, "MANY_SEGMENTS", 50)
        notes = train(*make_data(), quick(c_values=(1.0,))).notes
        assert len(notes) == 1
        assert notes[0].endswith(" segments are many for svm-linear; linear-fast is made for more than 50.")

    @pytest.mark.parametrize("classifier", CLASSIFIERS)
    @pytest.mark.parametrize("balancing", BALANCINGS)
    def test_every_classifier_bears_a_class_that_is_missing_from_a_fold(self, classifier: str, balancing: str) -> None:
        X, y, groups = make_data(groups=6, rows=10, shares=(0.0, 0.6, 0.4))
        y[:5] = "positive"
        result = train(X, y, groups, quick(classifier=classifier, balancing=balancing, c_values=(1.0,)))
        assert np.isfinite(result.out_of_fold_probabilities).all()
        assert any("no positive segment was left to learn from" in note for note in result.notes)

    def test_two_groups_take_the_middle_c(self) -> None:
        X, y, groups = make_data(groups=2, rows=40, distance=5)
        result = train(X, y, groups, quick(c_values=(0.01, 0.1, 1.0)))
        assert result.best_c_by_fold == (0.1, 0.1)
        assert any("C could not be chosen inside it" in note for note in result.notes)
        assert macro_f1(y, result) > 0.8

    def test_one_group_is_too_few(self) -> None:
        X, y, _ = make_data()
        with pytest.raises(StageError, match="needs at least two"):
            train(X, y, np.zeros(len(y)), quick())

    @pytest.mark.parametrize("missing", LABELS)
    def test_a_missing_class_is_named(self, missing: str) -> None:
        X, y, groups = make_data()
        rest = y != missing
        with pytest.raises(StageError, match=f"No segment is labelled {missing}"):
            train(X[rest], y[rest], groups[rest], quick())

    def test_one_class_left_to_learn_from_is_said(self) -> None:
        X, _, _ = make_data(groups=2, rows=6)
        y = np.array(["neutral"] * 6 + ["positive", "negative"] * 3)
        with pytest.raises(StageError, match="only one class is left"):
            train(X, y, np.repeat([0, 1], 6), quick(fold_scheme=LEAVE_ONE_GROUP_OUT))

    def test_one_segment_per_class_is_too_few(self) -> None:
        with pytest.raises(StageError, match="only one segment"):
            train(np.eye(3), np.array(LABELS), np.arange(3), quick())

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -1e200])
    def test_numbers_that_are_not_finite_are_counted(self, bad: float) -> None:
        X, y, groups = make_data()
        X[[3, 5], 1] = bad
        with pytest.raises(StageError, match=f"2 of {len(X)} segments have features that are not finite"):
            train(X, y, groups, quick())

    def test_a_label_of_another_scheme_is_named(self) -> None:
        X, y, groups = make_data()
        y = y.astype("U20")
        y[0] = "bored"
        with pytest.raises(StageError, match="'bored' is not one of positive, neutral, negative"):
            train(X, y, groups, quick())

    def test_a_feature_that_never_changes_does_no_harm(self) -> None:
        X, y, groups = make_data(distance=5)
        X[:, 5] = 7
        assert np.isfinite(train(X, y, groups, quick()).out_of_fold_probabilities).all()

    def test_a_solver_that_was_stopped_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(classifiers, "SVM_MAX_STEPS", 20)
        X, y, groups = make_data(distance=0)
        result = train(X, y, groups, quick(c_values=(1.0,)))
        assert result.notes == ("With C = 1 the solver was stopped at its limit of steps before it had converged.",)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"classifier": "forest"}, "'forest' is not known; choose one of svm-linear"),
            ({"balancing": "tomek"}, "'tomek' is not known"),
            ({"fold_scheme": "random"}, "'random' is not known"),
            ({"c_values": ()}, "at least one value of C"),
            ({"c_values": (1.0, -1.0)}, "each above 0"),
            ({"folds": 1}, "at least 2 folds"),
            ({"gamma_values": ()}, "at least one value of gamma"),
            ({"gamma_values": (float("nan"),)}, "gamma, each above 0"),
        ],
    )
    def test_parameters_that_cannot_be_used_are_refused(self, values: dict[str, Any], sentence: str) -> None:
        with pytest.raises(StageError, match=sentence):
            train(*make_data(), quick(**values))


class TestPredicting:
    @pytest.fixture
    def pipeline(self) -> Any:
        return train(*make_data(), quick(c_values=(1.0,))).pipeline

    def test_no_segment_gives_no_prediction(self, pipeline: Any) -> None:
        labels, probabilities = predict(pipeline, np.zeros((0, 6)))
        assert labels.shape == (0,)
        assert probabilities.shape == (0, 3)

    def test_another_number_of_features_is_refused(self, pipeline: Any) -> None:
        with pytest.raises(StageError, match="trained on 6 features per segment"):
            predict(pipeline, np.zeros((4, 136)))

    def test_numbers_that_are_not_finite_are_refused(self, pipeline: Any) -> None:
        with pytest.raises(StageError, match="1 of 2 segments"):
            predict(pipeline, np.array([[0.0] * 6, [np.nan] * 6]))
