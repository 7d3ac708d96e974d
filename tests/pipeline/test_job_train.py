"""The job `train` as a plain function, on made-up features."""

import io
import wave
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from pipeline import jobs
from pipeline.choices import RunState, VideoState
from pipeline.labels import LABELS
from pipeline.models import TextLabel, TrainingRun, Video
from pipeline.stages import training
from pipeline.stages.audio import SAMPLE_RATE_HZ
from tests.factories import Factory
from tests.pipeline.conftest import NAMES, make_ready_video

pytestmark = pytest.mark.django_db


def test_a_run_keeps_its_model_card_scores_and_out_of_fold_predictions(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)

    run.refresh_from_db()
    assert (run.state, run.error_message, run.attempts) == (RunState.DONE, "", 1)
    assert run.finished_at
    labelled = TextLabel.objects.filter(policy="recommended").count()
    predictions = list(run.predictions.select_related("segment"))
    assert len(predictions) == labelled == 40
    assert all(prediction.fold is not None for prediction in predictions)
    assert all(
        prediction.p_positive + prediction.p_neutral + prediction.p_negative == pytest.approx(1)
        for prediction in predictions
    )
    folds = {(prediction.segment.video_id, prediction.fold) for prediction in predictions}
    assert len(folds) == len(videos)

    assert run.scores["n"] == 40
    assert run.scores["videos"] == 4
    assert set(run.scores["score_by_c"]) == {"0.1", "1"}
    report = run.scores["out_of_fold"]
    assert report["labels"] == list(LABELS)
    assert sum(map(sum, report["confusion"])) == 40
    assert report["groups"] == 4
    assert report["averages"]["macro"]["f1"] > 0.7 > report["baseline"]["macro_f1"]

    curve = run.scores["risk_coverage"]["curve"]
    assert (curve[-1]["coverage"], curve[-1]["accuracy"]) == (1, round(report["accuracy"], 4))
    assert run.card["scores"] == run.scores

    assert run.card["feature_names"] == list(NAMES)
    assert run.card["classes"] == list(LABELS)
    assert run.card["training_videos"] == [video.pk for video in videos]
    assert (run.card["short_window_s"], run.card["mid_window_s"]) == (0.05, 1.0)
    assert (run.card["label_policy"], run.card["seed"]) == ("recommended", 3)
    assert run.card["data_sha256"] == run.data_fingerprint
    assert len(run.data_fingerprint) == 64
    assert run.card["artifact_sha256"]


def test_a_run_lists_the_segments_whose_labels_are_likely_wrong(videos: list[Video], run: TrainingRun) -> None:
    wrong = TextLabel.objects.filter(policy="recommended", label="positive").first()
    assert wrong
    wrong.label = "negative"
    wrong.save(update_fields=["label"])
    jobs.train(run.pk)
    run.refresh_from_db()
    found = run.scores["likely_wrong"]
    first = found["segments"][0]
    assert (first["segment"], first["given"]) == (wrong.segment_id, "negative")
    assert first["likely"] != "negative"
    assert found["total"] == len(found["segments"]) == sum(part["likely_wrong"] for part in found["per_class"].values())
    assert sum(part["given"] for part in found["per_class"].values()) == 40


def test_what_had_to_be_adjusted_is_on_the_card(videos: list[Video], run: TrainingRun) -> None:
    for label in ("positive", "neutral"):
        rest = TextLabel.objects.filter(policy="recommended", label=label).exclude(segment__video=videos[0])
        rest.update(label="", rejection="weak")
    TrainingRun.objects.update(folds=5)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "only one class is left" in run.error_message

    TextLabel.objects.filter(policy="recommended", label="", segment__video__in=videos[2:]).update(
        label="neutral", rejection=""
    )
    TrainingRun.objects.update(state=RunState.QUEUED)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.DONE, run.error_message
    assert any("4 folds instead of 5" in note for note in run.card["notes"])
    assert any("no positive segment was left to learn from" in note for note in run.card["notes"])
    assert any("SMOTE used" in note or "repeated instead" in note for note in run.card["notes"])


def test_the_same_data_give_the_same_fingerprint_and_predictions(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    first = TrainingRun.objects.get(pk=run.pk)
    before = list(run.predictions.order_by("segment").values_list("segment", "label", "p_positive", "fold"))
    jobs.train(run.pk)
    assert run.predictions.count() == len(before)

    TrainingRun.objects.update(state=RunState.QUEUED)
    jobs.train(run.pk)
    again = TrainingRun.objects.get(pk=run.pk)
    assert again.data_fingerprint == first.data_fingerprint
    assert again.scores == first.scores
    assert again.card["artifact_sha256"] == first.card["artifact_sha256"]
    assert list(run.predictions.order_by("segment").values_list("segment", "label", "p_positive", "fold")) == before

    TextLabel.objects.filter(policy="recommended", label="positive").first().delete()
    TrainingRun.objects.update(state=RunState.QUEUED)
    jobs.train(run.pk)
    assert TrainingRun.objects.get(pk=run.pk).data_fingerprint != first.data_fingerprint


def test_a_run_learns_from_its_split_and_policy_alone(
    videos: list[Video], run: TrainingRun, factory: Factory, tmp_path: Path
) -> None:
    make_ready_video(factory, tmp_path, 9, split="test")
    make_ready_video(factory, tmp_path, 10, state=VideoState.LABELLED)
    TextLabel.objects.filter(policy="recommended", segment__video=videos[0]).update(label="", rejection="weak")
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.card["training_videos"] == [video.pk for video in videos[1:]]


def test_a_run_without_data_fails_with_a_sentence(run: TrainingRun) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "No ready video of the train split" in run.error_message
    assert run.finished_at


def test_a_run_of_too_few_videos_fails_with_a_sentence(run: TrainingRun, factory: Factory, tmp_path: Path) -> None:
    make_ready_video(factory, tmp_path, 1)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error_message.endswith(".")
    assert not run.predictions.exists()


def test_the_result_of_a_superseded_training_is_dropped(
    videos: list[Video], run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training.train

    def train(*args: Any, **options: Any) -> Any:
        TrainingRun.objects.filter(pk=run.pk).update(claims=2)  # another worker claimed it
        return real(*args, **options)

    monkeypatch.setattr(training, "train", train)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert (run.state, run.claims, run.predictions.count()) == (RunState.RUNNING, 2, 0)
    assert not default_storage.exists("trainingrun") or default_storage.listdir("trainingrun")[1] == []


def same_recording(first: Video, second: Video) -> None:
    """Give the second video the features of the first, as the same recording at another address has."""
    with default_storage.open(str(first.features), "rb") as file:
        second.features.save("features.npz", file)


@pytest.mark.parametrize("normalise", [True, False])
def test_one_recording_at_two_addresses_is_kept_in_one_fold_and_noted(
    videos: list[Video], run: TrainingRun, normalise: bool
) -> None:
    same_recording(videos[0], videos[2])
    TrainingRun.objects.update(normalise_videos=normalise)
    jobs.train(run.pk)
    run.refresh_from_db()
    folds = {p.segment.video_id: p.fold for p in run.predictions.select_related("segment")}
    assert folds[videos[0].pk] == folds[videos[2].pk]
    (note,) = [note for note in run.card["notes"] if note.startswith("Videos with segments of exactly the same")]
    assert f"{videos[0].pk} and {videos[2].pk} (10)" in note
    assert "kept in one fold" in note
    assert run.scores["out_of_fold"]["groups"] == 3
    assert run.scores["videos"] == 4


def test_segments_without_sound_make_no_two_videos_one(videos: list[Video], run: TrainingRun) -> None:
    same_recording(videos[0], videos[2])
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(bytes(2 * SAMPLE_RATE_HZ * 60))
    videos[0].audio.save("audio.wav", ContentFile(sound.getvalue()))
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.scores["out_of_fold"]["groups"] == 4
    assert not [note for note in run.card["notes"] if "exactly the same" in note]


def test_where_all_videos_are_one_recording_the_figures_are_doubted(videos: list[Video], run: TrainingRun) -> None:
    for video in videos[1:]:
        same_recording(videos[0], video)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert any("the figures are too good" in note for note in run.card["notes"])
