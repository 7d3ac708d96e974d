"""The admin site and the queues' pages of what is not there, and without the queue server.

Those of what is there are in the access matrix.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from redis import Redis

from tests.routes import routes_of

FIELD = re.compile(r"<(?:(\w+):)?(\w+)>")
NUMBERS = itertools.cycle(["0", "7", "9" * 30])
NAMES = itertools.cycle(["987654", "a b", "%00", "é" * 200])
ADDRESSES_PER_ROUTE = 4


ROUTES = sorted({route for route in routes_of(get_resolver()) if route.startswith("admin/")})


def addresses(route: str) -> list[str]:
    """Addresses of a route: with what is not there, and with nonsense."""
    if "^" in route or "(?P" in route:
        return ["/admin/nothing", "/admin/nothing/", "/admin/r/1/1/", "/admin/r/999/x/"]
    if not FIELD.search(route):
        return ["/" + route]
    tries = range(ADDRESSES_PER_ROUTE)
    return ["/" + FIELD.sub(lambda field: next(NUMBERS if field[1] == "int" else NAMES), route) for _ in tries]


def queues_at(settings: Any, url: str) -> None:
    settings.REDIS_URL = url
    settings.RQ_QUEUES = {name: {**queue, "URL": url} for name, queue in settings.RQ_QUEUES.items()}


@pytest.fixture
def queue_server(redis: Redis, settings: Any) -> None:
    queues_at(settings, settings.REDIS_URL)


@pytest.fixture
def no_queue_server(settings: Any, tmp_path: Path) -> None:
    queues_at(settings, f"unix://{tmp_path}/none.sock")


def crawl(client: Client, routes: list[str]) -> Iterator[tuple[str, Any]]:
    client.raise_request_exception = False
    for address in itertools.chain.from_iterable(map(addresses, routes)):
        for method in ("get", "post"):
            if "logout" not in address:
                yield f"{method} {address}", getattr(client, method)(address)


def test_what_is_not_there_is_no_error_kept_by_a_cache_or_without_a_policy(
    queue_server: None, admin_client: Client
) -> None:
    routes = [route for route in ROUTES if FIELD.search(route) or "^" in route]
    assert len(routes) > 80
    for name, response in crawl(admin_client, routes):
        assert response.status_code < 500, name
        assert "no-store" in response.get("Cache-Control", ""), name
        policy = response.get("Content-Security-Policy", "")
        assert "default-src 'self'" in policy, name
        assert "unsafe-inline" not in policy, name


def test_without_the_queue_server_the_queues_pages_say_so(no_queue_server: None, admin_client: Client) -> None:
    site = ["admin/", "admin/django_rq/dashboard/", "admin/pipeline/video/", "admin/pipeline/trainingrun/"]
    queues = [route for route in ROUTES if route.startswith("admin/queues/")]
    failed = {name: response for name, response in crawl(admin_client, [*site, *queues]) if response.status_code >= 500}
    assert failed
    for name, response in failed.items():
        assert response.status_code == 503, name
        assert "queues" in name
        assert "queue server cannot be reached" in response.content.decode()
