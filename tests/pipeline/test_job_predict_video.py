"""The job `predict_video` as a plain function, on made-up features."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from pipeline import jobs
from pipeline.choices import VideoState
from pipeline.labels import LABELS
from pipeline.models import Prediction, TrainingRun, Video
from pipeline.stages.errors import StageError
from tests.factories import Factory
from tests.pipeline.conftest import make_ready_video

pytestmark = pytest.mark.django_db


def test_a_new_video_is_predicted_by_the_final_model(
    videos: list[Video], run: TrainingRun, factory: Factory, tmp_path: Path
) -> None:
    jobs.train(run.pk)
    test = make_ready_video(factory, tmp_path, 9, split="test")
    jobs.predict_video(run.pk, test.pk)
    jobs.predict_video(run.pk, test.pk)
    predictions = Prediction.objects.filter(segment__video=test).order_by("segment__position")
    assert [prediction.label for prediction in predictions] == [LABELS[n % 3] for n in range(12)]
    assert all(prediction.fold is None for prediction in predictions)


def test_a_training_video_keeps_its_out_of_fold_predictions(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    mine = run.predictions.filter(segment__video=videos[0])
    before = list(mine.order_by("pk").values_list())
    assert len(before) == 10
    jobs.predict_video(run.pk, videos[0].pk)
    assert list(mine.filter(fold__isnull=False).order_by("pk").values_list()) == before
    unlabelled = mine.filter(fold__isnull=True)
    assert sorted(unlabelled.values_list("segment__position", flat=True)) == [4, 9]


def test_predictions_need_a_model_and_a_ready_video(videos: list[Video], run: TrainingRun, factory: Factory) -> None:
    jobs.predict_video(run.pk, videos[0].pk)
    jobs.predict_video(999, videos[0].pk)
    jobs.train(run.pk)
    jobs.predict_video(run.pk, factory.make_video(state=VideoState.QUEUED, split="test").pk)
    assert not Prediction.objects.filter(fold__isnull=True).exists()


def test_a_damaged_model_is_not_loaded(videos: list[Video], run: TrainingRun) -> None:
    jobs.train(run.pk)
    run.refresh_from_db()
    with default_storage.open(str(run.artifact.name), "ab") as file:
        file.write(b"x")
    with pytest.raises(StageError):
        jobs.predict_video(run.pk, videos[0].pk)
