"""The queues as workers see them: what is no job of this project is put aside, and nothing depends on anything."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import JOB_ID_PATTERN, Job, JobStatus
from rq.registry import FailedJobRegistry
from rq.utils import now, utcformat

from pipeline.own_jobs import REFUSED, ForeignJobError, check_runnable, packed, shown

log = logging.getLogger(__name__)

# How long a refused job can be looked at.
REFUSED_KEPT_S = 7 * 24 * 3600
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
        while True:
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
                continue
            else:
                return job, queue

    def enqueue_dependents(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """Nothing: no job of this project waits for another one's end in the queue server."""


def put_aside(queue: Queue, raw_id: bytes | str, reason: str) -> None:
    """Keep a job that is not ours as a failed one, without what it holds; one without a proper id goes."""
    job_id = raw_id.decode(errors="replace") if isinstance(raw_id, bytes) else raw_id
    log.warning("Refused %s in the queue %s: %s", shown(job_id), queue.name, reason)
    connection: Any = queue.connection
    connection.lrem(IntermediateQueue.get_intermediate_queue_key(queue.key), 0, raw_id)
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


def drop_unreadable(queue: Queue) -> None:
    """Take out of RQ's registries what is no id: at such a one its own cleaning of them would end each time."""
    connection: Any = queue.connection
    for kind in REGISTRIES:
        key = f"rq:{kind}:{queue.name}"
        try:
            members = connection.zrange(key, 0, -1)
        except ResponseError:  # of another type
            connection.delete(key)
            continue
        if strange := [member for member in members if not _is_entry(member, executions=kind == "wip")]:
            log.warning("Dropped %s entries of %s that name no job", len(strange), key)
            connection.zrem(key, *strange)
    key = IntermediateQueue.get_intermediate_queue_key(queue.key)
    try:
        for member in connection.lrange(key, 0, -1):
            if not _is_entry(member, executions=False):
                connection.lrem(key, 0, member)
    except ResponseError:
        connection.delete(key)


def _is_entry(member: bytes, *, executions: bool) -> bool:
    parts = member.decode(errors="replace").split(":")
    return len(parts) == 1 + executions and all(JOB_ID_PATTERN.fullmatch(part) for part in parts)
