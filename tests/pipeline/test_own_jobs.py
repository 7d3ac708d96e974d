"""No record of the queue server but the project's own is run, imported or unpickled."""

import json
import time
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import FailedJobRegistry

from crossmodal.demo import turns
from pipeline import listing
from pipeline.job_queue import PipelineQueue, enqueue_due_retries
from pipeline.own_jobs import DEMONSTRATION_JOB, LIST_JOB, OTHERS, PLACES, ForeignJobError
from pipeline.queues import JOBS, enqueue, fetch_job, get_queue, is_alive, job_id
from pipeline.workers import PipelineWorker
from tests.pipeline.crafted import Opened, call, foreign_records, put, record

IDS = sorted(foreign_records(Path("x")))


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    return tmp_path / "proof"


def taken(redis: Any, *queues: str) -> Job | None:
    """The next job that a worker would run."""
    own = [PipelineQueue(name, redis) for name in queues or ("compute",)]
    found = PipelineQueue.dequeue_any(own, None, redis)
    return found[0] if found else None


def expired_execution(redis: Any, job_id: str) -> None:
    redis.zadd("rq:wip:compute", {f"{job_id}:execution": time.time() - 1000})


@pytest.mark.parametrize("name", IDS)
def test_a_foreign_job_is_put_aside_and_none_runs(
    name: str, redis: Any, proof: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(redis, name, foreign_records(proof)[name])
    assert taken(redis) is None
    assert f"Refused {name}" in caplog.text
    assert not proof.exists()
    queue = get_queue("compute")
    assert FailedJobRegistry(queue=queue).get_job_ids() == [name]
    kept = Job.fetch(name, connection=redis)
    assert kept.get_status() == "failed"
    assert str(kept.description).startswith("Refused: ")
    with pytest.raises(ForeignJobError):
        _ = kept.func
    kept.requeue()  # as the button in the list of failed jobs does
    assert taken(redis) is None


@pytest.mark.parametrize("name", list(JOBS))
def test_every_job_of_ours_is_run(name: str, redis: Any) -> None:
    keys = range(1, JOBS[name].keys + 1)
    assert enqueue(name, *keys)
    job = taken(redis, JOBS[name].queue)
    assert job is not None
    assert (job.id, job.func.__name__) == (job_id(name, *keys), name)


def test_lists_and_the_demonstration_are_run_too(redis: Any, db: None) -> None:
    listing.ask("https://www.youtube.com/playlist?list=PLabcdefghijklmnop")
    turns._enqueue(3, turns.PAUSE * 0)
    jobs = [taken(redis, "download"), taken(redis, "compute")]
    assert [job.func_name for job in jobs if job] == [LIST_JOB, DEMONSTRATION_JOB] == list(OTHERS)
    assert all(callable(job.func) for job in jobs if job)


@pytest.mark.parametrize("name", list(PLACES))
def test_no_name_of_the_register_leads_nowhere(name: str) -> None:
    from rq.utils import import_attribute

    assert import_attribute(name).__name__ == name.rpartition(".")[2]


def test_a_scheduled_foreign_job_is_not_queued(redis: Any, proof: Path) -> None:
    for name, fields in foreign_records(proof).items():
        redis.hset(f"rq:job:{name}", mapping=fields)
        redis.zadd("rq:scheduled:compute", {name: 1})
    redis.zadd("rq:scheduled:compute", {b"\xff\xfe": 1, "no such job": 1})
    assert enqueue_due_retries(get_queue("compute")) == 0
    assert get_queue("compute").job_ids == []
    assert not redis.zcard("rq:scheduled:compute")


@pytest.mark.parametrize("of_type", ["text", "list", "set"])
def test_a_record_of_another_type_is_no_job(of_type: str, redis: Any) -> None:
    key = "rq:job:label_video-7"
    put_one: Any = {"text": redis.set, "list": redis.rpush, "set": redis.sadd}[of_type]
    put_one(key, "x")
    redis.rpush("rq:queue:compute", "label_video-7")
    assert taken(redis) is None
    assert Job.fetch("label_video-7", connection=redis).get_status() == "failed"


@pytest.mark.parametrize("entry", [b"\xff\xfe", "a:b:c", "a b", "../x", ""])
def test_an_id_that_is_none_is_dropped(entry: str | bytes, redis: Any) -> None:
    redis.rpush("rq:queue:compute", entry)
    enqueue("label_video", 7)
    job = taken(redis)
    assert job is not None
    assert job.id == "label_video-7"


def test_a_record_in_the_way_of_a_job_of_ours_goes(redis: Any, proof: Path) -> None:
    redis.hset("rq:job:label_video-7", mapping=foreign_records(proof)["label_video-7"])
    assert fetch_job("label_video-7") is None
    assert enqueue("label_video", 7)
    job = taken(redis)
    assert job is not None
    assert job.success_callback is None


@pytest.mark.django_db
def test_maintenance_runs_no_callback_and_outlives_what_it_cannot_read(redis: Any, proof: Path) -> None:
    """RQ calls the failure callback of jobs whose worker is gone, in the process that looks."""
    fields = record(call("os.system", f"touch {proof}"), failure_callback_name="pathlib.Path.touch")
    redis.hset("rq:job:abandoned", mapping=fields)
    expired_execution(redis, "abandoned")
    for key in ("rq:wip:compute", "rq:scheduled:compute", "rq:failed:compute"):
        redis.zadd(key, {"a:b:c": 5, b"\xff": 5, "": 5})
    redis.rpush("rq:queue:compute:intermediate", b"\xff", "abandoned", "gone")
    redis.sadd("rq:groups", b"\xff")
    enqueue("label_video", 7)
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.run_maintenance_tasks()
    assert not proof.exists()
    assert redis.zcard("rq:wip:compute") == redis.zcard("rq:scheduled:compute") == 0
    assert is_alive("label_video-7")


def test_a_message_that_is_no_command_does_not_end_the_listening(redis: Any) -> None:
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    for data in (b"\xff", b"[]", b"{}", b"null", b'{"command": []}'):
        worker.handle_payload({"data": data})


def test_crafted_executions_and_workers_stop_nobody(redis: Any) -> None:
    enqueue("label_video", 7)
    redis.hset("rq:job:label_video-7", "status", "started")
    redis.lrem("rq:queue:compute", 0, "label_video-7")
    redis.zadd("rq:wip:compute", {"label_video-7:x": time.time() + 90, "a:b:c": 5})
    redis.zadd("rq:executions:label_video-7", {"x": time.time() + 90})
    redis.hset("rq:execution:label_video-7:x", mapping={"worker_name": b"\xff"})
    redis.sadd("rq:workers", "rq:worker:w", b"rq:worker:\xff")
    redis.hset("rq:worker:w", mapping={"pid": "x" * 10, "birth": "never", "queues": b"\xff"})
    assert not is_alive("label_video-7", patient=False)
    assert enqueue("label_video", 7)


PAGES = ["jobs", "queue_details", "finished_jobs", "failed_jobs", "scheduled_jobs", "started_jobs", "deferred_jobs"]


@pytest.mark.django_db
def test_the_pages_about_the_queues_run_nothing_and_stay_up(
    admin_client: Client, redis: Any, proof: Path, settings: Any
) -> None:
    settings.RQ_QUEUES = {name: {**queue, "URL": settings.REDIS_URL} for name, queue in settings.RQ_QUEUES.items()}
    for name, fields in foreign_records(proof).items():
        redis.hset(f"rq:job:{name}", mapping={**fields, "meta": _pickled(proof)})
        expired_execution(redis, name)
        redis.rpush("rq:queue:compute", name)
        for kind in ("scheduled", "failed", "finished", "deferred"):
            redis.zadd(f"rq:{kind}:compute", {name: time.time() + 1000})
    put(redis, "label_video-99", record(call("pipeline.jobs.label_video", 99), meta=_pickled(proof)))
    redis.xadd("rq:results:label_video-99", {"type": "1", "return_value": b64encode(_pickled(proof))})
    bomb = b64encode(zlib.compress(b"x" * 50_000_000))
    enqueue("label_video", 98)
    redis.xadd("rq:results:label_video-98", {"type": "2", "exc_string": bomb})

    for index in (0, 1):
        for page in PAGES:
            response = admin_client.get(reverse(f"django_rq:{page}", args=[index]))
            assert response.status_code in (200, 404), page
    for name in [*foreign_records(proof), "label_video-99", "label_video-98"]:
        response = admin_client.get(reverse("django_rq:job_detail", args=[1, name]))
        assert response.status_code in (200, 404), name
        assert len(response.content) < 3_000_000
    assert admin_client.get(reverse("django_rq:home")).status_code == 200
    assert not proof.exists()


def _pickled(proof: Path) -> bytes:
    import pickle

    return pickle.dumps(Opened(proof))


def test_what_rq_would_unpickle_makes_the_file(proof: Path) -> None:
    """The tests above can fail."""
    import pickle

    pickle.loads(_pickled(proof))  # noqa: S301
    assert proof.exists()
    with pytest.raises(NoSuchJobError):
        raise ForeignJobError
    assert json.loads(zlib.decompress(call("f", 1))) == ["f", None, [1], {}]
