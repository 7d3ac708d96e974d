"""Scratch folders: one per process, gone when the process is, whoever else sweeps meanwhile."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossmodal import scratch
from tests.conftest import ROOT

# Begins every program here: the settings of a bare installation, with its scratch folders in the first argument.
PROLOGUE = """
import os, sys, time, subprocess, tempfile
from pathlib import Path
from django.conf import settings
settings.configure(SCRATCH_DIR=sys.argv[1], UPLOAD_SCRATCH_DIR=sys.argv[1])
from crossmodal import scratch
def say(*words):
    print(*words, flush=True)
"""
HOLD = PROLOGUE + "scratch.enter(); handle = tempfile.NamedTemporaryFile(); say(handle.name); time.sleep(60)"


@pytest.fixture
def base(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.SCRATCH_DIR = tmp_path / "scratch"
    settings.UPLOAD_SCRATCH_DIR = settings.SCRATCH_DIR
    yield settings.SCRATCH_DIR
    scratch.leave()


@pytest.fixture
def start(base: Path) -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def begin(program: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", program, str(base)]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def entries(base: Path) -> list[str]:
    return sorted(path.name for path in base.iterdir())


def leftover(base: Path, host: str = "0" * 8, age_s: float = 0) -> Path:
    """A folder that no process holds, with a file in it."""
    folder = base / f"{host}-4711-{'0' * 16}"
    folder.mkdir(parents=True)
    (base / f"{folder.name}.lock").touch()
    file = folder / "recording.part"
    file.write_bytes(b"x" * 1000)
    os.utime(file, (time.time() - age_s,) * 2)
    return folder


def test_everything_temporary_of_a_job_is_in_one_folder_that_goes_at_its_end(base: Path) -> None:
    before = tempfile.gettempdir()
    with scratch.entered():
        folder = scratch.own_folder()
        assert folder
        assert folder.parent == base
        assert Path(tempfile.gettempdir()) == folder
        asked = subprocess.run(["sh", "-c", "echo $TMPDIR"], capture_output=True, text=True, check=True).stdout
        assert Path(asked.strip()) == folder
        with scratch.temporary_folder() as inner:
            assert inner.parent == folder
        Path(tempfile.mkdtemp(), "kept").touch()
    assert entries(base) == []
    assert tempfile.gettempdir() == before


def test_what_a_killed_process_left_is_swept_and_a_living_one_keeps_its_files(base: Path, start: Any) -> None:
    dead, living = start(HOLD), start(HOLD)
    lost, kept = (Path(process.stdout.readline().strip()) for process in (dead, living))
    assert scratch.sweep() == 0
    dead.kill()
    dead.wait()
    assert lost.exists()

    assert scratch.sweep() == 1

    assert not lost.parent.exists()
    assert kept.exists()
    assert entries(base) == [kept.parent.name, f"{kept.parent.name}.lock"]


def test_a_program_that_outlives_its_process_holds_no_lock(base: Path, start: Any) -> None:
    process = start(
        PROLOGUE + "scratch.enter(); child = subprocess.Popen(['sleep', '30']); say(child.pid); time.sleep(60)"
    )
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        assert scratch.sweep() == 1
        assert entries(base) == []
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_forked_job_has_a_folder_of_its_own(base: Path, start: Any) -> None:
    """As a worker's job or a web worker: neither keeps the folder of the other from being swept."""
    program = """
scratch.enter()
say(scratch.own_folder())
if os.fork() == 0:
    scratch.enter()
    say(scratch.own_folder(), os.getpid())
    time.sleep(60)
time.sleep(60)
"""
    parent = start(PROLOGUE + program)
    of_parent = Path(parent.stdout.readline().strip())
    of_child, child = parent.stdout.readline().split()
    try:
        assert of_parent != Path(of_child)
        parent.kill()
        parent.wait()
        assert scratch.sweep() == 1
        assert not of_parent.exists()
        assert Path(of_child).is_dir()
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_eight_processes_that_start_and_sweep_at_once_take_nothing_from_each_other(base: Path, start: Any) -> None:
    program = """
children = []
for _ in range(8):
    children.append(os.fork())
    if children[-1] == 0:
        status = 0
        for _ in range(40):
            folder = scratch.own_folder()
            (folder / "mine").touch()
            scratch.sweep()
            if not (folder / "mine").exists():
                status = 1
            scratch.leave()
        os._exit(status)
say(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""
    leftover(base)
    assert start(PROLOGUE + program).stdout.readline().split() == ["0"] * 8
    assert entries(base) == []


def test_a_folder_that_is_seen_before_it_is_locked_is_made_anew(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep may come in the moment between the lock file and its lock."""
    really = scratch._locked
    swept: list[bool] = []

    def locked(lock: int) -> bool:
        if not swept:
            swept.append(True)
            monkeypatch.setattr(scratch, "_locked", really)
            assert scratch.sweep() == 1
        return really(lock)

    monkeypatch.setattr(scratch, "_locked", locked)
    folder = scratch.own_folder()
    assert swept
    assert folder
    assert entries(base) == [folder.name, f"{folder.name}.lock"]
    assert scratch.sweep() == 0


def test_links_are_never_followed_and_strange_names_stay(base: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    base.mkdir()
    linked, locked, inside = (f"00000000-1-{digit * 16}" for digit in "123")
    (base / linked).symlink_to(precious)
    (base / f"{linked}.lock").touch()
    (base / locked).mkdir()
    (base / f"{locked}.lock").symlink_to(precious / "file")
    (base / inside).mkdir()
    (base / inside / "link").symlink_to(precious)
    (base / "notes.txt").touch()
    os.mkfifo(base / f"00000000-1-{'4' * 16}.lock")

    scratch.sweep()

    assert [path.name for path in precious.iterdir()] == ["file"]
    assert (base / "notes.txt").exists()
    assert not (base / linked).is_symlink()
    assert not (base / inside).exists()


def test_a_base_that_is_a_link_is_left_alone(base: Path, tmp_path: Path) -> None:
    folder = leftover(tmp_path / "elsewhere")
    base.symlink_to(folder.parent)
    assert scratch.sweep() == 0
    assert folder.exists()


@pytest.mark.parametrize(
    ("host", "age_s", "stays"),
    [("other", 0, True), ("other", 49 * 3600, False), ("own", 0, False)],
    ids=["other machine, young", "other machine, old", "own machine"],
)
def test_where_locks_may_not_reach_other_machines_their_files_stay_for_days(
    host: str, age_s: float, stays: bool, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "is_local", lambda folder: False)
    folder = leftover(base, scratch._host() if host == "own" else "f" * 8, age_s)
    scratch.sweep()
    assert folder.exists() is stays


def test_uploads_wait_where_the_setting_says_and_are_swept_there(base: Path, settings: Any, tmp_path: Path) -> None:
    settings.UPLOAD_SCRATCH_DIR = tmp_path / "large" / "crossmodal-scratch"
    folder = leftover(settings.UPLOAD_SCRATCH_DIR)
    (tmp_path / "large" / "of somebody else").touch()
    assert scratch.sweep() == 1
    assert not folder.exists()
    assert (tmp_path / "large" / "of somebody else").exists()


def test_without_a_folder_that_can_be_written_the_systems_own_is_used(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.SCRATCH_DIR = settings.UPLOAD_SCRATCH_DIR = tmp_path / "file" / "scratch"
    with scratch.temporary_folder() as folder:
        assert folder.parent == Path(tempfile.gettempdir())
    assert scratch.sweep() == 0


def test_a_folder_that_somebody_removes_is_made_anew_also_for_uploads(base: Path, start: Any) -> None:
    program = PROLOGUE + (
        "import shutil; scratch.enter_web(); shutil.rmtree(sys.argv[1]); scratch.room()\n"
        "say(tempfile.NamedTemporaryFile(delete=False).name, settings.FILE_UPLOAD_TEMP_DIR, os.environ['TMPDIR'])\n"
        "shutil.rmtree(sys.argv[1]); Path(sys.argv[1]).touch(); scratch.room()\n"
        "say(tempfile.NamedTemporaryFile().name, settings.FILE_UPLOAD_TEMP_DIR, os.environ.get('TMPDIR'))"
    )
    process = start(program)
    file, uploads, variable = process.stdout.readline().split()
    assert Path(file).parent == Path(uploads) == Path(variable)
    assert Path(uploads).parent == base
    file, uploads, variable = process.stdout.readline().split()
    assert base not in Path(file).parents
    assert (uploads, variable) == ("None", "None")


def test_a_command_sweeps_what_an_earlier_one_left_where_no_worker_runs(base: Path) -> None:
    folder = leftover(base)
    with scratch.temporary_folder():
        assert not folder.exists()


def test_the_folder_of_scratch_folders_may_be_a_link_to_a_larger_disk(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "large").mkdir()
    (tmp_path / "var" / "scratch").symlink_to(tmp_path / "large")
    program = (
        "import django; django.setup(); from crossmodal import scratch\n"
        "with scratch.temporary_folder() as folder: print(folder.parents[1])"
    )
    there = {**os.environ, "VAR_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "crossmodal.settings"}
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=there, capture_output=True, text=True)
    assert (said.stdout.strip(), said.returncode) == (str(tmp_path / "large"), 0)
