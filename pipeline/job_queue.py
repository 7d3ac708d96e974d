"""The queues as workers see them: what is no job of this project is put aside, and nothing depends on anything."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import DequeueTimeout, NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import JOB_ID_PATTERN, Job, JobStatus
from rq.registry import FailedJobRegistry, ScheduledJobRegistry
from rq.utils import now, utcformat

from pipeline.liveness import WORKERS_KEY
from pipeline.own_jobs import REFUSED, ForeignJobError, check_runnable, packed, shown

log = logging.getLogger(__name__)

# How long a refused job can be looked at.
REFUSED_KEPT_S = 7 * 24 * 3600
# Of what is no job of ours, so that a worker shows itself, and looks for other work, in between.
DROPPED_AT_ONCE = 1000
# Of a long schedule, for the same reason.
DUE_AT_ONCE = 1000
# Of RQ's registries, which hold ids: a member that is none would end the work of whoever looks at them.
REGISTRIES = ("wip", "scheduled", "failed", "finished", "deferred", "canceled")


class PipelineQueue(Queue):
    """A queue that gives out the project's own jobs only."""

    @classmethod
    def dequeue_any(  # type: ignore[override]
        cls, queues: Sequence[Queue], timeout: int | None, connection: Redis, **options: Any
    ) -> tuple[Job, Queue] | None:
        """The next job and its queue; raises DequeueTimeout, or None where that is not waited for."""
        keys = [queue.key for queue in queues]
        for _ in range(DROPPED_AT_ONCE):
            if len(keys) == 1:
                popped = cls.lmove(connection, keys[0], timeout)
            else:
                popped = cls.lpop(keys, timeout, connection=connection)
            if popped is None:
                return None
            key, raw_id = popped
            queue = next(queue for queue in queues if queue.key == (key.decode() if isinstance(key, bytes) else key))
            job_id = raw_id.decode(errors="replace") if isinstance(raw_id, bytes) else raw_id
            try:
                job = Job.fetch(job_id, connection=connection)
                check_runnable(job)
            except ForeignJobError as error:
                put_aside(queue, raw_id, str(error))
            except NoSuchJobError:
                _taken_off(queue, raw_id)
            else:
                return job, queue
        raise DequeueTimeout("Much that is no job of ours stood in the queue; the rest is looked at next.")

    def enqueue_dependents(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """Nothing: no job of this project waits for another one's end in the queue server."""


def put_aside(queue: Queue, raw_id: bytes | str, reason: str) -> None:
    """Keep a job that is not ours as a failed one, without what it holds; one without a proper id goes."""
    job_id = raw_id.decode(errors="replace") if isinstance(raw_id, bytes) else raw_id
    log.warning("Refused %s in the queue %s: %s", shown(job_id), queue.name, reason)
    connection: Any = queue.connection
    _taken_off(queue, raw_id)
    if not JOB_ID_PATTERN.fullmatch(job_id):
        return
    moment = utcformat(now())
    record = {
        "data": packed(REFUSED, []),
        "description": shown(f"Refused: {reason}"),
        "origin": queue.name,
        "created_at": moment,
        "ended_at": moment,
        "status": JobStatus.FAILED.value,
    }
    with connection.pipeline() as pipeline:
        pipeline.delete(Job.key_for(job_id), f"rq:results:{job_id}", Job.dependents_key_for(job_id))
        pipeline.hset(Job.key_for(job_id), mapping=record)
        pipeline.expire(Job.key_for(job_id), REFUSED_KEPT_S)
        pipeline.zadd(FailedJobRegistry(queue=queue).key, {job_id: int(time.time()) + REFUSED_KEPT_S})
        pipeline.execute()


def _taken_off(queue: Queue, raw_id: bytes | str) -> None:
    """Take an id off the list of those that were taken from the queue and not begun, which RQ looks through slowly."""
    connection: Any = queue.connection
    connection.lrem(IntermediateQueue.get_intermediate_queue_key(queue.key), 0, raw_id)


def mend_keys(queue: Queue) -> None:
    """Drop keys that RQ takes for granted where they are of another type: at such a one every worker would end."""
    connection: Any = queue.connection
    types = {
        **dict.fromkeys((WORKERS_KEY, f"{WORKERS_KEY}:{queue.name}", Queue.redis_queues_keys), b"set"),
        **dict.fromkeys((queue.key, IntermediateQueue.get_intermediate_queue_key(queue.key)), b"list"),
        **dict.fromkeys((f"rq:{kind}:{queue.name}" for kind in REGISTRIES), b"zset"),
    }
    for key, wanted in types.items():
        if connection.type(key) not in (wanted, b"none"):
            log.warning("Dropped %s, which was no %s", key, wanted.decode())
            connection.delete(key)


def drop_unreadable(queue: Queue) -> None:
    """Take out of RQ's registries what is no id: at such a one its own cleaning of them would end each time."""
    mend_keys(queue)
    connection: Any = queue.connection
    for key in (WORKERS_KEY, f"{WORKERS_KEY}:{queue.name}"):
        if strange := [member for member in connection.smembers(key) if not _is_text(member)]:
            connection.srem(key, *strange)
    for kind in REGISTRIES:
        key = f"rq:{kind}:{queue.name}"
        members = connection.zrange(key, 0, -1)
        if strange := [member for member in members if not _is_entry(member, executions=kind == "wip")]:
            log.warning("Dropped %s entries of %s that name no job", len(strange), key)
            connection.zrem(key, *strange)
    key = IntermediateQueue.get_intermediate_queue_key(queue.key)
    for member in connection.lrange(key, 0, -1):
        if not _is_entry(member, executions=False):
            connection.lrem(key, 0, member)


def _is_text(member: bytes) -> bool:
    try:
        return bool(member.decode())
    except ValueError:
        return False


def _is_entry(member: bytes, *, executions: bool) -> bool:
    parts = member.decode(errors="replace").split(":")
    return len(parts) == 1 + executions and all(JOB_ID_PATTERN.fullmatch(part) for part in parts)


def enqueue_due_retries(queue: Queue) -> int:
    """Move jobs whose pause is over from the schedule to their queue; how many."""
    registry = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
    moved = 0
    due: Any = queue.connection.zrangebyscore(registry.key, 0, time.time(), start=0, num=DUE_AT_ONCE)
    for raw_name in due:
        if not registry.remove(raw_name):
            continue  # another worker was first
        try:
            job = Job.fetch(raw_name.decode(errors="replace"), connection=queue.connection)
            check_runnable(job)
        except ForeignJobError as error:
            put_aside(queue, raw_name, str(error))
        except NoSuchJobError:
            continue
        else:
            queue.enqueue_job(job)
            moved += 1
    return moved
