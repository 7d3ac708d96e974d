"""Which videos a run's model was asked to predict and has not yet: in the database, so that no restart loses it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from pipeline.endings import End, counts, reason_to_give_up
from pipeline.models import TrainingRun

log = logging.getLogger(__name__)


@dataclass
class Wish:
    """What is noted of a prediction that was begun once: whether it is under way, and how it ended before."""

    begun: bool = False
    deaths: int = 0
    interruptions: int = 0

    @classmethod
    def read(cls, stored: Any) -> "Wish":
        return cls(**stored) if isinstance(stored, dict) else cls()  # 0 is noted where it was never begun


def want(run: TrainingRun, videos: Iterable[int]) -> None:
    """Note videos as still to be predicted; those noted already begin anew."""
    with transaction.atomic():
        locked = TrainingRun.objects.select_for_update().get(pk=run.pk)
        locked.predictions_wanted.update({str(pk): 0 for pk in videos})
        locked.save(update_fields=["predictions_wanted"])


def settle(run_pk: int, video_pk: int) -> None:
    """Forget a video that was predicted, or never can be."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=run_pk).first()
        if run is not None and run.predictions_wanted.pop(str(video_pk), None) is not None:
            run.save(update_fields=["predictions_wanted"])


def pending() -> Iterator[tuple[int, int]]:
    """Run and video of every prediction still wanted."""
    for run in TrainingRun.objects.exclude(predictions_wanted={}).only("predictions_wanted").iterator():
        for video in run.predictions_wanted:
            yield run.pk, int(video)


def begin(run_pk: int, video_pk: int) -> None:
    """Note that a worker begins; whatever becomes of it, the note stays."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=run_pk).first()
        if run is None or str(video_pk) not in run.predictions_wanted:
            return
        wish = Wish.read(run.predictions_wanted[str(video_pk)])
        lost = counts(wish, End.UNKNOWN) if wish.begun else {}
        run.predictions_wanted[str(video_pk)] = {**asdict(wish), **lost, "begun": True}
        run.save(update_fields=["predictions_wanted"])


def note_end(run_pk: int, video_pk: int, *, end: End) -> bool:
    """Note that nobody works on a prediction; False, and forgotten, where it is not to be tried again.

    As for videos: what takes its worker down again and again is left alone.
    """
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=run_pk).first()
        if run is None or str(video_pk) not in run.predictions_wanted:
            return False
        wish = Wish.read(run.predictions_wanted[str(video_pk)])
        if not wish.begun:
            return True
        counted = counts(wish, end)
        run.predictions_wanted[str(video_pk)] = {**counted, "begun": False}
        if problem := reason_to_give_up(counted, end):
            log.warning("Video %s is not predicted by run %s: %s", video_pk, run_pk, problem)
            del run.predictions_wanted[str(video_pk)]
        run.save(update_fields=["predictions_wanted"])
        return not problem
