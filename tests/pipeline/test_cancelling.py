"""Removing a video takes the work on it away, wherever that stands."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from pipeline import intake, recovery
from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from pipeline.queues import enqueue, enqueue_at, fetch_job, get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.test_queues import hold

SITE = "youtube.com"


@pytest.fixture
def remove(django_capture_on_commit_callbacks: Any) -> Any:
    def remove(video: Video) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            intake.remove(video)

    return remove


@pytest.mark.parametrize(
    ("job", "queue"), [("fetch_video", "download"), ("label_video", "compute"), ("extract_features", "compute")]
)
@pytest.mark.parametrize("scheduled", [False, True], ids=["queued", "scheduled"])
def test_a_job_that_waits_is_taken_out(
    job: str, queue: str, scheduled: bool, factory: Factory, redis: Redis, remove: Any
) -> None:
    video = factory.make_video(state=VideoState.QUEUED)
    if scheduled:
        enqueue_at(job, video.pk, when=timezone.now() + timedelta(hours=1))
    else:
        enqueue(job, video.pk)
    other = factory.make_video()
    enqueue(job, other.pk)
    remove(video)
    assert fetch_job(f"{job}-{video.pk}") is None
    assert get_queue(queue).scheduled_job_registry.get_job_ids() == []
    assert get_queue(queue).job_ids == [f"{job}-{other.pk}"]


def test_predictions_of_it_are_taken_out(factory: Factory, redis: Redis, remove: Any) -> None:
    run, video = factory.make_run(), factory.make_video(split="test")
    intake.predict_all(run, "test")
    enqueue("predict_video", run.pk, video.pk)
    remove(video)
    assert get_queue("compute").job_ids == []


def test_a_running_job_is_stopped_by_its_worker(factory: Factory, redis: Redis, remove: Any) -> None:
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.register_birth()
    video = factory.make_video(state=VideoState.EXTRACTING)
    enqueue("extract_features", video.pk)
    name = f"extract_features-{video.pk}"
    job = fetch_job(name)
    assert job is not None
    hold(job, worker.name)
    redis.hset(job.key, "worker_name", worker.name)
    heard = redis.pubsub(ignore_subscribe_messages=True)
    heard.subscribe(f"rq:pubsub:{worker.name}")
    heard.get_message(timeout=1)
    remove(video)
    message = heard.get_message(timeout=5)
    assert message is not None
    assert message["data"] == f'{{"command": "stop-job", "job_id": "{name}"}}'.encode()
    heard.close()


def test_its_turn_goes_to_the_next_video(factory: Factory, redis: Redis, remove: Any, no_pause: None) -> None:
    video = factory.make_video(state=VideoState.FETCHING, site=SITE)
    waiting = factory.make_video(state=VideoState.QUEUED, site=SITE)
    now = timezone.now()
    DownloadSite.objects.create(name=SITE, holder=video.pk, held_until=now + timedelta(hours=3), free_at=now)
    remove(video)
    site = DownloadSite.objects.get()
    assert (site.holder, site.called) == (None, waiting.pk)
    assert get_queue("download").job_ids == [f"fetch_video-{waiting.pk}"]


def test_its_turn_is_given_back_at_the_site_that_the_row_names_by_then(
    factory: Factory, redis: Redis, remove: Any, no_pause: None
) -> None:
    video = factory.make_video(state=VideoState.FETCHING, site="")
    now = timezone.now()
    Video.objects.filter(pk=video.pk).update(site=SITE)
    DownloadSite.objects.create(name=SITE, holder=video.pk, held_until=now + timedelta(hours=3), free_at=now)
    remove(video)
    assert DownloadSite.objects.get().holder is None


def test_the_work_on_a_removed_run_is_taken_out(
    factory: Factory, redis: Redis, django_capture_on_commit_callbacks: Any
) -> None:
    run = factory.make_run(predictions_wanted={"7": 0, "8": 0})
    key = run.pk
    enqueue("train", run.pk)
    for video in (7, 8, 9):
        enqueue("predict_video", run.pk, video)
    with django_capture_on_commit_callbacks(execute=True):
        intake.remove_run(run)
    assert get_queue("compute").job_ids == [f"predict_video-{key}-9"]


def test_it_works_without_a_queue_server(factory: Factory, settings: Any, tmp_path: Path, remove: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    video = factory.make_video(state=VideoState.FETCHING, site=SITE)
    DownloadSite.objects.create(name=SITE, holder=video.pk, held_until=timezone.now() + timedelta(hours=3))
    remove(video)
    assert not Video.objects.exists()
    assert DownloadSite.objects.get().holder is None
    assert not recovery.is_wanted("fetch_video", video.pk)


def test_what_is_wanted_is_what_is_there(factory: Factory) -> None:
    run, video = factory.make_run(), factory.make_video()
    assert recovery.is_wanted("train", run.pk)
    assert recovery.is_wanted("predict_video", run.pk, video.pk)
    assert not recovery.is_wanted("train", run.pk + 1)
    assert not recovery.is_wanted("predict_video", run.pk, video.pk + 1)
    assert not recovery.is_wanted("predict_video", run.pk + 1, video.pk)
