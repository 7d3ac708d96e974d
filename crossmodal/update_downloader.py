"""Brings yt-dlp, its solver and its JavaScript runtime up to date without a new release: ``make update-downloader``.

Runs in the environment that bootstrap.py made. The newest packages are fetched and tried in a folder of their own
before anything is replaced; bootstrap.py keeps them until requirements.txt reaches them.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # python -I leaves it out

from crossmodal import bootstrap
from crossmodal.bootstrap import UPDATED, SetupError, numbers_of, say

DOWNLOADER = "yt-dlp"
RUNTIME = "deno"
# Deno unpacked (96 MB), its wheel (48 MB), both in the trial folder and once more in the environment.
NEEDED_BYTES = 400 * 10**6
# No update takes as long.
FORGOTTEN_S = 24 * 3600
# The new packages solve the challenge that `manage.py check_downloads` solves, before they take the old ones' place.
TRIAL = """
import sys
from pathlib import Path
root, trial, deno = sys.argv[1:]
sys.path[:0] = [trial, root]
from pipeline.stages.download_options import DownloadOptions, JsRuntime
from pipeline.stages.ytdlp_selftest import run_self_test
found = run_self_test(DownloadOptions(js_runtime=JsRuntime("deno", Path(deno))))
sys.exit(0 if found.solved else found.said or "the answers were wrong")
"""


def installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def pip(*arguments: str, what: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    bootstrap.run(command, what)


def fetch(folder: Path, wanted: list[str]) -> dict[str, Path]:
    """Wheels by package name, each the newest that fits; others that lie there already are named too."""
    options = ["--no-deps", "--only-binary=:all:", "--progress-bar=off", f"--dest={folder}"]
    if wanted:
        pip("download", *options, *wanted, what="The newest yt-dlp")
    return {str(parse_wheel_filename(path.name)[0]): path for path in folder.glob("*.whl")}


def version_of(wheel: Path) -> str:
    return str(parse_wheel_filename(wheel.name)[1])


def needs_of(wheel: Path) -> list[Requirement]:
    """What yt-dlp names for itself and for its extra "default", as far as it counts on this machine."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(name).decode())
    found = [Requirement(line) for line in headers.get_all("Requires-Dist", [])]
    extras = ("", "default")
    return [one for one in found if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in extras)]


def find_changes(folder: Path) -> dict[str, str]:
    """The packages to replace, with their new versions; empty where all are the newest already."""
    wheels = fetch(folder, [DOWNLOADER, RUNTIME])
    changes = {}
    for name in (DOWNLOADER, RUNTIME):
        if numbers_of(version_of(wheels[name])) > numbers_of(installed(name)):
            changes[name] = version_of(wheels[name])
    if DOWNLOADER not in changes and version_of(wheels[DOWNLOADER]) != installed(DOWNLOADER):
        return changes  # this one is newer than what can be had; it has what it needs
    unmet = [need for need in needs_of(wheels[DOWNLOADER]) if installed(need.name) not in need.specifier]
    wheels = fetch(folder, [f"{need.name}{need.specifier}" for need in unmet])
    names = [canonicalize_name(need.name) for need in unmet]
    return {**changes, **{name: version_of(wheels[name]) for name in names}}


def update(root: Path) -> dict[str, str]:
    """Fetch, try, install; what is returned is installed now."""
    (root / "var").mkdir(exist_ok=True)
    free = shutil.disk_usage(str(root)).free
    if free < NEEDED_BYTES:
        raise SetupError(f"Only {free / 1e6:.0f} MB are free, and {NEEDED_BYTES / 1e6:.0f} MB are needed: make room.")
    for left in (root / "var").glob("update-*"):  # by an update that was killed
        if not left.is_symlink() and left.is_dir() and left.stat().st_mtime < time.time() - FORGOTTEN_S:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="update-", dir=root / "var") as name:
        folder = Path(name)
        changes = find_changes(folder)
        if not changes:
            return {}
        exact = [f"{package}=={version}" for package, version in changes.items()]
        options = ["install", "--no-index", f"--find-links={name}", "--no-deps", "--no-compile", "--progress-bar=off"]
        trial = folder / "trial"
        pip(*options, f"--target={trial}", *exact, what="The newest yt-dlp")
        deno = (trial if RUNTIME in changes else Path(sys.executable).parent.parent) / "bin" / "deno"
        answer = subprocess.run(
            [sys.executable, "-I", "-c", TRIAL, str(root), str(trial), str(deno)], capture_output=True, check=False
        )
        if answer.returncode:
            said = answer.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no answer"]
            raise SetupError(f"The newest packages do not work together on this machine ({said[0]}).")
        with set_up_again_if_killed(root):
            pip(*options, *exact, what="The newest yt-dlp")
    return changes


@contextmanager
def set_up_again_if_killed(root: Path) -> Iterator[None]:
    """Let the next set-up install everything, unless the block ends or pip itself takes back what it did."""
    file = root / ".venv" / "crossmodal-setup.json"
    try:
        before = file.read_text()
        stamps = json.loads(before)
    except (OSError, ValueError):  # the next set-up installs everything in any case
        yield
        return
    stamps.pop("requirements.txt", None)
    file.write_text(json.dumps(stamps, indent=2))
    try:
        yield
    except SetupError:
        file.write_text(before)
        raise
    file.write_text(before)


def remember(root: Path, changes: dict[str, str]) -> None:
    """Note the new versions where bootstrap.py looks, so that it neither takes them back nor installs once more."""
    file = root / ".venv" / "crossmodal-setup.json"
    try:
        stamps = json.loads(file.read_text())
    except (OSError, ValueError):
        stamps = {}
    stamps.update({UPDATED + name: version for name, version in changes.items()})
    text = bootstrap.with_updates((root / "requirements.txt").read_text(), stamps)
    if "requirements.txt" in stamps:
        stamps["requirements.txt"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(stamps, indent=2))


def main() -> int:
    root = bootstrap.ROOT
    before = {name: installed(name) for name in (DOWNLOADER, RUNTIME)}
    try:
        changes = update(root)
        remember(root, changes)
    except SetupError as error:
        say(f"The downloader was not updated, and what was installed before stays. {error}")
        return 1
    except OSError as error:
        name = error.filename or "A file"
        say(f"The downloader was not updated. {name} cannot be used: {error.strerror}.")
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Run “make setup”: it puts right what may be half installed.")
        return 130
    if not changes:
        say(f"Nothing to do: yt-dlp {before[DOWNLOADER]} and Deno {before[RUNTIME]} are the newest.")
        return 0
    told = ", ".join(f"{name} {version}" for name, version in changes.items())
    say(f"Updated: {told}. Start Crossmodal again to use it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
