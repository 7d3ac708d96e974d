"""Watch work until it is settled, for commands that wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.choices import RunState, VideoState
from pipeline.models import TrainingRun, Video
from pipeline.queues import has_workers, is_alive, job_id
from pipeline.site_waits import resting_sites
from pipeline.stages.errors import StageError

POLL_S = 0.5
# Workers of a `make run` that is just starting need some seconds to report.
WORKERS_GRACE_S = 15
# How far along a video is in each state, out of `VIDEO_STEPS`.
VIDEO_STEPS = 3
STEPS_DONE: dict[str, int] = {
    VideoState.QUEUED: 0,
    VideoState.FETCHING: 0,
    VideoState.SEGMENTED: 1,
    VideoState.LABELLING: 1,
    VideoState.LABELLED: 2,
    VideoState.EXTRACTING: 2,
}


@dataclass
class Work:
    """Videos, training runs and predictions (run, video) that are waited for."""

    videos: list[int]
    runs: list[int]
    predictions: list[tuple[int, int]]

    @classmethod
    def unfinished(cls) -> "Work":
        runs = TrainingRun.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING])
        return cls(
            list(Video.objects.unfinished().values_list("pk", flat=True)), list(runs.values_list("pk", flat=True)), []
        )

    @property
    def total(self) -> int:
        return VIDEO_STEPS * len(self.videos) + 100 * len(self.runs) + len(self.predictions)

    def look(self) -> tuple[int, bool, str]:
        """Steps done, whether everything is settled, and what is going on, in words."""
        done, settled, words = 0, True, ""
        for state, what in Video.objects.filter(pk__in=self.videos).values_list("state", "progress_what"):
            done += STEPS_DONE.get(state, VIDEO_STEPS)
            settled = settled and state not in STEPS_DONE
            words = what or words
        for run in TrainingRun.objects.filter(pk__in=self.runs):
            over = run.state in (RunState.DONE, RunState.FAILED)
            done += 100 if over else (run.progress_percent or 0)
            settled = settled and over
            words = run.progress_what or words
        waiting = [pair for pair in self.predictions if is_alive(job_id("predict_video", *pair))]
        done += len(self.predictions) - len(waiting)
        words = "Predicting" if waiting else words
        if not words and not settled and (resting := resting_sites()):
            words = resting[0].summary
        return done, settled and not waiting, words

    def failures(self) -> list[str]:
        """A sentence for each failure among what was waited for."""
        videos = Video.objects.filter(pk__in=self.videos, state=VideoState.FAILED)
        runs = TrainingRun.objects.filter(pk__in=self.runs, state=RunState.FAILED)
        return [
            *(f"Video {video.pk} “{video}”: {video.error_message}" for video in videos),
            *(f"Run {run.pk}: {run.error_message}" for run in runs),
        ]


def wait(work: Work, shown: Any, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Return when everything is settled; StageError where no worker runs."""
    last_seen = time.monotonic()
    shown.total = work.total
    while True:
        done, settled, words = work.look()
        shown.set_postfix_str(words, refresh=False)
        shown.update(done - shown.n)
        if settled:
            return
        if has_workers():
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > WORKERS_GRACE_S:
            raise StageError("No worker is running, so nothing moves: start one with “make run”; the work is stored.")
        pause(POLL_S)
