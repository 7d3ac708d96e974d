"""The jobs: plain functions of primary keys. Each claims its row, works outside transactions, saves in one short
transaction and queues the next; run twice, each ends in the same state.
"""

import logging
from functools import partial

from rq import Retry

from pipeline import extracting, fetching, job_limits, labelling, listing, modelling, pacing, predicting
from pipeline.caption_fetching import wait_for_site
from pipeline.choices import VideoState
from pipeline.claims import carry_out, claim_run, claim_video, take_from_the_dead
from pipeline.endings import End
from pipeline.models import TrainingRun, Video
from pipeline.stages.disk import telling_of_full_disks
from pipeline.stages.errors import StageError

log = logging.getLogger(__name__)


def fetch_video(pk: int) -> Retry | None:
    """Download or take the uploaded recording, decode it, and cut its captions into segments.

    Of a video whose captions wait, ask for these alone. A video whose turn it is not at its site stays in line; the
    job then ends, or returns when it is to run again.
    """
    video = Video.objects.filter(pk=pk).first()
    if video is None:
        return None
    take_from_the_dead(video, VideoState.FETCHING)
    turn = None
    if video.asks_site and video.is_due:
        turn = pacing.take(video)
        if turn is None:
            wait_for_site(video)
            return pacing.step_back(video)
    try:
        if video.is_due and (claimed := claim_video(pk, video.state)):
            carry_out(claimed, partial(fetching.fetch, turn=turn))
    finally:
        again = pacing.leave(turn, video) if turn else None
    return again


def label_video(pk: int) -> None:
    """Give each kept segment its text labels under both policies."""
    if video := claim_video(pk, VideoState.SEGMENTED):
        carry_out(video, labelling.label)


def extract_features(pk: int) -> None:
    """Write the features of each kept segment to the video's array file."""
    if video := claim_video(pk, VideoState.LABELLED):
        carry_out(video, extracting.extract)


def train(run_pk: int) -> None:
    """Train a run's model on all ready videos of its split and keep its out-of-fold predictions."""
    if run := claim_run(run_pk):
        carry_out(run, modelling.train)


def predict_video(run_pk: int, video_pk: int) -> None:
    """Let a run's model predict the segments of a video that it was not trained on."""
    predicting.begin(run_pk, video_pk)
    try:
        with job_limits.telling(), telling_of_full_disks():
            modelling.predict(run_pk, video_pk)
    except StageError as error:
        if error.permanent:
            predicting.settle(run_pk, video_pk)
        else:
            predicting.note_end(run_pk, video_pk, end=End.STOPPED)
        raise
    except Exception:
        if Video.objects.filter(pk=video_pk).exists() and TrainingRun.objects.filter(pk=run_pk).exists():
            raise
        log.warning("Video %s or run %s was removed during the prediction", video_pk, run_pk)
    predicting.settle(run_pk, video_pk)


def read_list(key: str) -> None:
    """Read a stretch of a playlist, channel or feed for the page that asked for it."""
    listing.carry_out(key)
