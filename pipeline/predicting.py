"""Which videos a run's model was asked to predict and has not yet: in the database, so that no restart loses it."""

from collections.abc import Iterable, Iterator

from django.db import transaction

from pipeline.models import TrainingRun

# As for videos: what takes its worker down this often is left alone.
MAX_TRIES = 3


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


def take_up_again(run_pk: int, video_pk: int) -> bool:
    """Count one more try; False, and forgotten, once there were enough."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().filter(pk=run_pk).first()
        if run is None or str(video_pk) not in run.predictions_wanted:
            return False
        run.predictions_wanted[str(video_pk)] += 1
        goes_on = bool(run.predictions_wanted[str(video_pk)] <= MAX_TRIES)
        if not goes_on:
            del run.predictions_wanted[str(video_pk)]
        run.save(update_fields=["predictions_wanted"])
        return goes_on
