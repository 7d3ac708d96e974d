"""How a job holds its row: it claims it, shows progress, and lets go of it as done, failed or waiting again.

Nothing here trusts that a worker is alone. A claim carries a token (the moment it was made, or its number); a result
is saved only while the row still bears that token, so a worker that was given up for dead cannot overwrite the work
of the one that took over.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from rq import get_current_job
from rq.timeouts import JobTimeoutException

from crossmodal.storage import FinishedFile, bytes_taken, check_storage
from pipeline import job_limits, pacing
from pipeline.choices import CLAIMED, CLAIMS, RunState, VideoState
from pipeline.endings import TOO_LONG, End, counts, nothing_counted, reason_to_give_up, told
from pipeline.models import TrainingRun, Video
from pipeline.queues import MAX_TRIES, RETRY_PAUSES_S, QueueUnavailable
from pipeline.stages.disk import telling_of_full_disks
from pipeline.stages.download_verdicts import TRY_LATER
from pipeline.stages.errors import SiteRefusesError, StageError
from pipeline.stages.progress import ProgressCallback

log = logging.getLogger(__name__)

OUR_FAULT = "Something went wrong on our side; the details are in the server's log."
UPLOAD_ANOTHER = "The uploaded file is not kept; upload another one."
# Pages look every second or two; more writes would only slow the job.
PROGRESS_INTERVAL_S = 0.5
RUN_JOB = "train"
JOB_OF_STATE: dict[str, str] = {
    VideoState.QUEUED: "fetch_video",
    VideoState.SEGMENTED: "label_video",
    VideoState.LABELLED: "extract_features",
}
WAITING_OF_RUNNING: dict[str, str] = {running: waiting for waiting, running in CLAIMS.items()}

Row = Video | TrainingRun


class SupersededError(Exception):
    """Another worker took the row over, or somebody removed it; this result is dropped."""


def held(row: Row) -> "QuerySet[Any]":
    """The row in the database, as long as it still bears the token that `row` has."""
    if isinstance(row, Video):
        return Video.objects.filter(pk=row.pk, state=row.state, state_since=row.state_since)
    return TrainingRun.objects.filter(pk=row.pk, state=row.state, claims=row.claims)


def leave(row: Row, state: str, **columns: Any) -> None:
    """Let go of a held row in a new state; SupersededError where it is held no longer."""
    columns = {"state": state, "progress_what": "", "progress_done": 0, "progress_total": 0, **columns}
    if isinstance(row, Video):
        columns["state_since"] = timezone.now()
    if not held(row).update(**columns):
        raise SupersededError(f"{row!r} is no longer {row.state}")
    for name, value in columns.items():
        setattr(row, name, value)


@contextmanager
def saving(row: Row) -> Iterator[None]:
    """The short transaction in which a result is saved: nobody else changes the row meanwhile.

    SupersededError where it is held no longer. `finish` comes last in the block, so that whatever fails before it
    leaves the row object as the database has it.
    """
    with transaction.atomic():
        if not list(held(row).select_for_update().values_list("pk")):
            raise SupersededError(f"{row!r} is no longer {row.state}")
        yield


def finish(row: Row, state: str, *, error_message: str = "", **columns: Any) -> None:
    """Let go of a row whose stage is done."""
    attempts = {"attempts": 0} if isinstance(row, Video) else {}
    leave(row, state, error_message=error_message, **{**attempts, **nothing_counted(), **columns})


def fail(row: Row, message: str, *, permanent: bool, **columns: Any) -> None:
    columns["error_message"] = message
    if isinstance(row, Video):
        source = row.source.name if permanent else ""
        if source:  # it cannot help to try again, so that nothing will ever read it
            columns |= {"source": "", "error_message": f"{message} {UPLOAD_ANOTHER}"}
        leave(row, VideoState.FAILED, error_permanent=permanent, **columns)
        if source:
            transaction.on_commit(partial(default_storage.delete, source))
    else:
        leave(row, RunState.FAILED, finished_at=timezone.now(), **columns)


def waiting_state(row: Row) -> str:
    return WAITING_OF_RUNNING[row.state] if isinstance(row, Video) else RunState.QUEUED


def is_running(row: Row) -> bool:
    return row.state in WAITING_OF_RUNNING if isinstance(row, Video) else row.state == RunState.RUNNING


def is_running_in(row: Row, job: str) -> bool:
    """Whether the row is in the state of that very job: another one may hold it by now."""
    return is_running(row) and job == (JOB_OF_STATE[waiting_state(row)] if isinstance(row, Video) else RUN_JOB)


def give_back(row: Row, end: End = End.UNKNOWN) -> bool:
    """Put a row whose worker is gone back to waiting; False where that failed it, or it was not held any more.

    That was no try. It counts at the present stage only, and a stop of the worker does not count at all.
    """
    columns = counts(row, end)
    hopeless = reason_to_give_up(columns, end)
    try:
        if hopeless:
            fail(row, hopeless, permanent=False, **columns)
        else:
            attempts = max(0, row.attempts - 1)
            leave(row, waiting_state(row), error_message=told(columns, end), attempts=attempts, **columns)
    except SupersededError:
        return False
    if isinstance(row, Video):
        pacing.let_go(row.pk)
    return not hopeless


def take_from_the_dead(row: Row, running: str) -> None:
    """Put a row back to wait that this job's predecessor still seems to hold."""
    if get_current_job() and row.state == running:
        # Only one job of this name exists and this is it: whoever held the row is gone, and this record is a new one.
        give_back(row)


def claim_video(pk: int, waiting: str) -> Video | None:
    """The video in the running state of the stage, or None where there is nothing to do."""
    video = Video.objects.filter(pk=pk).first()
    if video is None:
        return None
    take_from_the_dead(video, CLAIMED[waiting])
    if not video.claim(waiting):
        return None
    video.refresh_from_db()
    return video


def claim_run(pk: int) -> TrainingRun | None:
    run = TrainingRun.objects.filter(pk=pk).first()
    if run is None:
        return None
    take_from_the_dead(run, RunState.RUNNING)
    claimed = TrainingRun.objects.filter(pk=pk, state=RunState.QUEUED).update(
        state=RunState.RUNNING, claims=F("claims") + 1, attempts=F("attempts") + 1, error_message=""
    )
    return TrainingRun.objects.get(pk=pk) if claimed else None


def carry_out(row: Row, work: Callable[[Any], None]) -> None:
    """Do a stage's work on a claimed row and settle whatever comes of it.

    Raises
    ------
    StageError
        The work failed in a way that may pass: the row waits again, and RQ schedules the next try.
    Exception
        The fault is ours; the row has failed, and RQ keeps the traceback.
    """
    try:
        with job_limits.telling(), telling_of_full_disks():
            work(row)
    except SupersededError:
        log.warning("%r was taken over by another worker; this result is dropped", row)
    except QueueUnavailable:
        log.warning("%r is saved, but its next step could not be queued; it is found by the next look", row)
    except SiteRefusesError as error:
        _put_off(row, error)
    except StageError as error:
        if _settle(row, error):
            raise
    except JobTimeoutException:
        log.exception("%r took too long", row)
        _try_to_fail(row, TOO_LONG, permanent=False)
        _no_more_tries()
        raise
    except Exception:
        if not type(row)._default_manager.filter(pk=row.pk).exists():
            log.warning("%r was removed in the middle", row)  # with the files that the work needed
            return
        log.exception("%r failed unexpectedly", row)
        _try_to_fail(row, OUR_FAULT, permanent=False)
        _no_more_tries()
        raise


def _put_off(row: Row, error: SiteRefusesError) -> None:
    """A refusal of this machine is no fault of the row: it waits for its site, and this was no try."""
    log.info("%r: %s", row, error.message)
    with suppress(SupersededError):
        leave(row, waiting_state(row), error_message=error.message, attempts=max(0, row.attempts - 1))


def _settle(row: Row, error: StageError) -> bool:
    """Fail the row, or put it back to wait for the next try (True)."""
    log.info("%r: %s", row, error.message)
    log.debug("%r: the cause", row, exc_info=error)
    try:
        if error.permanent or row.attempts >= MAX_TRIES:
            fail(row, _last_words(error), permanent=error.permanent)
            return False
        columns: dict[str, Any] = {"error_message": error.message}
        if isinstance(row, Video):  # until then it is not in line for its site
            columns["waits_until"] = timezone.now() + timedelta(seconds=RETRY_PAUSES_S[max(0, row.attempts - 1)])
        leave(row, waiting_state(row), **columns)
    except SupersededError:
        return False
    return True


def _last_words(error: StageError) -> str:
    """What a stage said, without the promise that it is tried again."""
    said = error.message.removesuffix(f"; {TRY_LATER}")
    return said if said == error.message else f"{said}; it was tried {MAX_TRIES} times."


def _try_to_fail(row: Row, message: str, *, permanent: bool) -> None:
    try:
        fail(row, message, permanent=permanent)
    except SupersededError:
        log.warning("%r was taken over by another worker", row)


def _no_more_tries() -> None:
    if job := get_current_job():
        job.retries_left = 0


def show(row: Row, what: str) -> ProgressCallback:
    """A callback for a stage that writes its progress to the row, at most twice a second."""
    row.show_progress(what)
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < PROGRESS_INTERVAL_S and done != total:
            return
        last = time.monotonic()
        row.show_progress(what, done, total)

    return report


def show_percent(row: Row, what: str) -> ProgressCallback:
    """The same for large numbers (bytes), which the columns would not hold."""
    report = show(row, what)
    return lambda done, total: report(100 * done // total if total else 0, 100 if total else 0)


@contextmanager
def new_files(row: Row, **paths: Path) -> Iterator[dict[str, str]]:
    """Store finished local files under new names, outside any transaction, for the block to save in the row.

    Storage takes them over, so that they are gone then. Gives column → new name. If the block fails the new files go
    away; if it succeeds the old ones do, after the commit. A crash in between leaves a file too many, never a row
    without its file.
    """
    old = {name: getattr(row, name).name for name in paths}
    names: dict[str, str] = {}
    try:
        for name, path in paths.items():
            field = getattr(row, name)
            with path.open("rb") as content:
                file = FinishedFile(content)
                check_storage(bytes_taken(file), "storing what was made")
                field.save(path.name, file, save=False)
            names[name] = field.name
        yield names
    except BaseException:
        for name, stored in names.items():
            default_storage.delete(stored)
            setattr(row, name, old[name])
        raise
    for stored in old.values():
        if stored:
            transaction.on_commit(partial(default_storage.delete, stored))
