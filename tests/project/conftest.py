from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossmodal.demo import scripts
from tests.project.demo import Workbench, served, write_small_corpus


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
