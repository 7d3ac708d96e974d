"""What an idle worker does besides its jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone
from redis import Redis
from redis.exceptions import ConnectionError

from crossmodal import embedded
from pipeline import workers
from pipeline.queues import QueueUnavailable, enqueue, fetch_job, get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.machine import Machine, wait_for


@pytest.fixture(autouse=True)
def _shared_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction stands in its connection."""
    monkeypatch.setattr(workers.connections, "close_all", lambda: None)


@pytest.fixture
def worker(db: None, redis: Redis) -> PipelineWorker:
    return PipelineWorker([get_queue("compute")], connection=redis)


def test_expired_sessions_are_cleared_now_and_then(worker: PipelineWorker, factory: Factory) -> None:
    def expire() -> None:
        client = Client()
        client.force_login(factory.make_user())
        Session.objects.filter(pk=client.session.session_key).update(expire_date=timezone.now())

    expire()
    worker.run_maintenance_tasks()
    assert not Session.objects.exists()
    expire()
    worker.run_maintenance_tasks()
    assert Session.objects.count() == 1, "not with every look for work"
    worker._sessions_due = 0.0
    worker.run_maintenance_tasks()
    assert not Session.objects.exists()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, ConnectionError, QueueUnavailable])
def test_a_look_for_work_that_fails_is_logged_and_the_worker_goes_on(
    error: type[Exception], worker: PipelineWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers.recovery, "resume", fails_with(error))
    worker.run_maintenance_tasks()
    assert "Could not look for work left behind" in caplog.text


def test_a_killed_job_whose_row_cannot_be_put_back_does_not_end_the_worker(
    worker: PipelineWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue("label_video", 7)
    job = fetch_job("label_video-7")
    assert job is not None
    monkeypatch.setattr(workers.recovery, "give_back", fails_with(OperationalError))
    worker.handle_work_horse_killed(job, 1, 9, None)
    assert "Could not put back what the killed job held" in caplog.text


def test_a_fault_in_the_program_is_logged_as_such_and_does_not_end_the_worker(
    worker: PipelineWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may come of a record that somebody else wrote, and each look would end one more worker."""
    monkeypatch.setattr(workers.recovery, "resume", fails_with(AttributeError))
    worker.run_maintenance_tasks()
    (record,) = [record for record in caplog.records if "Could not look for work left behind" in record.message]
    assert record.levelname == "ERROR"
    assert record.exc_info
    assert record.exc_info[0] is AttributeError


@pytest.mark.timeout(120)
def test_a_worker_outlives_a_database_that_is_away(tmp_path: Path, settings: Any) -> None:
    """A real worker: its table is gone when it starts, and there again later."""
    var_dir = tmp_path / "var"
    with embedded.running(var_dir) as redis_url:
        machine = Machine(var_dir, redis_url, {})
        try:
            machine.manage("migrate", "--verbosity", "0")
            machine.change("ALTER TABLE pipeline_video RENAME TO away")
            process = machine.start_worker()
            wait_for(lambda: b"Could not look for work left behind" in machine.log_path.read_bytes())
            machine.change("ALTER TABLE away RENAME TO pipeline_video")
            settings.REDIS_URL = redis_url
            assert enqueue("label_video", 7)  # of no video: it has nothing to do
            wait_for(lambda: (job := fetch_job("label_video-7")) is not None and job.is_finished)
            assert process.poll() is None
        finally:
            machine.stop()


def fails_with(error: type[Exception]) -> Callable[..., None]:
    def fail(*args: object, **options: object) -> None:
        raise error

    return fail
