"""RBF-kernel SVMs from shared distances, and from landmarks where there are many segments."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.labels import LABELS
from pipeline.stages import classifiers, fitting
from pipeline.stages.artifact import read_artifact, write_artifact
from pipeline.stages.classifiers import BALANCINGS
from pipeline.stages.training import TrainingParameters, TrainingResult, predict, train
from tests.stages.test_training import Data, macro_f1

PARAMETERS = TrainingParameters(classifier="svm-rbf", c_values=(1.0, 10.0), gamma_values=(0.3, 1.0), folds=3)


@pytest.fixture(scope="module")
def rings() -> Data:
    """Three classes at three distances from the middle, which no line can tell apart; four columns of noise."""
    rng = np.random.default_rng(0)
    y = np.tile(LABELS, 100)
    angle, radius = rng.uniform(0, 2 * np.pi, len(y)), np.tile([0.5, 2.0, 3.5], 100) + rng.normal(0, 0.3, len(y))
    noise = rng.normal(0, 0.3, (len(y), 4))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), noise]), y, np.repeat(np.arange(10), 30)


def few(monkeypatch: pytest.MonkeyPatch, *, for_kernels: int = 0, for_rbf: int = 10_000, landmarks: int = 100) -> None:
    monkeypatch.setattr(classifiers, "MANY_FOR_KERNELS", for_kernels)
    monkeypatch.setattr(classifiers, "MANY_FOR_RBF", for_rbf)
    monkeypatch.setattr(classifiers, "LANDMARKS", landmarks)


@pytest.mark.parametrize("balancing", BALANCINGS)
def test_shared_distances_give_the_models_that_libsvm_gives(
    balancing: str, rings: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = replace(PARAMETERS, balancing=balancing)
    shared = train(*rings, parameters)
    few(monkeypatch)
    alone = train(*rings, parameters)
    np.testing.assert_array_equal(shared.out_of_fold_labels, alone.out_of_fold_labels)
    np.testing.assert_allclose(shared.out_of_fold_probabilities, alone.out_of_fold_probabilities, atol=1e-6)
    assert (shared.best_c, shared.best_gamma, shared.score_by_c) == (alone.best_c, alone.best_gamma, alone.score_by_c)


def test_distances_are_computed_once_per_fold(rings: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def one_row_for_each(*given: Any) -> list[tuple[np.ndarray, bool]]:
        _, _, X_test, _, settings = given
        calls.append(settings)
        return [(np.tile([1.0, 0.0, 0.0], (len(X_test), 1)), False) for _ in settings]

    monkeypatch.setattr(fitting, "scores_by_kernel", one_row_for_each)
    progress: list[tuple[int, int]] = []
    train(*rings, PARAMETERS, progress=lambda *done: progress.append(done))
    assert len(calls) == 3 + 3 * 3
    assert all(len(settings) == 4 for settings in calls)
    assert progress[-1] == (49, 49)  # of 12 folds with four settings, and the final model


@pytest.fixture
def many(rings: Data, monkeypatch: pytest.MonkeyPatch) -> TrainingResult:
    few(monkeypatch, for_rbf=150)
    return train(*rings, PARAMETERS)


def test_landmarks_stand_for_the_kernel_of_many_segments(rings: Data, many: TrainingResult) -> None:
    by_lines = train(*rings, replace(PARAMETERS, classifier="logistic"))
    assert macro_f1(rings[1], by_lines) < 0.5 < 0.75 < macro_f1(rings[1], many)
    (note,) = many.notes
    assert note.startswith("210 segments are many for svm-rbf: the values of its kernel at 100 of them stand for all")
    assert many.best_gamma in PARAMETERS.gamma_values


def test_they_are_the_same_each_time_and_part_of_the_stored_model(
    rings: Data, many: TrainingResult, tmp_path: Path
) -> None:
    cards = [
        write_artifact(tmp_path / f"{n}.skops", result.pipeline, {})
        for n, result in enumerate((many, train(*rings, PARAMETERS)))
    ]
    assert cards[0]["artifact_sha256"] == cards[1]["artifact_sha256"]
    again: Any = read_artifact(tmp_path / "0.skops", cards[0])
    np.testing.assert_array_equal(predict(again, rings[0])[1], predict(many.pipeline, rings[0])[1])


def test_smote_gives_way_to_weights_where_it_would_be_slow(rings: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, for_rbf=150)
    monkeypatch.setattr(classifiers, "MANY_SEGMENTS", 150)
    result = train(*rings, PARAMETERS)
    assert result.notes[1] == "Classes were weighted instead of balanced by SMOTE, which is slow above 150 segments."
