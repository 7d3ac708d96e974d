"""Every address of the admin site and of the queues' pages answers, with the queue server there and away."""

import base64
import hashlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from redis import Redis

from annotation import truth
from annotation.models import Skip
from crossmodal.models import Demonstration, KnownAddress, SignInBudget
from pipeline.models import DownloadSite
from pipeline.queues import enqueue, get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory

FIELD = re.compile(r"<(?:(\w+):)?(\w+)>")
NUMBERS = ["0", "7", "9" * 30]
JOB = "label_video-7"
INLINE_SCRIPT = re.compile(r'<script(?: type="text/javascript")?>(.*?)</script>', re.DOTALL)


def routes_of(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes_of(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


ROUTES = sorted({route for route in routes_of(get_resolver()) if route.startswith("admin/")})


def addresses(route: str) -> list[str]:
    """Addresses of a route: with what is there, with what is not, and with nonsense."""
    if "^" in route or "(?P" in route:
        return written_out(route)
    values = [NUMBERS if kind == "int" else [JOB, "1", "a b", "%00"] for kind, _ in FIELD.findall(route)]
    pattern = FIELD.sub("{}", route)
    return ["/" + pattern.format(*chosen) for chosen in itertools.islice(itertools.product(*values), 12)]


def written_out(route: str) -> list[str]:
    """Addresses of the routes that are regular expressions."""
    found = ["/admin/auth/", "/admin/django_rq/", "/admin/nothing", "/admin/r/1/1/", "/admin/r/999/x/"]
    found += [f"/admin/queues/stats.json{rest}" for rest in ("", "/", "/token/", "/nonsense")]
    assert any(re.match(route.replace("^", "").replace("$", ""), address[1:]) for address in found), route
    return found


@pytest.fixture
def rows(factory: Factory, admin: User, annotator: User) -> None:
    """A row of everything."""
    segment = factory.make_segment()
    factory.make_prediction(factory.make_run(), segment)
    task = factory.make_task(segment=segment)
    for label in ("positive", "neutral", "negative"):
        factory.make_vote(task, label)
    truth.settle(task)
    truth.adjudicate(task, admin, "neutral")
    Skip.objects.create(task=task, annotator=annotator)
    SignInBudget.objects.create(slot=1, whole_at_ms=1)
    KnownAddress.objects.create(key=1, until_ms=1)
    Demonstration.objects.create()
    DownloadSite.objects.create(name="example.org")
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=admin, content_type=kind, object_id=str(admin.pk), action_flag=CHANGE, change_message="x"
    )


def queues_at(settings: Any, url: str) -> None:
    settings.REDIS_URL = url
    settings.RQ_QUEUES = {name: {**queue, "URL": url} for name, queue in settings.RQ_QUEUES.items()}


@pytest.fixture
def queue_server(redis: Redis, settings: Any) -> None:
    """With a job in its queue, and a worker."""
    queues_at(settings, settings.REDIS_URL)
    enqueue("label_video", 7)
    PipelineWorker([get_queue("compute")], connection=redis).register_birth()


@pytest.fixture
def no_queue_server(settings: Any, tmp_path: Path) -> None:
    queues_at(settings, f"unix://{tmp_path}/none.sock")


def crawl(client: Client) -> Iterator[tuple[str, Any]]:
    client.raise_request_exception = False
    for address in itertools.chain.from_iterable(map(addresses, ROUTES)):
        for method in ("get", "post"):
            if "logout" not in address:
                yield f"{method} {address}", getattr(client, method)(address)


def test_no_address_is_an_error_kept_by_a_cache_or_without_a_policy(
    rows: None, queue_server: None, admin_client: Client
) -> None:
    for name, response in crawl(admin_client):
        assert response.status_code < 500, name
        assert "no-store" in response.get("Cache-Control", ""), name
        policy = response.get("Content-Security-Policy", "")
        assert "default-src 'self'" in policy, name
        assert "unsafe-inline" not in policy, name
        script = re.search(r"script-src ([^;]*)", policy)
        for text in INLINE_SCRIPT.findall(response.content.decode() if not response.streaming else ""):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert script is not None, name
            assert digest in script[1], name


def test_without_the_queue_server_the_queues_pages_say_so(
    rows: None, no_queue_server: None, admin_client: Client
) -> None:
    failed = {name: response for name, response in crawl(admin_client) if response.status_code >= 500}
    assert failed
    for name, response in failed.items():
        assert response.status_code == 503, name
        assert "queues" in name
        assert "queue server cannot be reached" in response.content.decode()
