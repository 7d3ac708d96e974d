"""Rows removed together with their files."""

from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ProtectedError

from pipeline.cancelling import cancel_work_on, cancel_work_on_run
from pipeline.models import TrainingRun, Video
from pipeline.pacing import give_turn_back
from pipeline.stages.errors import StageError

# Of a video.
FILES = ("source", "audio", "captions", "peaks", "features")


def remove(video: Video) -> None:
    """Delete a video with its segments and files, and stop the work on it; StageError while people's votes need them.

    The queue server may be away meanwhile.
    """
    key = video.pk
    site = video.site
    files: list[str] = []
    try:
        with transaction.atomic():
            # As the row names them now: a job may have saved others since the page was asked for.
            row = Video.objects.select_for_update().filter(pk=video.pk).values(*FILES, "site").first() or {}
            site = row.pop("site", site)
            files = [name for name in row.values() if name]
            video.delete()
    except ProtectedError as error:
        raise StageError(
            "Its segments are in an annotation campaign, so the video cannot be removed; remove the campaign first."
        ) from error
    transaction.on_commit(partial(cancel_work_on, key))
    transaction.on_commit(partial(give_turn_back, key, site))
    for name in files:
        transaction.on_commit(partial(default_storage.delete, name), robust=True)


def remove_run(run: TrainingRun) -> None:
    """Delete a training run with its predictions and its model's file, and stop the work on it."""
    key = run.pk
    with transaction.atomic():
        row = TrainingRun.objects.select_for_update().filter(pk=run.pk).first()
        run.delete()
        if row is None:
            return
        transaction.on_commit(partial(cancel_work_on_run, key, [int(video) for video in row.predictions_wanted]))
        if name := row.artifact.name:
            transaction.on_commit(partial(default_storage.delete, name), robust=True)
