"""Small helpers about processes, so that nothing the supervisor started outlives it."""

import ctypes
import fcntl
import signal
import sys
from pathlib import Path
from types import TracebackType

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def die_with_parent() -> None:
    """Ask Linux to kill this process as soon as its parent is gone; elsewhere this does nothing."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class FolderInUseError(Exception):
    """Another live process holds the lock."""


class FolderLock:
    """A lock that vanishes with the process that holds it, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "FolderLock":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise FolderInUseError(str(self.path)) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
