"""Whatever a neighbour writes under the names that the queues use, no worker ends at it and no page breaks."""

import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rq.exceptions import DequeueTimeout

from pipeline import queues, workers
from pipeline.cancelling import cancel, how_it_ended
from pipeline.endings import End
from pipeline.job_queue import DROPPED_AT_ONCE, PipelineQueue
from pipeline.liveness import process_space
from pipeline.own_jobs import MAX_KEPT_S, MAX_PAUSE_S, MAX_TRIES_LEFT, PLACES
from pipeline.queues import FAILURE_KEPT_S, QueueUnavailable, enqueue, get_queue, has_workers, is_alive, lock_key
from pipeline.workers import PipelineWorker
from tests.pipeline.crafted import call, put, record

NAME = "label_video-7"
FUNCTION = "pipeline.jobs.label_video"
DEEP = "[" * 9_000
FAR = "9999-12-31T23:59:59.999999Z"
MAKERS: dict[str, Any] = {
    "string": lambda redis, key: redis.set(key, "x"),
    "list": lambda redis, key: redis.rpush(key, "x"),
    "set": lambda redis, key: redis.sadd(key, "x"),
    "zset": lambda redis, key: redis.zadd(key, {"x": 1}),
    "hash": lambda redis, key: redis.hset(key, "x", "1"),
    "stream": lambda redis, key: redis.xadd(key, {"x": "1"}),
}
# With the type that RQ takes for granted.
KEYS = {
    "rq:workers": "set",
    "rq:workers:compute": "set",
    "rq:queues": "set",
    "rq:queue:compute": "list",
    "rq:queue:compute:intermediate": "list",
    "rq:wip:compute": "zset",
    "rq:scheduled:compute": "zset",
    "rq:failed:compute": "zset",
    "rq:finished:compute": "zset",
    "rq:deferred:compute": "zset",
    "rq:canceled:compute": "zset",
}


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "UNSEEN_GRACE_S", 0.01)


@pytest.fixture
def worker(redis: Any, monkeypatch: pytest.MonkeyPatch) -> PipelineWorker:
    """One that works in this process."""
    monkeypatch.setattr(PipelineWorker, "_install_signal_handlers", lambda self: None)
    for name in ("subscribe", "unsubscribe"):  # which wait a second for their thread
        monkeypatch.setattr(PipelineWorker, name, lambda self: None)
    monkeypatch.setattr(workers, "load", lambda names: None)
    monkeypatch.setattr(workers.recovery, "resume", lambda: 0)
    monkeypatch.setattr(workers, "clear_expired", lambda: None)
    return PipelineWorker([get_queue("compute")], connection=redis)


def taken(redis: Any) -> Any:
    found = PipelineQueue.dequeue_any([PipelineQueue("compute", redis)], None, redis)
    return found[0] if found else None


def test_a_job_of_ours_keeps_our_limits_whatever_its_record_says(redis: Any) -> None:
    huge = "9" * 400
    numbers = {"result_ttl": huge, "failure_ttl": huge, "retries_left": huge, "retry_intervals": f"[{huge}]"}
    put(redis, NAME, record(call(FUNCTION, 7), timeout="1", **numbers))
    job = taken(redis)
    assert job.timeout == PLACES[FUNCTION].timeout_s
    assert job.result_ttl == job.failure_ttl == MAX_KEPT_S == FAILURE_KEPT_S
    assert (job.retries_left, job.retry_intervals) == (MAX_TRIES_LEFT, [MAX_PAUSE_S])


@pytest.mark.parametrize("fields", [{"retry_intervals": DEEP}, {"status": ""}], ids=["deep", "without a status"])
def test_a_record_that_cannot_be_read_is_in_nobodys_way(fields: dict[str, str], redis: Any) -> None:
    put(redis, NAME, record(call(FUNCTION, 7), **fields))
    assert taken(redis) is None
    put(redis, NAME, record(call(FUNCTION, 7), **fields))
    cancel("label_video", 7)
    put(redis, NAME, record(call(FUNCTION, 7), **fields))
    assert enqueue("label_video", 7)


@pytest.mark.parametrize("moment", ["9" * 400, "99999999999999", "NaN"], ids=["400 digits", "14 digits", "NaN"])
@pytest.mark.parametrize("execution", [b"x", b"\xff\xfe"], ids=["text", "bytes"])
def test_an_execution_that_cannot_be_read_is_nobodys(execution: bytes, moment: str, redis: Any) -> None:
    put(redis, NAME, record(call(FUNCTION, 7)))
    redis.delete("rq:queue:compute")
    redis.hset(f"rq:job:{NAME}", "status", "started")
    redis.zadd(f"rq:executions:{NAME}", {execution: time.time() + 90})
    fields = {"worker_name": "w", "created_at": moment, "last_heartbeat": moment}
    redis.hset(b"rq:execution:" + NAME.encode() + b":" + execution, mapping=fields)
    assert not is_alive(NAME, patient=False)
    assert enqueue("label_video", 7)


@pytest.mark.parametrize("pid", ["9" * 300, "9" * 5_000], ids=["300 digits", "5000 digits"])
def test_a_worker_with_an_impossible_number_does_not_live(pid: str, redis: Any) -> None:
    redis.sadd("rq:workers", "rq:worker:w")
    redis.hset("rq:worker:w", mapping={"pid": pid, "process_space": process_space()})
    assert not has_workers()


def test_how_a_job_ended_is_not_known_from_what_makes_no_sense(redis: Any) -> None:
    host, _, rest = process_space().partition(" ")
    redis.hset(f"rq:job:{NAME}", mapping={"process_space": f"elsewhere {rest}", "last_heartbeat": FAR})
    redis.sadd("rq:workers", "rq:worker:w", "rq:worker:list")
    redis.rpush("rq:worker:list", "x")
    fields = {"pid": "1", "birth": FAR, "last_heartbeat": FAR, "process_space": f"another{host} {rest}"}
    redis.hset("rq:worker:w", mapping=fields)
    assert how_it_ended(NAME) is End.UNKNOWN
    redis.delete(f"rq:job:{NAME}")
    redis.rpush(f"rq:job:{NAME}", "x")
    assert how_it_ended(NAME) is End.UNKNOWN


@pytest.mark.parametrize("key", KEYS)
def test_a_worker_starts_and_works_where_a_key_is_of_another_type(key: str, worker: PipelineWorker, redis: Any) -> None:
    for kind, make in MAKERS.items():
        if kind == KEYS[key]:
            continue
        redis.flushall()
        make(redis, key)
        worker.last_cleaned_at = None
        worker._stop_requested = False
        worker.work(burst=True)
        assert worker.death_date is not None, kind
        assert redis.type(key) in (KEYS[key].encode(), b"none"), kind
        assert enqueue("label_video", 7), kind
        assert taken(redis).id == NAME, kind


def test_workers_whose_names_are_no_text_are_forgotten(worker: PipelineWorker, redis: Any) -> None:
    redis.sadd("rq:workers", b"\xff")
    redis.sadd("rq:workers:compute", b"\xff")
    worker.run_maintenance_tasks()
    assert not redis.exists("rq:workers", "rq:workers:compute")


def test_a_schedule_of_another_type_does_not_end_a_worker_at_work(worker: PipelineWorker, redis: Any) -> None:
    redis.set("rq:scheduled:compute", "x")
    worker.heartbeat()


@pytest.mark.parametrize("kind", MAKERS)
def test_a_lock_that_is_none_of_ours_is_in_the_way_once_only(
    kind: str, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "ANSWER_TIMEOUT_S", 0.1)
    MAKERS[kind](redis, lock_key("label_video", 7))
    with pytest.raises(QueueUnavailable):
        enqueue("label_video", 7)
    assert enqueue("label_video", 7)


def test_ids_of_nothing_do_not_keep_a_worker_from_showing_itself(redis: Any) -> None:
    ids = [f"nothing-{number}" for number in range(DROPPED_AT_ONCE + 5)]
    redis.rpush("rq:queue:compute", *ids)
    enqueue("label_video", 7)
    with pytest.raises(DequeueTimeout):
        taken(redis)
    assert not redis.exists("rq:queue:compute:intermediate")
    assert taken(redis).id == NAME


def test_a_command_that_is_nested_too_deeply_does_not_end_the_listening(worker: PipelineWorker) -> None:
    worker.handle_payload({"data": DEEP.encode() * 20})


@pytest.mark.django_db
def test_the_page_of_a_job_shows_no_error_of_a_result_nested_too_deeply(
    admin_client: Client, redis: Any, settings: Any
) -> None:
    settings.RQ_QUEUES = {name: {**queue, "URL": settings.REDIS_URL} for name, queue in settings.RQ_QUEUES.items()}
    put(redis, NAME, record(call(FUNCTION, 7), result=DEEP))
    redis.xadd(f"rq:results:{NAME}", {"type": "1", "return_value": DEEP})
    assert admin_client.get(reverse("django_rq:job_detail", args=[1, NAME])).status_code in (200, 404)
