"""Room on disks: what is free, what stays free, and one sentence for a disk that is full."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.stages.errors import DiskFullError, chain
from pipeline.stages.mounts import existing, mount_point

# Never used up by files, so that the database and the queue go on: an SQLite database of 100,000 segments takes some
# 50 MB, and its log of changes can grow as large while many write.
RESERVE_BYTES: Final = 100 * 10**6
# As many as a few jobs, the database and logs make at once.
RESERVE_FILES: Final = 100
# Below this a warning is shown: an interview of 100 minutes takes 200 MB, and would be the last.
LOW_BYTES: Final = RESERVE_BYTES + 200 * 10**6
# Of decoded sound: 16 kHz, 16 bits, mono.
SOUND_BYTES_PER_S: Final = 32_000

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
# What is told by text alone: SQLite, programs and libraries that wrap the system's error, PostgreSQL.
FULL_WORDS: Final = re.compile(r"database or disk is full|no space left on device|disk quota exceeded", re.IGNORECASE)
# Of SQLite: not even the small file beside the database that it needs for reading finds room, or may be made.
SQLITE_FAILS: Final = re.compile(
    r"^(?:disk I/O error|unable to open database file|attempt to write a readonly database)$", re.IGNORECASE
)
# PostgreSQL's class disk_full, 53100, by psycopg's name.
FULL_NAMES: Final = frozenset({"DiskFull"})
# Of Valkey and Redis: it cannot save to its disk, or its memory is full.
QUEUE_WORDS: Final = re.compile(r"^(?:OOM|MISCONF)\b|used memory > 'maxmemory'")
QUEUE_FULL: Final = (
    "The queue server takes nothing more, since its disk or its memory is full: make room on its machine. What was "
    "stored stays stored and waits."
)
NO_FILES: Final = "takes no more files, however small (its inodes are used up; `df -i` shows them)."
MAKE_ROOM: Final = "Make room there, or move the data to a larger disk."


def is_out_of_files(folder: Path) -> bool:
    """Whether the disk of a folder takes hardly any more files, however small; some file systems know no such limit."""
    status = os.statvfs(existing(folder))
    return status.f_files > 0 and status.f_favail < RESERVE_FILES


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written to the disk of a folder, which need not exist yet."""
    return shutil.disk_usage(existing(folder)).free


def check_room(folder: Path, needed_bytes: float, purpose: str) -> None:
    """Refuse to begin what would leave less than the reserve.

    Parameters
    ----------
    folder : Path
        Where it is to be written.
    needed_bytes : float
        How much, as far as that is known before.
    purpose : str
        For the sentence: “decoding the recording”.

    Raises
    ------
    DiskFullError
        There is not enough room.
    """
    if is_out_of_files(folder):
        raise DiskFullError(f"The disk of {mount_point(folder)} {NO_FILES} {MAKE_ROOM}")
    free = free_bytes(folder)
    if free - needed_bytes >= RESERVE_BYTES:
        return
    needs = f"{purpose} needs {megabytes(needed_bytes)}, and " if needed_bytes >= 10**6 else ""
    raise DiskFullError(
        f"The disk of {mount_point(folder)} has {megabytes(free)} left; {needs}{megabytes(RESERVE_BYTES)} stay free "
        f"for the database and the queue. {MAKE_ROOM}"
    )


def explain_full(error: BaseException) -> DiskFullError | None:
    """Return the sentence for an error whose cause is a full disk; None for any other."""
    for one in chain(error):
        if isinstance(one, DiskFullError):
            return one
        if isinstance(one, OSError) and one.errno in FULL:
            return DiskFullError(f"{_disk_of(one)} is full, or what may be written to it is used up. {MAKE_ROOM}")
        if isinstance(one, OSError) and one.errno == errno.EROFS:
            return DiskFullError(
                f"{_disk_of(one)} can only be read, as after a fault: it has no room until it is repaired."
            )
        if isinstance(one, OSError) and one.errno == errno.EFBIG:
            return DiskFullError(
                "A file grew larger than this machine lets one become; raise that limit (ulimit -f), or give a shorter "
                "recording."
            )
        if SQLITE_FAILS.search(str(one)):
            return DiskFullError(
                "The database cannot be read or written: its disk is full or broken, or its folder belongs to another "
                f"user. {MAKE_ROOM}"
            )
        if type(one).__name__ in FULL_NAMES or FULL_WORDS.search(str(one)):
            return DiskFullError(f"A disk is full: that of the database or of temporary files. {MAKE_ROOM}")
        if any(kind.__module__.startswith("redis.") for kind in type(one).__mro__) and _is_full_queue(one):
            return DiskFullError(QUEUE_FULL)
    return None


@contextmanager
def telling_of_full_disks() -> Iterator[None]:
    """Turn whatever a full disk makes of the block's work into a DiskFullError."""
    try:
        yield
    except Exception as error:
        full = explain_full(error)
        if full is None or full is error:
            raise
        raise full from error


def unwritten_sound(folder: Path) -> DiskFullError:
    """Return the error for sound that could not be written; libsndfile does not tell why."""
    return DiskFullError(
        f"The sound could not be written: the disk of {mount_point(folder)} has {megabytes(free_bytes(folder))} left, "
        f"and a limit of this machine may be reached. {MAKE_ROOM}"
    )


def megabytes(count: float) -> str:
    """Write a number of bytes in MB, from ten thousand of them on in GB."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e10 else f"{count / 1e6:,.0f} MB"


def _disk_of(error: OSError) -> str:
    if isinstance(error.filename, str) and error.filename.startswith("/"):
        return f"The disk of {mount_point(Path(error.filename))}"
    return "The disk"


def _is_full_queue(error: BaseException) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or bool(QUEUE_WORDS.search(str(error)))
