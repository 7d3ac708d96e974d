"""Stored files that no row names."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from pipeline import orphans
from pipeline.models import Video
from tests.factories import Factory
from tests.pipeline.conftest import Command, stored_files

HOUR_S = 3600


def store(name: str, age_h: float = 48) -> Path:
    path = Path(default_storage.path(default_storage.save(name, ContentFile(b"x" * 1000))))
    os.utime(path, (time.time() - age_h * HOUR_S,) * 2)
    return path


@pytest.fixture
def named(uploaded: Video) -> Video:
    """A video whose two files are old."""
    for file in (uploaded.source, uploaded.captions):
        os.utime(file.path, (time.time() - 48 * HOUR_S,) * 2)
    return uploaded


@pytest.fixture
def orphan() -> Path:
    return store(f"video/{'a' * 32}.wav")


def test_it_lists_and_removes_nothing_unless_asked(named: Video, orphan: Path, command: Command) -> None:
    status, out, _ = command("remove_orphans")
    assert (status, out) == (0, f"video/{orphan.name}\n1 file that no row names found, 0 MB.\n")
    assert orphan.exists()


def test_it_removes_what_no_row_names_and_nothing_else(
    named: Video, orphan: Path, factory: Factory, command: Command
) -> None:
    model = factory.make_run()
    model.artifact.save("model.skops", ContentFile(b"model"))
    os.utime(model.artifact.path, (0, 0))
    of_a_run = store(f"trainingrun/{'b' * 32}.skops")
    young, foreign = store(f"video/{'c' * 32}.wav", age_h=23), store("video/notes.txt")
    status, out, _ = command("remove_orphans", "--delete", "--format", "json")
    assert status == 0
    assert json.loads(out)["orphans"] == [f"trainingrun/{of_a_run.name}", f"video/{orphan.name}"]
    kept = {Path(named.source.path).name, Path(named.captions.path).name, young.name, foreign.name}
    assert stored_files() == kept
    assert Path(model.artifact.path).exists()


def test_a_file_that_gets_its_row_meanwhile_stays(named: Video, orphan: Path, monkeypatch: Any) -> None:
    stored = orphans.look()
    Video.objects.filter(pk=named.pk).update(audio=f"video/{orphan.name}")
    orphans.remove(stored.orphans)
    assert orphan.exists()


def test_another_installations_database_costs_no_files(orphan: Path, db: None, command: Command) -> None:
    status, _, err = command("remove_orphans", "--delete")
    assert status == 1
    assert "this may be the wrong database. Nothing was removed" in err
    assert orphan.exists()
    assert command("remove_orphans", "--delete", "--although-most")[0] == 0
    assert not orphan.exists()


def test_files_of_the_last_hour_are_never_removed(command: Command, db: None) -> None:
    status, _, err = command("remove_orphans", "--delete", "--older-than", 0)
    assert status == 1
    assert "at least 1 hour" in err
