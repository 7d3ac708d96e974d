"""Scratch folders: one for each process, for everything temporary, removed when its process is gone.

A folder has a lock file beside it, which its process holds for as long as it lives. Locks vanish with their process
however it ends, so that a sweep removes every folder whose lock is free: what a killed download, upload or training
left. Of what cannot be locked or written nothing is removed, and temporary files go to the system's own folder.
"""

import atexit
import fcntl
import hashlib
import logging
import os
import re
import secrets
import shutil
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from pipeline.stages.mounts import is_local

log = logging.getLogger(__name__)

# Host, process and a random part. Nothing else is ever removed.
NAME = re.compile(r"[0-9a-f]{8}-\d+-[0-9a-f]{16}")
LOCK_ENDING = ".lock"
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_LOCK = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What programs and libraries ask for the folder of their temporary files.
VARIABLES = ("TMPDIR", "JOBLIB_TEMP_FOLDER")
# Where locks may not reach from one machine to another, files of other machines stay for four times the longest job.
OTHER_MACHINES_S = 48 * 3600
# Of making a folder: a sweep can come between a lock file and its lock once or twice, never so often.
MAX_TRIES = 20


@dataclass(frozen=True)
class Scratch:
    """The folder of one process, and the open file that holds its lock."""

    base: Path
    name: str
    pid: int
    lock: int

    @property
    def folder(self) -> Path:
        return self.base / self.name


_mine: dict[Path, Scratch] = {}
_guard = threading.RLock()
_entered: Path | None = None  # the base in use since `enter`
_takes_uploads = False


def _after_fork() -> None:
    global _guard
    _guard = threading.RLock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork)


def bases() -> list[Path]:
    """All folders that hold scratch folders of this installation."""
    return list(dict.fromkeys([Path(settings.SCRATCH_DIR), Path(settings.UPLOAD_SCRATCH_DIR)]))


# ---------------------------------------------------------------- using


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make an empty folder inside this process's scratch folder, for the length of a ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="crossmodal-", dir=own_folder()) as name:
        yield Path(name)


def own_folder() -> Path | None:
    """This process's scratch folder, made on first use; None where none can be made."""
    scratch = _own(_entered or Path(settings.SCRATCH_DIR))
    return scratch.folder if scratch else None


def room() -> Path:
    """A folder on the disk where temporary files of this process go."""
    return own_folder() or Path(tempfile.gettempdir())


def enter(base: Path | None = None) -> None:
    """Have everything in this process that makes temporary files use its scratch folder, and programs it starts too."""
    global _entered
    _entered = base or Path(settings.SCRATCH_DIR)
    if scratch := _own(_entered):
        _use(scratch.folder)


def enter_web() -> None:
    """As `enter`, for a process that serves pages: uploads go to its scratch folder as well."""
    global _takes_uploads
    _takes_uploads = True
    enter(Path(settings.UPLOAD_SCRATCH_DIR))


def _use(folder: Path | None) -> None:
    """Have temporary files go to a folder; with None, to the system's own."""
    tempfile.tempdir = str(folder) if folder else None
    for name in VARIABLES:
        os.environ.pop(name, None) if folder is None else os.environ.update({name: str(folder)})
    if _takes_uploads:
        settings.FILE_UPLOAD_TEMP_DIR = tempfile.tempdir


@contextmanager
def entered() -> Iterator[None]:
    """Use a scratch folder for the length of a ``with`` block: a job's, which is gone at the job's end."""
    global _entered
    before = _entered, tempfile.tempdir, {name: os.environ.get(name) for name in VARIABLES}
    enter()
    try:
        yield
    finally:
        leave()
        _entered, tempfile.tempdir, variables = before
        for name, value in variables.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def leave() -> None:
    """Remove this process's scratch folders."""
    with _guard:
        for base, scratch in list(_mine.items()):
            if scratch.pid != os.getpid():
                continue
            del _mine[base]
            with suppress(OSError), _opened(base) as folder:
                _remove(folder, scratch.name)
            os.close(scratch.lock)


def _own(base: Path) -> Scratch | None:
    with _guard:
        scratch = _mine.get(base)
        if scratch and scratch.pid == os.getpid() and scratch.folder.is_dir():
            return scratch
        is_lost = scratch is not None and scratch.pid == os.getpid()  # somebody removed it
        if scratch:
            del _mine[base]
            os.close(scratch.lock)  # after a fork: the parent still holds its lock
        else:
            sweep()  # where no worker runs, nobody else does
        try:
            _mine[base] = _made(base)
        except OSError as error:
            log.warning("No scratch folder can be made in %s (%s); temporary files go elsewhere", base, error)
            if is_lost and base == _entered:
                _use(None)
            return None
        if not scratch:
            atexit.register(leave)
        elif is_lost and base == _entered:
            _use(_mine[base].folder)
        return _mine[base]


def _made(base: Path) -> Scratch:
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(base) as folder:
        for _ in range(MAX_TRIES):
            name = f"{_host()}-{os.getpid()}-{secrets.token_hex(8)}"
            lock = os.open(name + LOCK_ENDING, OPEN_LOCK | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
            try:
                # A sweep may have seen the file before it was locked: it holds the lock, or has removed the file.
                if _locked(lock) and _is_named(lock, name + LOCK_ENDING, folder):
                    os.mkdir(name, 0o700, dir_fd=folder)
                    return Scratch(base, name, os.getpid(), lock)
            except BaseException:
                _remove(folder, name)
                os.close(lock)
                raise
            os.close(lock)
    raise OSError(f"no lock could be had in {MAX_TRIES} tries")


# ---------------------------------------------------------------- sweeping


def sweep() -> int:
    """Remove the folders of processes that are gone; how many. May run anywhere, any time, several times at once."""
    removed = 0
    for base in bases():
        try:
            with _opened(base) as folder:
                removed += _sweep(base, folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("The scratch folders in %s cannot be swept: %s", base, error)
    if removed:
        log.info("Removed %d scratch folders that ended processes left", removed)
    return removed


def _sweep(base: Path, folder: int) -> int:
    found = {name.removesuffix(LOCK_ENDING) for name in os.listdir(folder)}
    names = sorted(name for name in found if NAME.fullmatch(name))
    local = not names or is_local(base)
    removed = 0
    for name in names:
        try:
            removed += _removed_if_free(folder, name, sure=local or name.startswith(_host()))
        except OSError as error:
            log.warning("The scratch folder %s stays for now: %s", base / name, error)
    return removed


def _removed_if_free(folder: int, name: str, *, sure: bool) -> bool:
    try:
        lock = os.open(name + LOCK_ENDING, OPEN_LOCK, dir_fd=folder)
    except FileNotFoundError:
        if name not in os.listdir(folder):
            return False  # its process has just ended and removed both
        lock = os.open(name + LOCK_ENDING, OPEN_LOCK | os.O_CREAT, 0o600, dir_fd=folder)
    try:
        if not _locked(lock) or not _is_named(lock, name + LOCK_ENDING, folder):
            return False
        if not sure and not _is_old(folder, name):
            return False
        _remove(folder, name)
        return True
    finally:
        os.close(lock)


def _remove(folder: int, name: str) -> None:
    """Remove a folder and then its lock file; only who holds the lock may. Links are removed, never followed."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
    with suppress(FileNotFoundError):
        os.unlink(name + LOCK_ENDING, dir_fd=folder)


@contextmanager
def _opened(base: Path) -> Iterator[int]:
    """The folder itself, whatever its name is made to mean later; one of somebody else is refused."""
    folder = os.open(base, OPEN_FOLDER)
    try:
        if os.geteuid() not in (0, os.fstat(folder).st_uid):
            raise PermissionError(f"{base} belongs to another user")
        yield folder
    finally:
        os.close(folder)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_named(lock: int, name: str, folder: int) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        there, mine = os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(lock)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(mine.st_mode) and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _is_old(folder: int, name: str) -> bool:
    """Whether nothing in a folder was changed for days; an empty one takes no room, and may stay."""
    newest = 0.0
    for _, _, files, at in os.fwalk(name, dir_fd=folder, follow_symlinks=False):
        newest = max([newest, *(os.stat(file, dir_fd=at, follow_symlinks=False).st_mtime for file in files)])
    return 0 < newest < time.time() - OTHER_MACHINES_S


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
