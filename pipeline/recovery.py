"""Find work that nobody is doing: rows that wait without a job, and rows whose worker died."""

import logging

from django.utils import timezone

from pipeline import claims, pacing, predicting
from pipeline.cancelling import cancel, how_it_ended
from pipeline.choices import RunState, VideoState
from pipeline.claims import JOB_OF_STATE
from pipeline.endings import End
from pipeline.models import TrainingRun, Video
from pipeline.queues import enqueue, enqueue_at, is_alive, job_id

log = logging.getLogger(__name__)


def resume(lost: End = End.UNKNOWN) -> int:
    """Queue everything that waits and is not queued, and take up again what a dead worker held; how many jobs.

    May run anywhere, any time, several times at once: rows change by conditional update and job ids are unique.
    `lost` says how work ended of which the queue server knows nothing; who has seen that server come back empty knows
    that it was the only one to go down. Raises QueueUnavailable.
    """
    queued = 0
    pacing.forget_impossible_waits()
    for video in Video.objects.unfinished().exclude(pk__in=Video.objects.awaiting_site().values("pk")).iterator():
        queued += _resume_row(video, JOB_OF_STATE[_waiting_state(video)], lost)
    queued += pacing.resume()
    for run in TrainingRun.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).iterator():
        queued += _resume_row(run, "train", lost)
    queued += sum(_resume_prediction(*keys, lost) for keys in list(predicting.pending()))
    if queued:
        log.info("Queued %d jobs that were waiting or left behind", queued)
    return queued


def _resume_prediction(run: int, video: int, lost: End) -> bool:
    name = job_id("predict_video", run, video)
    if is_alive(name):
        return False
    return predicting.note_end(run, video, end=_end_of(name, lost)) and enqueue(
        "predict_video", run, video, patient=True
    )


def _end_of(name: str, lost: End) -> End:
    end = how_it_ended(name)
    return lost if end == End.UNKNOWN else end


def _waiting_state(video: Video) -> str:
    return claims.waiting_state(video) if claims.is_running(video) else video.state


def _resume_row(row: claims.Row, job: str, lost: End) -> bool:
    if claims.is_running(row):
        name = job_id(job, row.pk)
        if is_alive(name, running=True):
            return False
        if not claims.give_back(row, _end_of(name, lost)):
            return False
        if isinstance(row, Video) and row.state == VideoState.QUEUED and row.asks_site:
            cancel(job, row.pk)  # the dead worker's record would keep it from being queued when its turn comes
            return False
    if isinstance(row, Video):
        # Its job may be scheduled for later: for a rest of a site that it needs no more, or by a clock since set back.
        return enqueue_at(job, row.pk, when=row.waits_until or timezone.now(), patient=True)
    return enqueue(job, row.pk, patient=True)


def give_back(job: str, *pks: int, end: End = End.DIED) -> None:
    """The process that executed this job is gone: its row goes back to waiting."""
    if job == "predict_video":
        predicting.note_end(*pks, end=end)
        return
    row = find_row(job, *pks)
    if row is not None and claims.is_running_in(row, job):
        claims.give_back(row, end)


def find_row(job: str, *pks: int) -> claims.Row | None:
    """The row that a job works on, or would."""
    if job == "train":
        return TrainingRun.objects.filter(pk=pks[0]).first()
    return Video.objects.filter(pk=pks[0]).first() if job in JOB_OF_STATE.values() else None


def is_wanted(job: str, *pks: int) -> bool:
    """Whether the rows of a job are still there: who removes a video or a run wants no more work on it."""
    if job == "predict_video":
        return TrainingRun.objects.filter(pk=pks[0]).exists() and Video.objects.filter(pk=pks[1]).exists()
    return find_row(job, *pks) is not None
