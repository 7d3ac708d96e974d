"""Retry, remove, train, predict: orders for what is there already."""

from typing import Any

import pytest
from django.core.files.storage import default_storage
from redis import Redis

from pipeline.choices import RunState, VideoState
from pipeline.intake import (
    predict_all,
    remove,
    retry,
    start_run,
)
from pipeline.models import TrainingRun, Video
from pipeline.queues import QueueUnavailable, get_queue
from pipeline.stages.errors import StageError
from tests.factories import Factory
from tests.pipeline.uploads import captions, recording, upload

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("state", "segments", "expected", "job"),
    [
        ("failed", False, "queued", "fetch_video"),
        ("failed", True, "segmented", "label_video"),
        ("stored", False, "queued", "fetch_video"),
    ],
)
def test_a_retry_goes_on_where_the_video_stands(
    state: str,
    segments: bool,
    expected: str,
    job: str,
    factory: Factory,
    redis: Redis,
    django_capture_on_commit_callbacks: Any,
) -> None:
    video = factory.make_video(state=state, attempts=4, error_message="It broke.", error_permanent=True)
    if segments:
        factory.make_segment(video)
    with django_capture_on_commit_callbacks(execute=True):
        assert retry(video)
    video = Video.objects.get()
    assert (video.state, video.attempts, video.error_message, video.error_permanent) == (expected, 0, "", False)
    assert [*get_queue("download").job_ids, *get_queue("compute").job_ids] == [f"{job}-{video.pk}"]


@pytest.mark.parametrize("state", ["queued", "fetching", "no-captions", "ready"])
def test_a_video_that_did_not_fail_is_not_retried(state: str, factory: Factory) -> None:
    video = factory.make_video(state=state)
    assert not retry(video)
    assert Video.objects.get().state == state


def test_a_removed_video_takes_its_files_along(factory: Factory, django_capture_on_commit_callbacks: Any) -> None:
    video = upload(recording(), captions())
    factory.make_segment(video)
    with django_capture_on_commit_callbacks(execute=True):
        remove(video)
    assert not Video.objects.exists()
    assert default_storage.listdir("video")[1] == []


def test_a_video_in_a_campaign_is_not_removed(factory: Factory, django_capture_on_commit_callbacks: Any) -> None:
    video = upload(recording(), None)
    factory.make_task(segment=factory.make_segment(video))
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(StageError, match="campaign"):
        remove(video)
    assert Video.objects.get().source.read() == b"some sound"


def test_a_run_is_stored_and_queued(factory: Factory, redis: Redis, django_capture_on_commit_callbacks: Any) -> None:
    user = factory.make_user(role="admin")
    with django_capture_on_commit_callbacks(execute=True):
        run = start_run({"extractor": "pyaudioanalysis-136", "c_values": [1.0], "seed": 4}, user)
    run.refresh_from_db()
    assert (run.state, run.created_by, run.seed) == (RunState.QUEUED, user, 4)
    assert get_queue("compute").job_ids == [f"train-{run.pk}"]


def test_a_run_is_stored_when_the_queue_is_unreachable(unreachable: None) -> None:
    with pytest.raises(QueueUnavailable):
        start_run({"extractor": "pyaudioanalysis-136"})
    assert TrainingRun.objects.get().state == RunState.QUEUED


def test_predictions_are_queued_for_the_ready_videos_of_a_split(
    factory: Factory, redis: Redis, django_capture_on_commit_callbacks: Any
) -> None:
    run = factory.make_run()
    ready = factory.make_video(split="test")
    factory.make_video(split="test", state=VideoState.QUEUED)
    factory.make_video(split="train")
    with django_capture_on_commit_callbacks(execute=True):
        assert predict_all(run, "test") == 1
    assert get_queue("compute").job_ids == [f"predict_video-{run.pk}-{ready.pk}"]


def test_predictions_need_a_trained_model_a_split_and_a_queue(factory: Factory, unreachable: None) -> None:
    with pytest.raises(StageError, match="no model yet"):
        predict_all(factory.make_run(state=RunState.RUNNING), "test")
    with pytest.raises(StageError, match="no split"):
        predict_all(factory.make_run(), "both")
    video = factory.make_video(split="test")
    run = factory.make_run()
    with pytest.raises(StageError, match="stored and waits"):
        predict_all(run, "test")
    run.refresh_from_db()
    assert run.predictions_wanted == {str(video.pk): 0}
