"""Jobs enter their queue once, and come back whatever an earlier run left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from redis import Redis
from rq import SimpleWorker
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from pipeline import queues
from pipeline.job_queue import enqueue_due_retries
from pipeline.liveness import process_mark, process_space, worker_lives, worker_names
from pipeline.queues import (
    JOBS,
    RETRY_PAUSES_S,
    QueueUnavailable,
    bring_forward_on_commit,
    enqueue,
    enqueue_on_commit,
    fetch_job,
    get_queue,
    job_id,
)
from pipeline.workers import PipelineWorker

NAME = "label_video-7"


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "UNSEEN_GRACE_S", 0.01)


def hold(job: Job, worker_name: str) -> None:
    """The job as it stands while a worker executes it."""
    get_queue(job.origin).remove(job)
    job.set_status(JobStatus.STARTED)
    with job.connection.pipeline() as pipeline:
        Execution.create(job, ttl=90, pipeline=pipeline, worker_name=worker_name)
        pipeline.execute()


@pytest.mark.parametrize("name", list(JOBS))
def test_each_job_has_its_queue_time_limit_and_growing_pauses(name: str, redis: Redis) -> None:
    keys = [3, 12][: JOBS[name].keys]
    assert enqueue(name, *keys)
    job = fetch_job(job_id(name, *keys))
    assert job is not None
    assert (job.func_name, list(job.args), job.origin) == (f"pipeline.jobs.{name}", keys, JOBS[name].queue)
    assert job.timeout == JOBS[name].timeout_s
    assert job.retry_intervals == RETRY_PAUSES_S == sorted(RETRY_PAUSES_S)
    assert job.retries_left == 3
    assert get_queue(JOBS[name].queue).job_ids == [job.id]


@pytest.mark.django_db(transaction=True)
def test_what_a_person_waits_for_comes_before_what_is_queued(redis: Redis) -> None:
    for pk in (1, 2, 3):
        enqueue("fetch_video", pk)
    with transaction.atomic():
        bring_forward_on_commit("fetch_video", 3)
        bring_forward_on_commit("fetch_video", 9)
    assert get_queue("download").job_ids == ["fetch_video-3", "fetch_video-1", "fetch_video-2"]


def test_arguments_are_json_and_no_pickle(redis: Redis) -> None:
    enqueue("label_video", 7)
    import zlib

    assert zlib.decompress(redis.hget(f"rq:job:{NAME}", "data")).startswith(b"[")  # type: ignore[arg-type]


def test_a_second_call_does_nothing_while_it_is_queued(redis: Redis) -> None:
    assert enqueue("label_video", 7)
    assert not enqueue("label_video", 7)
    assert get_queue("compute").job_ids == [NAME]


def test_a_second_call_does_nothing_while_a_living_worker_holds_it(redis: Redis) -> None:
    enqueue("label_video", 7)
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.register_birth()
    job = fetch_job(NAME)
    assert job is not None
    hold(job, worker.name)
    assert not enqueue("label_video", 7)
    assert queues.is_alive(NAME, running=True)


def test_a_second_call_does_nothing_while_it_waits_for_its_next_try(redis: Redis) -> None:
    enqueue("label_video", 7)
    job = fetch_job(NAME)
    assert job is not None
    get_queue("compute").remove(job)
    with redis.pipeline() as pipeline:
        job.retry(get_queue("compute"), pipeline)
        pipeline.execute()
    assert not enqueue("label_video", 7)
    assert not queues.is_alive(NAME, running=True)


def finished(job: Job) -> None:
    SimpleWorker([get_queue("compute")], connection=job.connection, serializer=JSONSerializer).work(burst=True)


def failed(job: Job) -> None:
    get_queue("compute").remove(job)
    job.set_status(JobStatus.FAILED)
    job.failed_job_registry.add(job, ttl=100)


def abandoned(job: Job) -> None:
    hold(job, "a worker that is gone")


def abandoned_long_ago(job: Job) -> None:
    hold(job, "a worker that is gone")
    for key in job.connection.keys("rq:execution:*"):
        job.connection.delete(key)


def taken_but_never_started(job: Job) -> None:
    queue = get_queue("compute")
    queue.remove(job)
    job.connection.rpush(queue.intermediate_queue_key, job.id)


@pytest.mark.django_db
@pytest.mark.parametrize("leave", [finished, failed, abandoned, abandoned_long_ago, taken_but_never_started])
def test_what_an_earlier_run_left_does_not_stop_a_new_one(leave: Callable[[Job], None], redis: Redis) -> None:
    enqueue("label_video", 7)
    job = fetch_job(NAME)
    assert job is not None
    leave(job)

    assert enqueue("label_video", 7)
    assert get_queue("compute").job_ids == [NAME]
    queue = get_queue("compute")
    assert queue.started_job_registry.get_job_ids() == queue.failed_job_registry.get_job_ids() == []
    assert queue.intermediate_queue.get_job_ids() == []
    assert not enqueue("label_video", 7)


@pytest.fixture
def taken(redis: Redis) -> Job:
    """A job that was taken from its queue and not yet marked as started, while a worker lives."""
    PipelineWorker([get_queue("compute")], connection=redis).register_birth()
    enqueue("label_video", 7)
    job = fetch_job(NAME)
    assert job is not None
    taken_but_never_started(job)
    return job


def test_a_page_waits_for_nothing_where_a_worker_may_just_have_taken_the_job(
    taken: Job, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, db: None
) -> None:
    monkeypatch.setattr(queues.time, "sleep", lambda seconds: pytest.fail("a page slept"))
    assert not enqueue("label_video", 7)
    assert not queues.enqueue_at("label_video", 7, when=timezone.now())
    assert queues.is_alive(NAME, patient=False)
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_on_commit("label_video", 7)
    assert get_queue("compute").job_ids == []


def test_the_look_for_work_waits_and_nobody_waits_for_it(taken: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = []
    monkeypatch.setattr(
        queues.time, "sleep", lambda seconds: locked.append(taken.connection.exists(queues.lock_key("label_video", 7)))
    )
    assert enqueue("label_video", 7, patient=True)
    assert locked == [0]
    assert get_queue("compute").job_ids == [NAME]


def test_the_look_for_work_leaves_what_a_worker_had_just_taken(taken: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    (worker,) = worker_names(taken.connection)
    monkeypatch.setattr(queues.time, "sleep", lambda seconds: hold(taken, worker))
    assert not enqueue("label_video", 7, patient=True)
    assert not queues.enqueue_at("label_video", 7, when=timezone.now(), patient=True)
    assert queues.is_alive(NAME)


def test_a_lock_that_is_not_given_back_is_a_sentence(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "ANSWER_TIMEOUT_S", 0.2)
    redis.set(queues.lock_key("train", 5), "somebody who sleeps")
    with pytest.raises(QueueUnavailable):
        enqueue("train", 5)


@pytest.mark.django_db
def test_nothing_is_queued_before_the_commit(redis: Redis, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            enqueue_on_commit("train", 5)
        assert get_queue("compute").job_ids == []
    assert get_queue("compute").job_ids == ["train-5"]


def test_an_unreachable_server_is_a_sentence_at_once(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    start = time.monotonic()
    with pytest.raises(QueueUnavailable, match="make run"):
        enqueue("train", 5)
    assert time.monotonic() - start < 2


def test_a_due_retry_goes_back_to_its_queue_once(redis: Redis) -> None:
    enqueue("label_video", 7)
    enqueue("label_video", 8)
    queue = get_queue("compute")
    for name, seconds in ((NAME, -1), ("label_video-8", 100)):
        job = fetch_job(name)
        assert job is not None
        queue.remove(job)
        job.set_status(JobStatus.SCHEDULED)
        redis.zadd(queue.scheduled_job_registry.key, {name: int(time.time()) + seconds})

    assert enqueue_due_retries(queue) == 1
    assert enqueue_due_retries(queue) == 0
    assert queue.job_ids == [NAME]
    job = fetch_job(NAME)
    assert job is not None
    assert job.retries_left == 3


def test_workers_are_seen_while_they_live(redis: Redis) -> None:
    assert not queues.has_workers()
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.register_birth()
    assert queues.has_workers()
    worker.register_death()
    assert not queues.has_workers()


def test_a_worker_reads_no_pickles_whatever_it_is_told(redis: Redis) -> None:
    worker = PipelineWorker([get_queue("compute")], connection=redis, serializer="rq.serializers.DefaultSerializer")
    assert worker.serializer is JSONSerializer


def test_a_process_that_ended_is_dead_and_so_is_a_zombie() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = process_mark(child.pid)
    assert mark
    assert mark == process_mark(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is over, and nobody has collected it yet
    assert process_mark(child.pid) == ""
    child.wait()
    assert process_mark(child.pid) == ""


def test_a_worker_of_another_machine_lives_as_long_as_its_record(redis: Redis) -> None:
    record: dict[Any, Any] = {"pid": "1", "process_space": "elsewhere", "process_mark": "1"}
    redis.hset("rq:worker:far", mapping=record)
    redis.hset("rq:worker:near", mapping={**record, "pid": "999999999", "process_space": process_space()})
    redis.hset("rq:worker:left", mapping={**record, "death": "2026-01-01"})
    assert [worker_lives(redis, name) for name in ("far", "near", "left", "unknown")] == [True, False, False, False]
