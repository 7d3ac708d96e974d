"""What an idle worker does besides its jobs."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from redis import Redis

from pipeline import workers
from pipeline.queues import get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory


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
