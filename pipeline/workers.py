"""The worker: RQ's, made safe for this work and able to look after itself."""

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import connections
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from crossmodal import scratch
from crossmodal.sessions import clear_expired
from pipeline import recovery
from pipeline.liveness import MARK_FIELD, SPACE_FIELD, process_mark, process_space
from pipeline.stages.errors import StageError

log = logging.getLogger(__name__)

# How long a dead worker's job may lie before another looks for it.
MAINTENANCE_INTERVAL_S = 60
# How late a due retry may be taken up; an idle worker asks Redis this often.
LOOK_INTERVAL_S = 2
# Expired sessions are cleared so often: each is a row that nobody needs, and no more.
SESSIONS_INTERVAL_S = 3600
PR_SET_PDEATHSIG = 1  # prctl(2)


class PipelineWorker(Worker):
    """Runs the pipeline's jobs, each in a forked process that dies with its worker.

    Retries that have become due and jobs of dead workers are taken up by whichever worker is idle; no scheduler
    process is needed.
    """

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        # Never pickle, whatever the command line says: who can write to Redis could run code here.
        kwargs["serializer"] = JSONSerializer
        kwargs["maintenance_interval"] = MAINTENANCE_INTERVAL_S
        self._sessions_due = 0.0
        super().__init__(queues, *args, **kwargs)

    @property
    def dequeue_timeout(self) -> int:
        return LOOK_INTERVAL_S

    @property
    def connection_timeout(self) -> int:
        return int(self.worker_ttl)

    def serialize(self) -> dict[str, Any]:
        return {**super().serialize(), SPACE_FIELD: process_space(), MARK_FIELD: process_mark(os.getpid())}

    def work(self, *args: Any, **kwargs: Any) -> bool:
        load({queue.name for queue in self.queues})
        kwargs["with_scheduler"] = False
        return bool(super().work(*args, **kwargs))

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        super().heartbeat(*args, **kwargs)
        if not self.is_horse and not self.horse_pid and "pipeline" not in kwargs:
            for queue in self.queues:
                enqueue_due_retries(queue)

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        scratch.sweep()
        with surviving("look for work left behind"):
            recovery.resume()
        with surviving("clear expired sessions"):
            self._clear_sessions()

    def _clear_sessions(self) -> None:
        if time.monotonic() >= self._sessions_due:
            clear_expired()
            self._sessions_due = time.monotonic() + SESSIONS_INTERVAL_S

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """The job's process died under it, most often for want of memory: its video goes back to waiting."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]
        scratch.sweep()
        with surviving("put back what the killed job held"):
            recovery.give_back((job.func_name or "").rpartition(".")[2], *job.args)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        with scratch.entered():
            return bool(super().perform_job(job, queue))

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        die_with(self.pid or os.getppid())


@contextmanager
def surviving(task: str) -> Iterator[None]:
    """Log what a database or the queue server does not do now: the next look for work, in a minute, tries again."""
    try:
        yield
    except (RedisError, StageError, DatabaseProblem):
        log.exception("Could not %s", task)
    finally:
        connections.close_all()  # a forked job must not share them, and a broken one is of no use


def load(queues: set[str]) -> None:
    """Import what the jobs need before the fork: every job then starts at once, and they share its memory."""
    from pipeline import jobs  # noqa: F401

    if "download" in queues:
        from pipeline.stages.ytdlp import load_extractors

        load_extractors()
    if "compute" in queues:
        from pipeline.stages.features import DEFAULT_EXTRACTOR, get_extractor
        from pipeline.stages.sentiment import LABEL_POLICIES, score_texts

        for policy in LABEL_POLICIES.values():
            score_texts(["A text that has the lexicons loaded."], policy)
        len(get_extractor(DEFAULT_EXTRACTOR).feature_names)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its worker dies, so that no job goes on unseen (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def enqueue_due_retries(queue: Queue) -> int:
    """Move jobs whose pause is over from the schedule to their queue; how many."""
    registry = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
    moved = 0
    for name in registry.get_jobs_to_schedule():
        if not registry.remove(name):
            continue  # another worker was first
        try:
            queue.enqueue_job(Job.fetch(name, connection=queue.connection, serializer=queue.serializer))
        except NoSuchJobError:
            continue
        moved += 1
    return moved
