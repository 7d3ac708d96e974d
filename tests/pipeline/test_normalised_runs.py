"""Runs whose features are standardised within each video: training, the stored model, and predicting with it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import extracting, jobs
from pipeline.choices import RunState
from pipeline.labels import LABELS
from pipeline.modelling import parameters_of
from pipeline.models import Prediction, TextLabel, TrainingRun, Video
from pipeline.recipes import follow
from pipeline.stages import training
from pipeline.stages.artifact import read_artifact
from pipeline.stages.normalising import NormalisedModel
from pipeline.stages.recipes import normalise_per_group
from tests.factories import Factory
from tests.pipeline.conftest import make_ready_video

pytestmark = pytest.mark.django_db
EXTRACTOR = "pyaudioanalysis-136"
PROBABILITIES = [f"p_{label}" for label in LABELS]


@pytest.fixture
def run(factory: Factory) -> TrainingRun:
    """The recipe `recommended`, with fewer values to choose from and made-up features."""
    changes = {"extractor": EXTRACTOR, "c_values": [1.0, 10.0], "gamma_values": [0.3]}
    return factory.make_run(
        state=RunState.QUEUED,
        folds=2,
        seed=3,
        **follow("recommended", changes),
    )


def tables(videos: list[Video]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X of all kept segments, and of each row the video, the segment, and the label or nothing."""
    X, groups, segments, y = [], [], [], []
    for video in videos:
        labels = dict(TextLabel.objects.filter(policy="recommended").values_list("segment_id", "label"))
        for pk in video.segments.kept().order_by("position").values_list("pk", flat=True):
            groups.append(video.pk)
            segments.append(pk)
            y.append(labels.get(pk, ""))
        X.append(extracting.features_of(video, EXTRACTOR).X)
    return np.concatenate(X), np.array(groups), np.array(segments), np.array(y)


def test_a_run_predicts_out_of_fold_what_the_stages_called_directly_do(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.DONE, run.error_message

    X, groups, segments, y = tables(videos)
    labelled = y != ""
    assert 0 < labelled.sum() < len(y)  # the others count for the normalising alone
    Z = normalise_per_group(X, groups)[labelled]
    expected = training.train(Z, y[labelled], groups[labelled], parameters_of(run))
    stored = {
        row[0]: row[1:]
        for row in run.predictions.values_list("segment_id", "label", "fold", *map("p_{}".format, LABELS))
    }
    assert len(stored) == labelled.sum()
    for row, segment in enumerate(segments[labelled]):
        label, fold, *probabilities = stored[segment]
        assert (label, fold) == (expected.out_of_fold_labels[row], expected.folds[row])
        np.testing.assert_allclose(probabilities, expected.out_of_fold_probabilities[row], rtol=1e-12)


def test_the_card_says_how_features_were_normalised(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.card["normalised_within_videos"] == {"segments": 48, "groups": 4, "half_own_segments": 5}
    assert run.card["parameters"]["gamma_values"] == [0.3]
    (note,) = [note for note in run.card["notes"] if "within each video" in note]
    assert "without their labels" in note
    assert "out-of-fold figures" in note

    first = run.card["artifact_sha256"]
    TrainingRun.objects.update(state=RunState.QUEUED)
    jobs.train(run.pk)
    assert TrainingRun.objects.get().card["artifact_sha256"] == first

    TrainingRun.objects.update(state=RunState.QUEUED, normalise_videos=False)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.card["normalised_within_videos"] is None
    assert not any("within each video" in note for note in run.card["notes"])
    assert run.card["artifact_sha256"] != first


@pytest.mark.parametrize("n", [1, 12])
def test_a_new_video_is_normalised_with_what_travels_in_the_model(
    n: int, videos: list[Video], run: TrainingRun, factory: Factory, tmp_path: Path
) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    new = make_ready_video(factory, tmp_path, 9, n=n, split="test")
    # The corpus may go: the model needs nothing of it.
    Video.objects.exclude(pk=new.pk).delete()
    jobs.predict_video(run.pk, new.pk)

    model = read_artifact(Path(run.artifact.path), run.card)
    assert isinstance(model, NormalisedModel)
    X = extracting.features_of(new, EXTRACTOR).X
    prior, own = model.normaliser, n / (n + 5)
    centre = own * X.mean(axis=0) + (1 - own) * prior.mean
    spread = np.sqrt(own * X.var(axis=0) + (1 - own) * prior.variance)
    _, expected = training.predict(model.classifier, (X - centre) / np.where(spread == 0, 1.0, spread))
    rows = Prediction.objects.filter(segment__video=new).order_by("segment__position")
    stored = np.array(rows.values_list(*PROBABILITIES))
    np.testing.assert_allclose(stored, expected, rtol=1e-12)


def test_an_unlabelled_segment_of_a_training_video_is_normalised_with_all_of_its_video(
    videos: list[Video], run: TrainingRun
) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    jobs.predict_video(run.pk, videos[0].pk)
    X, groups, segments, y = tables(videos)
    model: Any = read_artifact(Path(run.artifact.path), run.card)
    alone = (y == "") & (groups == videos[0].pk)
    _, expected = training.predict(model.classifier, normalise_per_group(X, groups)[alone])
    stored = dict(run.predictions.filter(fold=None).values_list("segment_id", "p_positive"))
    assert sorted(stored) == sorted(segments[alone])
    np.testing.assert_allclose([stored[pk] for pk in segments[alone]], expected[:, 0], rtol=1e-9)


def test_features_that_are_not_finite_fail_the_run_with_their_number(
    videos: list[Video], run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = extracting.features_of

    def features_of(video: Video, name: str) -> Any:
        table = real(video, name)
        if video == videos[1]:
            table.X[4, 0] = np.nan  # a segment without a label
        return table

    monkeypatch.setattr("pipeline.training_data.features_of", features_of)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "1 of 48 segments have features that are not finite numbers" in run.error_message
