"""Whether a worker's process still runs, without waiting minutes for its heartbeats to expire."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from rq.utils import as_text

if TYPE_CHECKING:
    from redis import Redis

WORKERS_KEY = "rq:workers"
WORKER_PREFIX = "rq:worker:"
# Fields that PipelineWorker adds to its record in Redis.
SPACE_FIELD = "process_space"
MARK_FIELD = "process_mark"


def process_space() -> str:
    """Names the set of processes that this one can see: host, boot and PID namespace.

    Two containers, or a host before and after a restart, number their processes independently.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux
        boot = namespace = ""
    return f"{socket.gethostname()} {boot} {namespace}"


def process_mark(pid: int) -> str:
    """Something that a later process of the same number does not share; empty where none runs."""
    try:
        # After the name in brackets, which may hold anything: state, ..., start time as 20th (proc_pid_stat(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "runs"


def worker_lives(connection: "Redis", name: str) -> bool:
    """Whether the worker of that name runs.

    Where its processes cannot be seen from here, its record counts, which expires when heartbeats stay away.
    """
    record = {as_text(key): as_text(value) for key, value in connection.hgetall(WORKER_PREFIX + name).items()}
    if not record or "death" in record or not record.get("pid"):
        return False
    if record.get(SPACE_FIELD) != process_space():
        return True
    return process_mark(int(record["pid"])) == record.get(MARK_FIELD)


def worker_names(connection: "Redis") -> list[str]:
    return [as_text(key).removeprefix(WORKER_PREFIX) for key in connection.smembers(WORKERS_KEY)]
