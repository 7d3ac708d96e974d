"""Who gets what at every address by every method: the table of `access_rows`, tried cell by cell."""

import base64
import hashlib
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.handlers.base import BaseHandler
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver
from redis import Redis

from tests.factories import Factory
from tests.pipeline.conftest import _queue_server, redis  # noqa: F401 - fixtures
from tests.project.access_objects import make_objects, make_person
from tests.project.access_rows import ADMIN_SITE, ADMINS, ANYONE, LISTENERS, ROWS, SIGNED_IN, Row
from tests.routes import routes_of

OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
# These try all of the other methods at every address; the rest of the roles one each in turn, since it is long.
THOROUGH = ("anonymous", "annotator", "admin")
TOKEN = "t" * 32
FIELD = re.compile(r"<(?:(\w+):)?(\w+)>")
NOT_THERE = "987654"
INLINE_SCRIPT = re.compile(r'<script(?: type="text/javascript")?>(.*?)</script>', re.DOTALL)

# Who comes: what they may use, besides what is for anyone.
ROLES: dict[str, set[str]] = {
    "anonymous": set(),
    "deactivated, with a session": set(),
    "simulated listener, with a session": set(),
    "signed in, no role": {SIGNED_IN},
    "marked as staff, no role": {SIGNED_IN},
    "annotator": {SIGNED_IN, LISTENERS},
    "admin": {SIGNED_IN, ADMINS, ADMIN_SITE},
    "superuser": {SIGNED_IN, ADMINS, ADMIN_SITE},
}
# Whatever else would say what the server is made of, or has not been thought about.
HEADERS = {
    "Accept-Ranges", "Allow", "Cache-Control", "Content-Disposition", "Content-Length", "Content-Range",
    "Content-Security-Policy", "Content-Type", "Cross-Origin-Opener-Policy", "ETag", "Expires", "HX-Refresh",
    "Last-Modified", "Location", "Referrer-Policy", "Vary", "X-Content-Type-Options", "X-Frame-Options",
}  # fmt: skip


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    routes, rows = set(routes_of(get_resolver())), {row.route for row in ROWS}
    assert not routes - rows, (
        f"No row in tests/project/access_rows.py for {sorted(routes - rows)}: add Row(route, who may use it, of which "
        "object, get=… and post=… as it answers them)."
    )
    assert not rows - routes, f"Rows of tests/project/access_rows.py without an address, remove them: {rows - routes}."


class Visitor:
    """A browser of one person, with the token of forms; each request starts from the same session.

    It asks the middleware itself, since Django's client copies the context of each template.
    """

    def __init__(self, role: str, person: User | None) -> None:
        self.role = role
        client = Client()
        if person:
            client.force_login(person)
        if "with a session" in role:
            User.objects.filter(pk=person.pk).update(is_active=False)
        self.cookies = {name: cookie.value for name, cookie in client.cookies.items()} | {"csrftoken": TOKEN}
        self.handler = BaseHandler()
        self.handler.load_middleware()

    @property
    def is_signed_in(self) -> bool:
        return SIGNED_IN in ROLES[self.role]

    def may_use(self, row: Row) -> bool:
        return row.who == ANYONE or row.who in ROLES[self.role]

    def ask(self, method: str, address: str, token: str = TOKEN) -> Any:
        headers = {"X-CSRFToken": token} if token else {}
        request = RequestFactory(headers=headers).generic(method, address, b"", "application/x-www-form-urlencoded")
        request.COOKIES = self.cookies
        response = self.handler.get_response(request)
        response.body = b"".join(response.streaming_content) if response.streaming else response.content
        for file in response._resource_closers:
            file()
        return response


def address_of(row: Row, pks: dict[str, str]) -> str:
    names = iter(row.of.split(", "))
    return row.at or "/" + FIELD.sub(lambda _: pks[next(names)], row.route)


def expected(row: Row, method: str, visitor: Visitor) -> int:
    """What the table says, and what follows for those who may not."""
    on_site = row.route.startswith("admin/")
    own = {"GET": row.get, "HEAD": row.get, "POST": row.post}.get(method)
    if method in OTHER_METHODS or (own is None and not (on_site and row.who == ADMIN_SITE)):
        return 405
    if not visitor.may_use(row):
        return 302 if row.who == ADMIN_SITE or not visitor.is_signed_in else 403
    return row.signed_in if row.signed_in and visitor.is_signed_in else own or 405


def faults(row: Row, address: str, visitor: Visitor, response: Any) -> Iterator[str]:
    """What is wrong with an answer besides its status."""
    signs = {name: response.get(name, "") for name in ("Cache-Control", "Content-Security-Policy", "Location")}
    policy = signs["Content-Security-Policy"]
    if unknown := {name.title() for name in response.headers} - {name.title() for name in HEADERS}:
        yield f"sends {unknown}"
    if response.get("X-Content-Type-Options") != "nosniff" or response.get("X-Frame-Options") != "DENY":
        yield "may be taken for another type, or framed"
    if response.get("Referrer-Policy") != "same-origin" or response.get("Cross-Origin-Opener-Policy") != "same-origin":
        yield "tells other sites where its visitors come from"
    if "default-src 'self'" not in policy or "unsafe-" in policy:
        yield f"has the policy {policy!r}"
    if "private" not in signs["Cache-Control"] or not (row.kept or "no-store" in signs["Cache-Control"]):
        yield f"may be kept: {signs['Cache-Control']!r}"
    for cookie in response.cookies.values():
        if cookie.value and not (cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["domain"]):
            yield f"sets an open cookie: {cookie.output()}"
    if response.status_code == 302 and not visitor.may_use(row) and row.route != "admin/logout/":
        way_in = "/admin/login/" if row.who == ADMIN_SITE else "/accounts/login/"
        if signs["Location"] != f"{way_in}?next={quote(address)}":
            yield f"leads to {signs['Location']}"
    text = response.body.decode(errors="replace") if "text/html" in response.get("Content-Type", "") else ""
    if response.status_code >= 400 and re.search(r"Traceback|site-packages|\.py\b", text):
        yield "shows where it failed"
    for script in INLINE_SCRIPT.findall(text):
        if base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() not in policy:
            yield "has a script that its policy forbids"


def stored() -> dict[str, list[Any]]:
    """All rows of the project's tables and of accounts; sessions are no part of them."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values_list())
        for name in ("pipeline", "annotation", "crossmodal", "auth")
        for model in apps.get_app_config(name).get_models()
    }


def missing_of(row: Row) -> Iterator[tuple[str, str]]:
    """The row's address with a number that names nothing, by a method that it has."""
    if "<int:" in row.route and not row.route.startswith("admin/"):
        yield ("GET" if row.get else "POST"), "/" + FIELD.sub(NOT_THERE, row.route)


def methods_for(role: str, number: int) -> tuple[str, ...]:
    if role in THOROUGH:
        return ("GET", "HEAD", "POST", *OTHER_METHODS)
    others = ("HEAD", *OTHER_METHODS)
    return ("GET", "POST", others[(number + list(ROLES).index(role)) % len(others)])


def cells(row: Row, number: int, visitor: Visitor, pks: dict[str, str]) -> Iterator[tuple[str, str, int, str]]:
    """Method, address, expected status and token of each request that is made."""
    address = address_of(row, pks)
    for method in methods_for(visitor.role, number):
        yield method, address, expected(row, method, visitor), TOKEN
    yield "POST", address, 403, ""
    if visitor.may_use(row):
        for method, nowhere in missing_of(row):
            yield method, nowhere, row.missing, TOKEN


@pytest.fixture
def _no_log() -> Iterator[None]:
    """Thousands of refusals would be written and kept."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_log")
@pytest.mark.parametrize("role", ROLES)
def test_every_address_answers_each_role_as_its_row_says(
    role: str,
    factory: Factory,
    redis: Redis,  # noqa: F811
    settings: Any,
) -> None:
    settings.RQ_QUEUES = {name: {**queue, "URL": settings.REDIS_URL} for name, queue in settings.RQ_QUEUES.items()}
    person = make_person(factory, role)
    pks = make_objects(factory, redis, person or factory.make_user("absent"))
    visitor = Visitor(role, person)
    before, wrong = stored(), []
    for number, row in enumerate(ROWS):
        for method, address, status, token in cells(row, number, visitor, pks):
            with transaction.atomic():
                response = visitor.ask(method, address, token)
                transaction.set_rollback(visitor.may_use(row) and status < 400)
            name = f"{method} {address}{'' if token else ' without its token'}"
            if response.status_code != status:
                wrong.append(f"{name} is {response.status_code} and not {status}")
            wrong += [f"{name} {fault}" for fault in faults(row, address, visitor, response)]
    assert not wrong, "\n".join(wrong)
    assert stored() == before
