"""The worker: RQ's, made safe for this work and able to look after itself."""

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import connections
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import ensure_job_list, get_connection_from_queues, now
from rq.worker import WorkerStatus

from crossmodal import scratch
from crossmodal.sessions import clear_expired
from pipeline import job_limits, own_jobs, recovery
from pipeline.endings import End
from pipeline.job_queue import PipelineQueue, drop_unreadable, enqueue_due_retries, mend_keys
from pipeline.liveness import MARK_FIELD, SPACE_FIELD, STOP_FIELD, process_mark, process_space
from pipeline.queues import forget
from pipeline.stages.errors import StageError

log = logging.getLogger(__name__)

# How long a dead worker's job may lie before another looks for it.
MAINTENANCE_INTERVAL_S = 60
# How late a due retry may be taken up; an idle worker asks Redis this often.
LOOK_INTERVAL_S = 2
# Expired sessions are cleared so often: each is a row that nobody needs, and no more.
SESSIONS_INTERVAL_S = 3600
# How often a worker looks whether what it works on was removed, and shows that it lives.
WATCH_INTERVAL_S = 5
# A job may take so long to end once its worker is asked to stop. The supervisor kills after 8 s, and the worker's own
# end takes two of them.
STOP_GRACE_S = 3.0
# Who ends a job's process by one of these means a stop; the kernel, where memory runs out, sends none of them.
POLITE_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
# What RQ raises over records that it did not write.
UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
PR_SET_PDEATHSIG = 1  # prctl(2)


class PipelineWorker(Worker):
    """Runs the pipeline's jobs, each in a forked process that dies with its worker.

    Retries that have become due and jobs of dead workers are taken up by whichever worker is idle; no scheduler
    process is needed.
    """

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        # Whatever the command line says: no pickle, and no job but our own, since others may write to the server.
        kwargs["serializer"] = JSONSerializer
        kwargs["job_class"], kwargs["queue_class"] = Job, PipelineQueue
        kwargs["maintenance_interval"] = MAINTENANCE_INTERVAL_S
        kwargs["job_monitoring_interval"] = WATCH_INTERVAL_S
        own_jobs.guard()
        self._sessions_due = 0.0
        self._horse_status: int | None = None
        self._job_key, self._settled, self._killed_here, self._began = "", "", False, 0.0
        connection = kwargs.get("connection") or get_connection_from_queues(queues)
        own = [
            PipelineQueue(queue if isinstance(queue, str) else queue.name, connection, serializer=JSONSerializer)
            for queue in ensure_job_list(queues)
        ]
        super().__init__(own, *args, **kwargs)

    @property
    def dequeue_timeout(self) -> int:
        return LOOK_INTERVAL_S

    @property
    def connection_timeout(self) -> int:
        return int(self.worker_ttl)

    def serialize(self) -> dict[str, Any]:
        return {**super().serialize(), SPACE_FIELD: process_space(), MARK_FIELD: process_mark(os.getpid())}

    def work(self, *args: Any, **kwargs: Any) -> bool:
        job_limits.warn_of_little_memory()
        load({queue.name for queue in self.queues})
        for queue in self.queues:
            mend_keys(queue)
        kwargs["with_scheduler"] = False
        return bool(super().work(*args, **kwargs))

    # ------------------------------------------------------------ between jobs

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        super().heartbeat(*args, **kwargs)
        if not self.is_horse and not self.horse_pid and "pipeline" not in kwargs:
            for queue in self.queues:
                with surviving("queue the retries that are due", *UNREADABLE):
                    enqueue_due_retries(queue)

    def run_maintenance_tasks(self) -> None:
        # Groups of jobs and a scheduler, which RQ would look after too, are not used here.
        with surviving("clean the registries of the queues", *UNREADABLE):
            for queue in self.queues:
                drop_unreadable(queue)
            self.clean_registries()  # type: ignore[no-untyped-call]
        # Else a registry that cannot be read would be looked at all the time.
        self.last_cleaned_at = now()  # type: ignore[assignment]
        scratch.sweep()
        with surviving("look for work left behind", *UNREADABLE):
            recovery.resume()
        with surviving("clear expired sessions"):
            self._clear_sessions()

    def _clear_sessions(self) -> None:
        if time.monotonic() >= self._sessions_due:
            clear_expired()
            self._sessions_due = time.monotonic() + SESSIONS_INTERVAL_S

    def handle_payload(self, message: Any) -> None:
        """Commands of RQ; what is none does not end the listening."""
        try:
            super().handle_payload(message)  # type: ignore[no-untyped-call]
        except UNREADABLE:
            log.warning("A message that is no command was ignored")

    # ------------------------------------------------------------ a job

    def prepare_execution(self, job: Job) -> Execution:
        self._job_key, self._settled, self._killed_here = job.key, "", False
        self._began = time.monotonic()
        self.connection.hset(job.key, mapping={SPACE_FIELD: process_space(), STOP_FIELD: ""})
        return super().prepare_execution(job)

    def monitor_work_horse(self, job: Job, queue: Queue) -> None:
        """Wait for the job's process; whatever ends the waiting, nothing goes on and what it held is put back."""
        self._horse_status = None
        try:
            super().monitor_work_horse(job, queue)
        finally:
            if self._horse_status is None and self.horse_pid:  # the queue server is away, so the worker ends
                self.kill_horse()
                self.wait_for_horse()
            if self._horse_status != os.EX_OK:
                self._put_back(job)
            self._horse_pid = 0
        if self._horse_status != os.EX_OK and not self._is_wanted(job):
            with surviving("forget the job of what was removed"):
                forget(queue.name, job.id)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        job_limits.limit_this_process(job.func_name or "")
        super().main_work_horse(job, queue)

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        pid, status, usage = super().wait_for_horse()
        self._horse_status = status
        if status != os.EX_OK and self.horse_pid:
            with suppress(OSError):  # what the process had started, such as the JavaScript runtime
                os.killpg(self.horse_pid, signal.SIGKILL)
        return pid, status, usage

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """End the job's process; RQ's own way would end the worker before the process has a group of its own."""
        if not self.horse_pid:
            return
        self._killed_here = True
        with suppress(ProcessLookupError):
            if os.getpgid(self.horse_pid) == os.getpgrp():
                os.kill(self.horse_pid, sig)
            else:
                os.killpg(self.horse_pid, sig)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """The job's process died under it, most often for want of memory: its video goes back to waiting."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]
        self._put_back(job)

    def maintain_heartbeats(self, job: Job) -> None:
        """Show that the job is alive, and end it where what it works on was removed, whatever it is doing."""
        super().maintain_heartbeats(job)
        if not self._is_wanted(job):
            log.info("%s is stopped, since what it works on was removed", job.id)
            self._stopped_job_id = job.id
            self.kill_horse()

    def _is_wanted(self, job: Job) -> bool:
        name, keys = own_jobs.call_of(job)
        with surviving("see whether a job is still wanted"):
            return not name or recovery.is_wanted(name, *keys)
        return True

    def _put_back(self, job: Job) -> None:
        """Put what the job's process held back to waiting, once."""
        name, keys = own_jobs.call_of(job)
        if self._settled == job.id or not name:
            return
        self._settled = job.id
        scratch.sweep()
        with surviving("put back what the killed job held"):
            recovery.give_back(name, *keys, end=self._end(job))

    def _end(self, job: Job) -> End:
        """Why the job's process is gone: this worker ended it, somebody asked it to end, or it died."""
        if self._shutdown_requested_date:
            return End.STOPPED
        if self._killed_here:
            overdue = job.timeout and time.monotonic() - self._began > job.timeout
            return End.OVERDUE if overdue else End.STOPPED
        status = self._horse_status
        asked = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) in POLITE_SIGNALS
        return End.UNKNOWN if asked else End.DIED

    # ------------------------------------------------------------ stopping

    def handle_warm_shutdown_request(self) -> None:
        """A job that is nearly done may end; any other is put back after a moment, before somebody kills it unseen."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.get_state() != WorkerStatus.BUSY:
            return
        timer = threading.Timer(STOP_GRACE_S, self.kill_horse)
        timer.daemon = True
        timer.start()
        with suppress(RedisError):  # then the worker's own end is all that will be known
            self.connection.hset(self._job_key, STOP_FIELD, "1")

    def perform_job(self, job: Job, queue: Queue) -> bool:
        with scratch.entered():
            return bool(super().perform_job(job, queue))

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        die_with(self.pid or os.getppid())


@contextmanager
def surviving(task: str, *others: type[Exception]) -> Iterator[None]:
    """Log what a database or the queue server does not do now: the next look for work, in a minute, tries again."""
    expected: tuple[type[Exception], ...] = (RedisError, StageError, DatabaseProblem, *others)
    try:
        yield
    except expected:
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
