"""`predict`."""

import json
from typing import Any

import pytest
from redis import Redis

from pipeline import waiting
from pipeline.models import Segment, TrainingRun
from pipeline.queues import fetch_job, get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(factory: Factory) -> TrainingRun:
    return factory.make_run()


def test_it_queues_both_splits_or_one(
    run: TrainingRun, factory: Factory, redis: Redis, command: Command, django_capture_on_commit_callbacks: Any
) -> None:
    train, test = factory.make_video(), factory.make_video(split="test")
    with django_capture_on_commit_callbacks(execute=True):
        status, out, _ = command("predict", run.pk, "--split", "test")
    assert (status, out) == (0, f"Run {run.pk}: 1 video queued, 0 predictions.\n")
    assert get_queue("compute").job_ids == [f"predict_video-{run.pk}-{test.pk}"]
    with django_capture_on_commit_callbacks(execute=True):
        assert json.loads(command("predict", run.pk, "--format", "json")[1])["videos"] == 2
    assert set(get_queue("compute").job_ids) == {f"predict_video-{run.pk}-{pk}" for pk in (train.pk, test.pk)}


@pytest.mark.parametrize("predicted", [True, False])
def test_it_waits_and_fails_where_a_video_has_no_prediction(
    predicted: bool, run: TrainingRun, factory: Factory, redis: Redis, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    PipelineWorker([get_queue("compute")], connection=redis).register_birth()
    segment = factory.make_segment()
    monkeypatch.setattr(
        "pipeline.intake.enqueue_on_commit", lambda *job: __import__("pipeline.queues").queues.enqueue(*job)
    )

    def work(seconds: float) -> None:
        job = fetch_job(f"predict_video-{run.pk}-{segment.video_id}")
        assert job is not None
        if predicted:
            factory.make_prediction(run, Segment.objects.get())
        job.delete()

    monkeypatch.setattr(waiting.wait, "__kwdefaults__", {"pause": work})
    status, out, err = command("predict", run.pk, "--wait", "--format", "json")
    document = json.loads(out)
    assert (status, document["missing_videos"]) == ((0, []) if predicted else (1, [segment.video_id]))
    assert ("Without predictions: 1 video" in err) is not predicted


def test_a_run_that_is_not_there_or_not_done_is_a_sentence(factory: Factory, command: Command) -> None:
    assert "There is no training run 99" in command("predict", 99)[2]
    status, _, err = command("predict", factory.make_run(state="running").pk)
    assert status == 1
    assert "no model yet" in err
