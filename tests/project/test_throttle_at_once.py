"""Guesses sent at the same moment. Runs on SQLite in a file (as in production) and on PostgreSQL."""

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from crossmodal import throttle
from crossmodal.models import SignInBudget
from crossmodal.places import Places
from crossmodal.throttle import PER_ACCOUNT, PER_ACCOUNT_AND_ADDRESS, PER_INSTALLATION, Budget, Limit
from tests.conftest import ROOT
from tests.factories import Factory
from tests.project.sign_in import PASSWORD, Clock, counted_hashes, guess, sign_in, spend

pytestmark = pytest.mark.django_db(transaction=True)
Answer = TypeVar("Answer")


def at_once(call: Callable[[int], Answer], times: int, threads: int) -> list[Answer]:
    """Call so many times from threads that are let loose together, each with a connection of its own."""
    gate = threading.Barrier(threads)

    def run(first: int) -> list[Answer]:
        try:
            gate.wait(timeout=30)
            return [call(n) for n in range(first, times, threads)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return [answer for answers in pool.map(run, range(threads), timeout=120) for answer in answers]


def test_of_sixty_guesses_at_once_ten_passwords_are_hashed(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    factory.make_user("ann")
    Clock(monkeypatch)
    monkeypatch.setattr(throttle, "PLACES", Places(20, quick_s=0))
    with counted_hashes(monkeypatch) as hashed:
        statuses = at_once(lambda n: guess("ann")[0], 60, threads=20)
    assert Counter(statuses) == {200: 10, 429: 50}
    assert len(hashed) == 10


def test_of_five_hundred_guesses_at_once_ten_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    assert sum(at_once(lambda n: spend("ann", "192.0.2.1"), 500, threads=25)) == PER_ACCOUNT_AND_ADDRESS.burst
    row = SignInBudget.objects.get(pk=Budget.of(PER_ACCOUNT, "ann").slot)
    assert row.whole_at_ms == throttle._now_ms() + 10 * PER_ACCOUNT.every_ms


def test_of_guesses_at_once_from_many_addresses_as_many_are_made_as_an_account_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Clock(monkeypatch)
    monkeypatch.setattr(throttle, "PER_INSTALLATION", Limit(PER_INSTALLATION.kind, 10_000, 1))
    taken = at_once(lambda n: spend("ann", f"203.0.{n % 20}.1"), 160, threads=20)
    assert sum(taken) == PER_ACCOUNT.burst


def test_right_passwords_at_once_leave_every_budget_as_it_was(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.make_user("ann")
    clock = Clock(monkeypatch)
    monkeypatch.setattr(throttle, "PLACES", Places(9, quick_s=0))
    assert at_once(lambda n: sign_in(Client(), "ann").status_code, 9, threads=9) == [302] * 9
    assert {row.whole_at_ms <= clock.now_ms for row in SignInBudget.objects.all()} == {True}


# ---------------------------------------------------------------- a real server


class Server:
    """gunicorn as in production, with the database of the tests, behind the one proxy that the test plays."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        name = settings.DATABASES["default"]["NAME"]
        database = {}
        if connection.vendor == "sqlite":
            with sqlite3.connect(name) as source, sqlite3.connect(folder / "crossmodal.sqlite3") as copy:
                source.backup(copy)
        else:
            database = {"DATABASE_URL": f"{os.environ['TEST_DATABASE_URL'].rpartition('/')[0]}/{name}"}
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            **database,
            "DJANGO_SETTINGS_MODULE": "tests.project.server_settings",
            "VAR_DIR": str(folder),
            "BIND": f"127.0.0.1:{self.port}",
            "BEHIND_PROXY": "1",
            "WEB_WORKERS": "2",
        }
        command = [sys.executable, "-m", "gunicorn", "--config", "python:crossmodal.server", "crossmodal.wsgi"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)

    def ask(self, method: str, path: str, address: str = "", body: str = "", cookie: str = "") -> tuple[int, str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path)
        connection.putheader("X-Forwarded-For", f"203.0.113.{time.monotonic_ns() % 250}")  # as the client forges it
        connection.putheader("X-Forwarded-For", address)  # as the proxy adds it
        connection.putheader("Cookie", cookie)
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        response = connection.getresponse()
        page = response.read().decode()
        connection.close()
        return response.status, page, response.headers

    def form(self) -> tuple[str, str]:
        """The token of the sign-in page, and the cookie that goes with it."""
        _, page, headers = self.ask("GET", "/accounts/login/", "192.0.2.1")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        return token[1], f"csrftoken={SimpleCookie(headers['Set-Cookie'])['csrftoken'].value}"

    def sign_in(self, form: tuple[str, str], password: str, address: str, cookie: str = "") -> tuple[int, Any]:
        body = urlencode({"username": "ann", "password": password, "csrfmiddlewaretoken": form[0]})
        status, _, headers = self.ask("POST", "/accounts/login/", address, body, f"{form[1]}; {cookie}")
        return status, headers


@pytest.fixture
def server(factory: Factory, tmp_path: Path) -> Iterator[Server]:
    factory.make_user("ann")
    server = Server(tmp_path)
    yield server
    server.process.send_signal(signal.SIGQUIT)  # at once, without waiting for open connections
    server.process.wait(timeout=20)


def test_a_real_server_looks_at_ten_of_sixty_passwords_and_keeps_the_owner_in(server: Server) -> None:
    form = server.form()
    status, headers = server.sign_in(form, PASSWORD, "192.0.2.1")
    assert status == 302
    device = re.search(r"known_device=[^;]+", str(headers))
    assert device
    looked_at = 0
    for _ in range(10):  # on a busy machine some are sent away uncounted, since no place is free
        statuses = Counter(at_once(lambda n: server.sign_in(form, f"wrong {n}", "198.51.100.7")[0], 60, threads=30))
        assert statuses.keys() <= {200, 429}
        if not statuses[200]:
            break
        looked_at += statuses[200]
    assert looked_at == 10
    assert server.sign_in(form, PASSWORD, "198.51.100.7")[0] == 429
    assert server.sign_in(form, PASSWORD, "198.51.100.7", device[0])[0] == 302
    assert server.sign_in(form, PASSWORD, "192.0.2.1")[0] == 302
