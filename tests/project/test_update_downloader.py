"""Updating yt-dlp, its solver and its runtime: what is fetched, tried, installed and kept by later set-ups."""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossmodal import bootstrap, update_downloader

PINNED = """Django==5.2.19
deno==2.9.8
requests==2.34.2
yt-dlp==2026.10.26
yt-dlp-ejs==0.8.0
"""
METADATA = """Metadata-Version: 2.4
Name: yt-dlp
Requires-Dist: requests<3,>=2.32.2; extra == "default"
Requires-Dist: yt-dlp-ejs=={solver}; extra == "default"
Requires-Dist: curl-cffi; extra == "curl-cffi"
Requires-Dist: new-need>=1; extra == "default"
Requires-Dist: for-another-system; sys_platform == "another" and extra == "default"
"""


class Pip:
    """Stands in for pip and the packages' index: writes wheels, and notes what is installed where."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.index = {"yt-dlp": "2026.11.20", "deno": "2.9.9", "yt-dlp-ejs": "0.9.0", "new-need": "1.2"}
        self.solver = "0.9.0"
        self.commands: list[str] = []
        self.broken = ""

    def __call__(self, *arguments: str, what: str) -> None:
        command, packages = arguments[0], [one for one in arguments[1:] if one[0].isalpha()]
        options = dict(one.split("=", 1) for one in arguments if one.startswith("--") and "=" in one)
        if "--target" in options:
            command = "try"
        self.commands.append(command)
        if self.broken == command:
            raise bootstrap.SetupError("No luck.")
        if command == "download":
            for package in packages:
                self._write(Path(options["--dest"]), package.partition("==")[0].partition(">")[0])
        elif command == "install":
            self.environment |= {name: version for name, _, version in (one.partition("==") for one in packages)}

    def _write(self, folder: Path, name: str) -> None:
        version = self.index[name]
        wheel = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            content = METADATA.format(solver=self.solver) if name == "yt-dlp" else "Name: other\n"
            archive.writestr(f"{name.replace('-', '_')}-{version}.dist-info/METADATA", content)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is installed; the packages of PINNED and what the set-up made of them."""
    environment = dict(line.split("==") for line in PINNED.splitlines())
    monkeypatch.setattr(update_downloader, "installed", lambda name: environment.get(name, ""))
    return environment


@pytest.fixture
def pip(root: Path, calls: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Pip:
    (root / "requirements.txt").write_text(PINNED)
    assert bootstrap.main([]) == 0
    calls.clear()
    pip = Pip(environment)
    monkeypatch.setattr(update_downloader, "pip", pip)
    monkeypatch.setattr(update_downloader, "TRIAL", "pass")
    return pip


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def last() -> str:
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return text.splitlines()[-1]

    return last


def stamps(root: Path) -> dict[str, str]:
    return dict(json.loads((root / ".venv" / "crossmodal-setup.json").read_text()))


def effective(root: Path) -> str:
    return (root / ".venv" / "requirements.txt").read_text()


def test_the_newest_packages_are_fetched_tried_and_installed(
    pip: Pip, environment: dict[str, str], said: Callable[[], str]
) -> None:
    assert update_downloader.main() == 0
    assert pip.commands == ["download", "download", "try", "install"]
    assert environment == {
        "Django": "5.2.19",
        "deno": "2.9.9",
        "requests": "2.34.2",
        "yt-dlp": "2026.11.20",
        "yt-dlp-ejs": "0.9.0",
        "new-need": "1.2",
    }
    assert said() == (
        "Updated: yt-dlp 2026.11.20, deno 2.9.9, yt-dlp-ejs 0.9.0, new-need 1.2. Start Crossmodal again to use it."
    )


def test_a_later_set_up_installs_nothing_again(pip: Pip, calls: list[str]) -> None:
    update_downloader.main()
    assert bootstrap.main([]) == 0
    assert calls == []


def test_a_second_update_does_nothing(pip: Pip, said: Callable[[], str]) -> None:
    update_downloader.main()
    pip.commands.clear()
    assert update_downloader.main() == 0
    assert "install" not in pip.commands
    assert said() == "Nothing to do: yt-dlp 2026.11.20 and Deno 2.9.9 are the newest."


def test_requirements_that_change_elsewhere_keep_what_is_newer(
    pip: Pip,
    root: Path,
    calls: list[str],
) -> None:
    update_downloader.main()
    (root / "requirements.txt").write_text(PINNED.replace("5.2.19", "5.2.20"))
    assert bootstrap.main([]) == 0
    assert calls == ["requirements.txt"]
    assert sorted(effective(root).split()) == [
        "Django==5.2.20",
        "deno==2.9.9",
        "new-need==1.2",
        "requests==2.34.2",
        "yt-dlp-ejs==0.9.0",
        "yt-dlp==2026.11.20",
    ]


def test_pins_that_reach_or_pass_it_win_each_on_its_own(pip: Pip, root: Path, calls: list[str]) -> None:
    update_downloader.main()
    newer = PINNED.replace("2026.10.26", "2026.12.01").replace("ejs==0.8.0", "ejs==0.9.0")
    (root / "requirements.txt").write_text(newer)
    assert bootstrap.main([]) == 0
    assert "yt-dlp==2026.12.01\nyt-dlp-ejs==0.9.0\ndeno==2.9.9\n" in effective(root)
    assert "new-need" not in effective(root)
    assert [name for name in stamps(root) if name.startswith(bootstrap.UPDATED)] == ["updated:deno"]
    (root / "requirements.txt").write_text(newer.replace("2.9.8", "2.10.0"))
    assert bootstrap.main([]) == 0
    assert [name for name in stamps(root) if name.startswith(bootstrap.UPDATED)] == []


def test_an_environment_that_is_made_anew_gets_the_newer_ones(
    pip: Pip,
    root: Path,
    calls: list[str],
) -> None:
    update_downloader.main()
    (root / ".venv" / "bin" / "pip").write_text("#!/somewhere/else/.venv/bin/python3\n")
    assert bootstrap.main([]) == 0
    assert calls == [".venv", "requirements.txt", "ci"]
    assert "yt-dlp==2026.11.20" in effective(root)


def test_the_solver_is_the_one_that_yt_dlp_names_also_an_older_one(pip: Pip, environment: dict[str, str]) -> None:
    pip.solver = pip.index["yt-dlp-ejs"] = "0.7.3"
    assert update_downloader.main() == 0
    assert environment["yt-dlp-ejs"] == "0.7.3"


def test_an_index_that_lags_behind_takes_nothing_back(
    pip: Pip, environment: dict[str, str], said: Callable[[], str]
) -> None:
    pip.index |= {"yt-dlp": "2026.09.01", "deno": "2.9.0"}
    assert update_downloader.main() == 0
    assert (environment["yt-dlp"], environment["deno"]) == ("2026.10.26", "2.9.8")
    assert said().startswith("Nothing to do: ")


@pytest.mark.parametrize("step", ["download", "try", "install"])
def test_a_failure_is_one_sentence_and_changes_nothing(
    step: str,
    pip: Pip,
    root: Path,
    environment: dict[str, str],
    said: Callable[[], str],
) -> None:
    before, noted = dict(environment), stamps(root)
    pip.broken = step
    assert update_downloader.main() == 1
    assert said() == "The downloader was not updated, and what was installed before stays. No luck."
    assert (environment, stamps(root)) == (before, noted)
    assert not list((root / "var").glob("update-*"))


def test_after_an_update_that_was_killed_the_next_set_up_installs_everything(
    pip: Pip, calls: list[str], said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: str, what: str) -> None:
        pip(*arguments, what=what)
        if pip.commands[-1] == "install":
            raise KeyboardInterrupt

    monkeypatch.setattr(update_downloader, "pip", killed)
    assert update_downloader.main() == 130
    assert "make setup" in said()
    assert bootstrap.main([]) == 0
    assert calls


def test_packages_that_do_not_work_together_are_not_installed(
    pip: Pip,
    root: Path,
    environment: dict[str, str],
    said: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(update_downloader, "TRIAL", "import sys; sys.exit('no usable solver')")
    before = dict(environment)
    assert update_downloader.main() == 1
    assert "do not work together on this machine (no usable solver)." in said()
    assert environment == before


def test_a_full_disk(pip: Pip, said: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 10**10, 10**8))
    assert update_downloader.main() == 1
    assert "Only 100 MB are free, and 400 MB are needed" in said()


def test_the_trial_is_the_real_self_test(tmp_path: Path) -> None:
    """Against what is installed here, as the trial folder would hold it."""
    import subprocess

    def trial(deno: Path) -> Any:
        command = [sys.executable, "-I", "-c", update_downloader.TRIAL, str(bootstrap.ROOT), str(tmp_path), str(deno)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert trial(Path(sys.executable).parent / "deno").returncode == 0
    failed = trial(tmp_path / "deno")
    assert (failed.returncode, failed.stderr.strip()) == (1, "the answers were wrong")


def test_without_a_network_real_pip_ends_in_a_sentence(
    root: Path,
    said: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    assert update_downloader.main() == 1
    assert "The newest yt-dlp could not be downloaded: check the network connection" in said()
