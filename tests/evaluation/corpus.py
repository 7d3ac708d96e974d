"""A small judged corpus with all that the evaluation page counts: made from a fixed seed."""

import uuid
from dataclasses import dataclass

import numpy as np

from annotation.models import Campaign, Task, TaskState, Vote, VoteOrigin
from pipeline.labels import LABELS
from pipeline.models import Segment, TrainingRun, Video
from tests.factories import Factory

VIDEOS = 6
SEGMENTS_PER_VIDEO = 10


@dataclass(frozen=True)
class Corpus:
    videos: list[Video]
    segments: list[Segment]
    run: TrainingRun
    campaign: Campaign
    tasks: list[Task]


def make_judged_corpus(factory: Factory, *, split: str = "train", simulated: bool = False) -> Corpus:
    """Sixty segments with text label, out-of-fold prediction and majority, which mostly agree."""
    rng = np.random.default_rng(2019)
    listeners = [factory.make_user() for _ in range(3)]
    videos = [factory.make_video(split=split) for _ in range(VIDEOS)]
    run, campaign = factory.make_run(split=split), factory.make_campaign(split=split)
    segments, tasks = [], []
    for video in videos:
        for _ in range(SEGMENTS_PER_VIDEO):
            truth, other, another = (str(label) for label in rng.choice(LABELS, size=3))
            segment = factory.make_segment(video, label=truth if rng.random() < 0.8 else other)
            factory.make_prediction(run, segment, label=truth if rng.random() < 0.8 else another, fold=video.pk % 5)
            task = factory.make_task(campaign, segment, state=TaskState.MAJORITY, truth=truth)
            origin = VoteOrigin.SIMULATED if simulated else VoteOrigin.LISTENED
            Vote.objects.bulk_create(
                Vote(task=task, annotator=listener, label=truth, origin=origin, client_id=uuid.uuid4())
                for listener in listeners
            )
            segments.append(segment)
            tasks.append(task)
    return Corpus(videos, segments, run, campaign, tasks)
