import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from crossmodal import bootstrap, throttle
from crossmodal.demo import scripts
from crossmodal.throttle import PER_INSTALLATION, Limit
from tests.project.demo import Workbench, served, write_small_corpus
from tests.project.sign_in import Clock, counted_hashes, sign_in


@pytest.fixture
def workbench(monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Instead of queues; no test reaches a queue server through it."""
    bench = Workbench()
    monkeypatch.setattr("pipeline.queues.enqueue", bench.enqueue)
    monkeypatch.setattr("crossmodal.demo.turns._enqueue", bench.enqueue_turn)
    return bench


@pytest.fixture
def demo_folder(settings: Any, tmp_path: Path) -> Path:
    """An empty place for recordings."""
    settings.VAR_DIR = tmp_path / "var"
    folder = tmp_path / "var" / "demo"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def demo_site(settings: Any, demo_folder: Path) -> Iterator[str]:
    with served(settings) as origin:
        yield origin


@pytest.fixture
def small_corpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_folder: Path) -> Iterator[None]:
    """Eight interviews of half a minute instead of the fourteen."""
    folder = tmp_path / "interviews"
    folder.mkdir()
    write_small_corpus(folder)
    monkeypatch.setattr(scripts, "FOLDER", folder)
    scripts.all_scripts.cache_clear()
    yield
    scripts.all_scripts.cache_clear()


PINS = ("requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json")


def make_environment(folder: Path) -> None:
    """What a virtual environment looks like from outside; its Python is the one running the tests."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "bin" / "python").chmod(0o755)
    (folder / "bin" / "pip").write_text(f"#!{folder}/bin/python3\n")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the project's, without a virtual environment."""
    for name in PINS:
        shutil.copy(bootstrap.ROOT / name, tmp_path / name)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[str]:
    """Installers that were run, as their last argument; npm leaves behind what it would have installed."""
    seen: list[str] = []

    def run(command: list[str], what: str, *args: object, **kwargs: object) -> None:
        seen.append(Path(command[-1]).name)
        if command[-1] == "ci":
            for source in bootstrap.BROWSER_FILES.values():
                (root / source).parent.mkdir(parents=True, exist_ok=True)
                (root / source).write_text("a library")
        if "venv" in command:
            make_environment(root / ".venv")

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "find_npm", lambda folder: (["npm"], {}))
    return seen


# ---------------------------------------------------------------- signing in


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, db: None) -> Clock:
    """The throttle's time, which stands still."""
    return Clock(monkeypatch)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Passwords that were hashed."""
    with counted_hashes(monkeypatch) as hashed:
        yield hashed


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that hashes as many passwords as it is given."""
    monkeypatch.setattr(throttle, "PER_INSTALLATION", Limit(PER_INSTALLATION.kind, 10_000, 1))


@pytest.fixture
def known(annotator: User) -> Client:
    """The browser in which ann signed in once, and out again."""
    client = Client()
    assert sign_in(client, "ann").status_code == 302
    client.post(reverse("logout"))
    return client
