"""What one job may take of its machine: memory, and the size of a file that it writes.

The limits are the kernel's, set in the forked process of each job, so that a hostile page or file ends one job and
not the machine. Where a system does not know them, a job runs without. The soft limits alone are set: whoever tells
that one was reached needs some memory for that, and takes it.

Memory is limited by RLIMIT_DATA, which counts private memory that can be written. RLIMIT_AS, which counts addresses,
does not let the JavaScript runtime start: V8 reserves far more of them than it uses.
"""

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from pipeline.own_jobs import PLACES
from pipeline.stages.errors import StageError, chain

try:
    import resource
except ImportError:  # not Unix
    resource = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

MIB: Final = 1024**2
GIB: Final = 1024**3
# Measured: loading the extractors takes 0.4 GB, a recording of four hours 0.5 GB in all, the JavaScript runtime, which
# has the same limit for itself, 0.6 GB of addresses for code before it starts. The rest is room for large pages.
DOWNLOAD_MEMORY_BYTES: Final = 2 * GIB
# Training takes this much on a small corpus; no job is given less, however small the machine.
MIN_MEMORY_BYTES: Final = 1 * GIB
# Of the memory there is: two compute workers on one machine are the default.
SHARE_OF_MEMORY: Final = 0.5
# A decoded recording, and what is written beside it.
DECODED_BYTES_PER_S: Final = 16_000 * 2
MARGIN_BYTES: Final = 16 * MIB
# A download worker has its container to itself: its job is to meet this limit before the kernel meets the container's.
SHARE_OF_CONTAINER: Final = 0.9
CGROUPS: Final = Path("/sys/fs/cgroup")


class LimitReachedError(StageError):
    """A job needs more of its machine than it may take; the message says what helps."""


@dataclass(frozen=True)
class Limits:
    """What one job may take, in bytes."""

    queue: str
    memory: int
    file: int


# Of this process, which executes one job; None where it is no job's.
_here: Limits | None = None


def memory_there() -> int:
    """Return the memory of this machine, or of its container or service where that is less, in bytes."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    groups = [CGROUPS, CGROUPS / "memory"]
    with contextlib.suppress(OSError):
        own = Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip().strip("/")
        groups += [CGROUPS / own, *(CGROUPS / own).parents]
    for group in groups:
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # no such group, or no limit ("max")
                found.append(int((group / name).read_text()))
    return min(found)


def warn_of_little_memory() -> None:
    """Say it before a worker loads: the kernel kills one that finds no room without a word, again and again."""
    if (there := memory_there()) < MIN_MEMORY_BYTES:
        log.warning(
            "There are %s of memory here, and a worker needs %s: expect it to be killed. Give its machine or container "
            "more (DOWNLOAD_MEMORY, COMPUTE_MEMORY).",
            _gigabytes(there),
            _gigabytes(MIN_MEMORY_BYTES),
        )


def limits_of(function: str) -> Limits:
    """Return the limits of a job of that function.

    What a compute job stores came out of its memory. A database in a file is written by every job.
    """
    queue = PLACES[function].queue
    decoded = settings.MAX_VIDEO_DURATION_S * DECODED_BYTES_PER_S
    file = max(settings.MAX_VIDEO_BYTES, settings.MAX_UPLOAD_BYTES, decoded) + MARGIN_BYTES
    memory = min(DOWNLOAD_MEMORY_BYTES, max(MIN_MEMORY_BYTES, int(memory_there() * SHARE_OF_CONTAINER)))
    if queue != "download":
        memory = settings.MAX_JOB_MEMORY_BYTES or max(MIN_MEMORY_BYTES, int(memory_there() * SHARE_OF_MEMORY))
        file = max(file, memory)
    database = Path(str(settings.DATABASES["default"]["NAME"]))
    return Limits(queue, memory, file + (database.stat().st_size if database.is_file() else 0))


def limit_this_process(function: str) -> None:
    """Set the limits of a job of that function; where the system refuses one the job runs without it."""
    global _here
    _here = limits_of(function)
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_DATA", _here.memory)
    _limit("RLIMIT_FSIZE", _here.file)


def _limit(name: str, value: int | None) -> None:
    """Set a soft limit, or take it away."""
    kind = getattr(resource, name, None)
    if kind is None:
        return
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(kind)[1]
        wanted = hard if value is None else value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, hard))


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Whatever fails in the block since a limit was reached raises LimitReachedError."""
    try:
        yield
    except Exception as error:
        check(error)
        raise


def check(error: BaseException | None) -> None:
    """Raise LimitReachedError where an error, or one hidden in it, says that a limit was reached.

    The limits are lifted then: telling it needs memory, too.
    """
    for one in chain(error) if error else ():
        if isinstance(one, LimitReachedError):
            raise one
        if isinstance(one, MemoryError):
            _lift()
            raise LimitReachedError(_too_much_memory()) from None
        if getattr(one, "errno", None) == errno.EFBIG:
            _lift()
            raise LimitReachedError(_too_large_file()) from None


def _lift() -> None:
    for name in ("RLIMIT_DATA", "RLIMIT_FSIZE"):
        _limit(name, None)


def _too_much_memory() -> str:
    if _here is None:
        return "This needs more memory than there is; free some, or use a larger machine, and retry."
    needs = f"This needs more memory than the {_gigabytes(_here.memory)} that a job may take"
    if _here.queue == "download":
        return f"{needs}, so it was stopped: the page, its captions or the recording are not as they should be."
    return f"{needs}; raise MAX_JOB_MEMORY_BYTES, or take less at once, and retry."


def _too_large_file() -> str:
    size = f"a file of more than {_gigabytes(_here.file)}" if _here else "a larger file than the system allows"
    return f"This needs {size}, which no job may write; take a shorter recording, or raise MAX_VIDEO_BYTES."


def _gigabytes(size: int) -> str:
    return f"{size / GIB:.1f} GB" if size >= GIB else f"{size / MIB:.0f} MB"
