"""The jobs as plain functions, on a recording of some seconds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rq.timeouts import JobTimeoutException

from pipeline import claims, fetching, jobs, labelling
from pipeline.choices import RunState, VideoState
from pipeline.labels import LABELS
from pipeline.models import Prediction, TextLabel, TrainingRun, Video
from pipeline.queues import MAX_TRIES
from pipeline.stages import training
from pipeline.stages.download import Download, VideoIdentity
from pipeline.stages.errors import StageError
from pipeline.stages.features import DEFAULT_EXTRACTOR, FeatureTable, read_features, write_features
from tests.factories import Factory
from tests.pipeline.conftest import CUES, vtt

pytestmark = pytest.mark.django_db
ROLLING = (
    "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nwe<00:00:00.500><c> had</c><00:00:01.000><c> a</c>\n\n"
    "00:00:02.000 --> 00:00:04.500\nwe had a\nwonderful<00:00:02.500><c> day</c><00:00:03.000><c> together</c>\n"
)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the jobs queued, instead of a queue server."""
    calls: list[tuple[Any, ...]] = []
    for module in (fetching, labelling):
        monkeypatch.setattr(module, "enqueue_on_commit", lambda *call: calls.append(call))
    return calls


@pytest.fixture
def uploaded(factory: Factory, wav: Path) -> Video:
    """A video whose recording and captions were uploaded."""
    video = factory.make_video(
        state=VideoState.QUEUED, extractor="upload", url="", captions_kind="uploaded", duration_s=None
    )
    video.source.save("talk.wav", ContentFile(wav.read_bytes()))
    video.captions.save("talk.vtt", ContentFile(vtt().encode()))
    return video


@pytest.fixture
def online(factory: Factory) -> Video:
    return factory.make_video(state=VideoState.QUEUED, title="", duration_s=None, captions_kind="")


Downloader = Callable[..., None]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, wav: Path) -> Downloader:
    """Sets what the next download brings or raises."""

    def brings(captions: str | None = None, **changes: Any) -> None:
        def download(url: str, *, folder: Path, **options: Any) -> Download:
            if "error" in changes:
                raise changes["error"]
            if "meanwhile" in changes:
                changes["meanwhile"]()
            recording = folder / "recording"
            recording.write_bytes(wav.read_bytes())
            path = folder / "recording.en.vtt" if captions is not None else None
            if path and captions is not None:
                path.write_text(captions)
            identity = changes.get("identity") or VideoIdentity("youtube", url.rpartition("=")[2], url)
            return Download(recording, path, changes.get("kind", "manual" if path else ""), "A talk", 13.0, identity)

        monkeypatch.setattr(fetching, "download", download)

    return brings


def stored_files() -> set[str]:
    return set(default_storage.listdir("video")[1]) if default_storage.exists("video") else set()


# ---------------------------------------------------------------- fetch_video


def test_an_upload_becomes_audio_peaks_and_segments(uploaded: Video, queued: list[Any]) -> None:
    jobs.fetch_video(uploaded.pk)

    video = Video.objects.get(pk=uploaded.pk)
    assert (video.state, video.attempts, video.captions_kind) == (VideoState.SEGMENTED, 0, "uploaded")
    assert video.duration_s == pytest.approx(14.0, abs=0.001)
    assert str(video.audio.name).endswith(".flac")
    assert not video.source
    with video.peaks.open() as file:
        peaks = json.load(file)
    assert peaks["duration_ms"] == 14_000
    assert len(peaks["peaks"]) == 2000
    assert all(-1 <= low <= high <= 1 for low, high in peaks["peaks"])
    kept = [(segment.start_ms, segment.end_ms, segment.text) for segment in video.segments.kept()]
    assert kept == CUES[:3]
    assert all(segment.exclusion for segment in video.segments.all() if not segment.is_kept)
    assert "".join(segment.text for segment in video.segments.all()) == "".join(text for _, _, text in CUES)
    assert queued == [("label_video", video.pk)]


def test_the_uploaded_source_goes_when_the_decoded_audio_is_there(
    uploaded: Video, queued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    source = str(uploaded.source.name)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.fetch_video(uploaded.pk)
    assert not default_storage.exists(source)
    assert len(stored_files()) == 3


def test_an_upload_without_captions_waits_for_them_with_its_audio(uploaded: Video, queued: list[Any]) -> None:
    Video.objects.update(captions="", captions_kind="")
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert video.state == VideoState.NO_CAPTIONS
    assert video.audio
    assert video.peaks
    assert "upload a caption file" in video.error_message
    assert queued == []


def test_captions_attached_later_are_cut_without_another_download(
    online: Video, site: Downloader, queued: list[Any]
) -> None:
    site(captions=None)
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.NO_CAPTIONS
    video.captions.save("talk.vtt", ContentFile(vtt().encode()))
    video.enter(VideoState.QUEUED)
    site(error=AssertionError("nothing is downloaded"))

    jobs.fetch_video(online.pk)

    after = Video.objects.get(pk=online.pk)
    assert (after.state, after.captions_kind, after.audio.name) == (VideoState.SEGMENTED, "uploaded", video.audio.name)
    assert after.segments.kept().count() == 3


@pytest.mark.parametrize(
    ("captions", "kind", "expected"),
    [
        (vtt(), "manual", "manual"),
        (vtt(), "automatic", "automatic"),
        (ROLLING, "manual", "automatic"),
        (ROLLING, "automatic", "automatic"),
    ],
)
def test_a_download_is_stored_with_the_kind_of_its_captions(
    captions: str, kind: str, expected: str, online: Video, site: Downloader, queued: list[Any]
) -> None:
    site(captions=captions, kind=kind)
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.title, video.captions_kind) == (VideoState.SEGMENTED, "A talk", expected)
    with video.captions.open() as file:
        assert file.read().decode() == captions


def test_captions_that_cannot_be_read_are_told_and_can_be_replaced(online: Video, site: Downloader) -> None:
    site(captions="<html>Not found</html>")
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.NO_CAPTIONS
    assert "cannot be read" in video.error_message
    assert video.audio
    assert not video.captions


def test_the_same_again_ends_in_the_same_state(uploaded: Video, queued: list[Any]) -> None:
    jobs.fetch_video(uploaded.pk)
    before = list(Video.objects.get().segments.values_list())
    jobs.fetch_video(uploaded.pk)
    assert queued == [("label_video", uploaded.pk)]

    Video.objects.update(state=VideoState.QUEUED)
    jobs.fetch_video(uploaded.pk)
    assert list(Video.objects.get().segments.values_list()) == before
    assert Video.objects.get().state == VideoState.SEGMENTED


def test_segments_that_people_vote_on_are_not_replaced(uploaded: Video, queued: list[Any], factory: Factory) -> None:
    jobs.fetch_video(uploaded.pk)
    factory.make_task(segment=uploaded.segments.first())
    Video.objects.update(state=VideoState.QUEUED, policy="seed-2019")
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get()
    assert video.state == VideoState.FAILED
    assert "voting" in video.error_message
    assert video.segments.filter(policy="recommended").count() == video.segments.count() > 0


def test_an_address_that_leads_to_a_video_already_there_fails_and_names_it(
    online: Video, site: Downloader, factory: Factory
) -> None:
    other = factory.make_video(split="test", title="The first one")
    site(captions=vtt(), identity=VideoIdentity("youtube", other.extractor_id, other.url))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, True)
    assert f"“The first one” (#{other.pk})" in video.error_message
    assert "test split" in video.error_message
    assert stored_files() == set()


def test_an_address_that_leads_to_a_new_video_takes_its_identity(
    online: Video, site: Downloader, queued: list[Any]
) -> None:
    site(captions=vtt(), identity=VideoIdentity("vimeo", "76979871", "https://vimeo.com/76979871"))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.extractor, video.extractor_id, video.url) == ("vimeo", "76979871", "https://vimeo.com/76979871")


def test_an_address_that_leads_to_a_foreign_site_fails(online: Video, site: Downloader) -> None:
    site(captions=vtt(), identity=VideoIdentity("generic", "https://evil.example/", "https://evil.example/"))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.FAILED
    assert "evil.example is not among the sites" in video.error_message


def test_a_video_of_a_site_no_longer_allowed_is_not_fetched(online: Video, site: Downloader, settings: Any) -> None:
    settings.DOWNLOAD_ALLOWED_HOSTS = ["vimeo.com"]
    site(error=AssertionError("nothing is opened"))
    jobs.fetch_video(online.pk)
    assert "not among the sites" in Video.objects.get(pk=online.pk).error_message


# ---------------------------------------------------------------- failures


def test_a_permanent_failure_is_kept_and_not_tried_again(online: Video, site: Downloader) -> None:
    site(error=StageError("The video is private."))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_message, video.error_permanent) == (
        VideoState.FAILED,
        "The video is private.",
        True,
    )


def test_a_passing_failure_waits_with_its_reason_and_fails_at_the_last_try(online: Video, site: Downloader) -> None:
    site(error=StageError("The site asks for a pause.", permanent=False))
    for attempt in range(1, MAX_TRIES):
        with pytest.raises(StageError):
            jobs.fetch_video(online.pk)
        video = Video.objects.get(pk=online.pk)
        assert (video.state, video.attempts) == (VideoState.QUEUED, attempt)
        assert video.error_message == "The site asks for a pause."
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, False)


def test_a_success_after_a_failure_leaves_no_error(online: Video, site: Downloader, queued: list[Any]) -> None:
    site(error=StageError("The site asks for a pause.", permanent=False))
    with pytest.raises(StageError):
        jobs.fetch_video(online.pk)
    site(captions=vtt())
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_message, video.attempts) == (VideoState.SEGMENTED, "", 0)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(KeyError("secret detail"), "on our side"), (JobTimeoutException("12 s"), "longer than is allowed")],
)
def test_a_fault_of_ours_is_one_plain_sentence(
    error: Exception, sentence: str, online: Video, site: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    site(error=error)
    with pytest.raises(type(error)):
        jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, False)
    assert sentence in video.error_message
    assert "secret" not in video.error_message
    assert "Traceback" in caplog.text


def test_a_broken_recording_fails_with_the_stage_s_sentence(uploaded: Video) -> None:
    with default_storage.open(str(uploaded.source.name), "wb") as file:
        file.write(b"this is no recording")
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert video.state == VideoState.FAILED
    assert "cannot be read as audio or video" in video.error_message


def test_the_result_of_a_worker_given_up_for_dead_is_dropped(
    online: Video, site: Downloader, queued: list[Any]
) -> None:
    def another_worker_takes_over() -> None:
        video = Video.objects.get(pk=online.pk)
        assert claims.give_back(video)
        assert video.claim(VideoState.QUEUED)

    site(captions=vtt(), meanwhile=another_worker_takes_over)
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.attempts, video.segments.count()) == (VideoState.FETCHING, 2, 0)
    assert stored_files() == set()
    assert queued == []


def test_a_video_removed_meanwhile_is_let_go(online: Video, site: Downloader, queued: list[Any]) -> None:
    site(captions=vtt(), meanwhile=lambda: Video.objects.all().delete())
    jobs.fetch_video(online.pk)
    assert not Video.objects.exists()
    assert stored_files() == set()
    jobs.fetch_video(online.pk)


@pytest.mark.parametrize("state", ["stored", "fetching", "no-captions", "ready", "failed"])
def test_a_video_that_does_not_wait_is_not_touched(state: str, online: Video, site: Downloader) -> None:
    Video.objects.update(state=state)
    site(error=AssertionError("nothing is downloaded"))
    jobs.fetch_video(online.pk)
    assert Video.objects.get().state == state


# ---------------------------------------------------------------- label_video and extract_features


@pytest.fixture
def segmented(uploaded: Video, queued: list[Any]) -> Video:
    jobs.fetch_video(uploaded.pk)
    queued.clear()
    return Video.objects.get(pk=uploaded.pk)


def test_kept_segments_get_labels_under_both_policies(segmented: Video, queued: list[Any]) -> None:
    jobs.label_video(segmented.pk)
    assert Video.objects.get().state == VideoState.LABELLED
    labels = TextLabel.objects.filter(policy="recommended").order_by("segment__position")
    assert [label.label for label in labels] == ["positive", "neutral", "negative"]
    assert TextLabel.objects.filter(policy="seed-2019").count() == 3
    assert queued == [("extract_features", segmented.pk)]

    Video.objects.update(state=VideoState.SEGMENTED)
    jobs.label_video(segmented.pk)
    assert TextLabel.objects.count() == 6


def test_features_are_keyed_by_position(segmented: Video, queued: list[Any]) -> None:
    Video.objects.update(state=VideoState.LABELLED)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    assert (video.state, video.features_extractor) == (VideoState.READY, DEFAULT_EXTRACTOR)
    table = read_features(Path(video.features.path))
    assert table.keys.tolist() == [0, 1, 2]
    assert table.X.shape == (3, 136)
    assert np.isfinite(table.X).all()

    first = video.features.name
    Video.objects.update(state=VideoState.LABELLED)
    jobs.extract_features(segmented.pk)
    again = Video.objects.get()
    assert again.features.name != first
    assert np.array_equal(read_features(Path(again.features.path)).X, table.X)


def test_a_video_without_kept_segments_is_ready_and_empty(segmented: Video, queued: list[Any]) -> None:
    segmented.segments.update(exclusion="shorter than 2 s")
    jobs.label_video(segmented.pk)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    assert video.state == VideoState.READY
    assert read_features(Path(video.features.path)).X.shape[0] == 0


# ---------------------------------------------------------------- train and predict_video

NAMES = tuple(f"feature {n}" for n in range(20))


def make_ready_video(factory: Factory, tmp_path: Path, seed: int, n: int = 12, **columns: Any) -> Video:
    """A ready video whose features tell the classes apart; each fifth segment has no label."""
    random = np.random.default_rng(seed)
    video = factory.make_video(features_extractor=DEFAULT_EXTRACTOR, **columns)
    X = np.zeros((n, len(NAMES)))
    for position in range(n):
        number = position % 3
        factory.make_segment(video, label=None if position % 5 == 4 else LABELS[number])
        X[position] = random.normal(loc=[3.0 * number, -2.0 * number] + [0.0] * 18, scale=0.5)
    path = tmp_path / f"features-{seed}.npz"
    write_features(path, FeatureTable(X=X, names=NAMES, keys=np.arange(n), extractor=DEFAULT_EXTRACTOR))
    video.features.save("features.npz", ContentFile(path.read_bytes()))
    return video


@pytest.fixture
def videos(factory: Factory, tmp_path: Path) -> list[Video]:
    return [make_ready_video(factory, tmp_path, seed) for seed in range(4)]


@pytest.fixture
def run(factory: Factory) -> TrainingRun:
    return factory.make_run(state=RunState.QUEUED, c_values=[0.1, 1.0], folds=2, seed=3)


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

    assert run.card["feature_names"] == list(NAMES)
    assert run.card["classes"] == list(LABELS)
    assert run.card["training_videos"] == [video.pk for video in videos]
    assert (run.card["short_window_s"], run.card["mid_window_s"]) == (0.05, 1.0)
    assert (run.card["label_policy"], run.card["seed"]) == ("recommended", 3)
    assert run.card["data_sha256"] == run.data_fingerprint
    assert len(run.data_fingerprint) == 64
    assert run.card["artifact_sha256"]


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


def test_a_new_video_is_predicted_by_the_final_model(
    videos: list[Video], run: TrainingRun, factory: Factory, tmp_path: Path
) -> None:
    jobs.train(run.pk)
    test = make_ready_video(factory, tmp_path, 9, split="test")
    jobs.predict_video(run.pk, test.pk)
    jobs.predict_video(run.pk, test.pk)
    predictions = Prediction.objects.filter(segment__video=test).order_by("segment__position")
    assert [prediction.label for prediction in predictions] == [LABELS[n % 3] for n in range(12)]
    assert all(prediction.fold is None for prediction in predictions)


def test_a_training_video_keeps_its_out_of_fold_predictions(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    mine = run.predictions.filter(segment__video=videos[0])
    before = list(mine.order_by("pk").values_list())
    assert len(before) == 10
    jobs.predict_video(run.pk, videos[0].pk)
    assert list(mine.filter(fold__isnull=False).order_by("pk").values_list()) == before
    unlabelled = mine.filter(fold__isnull=True)
    assert sorted(unlabelled.values_list("segment__position", flat=True)) == [4, 9]


def test_predictions_need_a_model_and_a_ready_video(videos: list[Video], run: TrainingRun, factory: Factory) -> None:
    jobs.predict_video(run.pk, videos[0].pk)
    jobs.predict_video(999, videos[0].pk)
    jobs.train(run.pk)
    jobs.predict_video(run.pk, factory.make_video(state=VideoState.QUEUED, split="test").pk)
    assert not Prediction.objects.filter(fold__isnull=True).exists()


def test_a_damaged_model_is_not_loaded(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    with default_storage.open(str(run.artifact.name), "ab") as file:
        file.write(b"x")
    with pytest.raises(StageError):
        jobs.predict_video(run.pk, videos[0].pk)


def test_features_of_another_extractor_are_computed_for_the_run(segmented: Video, queued: list[Any]) -> None:
    jobs.label_video(segmented.pk)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    table = labelling.features_of(video, "pyaudioanalysis-reference")
    assert table.extractor == "pyaudioanalysis-reference"
    assert table.keys.tolist() == [0, 1, 2]
    assert Video.objects.get().features_extractor == DEFAULT_EXTRACTOR


def test_the_result_of_a_superseded_training_is_dropped(
    videos: list[Video], run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training.train

    def train(*args: Any, **options: Any) -> Any:
        TrainingRun.objects.filter(pk=run.pk).update(attempts=2)  # another worker claimed it
        return real(*args, **options)

    monkeypatch.setattr(training, "train", train)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.predictions.count()) == (RunState.RUNNING, 2, 0)
    assert not default_storage.exists("trainingrun") or default_storage.listdir("trainingrun")[1] == []
