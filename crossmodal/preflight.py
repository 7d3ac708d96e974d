"""What must hold before anything is started; each failure is one sentence that says what to do."""

import os
import socket
import sys
from pathlib import Path

from crossmodal.bootstrap import OLDEST_PYTHON
from pipeline.stages.disk import LOW_BYTES, free_bytes

# Less than this would not last for one interview and the database.
NEEDED_BYTES = LOW_BYTES


class NotReadyError(Exception):
    """Starting would fail; the message says why and what to do."""


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    if version < OLDEST_PYTHON:
        found, oldest = (f"{major}.{minor}" for major, minor in (version, OLDEST_PYTHON))
        raise NotReadyError(f"Python {found} is too old: Crossmodal needs {oldest} or newer.")


def check_folder(folder: Path) -> None:
    """The folder can be made, and files in it."""
    trial = folder / f"write-test-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise NotReadyError(
            f"The folder {folder} cannot be written ({error.strerror}): change its permissions, or set VAR_DIR."
        ) from error


def check_space(folder: Path) -> None:
    free = free_bytes(folder)
    if free < NEEDED_BYTES:
        raise NotReadyError(
            f"Only {free / 1e6:.0f} MB are free where {folder} is: make room (at least {NEEDED_BYTES / 1e6:.0f} MB), "
            "or set VAR_DIR to a folder on a larger disk."
        )


def check_port(host: str, port: int, advice: str) -> None:
    """Nobody else listens on the port, and this user may."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except PermissionError as error:
        raise NotReadyError(f"Port {port} is reserved for the system's own services: {advice}.") from error
    except socket.gaierror as error:
        raise NotReadyError(f"{host} is not an address of this machine: use 127.0.0.1 or 0.0.0.0.") from error
    except OSError as error:
        raise NotReadyError(f"Port {port} on {host} cannot be used ({error.strerror}): {advice}.") from error
