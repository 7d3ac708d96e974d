"""`process`."""

import json
from typing import Any

import pytest
from redis import Redis

from pipeline import waiting
from pipeline.choices import RunState, VideoState
from pipeline.models import TrainingRun, Video
from pipeline.queues import get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(redis: Redis) -> PipelineWorker:
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.register_birth()
    return worker


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Functions that run one by one while the command waits, in place of the workers."""
    steps: list[Any] = []
    monkeypatch.setattr(waiting.wait, "__kwdefaults__", {"pause": lambda seconds: steps.pop(0)()})
    return steps


def test_it_queues_what_waits_and_tells_how_things_stand(factory: Factory, redis: Redis, command: Command) -> None:
    factory.make_video(state=VideoState.QUEUED)
    factory.make_video(state=VideoState.READY)
    factory.make_run(state=RunState.QUEUED)
    status, out, _ = command("process")
    assert status == 0
    assert out == "Newly queued: 2 jobs.\nVideos: 1 queued, 1 ready.\nTraining runs: 1 queued.\n"
    assert command("process", "--format", "json")[1].count("{") == 3


def test_stored_videos_are_fetched_on_request_only(factory: Factory, redis: Redis, command: Command) -> None:
    factory.make_video(state=VideoState.STORED)
    assert json.loads(command("process", "--format", "json")[1])["queued"] == 0
    assert json.loads(command("process", "--fetch-stored", "--format", "json")[1])["queued"] == 1


def test_it_waits_until_everything_is_settled(
    factory: Factory, worker: PipelineWorker, meanwhile: list[Any], command: Command
) -> None:
    video, run = factory.make_video(state=VideoState.QUEUED), factory.make_run(state=RunState.QUEUED)
    factory.make_video(state=VideoState.FAILED, error_message="An old failure.")
    meanwhile += [
        lambda: Video.objects.filter(pk=video.pk).update(state=VideoState.LABELLED),
        lambda: Video.objects.filter(pk=video.pk).update(state=VideoState.READY),
        lambda: TrainingRun.objects.filter(pk=run.pk).update(state=RunState.DONE),
    ]
    status, out, _ = command("process", "--wait", "--format", "json")
    assert (status, meanwhile) == (0, [])
    assert json.loads(out)["videos"] == {"failed": 1, "ready": 1}


def test_a_failure_while_it_waits_is_told_and_is_status_1(
    factory: Factory, worker: PipelineWorker, meanwhile: list[Any], command: Command
) -> None:
    factory.make_video(state=VideoState.QUEUED, title="A talk")
    meanwhile.append(lambda: Video.objects.update(state=VideoState.FAILED, error_message="The video is private."))
    status, out, err = command("process", "--wait")
    assert status == 1
    assert "“A talk”: The video is private." in out
    assert "1 failure" in err


def test_without_workers_it_does_not_wait_forever(
    factory: Factory, redis: Redis, monkeypatch: pytest.MonkeyPatch, meanwhile: list[Any], command: Command
) -> None:
    monkeypatch.setattr(waiting, "WORKERS_GRACE_S", -1)
    factory.make_video(state=VideoState.QUEUED)
    status, _, err = command("process", "--wait")
    assert status == 1
    assert "No worker is running" in err


def test_without_a_queue_server_it_says_to_start_it(
    factory: Factory, settings: Any, tmp_path: Any, command: Command
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    factory.make_video(state=VideoState.QUEUED)
    status, out, err = command("process")
    assert (status, out) == (1, "")
    assert "make run" in err
