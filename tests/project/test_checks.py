"""What a deployed Crossmodal refuses to start with."""

import os
import re
import secrets
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import CheckMessage

from crossmodal.checks import EXAMPLE_SECRET_KEY, check_production

ROOT = Path(django_settings.BASE_DIR)


@pytest.fixture
def deployed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings of a deployed service against which nothing can be said; each test spoils one."""
    monkeypatch.setenv("CROSSMODAL_PRODUCTION", "1")
    monkeypatch.setenv("SECRET_KEY", secrets.token_urlsafe(50))
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["example.org"]
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    settings.EMBEDDED_VALKEY = False
    return settings


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def test_a_well_configured_service_may_start(deployed: Any) -> None:
    assert check_production() == []


def test_a_machine_of_ones_own_is_left_alone(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSMODAL_PRODUCTION")
    deployed.DEBUG = True
    deployed.ALLOWED_HOSTS = ["*"]
    assert check_production() == []


def test_it_refuses_debug(deployed: Any) -> None:
    deployed.DEBUG = True
    assert ids(check_production()) == ["crossmodal.E001"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", "crossmodal.E002"),
        (EXAMPLE_SECRET_KEY, "crossmodal.E003"),
        ("short", "crossmodal.E004"),
        ("ab" * 40, "crossmodal.E004"),
    ],
)
def test_it_refuses_a_guessable_key(deployed: Any, monkeypatch: pytest.MonkeyPatch, key: str, expected: str) -> None:
    monkeypatch.setenv("SECRET_KEY", key)
    assert ids(check_production()) == [expected]


def test_it_refuses_every_host(deployed: Any) -> None:
    deployed.ALLOWED_HOSTS = ["example.org", "*"]
    assert ids(check_production()) == ["crossmodal.E005"]


def test_it_warns_of_servers_that_several_machines_cannot_share(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(deployed.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    deployed.EMBEDDED_VALKEY = True
    assert ids(check_production()) == ["crossmodal.W001", "crossmodal.W002"]


def test_the_documented_example_is_the_one_that_is_refused() -> None:
    example = (ROOT / ".env.example").read_text()
    assert re.findall(r"^SECRET_KEY=(.*)$", example, re.MULTILINE) == [EXAMPLE_SECRET_KEY]


def run(*command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """A command in an environment without any of this machine's settings."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**clean, **env}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "migrate", "--noinput"),
        ("manage.py", "rqworker", "compute", "--burst"),
        ("-m", "gunicorn", "--config", "python:crossmodal.server", "--bind", "127.0.0.1:0", "crossmodal.wsgi"),
    ],
    ids=["migrate", "worker", "web"],
)
def test_every_part_refuses_the_example_key(command: tuple[str, ...], tmp_path: Path) -> None:
    answer = run(*command, CROSSMODAL_PRODUCTION="1", SECRET_KEY=EXAMPLE_SECRET_KEY, VAR_DIR=str(tmp_path))
    assert answer.returncode != 0
    assert "crossmodal.E003" in answer.stderr + answer.stdout
    with sqlite3.connect(tmp_path / "crossmodal.sqlite3") as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_djangos_deployment_checks_find_nothing(tmp_path: Path) -> None:
    answer = run(
        *("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        CROSSMODAL_PRODUCTION="1",
        HTTPS="1",
        ALLOWED_HOSTS="example.org",
        SECRET_KEY=secrets.token_urlsafe(50),
        DATABASE_URL="postgresql://localhost:1/none",
        REDIS_URL="redis://localhost:1",
        VAR_DIR=str(tmp_path),
    )
    assert answer.returncode == 0, answer.stderr


def test_no_key_is_made_up_where_a_service_is_deployed(tmp_path: Path) -> None:
    answer = run("manage.py", "check", CROSSMODAL_PRODUCTION="1", VAR_DIR=str(tmp_path))
    assert "crossmodal.E002" in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DEBUG", "maybe", "DEBUG is 'maybe'; write 1 or 0."),
        ("MAX_UPLOAD_BYTES", "2 GB", "MAX_UPLOAD_BYTES is '2 GB'; write a whole number."),
        ("VAR_DIR", "/proc/nowhere", "The folder /proc/nowhere cannot be written"),
    ],
)
def test_a_wrong_variable_is_one_sentence(variable: str, value: str, sentence: str) -> None:
    answer = run("manage.py", "check", **{variable: value})
    assert answer.returncode == 1
    assert answer.stderr.startswith("Crossmodal cannot start: ")
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
