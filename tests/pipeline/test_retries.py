"""What RQ does with a job that failed, seen through a worker that runs in this process."""

from typing import Any

import pytest
from django.db import connections
from redis import Redis
from rq import SimpleWorker
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from pipeline.choices import RunState, VideoState
from pipeline.endings import MAX_DEATHS
from pipeline.models import Video
from pipeline.queues import RETRY_PAUSES_S, enqueue, fetch_job, get_queue
from pipeline.stages.errors import StageError
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.conftest import Downloader, vtt


def work(queue: str) -> None:
    SimpleWorker([get_queue(queue)], connection=get_queue(queue).connection, serializer=JSONSerializer).work(burst=True)


def job_of(video: Video) -> Job:
    job = fetch_job(f"fetch_video-{video.pk}")
    assert job is not None
    return job


def test_a_passing_failure_is_scheduled_after_growing_pauses(online: Video, site: Downloader, redis: Redis) -> None:
    site(error=StageError("The site asks for a pause.", permanent=False))
    enqueue("fetch_video", online.pk)
    queue, pauses = get_queue("download"), []
    for _ in RETRY_PAUSES_S:
        work("download")
        job = job_of(online)
        assert job.get_status() == JobStatus.SCHEDULED
        assert Video.objects.get().state == VideoState.QUEUED
        pauses.append(round((queue.scheduled_job_registry.get_scheduled_time(job) - job.ended_at).total_seconds()))
        queue.scheduled_job_registry.remove(job)
        queue.enqueue_job(job)
    work("download")
    assert pauses == pytest.approx(RETRY_PAUSES_S, abs=2)
    assert Video.objects.get().state == VideoState.FAILED
    assert job_of(online).get_status() == JobStatus.FINISHED


def test_a_permanent_failure_is_not_tried_again(online: Video, site: Downloader, redis: Redis) -> None:
    site(error=StageError("The video is private."))
    enqueue("fetch_video", online.pk)
    work("download")
    assert job_of(online).get_status() == JobStatus.FINISHED
    assert Video.objects.get().state == VideoState.FAILED


def test_a_fault_of_ours_keeps_its_traceback_and_is_not_tried_again(
    online: Video, site: Downloader, redis: Redis
) -> None:
    site(error=KeyError("detail"))
    enqueue("fetch_video", online.pk)
    work("download")
    job = job_of(online)
    assert job.get_status() == JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert "KeyError: 'detail'" in str(result.exc_string)
    assert Video.objects.get().state == VideoState.FAILED


def test_a_job_takes_over_a_video_that_its_dead_predecessor_held(
    online: Video, site: Downloader, redis: Redis, next_jobs: list[Any]
) -> None:
    Video.objects.update(state=VideoState.FETCHING, attempts=1)
    site(captions=vtt())
    enqueue("fetch_video", online.pk)
    work("download")
    assert Video.objects.get().state == VideoState.SEGMENTED


@pytest.mark.parametrize("deaths", [1, MAX_DEATHS])
def test_a_job_whose_process_is_killed_gives_its_row_back_at_once(
    deaths: int, factory: Factory, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test's own among them
    video = factory.make_video(state=VideoState.FETCHING, attempts=1, deaths=deaths - 1)
    run = factory.make_run(state=RunState.RUNNING, attempts=1, deaths=deaths - 1)
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    for name, row in (("fetch_video", video), ("train", run)):
        enqueue(name, row.pk)
        job = fetch_job(f"{name}-{row.pk}")
        assert job is not None
        worker.handle_work_horse_killed(job, 0, 9, None)
        row.refresh_from_db()
    assert (video.state, run.state) == (("queued", "queued") if deaths == 1 else ("failed", "failed"))
