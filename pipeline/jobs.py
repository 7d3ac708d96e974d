"""The jobs: plain functions of primary keys. Each claims its row, works outside transactions, saves in one short
transaction and queues the next; run twice, each ends in the same state.
"""

from pipeline import extracting, fetching, labelling, modelling, predicting
from pipeline.choices import VideoState
from pipeline.claims import carry_out, claim_run, claim_video
from pipeline.stages.errors import StageError


def fetch_video(pk: int) -> None:
    """Download or take the uploaded recording, decode it, and cut its captions into segments."""
    if video := claim_video(pk, VideoState.QUEUED):
        carry_out(video, fetching.fetch)


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
    try:
        modelling.predict(run_pk, video_pk)
    except StageError as error:
        if error.permanent:
            predicting.settle(run_pk, video_pk)
        raise
    predicting.settle(run_pk, video_pk)
