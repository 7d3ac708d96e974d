"""The way into the queues: which job runs where, for how long, and never twice at once."""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError
from redis.retry import Retry as ConnectionRetry
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import ScheduledJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from pipeline.liveness import executions_of, worker_lives, worker_names, worker_of
from pipeline.own_jobs import JOBS, MODULE
from pipeline.stages.disk import explain_full
from pipeline.stages.errors import StageError

# A server that is too busy (429) often asks for a minute; five more give a short outage time to pass.
RETRY_PAUSES_S = [10, 60, 300]
# The first try and one after each pause.
MAX_TRIES = 1 + len(RETRY_PAUSES_S)
# A done job's record is of no use: its end state is in the database.
RESULT_KEPT_S = 60
FAILURE_KEPT_S = 7 * 24 * 3600
CONNECT_TIMEOUT_S = 3
ANSWER_TIMEOUT_S = 10
NO_EXPIRY = -1  # PTTL's answer for a key that stays
# Between being taken from its queue and being marked as started, a job is nowhere to be seen for some milliseconds.
UNSEEN_GRACE_S = 0.5


class Standing(Enum):
    """Where a job is."""

    WAITING = auto()  # in its queue, or scheduled
    RUNNING = auto()  # with a living worker
    UNSEEN = auto()  # between the two, or left by a worker that died
    GONE = auto()


class QueueUnavailable(StageError):  # noqa: N818
    """The queue server cannot be reached; what was stored stays stored and waits."""

    def __init__(self, told: str = "") -> None:
        super().__init__(
            told or "The queue server cannot be reached, so the work is stored and waits: start it with “make run”.",
            permanent=False,
        )


@functools.lru_cache(maxsize=4)
def _connect(url: str) -> Redis:
    """A connection that fails fast, so that a page never hangs on a server that is not there."""
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=ConnectionRetry(NoBackoff(), 1),
    )


def get_connection() -> Redis:
    return _connect(settings.REDIS_URL)


def get_queue(name: str) -> Queue:
    return Queue(name, connection=get_connection(), serializer=JSONSerializer)


def job_id(job: str, *pks: int) -> str:
    return "-".join([job, *map(str, pks)])


def lock_key(job: str, *pks: int) -> str:
    return f"crossmodal:enqueue:{job_id(job, *pks)}"


def enqueue_on_commit(job: str, *pks: int) -> None:
    """Queue a job once the surrounding transaction commits; nothing happens while it is queued or running.

    Raises QueueUnavailable (from the end of the transaction, where there is one).
    """
    transaction.on_commit(lambda: enqueue(job, *pks))


def enqueue(job: str, *pks: int, patient: bool = False) -> bool:
    """Queue a job now; False where it is already queued, running or waiting for its next try.

    Where it cannot be told at once whether a worker has just taken it or died with it, a page does not wait: to it the
    job is alive, and if it is not, the next look for work queues it. That look is ``patient``.
    """
    name = job_id(job, *pks)
    lost = patient and _is_lost(name)
    with alone_with(job, pks):
        return _is_free(standing_of(name), lost) and _put(job, pks, None)


def enqueue_at(job: str, *pks: int, when: datetime, patient: bool = False) -> bool:
    """Queue a job for a later moment, which may have passed.

    One that is scheduled for later still is brought forward; False where nothing is changed. ``patient`` as in
    `enqueue`.
    """
    name = job_id(job, *pks)
    lost = patient and _is_lost(name)
    with alone_with(job, pks):
        return _put(job, pks, when) if _is_free(standing_of(name), lost) else _bring_forward(name, when)


def bring_forward_on_commit(job: str, *pks: int) -> None:
    """Once the surrounding transaction commits, have a job that waits for a later moment or behind others run next.

    A person waits for what was uploaded, and hundreds of downloads may be queued only to find out that it is not their
    turn. Does nothing where the job is not waiting, or where the queue server is away: it is found by the next look.
    """

    def bring_forward() -> None:
        with suppress(QueueUnavailable), alone_with(job, pks):
            name = job_id(job, *pks)
            _bring_forward(name, timezone.now())
            queue = get_queue(JOBS[job].queue)
            if queue.remove(name):  # else a worker was first
                queue.push_job_id(name, at_front=True)

    transaction.on_commit(bring_forward)


@contextmanager
def server_needed() -> Iterator[None]:
    """Whatever asks the queue server in the block raises QueueUnavailable where it cannot be reached."""
    try:
        yield
    except RedisError as error:
        raise QueueUnavailable(full.message if (full := explain_full(error)) else "") from error


@contextmanager
def alone_with(job: str, pks: tuple[int, ...]) -> Iterator[None]:
    """Without the lock, two callers could each remove the dead record of an earlier run, one of them too late.

    Pages wait for it, so nobody sleeps in it.
    """
    with server_needed():
        key = lock_key(job, *pks)
        lock = get_connection().lock(key, timeout=ANSWER_TIMEOUT_S, blocking_timeout=ANSWER_TIMEOUT_S)
        if not lock.acquire():
            left: Any = get_connection().pttl(key)
            if left == NO_EXPIRY or left > ANSWER_TIMEOUT_S * 1000:
                get_connection().delete(key)  # ours expire sooner
            raise LockError("Another process works on this job's record.")
        try:
            yield
        finally:
            with suppress(LockError):  # it took so long that the lock has expired
                lock.release()


def _put(job: str, pks: tuple[int, ...], when: datetime | None) -> bool:
    place, name = JOBS[job], job_id(job, *pks)
    forget(place.queue, name)
    queue = get_queue(place.queue)
    options: dict[str, Any] = {
        "args": pks,
        "job_id": name,
        "description": name,
        "timeout": place.timeout_s,
        "result_ttl": RESULT_KEPT_S,
        "failure_ttl": FAILURE_KEPT_S,
    }
    retry = Retry(max=len(RETRY_PAUSES_S), interval=RETRY_PAUSES_S)
    try:
        if when is None or when <= timezone.now():
            queue.enqueue_call(f"{MODULE}.{job}", retry=retry, unique=True, **options)
        else:
            made = queue.create_job(f"{MODULE}.{job}", retry=retry, status=JobStatus.SCHEDULED, **options)
            queue.schedule_job(made, when, unique=True)
    except DuplicateJobError:
        return False
    return True


def _bring_forward(name: str, when: datetime) -> bool:
    job = fetch_job(name)
    if job is None:
        return False
    queue = get_queue(job.origin)
    registry = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
    if name not in registry or registry.get_scheduled_time(job) <= when:
        return False
    if when > timezone.now():
        registry.schedule(job, when)
    elif registry.remove(name):  # else a worker was first
        queue.enqueue_job(job)
    return True


def fetch_job(name: str) -> Job | None:
    try:
        return Job.fetch(name, connection=get_connection(), serializer=JSONSerializer)
    except NoSuchJobError:
        return None


def forget(queue_name: str, name: str) -> None:
    """Remove what an earlier run of the same id left behind, wherever it stands."""
    queue = get_queue(queue_name)
    job = fetch_job(name)
    if job is None:
        queue.connection.delete(Job.key_for(name))  # a record of this name that is not ours would be in its way
    else:
        # rq cannot delete a job whose worker died so long ago that the execution's own record has expired.
        for execution_id in executions_of(job):
            queue.connection.zrem(StartedJobRegistry(queue=queue).key, f"{name}:".encode() + execution_id)
        queue.connection.delete(job.execution_registry.key)
        job.delete()
    queue.remove(name)
    queue.intermediate_queue.remove(name)


def is_alive(name: str, *, running: bool = False, patient: bool = True) -> bool:
    """Whether a job will still be worked on: queued, waiting for its next try, or held by a living worker.

    With ``running`` only the last counts. Where it cannot be told, this looks again after a moment, or if it is not
    ``patient`` takes the job for alive. Raises QueueUnavailable.
    """
    lost = patient and _is_lost(name)
    with server_needed():
        standing = standing_of(name)
        return not _is_free(standing, lost) and not (running and standing == Standing.WAITING)


def _is_free(standing: Standing, lost: bool) -> bool:
    """Whether nobody works or will work on a job; ``lost`` says that it was unseen for some time."""
    return standing == Standing.GONE or (standing == Standing.UNSEEN and (lost or not _any_worker_lives()))


def _is_lost(name: str) -> bool:
    """Whether a job stays unseen for longer than its way from the queue to a worker takes. Sleeps; holds no lock."""
    with server_needed():
        if standing_of(name) != Standing.UNSEEN:
            return False
        time.sleep(UNSEEN_GRACE_S)
        return standing_of(name) == Standing.UNSEEN


def standing_of(name: str) -> Standing:
    job = fetch_job(name)
    if job is None:
        return Standing.GONE
    queue = get_queue(job.origin)
    status: Any = job.get_status(refresh=False)
    if (status == JobStatus.STARTED or _is_started(queue, name)) and is_held(job):
        return Standing.RUNNING
    if status == JobStatus.QUEUED and queue.get_job_position(name) is not None:
        return Standing.WAITING
    if status == JobStatus.SCHEDULED and name in ScheduledJobRegistry(queue=queue):  # type: ignore[no-untyped-call]
        return Standing.WAITING
    return Standing.UNSEEN if status in (JobStatus.QUEUED, JobStatus.STARTED) else Standing.GONE


def _is_started(queue: Queue, name: str) -> bool:
    """Whether an execution of the job is noted; RQ's own look at these ends at the first entry that it cannot read."""
    entries: Any = queue.connection.zrange(StartedJobRegistry(queue=queue).key, 0, -1)
    return any(entry.partition(b":")[0] == name.encode() for entry in entries)


def is_held(job: Job) -> bool:
    """Whether a living worker executes the job."""
    workers = (worker_of(job, execution_id) for execution_id in executions_of(job))
    return any(worker_lives(get_connection(), name) for name in workers if name)


def has_workers() -> bool:
    """Whether any living worker listens on the queues."""
    with server_needed():
        return _any_worker_lives()


def _any_worker_lives() -> bool:
    return any(worker_lives(get_connection(), name) for name in worker_names(get_connection()))
