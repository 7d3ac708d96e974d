"""Whether a worker's process still runs, without waiting minutes for its heartbeats to expire; if not, how it ended."""

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError
from rq.utils import utcparse

from pipeline.endings import End

if TYPE_CHECKING:
    from redis import Redis
    from rq.job import Job

WORKERS_KEY = "rq:workers"
WORKER_PREFIX = "rq:worker:"
# Fields that PipelineWorker adds to its record in Redis, and the first also to the record of the job at hand.
SPACE_FIELD = "process_space"
MARK_FIELD = "process_mark"
# Of the job's record: its worker was asked to stop.
STOP_FIELD = "stop_requested"
# A worker shows itself every 5 s at least; one that is seen this long after another was is known to have outlived it.
OUTLIVED_AFTER = timedelta(seconds=30)
# Linux numbers processes up to 2 ** 22.
MAX_PID_DIGITS = 10


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
    record = _record(connection, name)
    pid = record.get("pid", "")
    if "death" in record or not pid.isdecimal() or len(pid) > MAX_PID_DIGITS:
        return False
    if record.get(SPACE_FIELD) != process_space():
        return True
    return process_mark(int(pid)) == record.get(MARK_FIELD)


def worker_names(connection: "Redis") -> list[str]:
    return [_text(key).removeprefix(WORKER_PREFIX) for key in connection.smembers(WORKERS_KEY)]


def executions_of(job: "Job") -> list[bytes]:
    """Ids of a job's executions as they stand there; RQ's own look at them ends at the first that is no text."""
    try:
        ids: Any = job.connection.zrange(job.execution_registry.key, 0, -1)
    except ResponseError:  # of another type, so none of ours
        return []
    return list(ids)


def worker_of(job: "Job", execution_id: bytes) -> str:
    """Who executes a job; nobody where the record has expired, for want of heartbeats, or is none of RQ's."""
    try:
        worker: Any = job.connection.hget(f"rq:execution:{job.id}:".encode() + execution_id, "worker_name")
    except ResponseError:
        return ""
    return _text(worker)


def how_it_ended(connection: "Redis", job_key: str) -> End:
    """Why a job is not executed any more that its row says is; `job_key` names the job's record.

    A worker that was asked to stop noted so. One that was killed while another on the same machine lives on, from
    before until now, died alone, most likely for want of memory. Where none lives that long the machine, the queue
    server or the whole installation went down, and nobody can tell whether the job had to do with it.
    """
    try:
        fields = connection.hmget(job_key, SPACE_FIELD, "last_heartbeat", STOP_FIELD)
    except ResponseError:  # of another type, so none of ours
        return End.UNKNOWN
    space, seen, stopped = map(_text, fields)
    if stopped:
        return End.STOPPED
    seen_at = _moment(seen)
    if not space or seen_at is None:
        return End.UNKNOWN
    witnessed = any(_outlived(connection, name, space, seen_at) for name in worker_names(connection))
    return End.DIED if witnessed else End.UNKNOWN


def _outlived(connection: "Redis", name: str, space: str, seen_at: datetime) -> bool:
    """Whether a worker was there when one of that space was last seen, on the same machine, and still is."""
    record = _record(connection, name)
    born_at, shown_at = _moment(record.get("birth", "")), _moment(record.get("last_heartbeat", ""))
    here = record.get(SPACE_FIELD, "")
    if born_at is None or shown_at is None or born_at > seen_at or _boot_of(here) != _boot_of(space):
        return False
    if not worker_lives(connection, name):
        return False
    return here == process_space() or shown_at - seen_at >= OUTLIVED_AFTER


def _boot_of(space: str) -> str:
    """The start of the machine's kernel, which its containers share."""
    return space.partition(" ")[2].partition(" ")[0]


def _record(connection: "Redis", name: str) -> dict[str, str]:
    try:
        return {_text(key): _text(value) for key, value in connection.hgetall(WORKER_PREFIX + name).items()}
    except ResponseError:  # of another type, so none of ours
        return {}


def _text(value: bytes | str | None) -> str:
    """What stands in a record; whatever others wrote there, it is text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _moment(text: str) -> datetime | None:
    try:
        return utcparse(text)
    except ValueError:
        return None
