"""Work that is not wanted any more is taken out of the queue, or stopped; and how work ended that nobody does now."""

import logging
from collections.abc import Iterable
from contextlib import suppress

from rq.command import send_command
from rq.job import Job

from pipeline import liveness
from pipeline.claims import JOB_OF_STATE
from pipeline.endings import End
from pipeline.models import TrainingRun
from pipeline.own_jobs import JOBS
from pipeline.queues import (
    QueueUnavailable,
    Standing,
    alone_with,
    fetch_job,
    forget,
    get_connection,
    job_id,
    server_needed,
    standing_of,
)

log = logging.getLogger(__name__)


def cancel_work_on(video: int) -> None:
    """Cancel whatever is queued, scheduled or under way for a video that was removed.

    Where the queue server is away nothing is done here: each worker looks every few seconds whether what it works on
    is still wanted, and a job that starts without its row ends at once.
    """
    with suppress(QueueUnavailable):
        for job in JOB_OF_STATE.values():
            cancel(job, video)
        for run in TrainingRun.objects.filter(predictions_wanted__has_key=str(video)).values_list("pk", flat=True):
            cancel("predict_video", run, video)


def cancel_work_on_run(run: int, videos: Iterable[int]) -> None:
    """Cancel the training of a run that was removed, and its predictions of these videos; as `cancel_work_on`."""
    with suppress(QueueUnavailable):
        cancel("train", run)
        for video in videos:
            cancel("predict_video", run, video)


def cancel(job: str, *pks: int) -> None:
    """Take a job out of its queue, or have its worker stop it. Raises QueueUnavailable."""
    name = job_id(job, *pks)
    with alone_with(job, pks):
        if standing_of(name) != Standing.RUNNING:
            forget(JOBS[job].queue, name)
        elif (record := fetch_job(name)) and record.worker_name:
            log.info("%s is stopped, since what it works on was removed", name)
            send_command(get_connection(), record.worker_name, "stop-job", job_id=name)


def how_it_ended(name: str) -> End:
    """Why nobody executes a job any more that was begun; UNKNOWN too where nothing is known of it."""
    with server_needed():
        return liveness.how_it_ended(get_connection(), Job.key_for(name))
