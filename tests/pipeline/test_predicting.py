"""Predictions that were asked for outlive the queue."""

from typing import Any

import pytest
from redis import Redis

from pipeline import intake, jobs, predicting
from pipeline.endings import MAX_DEATHS, MAX_INTERRUPTIONS, End
from pipeline.models import TrainingRun
from pipeline.queues import enqueue, get_queue
from pipeline.recovery import give_back, resume
from pipeline.stages.errors import StageError
from tests.factories import Factory

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(factory: Factory, redis: Redis, django_capture_on_commit_callbacks: Any) -> tuple[TrainingRun, list[int]]:
    run = factory.make_run()
    videos = [factory.make_video(split="test").pk for _ in range(2)]
    with django_capture_on_commit_callbacks(execute=True):
        assert intake.predict_all(run, "test") == 2
    return run, videos


def wanted(run: TrainingRun) -> dict[str, int]:
    run.refresh_from_db()
    return dict(run.predictions_wanted)


def test_a_queue_that_forgot_everything_gets_the_predictions_again(
    asked: tuple[TrainingRun, list[int]], redis: Redis
) -> None:
    run, videos = asked
    redis.flushall()
    assert resume() == 2
    assert sorted(get_queue("compute").job_ids) == sorted(f"predict_video-{run.pk}-{pk}" for pk in videos)
    assert resume() == 0


def test_a_prediction_that_was_made_is_not_wanted_any_more(
    asked: tuple[TrainingRun, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, videos = asked
    monkeypatch.setattr("pipeline.modelling.predict", lambda *pks: None)
    jobs.predict_video(run.pk, videos[0])
    assert wanted(run) == {str(videos[1]): 0}


@pytest.mark.parametrize(("permanent", "left"), [(True, 1), (False, 2)])
def test_only_a_permanent_failure_ends_the_wish(
    asked: tuple[TrainingRun, list[int]], monkeypatch: pytest.MonkeyPatch, permanent: bool, left: int
) -> None:
    run, videos = asked

    def fail(*pks: int) -> None:
        raise StageError("No.", permanent=permanent)

    monkeypatch.setattr("pipeline.modelling.predict", fail)
    with pytest.raises(StageError):
        jobs.predict_video(run.pk, videos[0])
    assert len(wanted(run)) == left


def test_what_takes_its_worker_down_again_and_again_is_left_alone(
    asked: tuple[TrainingRun, list[int]], redis: Redis
) -> None:
    run, videos = asked
    for _ in range(MAX_DEATHS):
        for pk in videos:
            predicting.begin(run.pk, pk)
            give_back("predict_video", run.pk, pk)
    redis.flushall()
    assert resume() == 0
    assert wanted(run) == {}


def test_what_takes_the_whole_installation_down_each_time_is_left_alone_too(
    asked: tuple[TrainingRun, list[int]], redis: Redis
) -> None:
    run, (first, other) = asked
    for _ in range(MAX_INTERRUPTIONS):
        predicting.begin(run.pk, first)
        redis.flushall()
        resume()
    assert list(wanted(run)) == [str(other)]


def test_stops_of_the_whole_installation_lose_no_prediction(asked: tuple[TrainingRun, list[int]], redis: Redis) -> None:
    run, videos = asked
    for _ in range(2 * MAX_INTERRUPTIONS):
        predicting.begin(run.pk, videos[0])
        give_back("predict_video", run.pk, videos[0], end=End.STOPPED)
        redis.flushall()
        assert resume() == 2, "one was begun each time, the other never"
    assert set(wanted(run)) == {str(pk) for pk in videos}


def test_asking_again_begins_anew(asked: tuple[TrainingRun, list[int]]) -> None:
    run, videos = asked
    predicting.begin(run.pk, videos[0])
    assert predicting.note_end(run.pk, videos[0], end=End.DIED)
    predicting.want(run, [videos[0]])
    assert wanted(run) == {str(pk): 0 for pk in videos}
    assert not enqueue("predict_video", run.pk, videos[0])
