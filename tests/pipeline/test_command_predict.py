"""`predict`."""

import json
from typing import Any

import pytest
from redis import Redis

from pipeline import waiting
from pipeline.models import Segment, TrainingRun
from pipeline.queues import fetch_job, get_queue
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(factory: Factory) -> TrainingRun:
    return factory.make_run()


def test_it_queues_both_splits_or_one(
    run: TrainingRun, factory: Factory, redis: Redis, command: Command, django_capture_on_commit_callbacks: Any
) -> None:
    train, test = factory.make_video(), factory.make_video(split="test")
    with django_capture_on_commit_callbacks(execute=True):
        status, out, _ = command("predict", run.pk, "--split", "test")
    assert (status, out) == (0, f"Run {run.pk}: 1 video queued, 0 predictions.\n")
    assert get_queue("compute").job_ids == [f"predict_video-{run.pk}-{test.pk}"]
    with django_capture_on_commit_callbacks(execute=True):
        assert json.loads(command("predict", run.pk, "--format", "json")[1])["videos"] == 2
    assert set(get_queue("compute").job_ids) == {f"predict_video-{run.pk}-{pk}" for pk in (train.pk, test.pk)}


@pytest.mark.parametrize("predicted", [True, False])
def test_it_waits_and_fails_where_a_video_has_no_prediction(
    predicted: bool, run: TrainingRun, factory: Factory, redis: Redis, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    PipelineWorker([get_queue("compute")], connection=redis).register_birth()
    segment = factory.make_segment()
    monkeypatch.setattr(
        "pipeline.intake.enqueue_on_commit", lambda *job: __import__("pipeline.queues").queues.enqueue(*job)
    )

    def work(seconds: float) -> None:
        job = fetch_job(f"predict_video-{run.pk}-{segment.video_id}")
        assert job is not None
        if predicted:
            factory.make_prediction(run, Segment.objects.get())
        job.delete()

    monkeypatch.setattr(waiting.wait, "__kwdefaults__", {"pause": work})
    status, out, err = command("predict", run.pk, "--wait", "--format", "json")
    document = json.loads(out)
    assert (status, document["missing_videos"]) == ((0, []) if predicted else (1, [segment.video_id]))
    assert ("Without predictions: 1 video" in err) is not predicted


def test_a_run_that_is_not_there_or_not_done_is_a_sentence(factory: Factory, command: Command) -> None:
    assert "There is no training run 99" in command("predict", 99)[2]
    status, _, err = command("predict", factory.make_run(state="running").pk)
    assert status == 1
    assert "no model yet" in err


def test_it_abstains_below_the_least_confidence_and_says_how_often(
    run: TrainingRun, factory: Factory, redis: Redis, command: Command
) -> None:
    video = factory.make_video(split="test")
    shares = [(0.5, 0.3, 0.2), (0.2, 0.2, 0.6), (0.1, 0.8, 0.1)]
    for (positive, neutral, negative), label in zip(shares, ("positive", "negative", "neutral"), strict=True):
        columns = {"p_positive": positive, "p_neutral": neutral, "p_negative": negative}
        factory.make_prediction(
            run, factory.make_segment(video), label, fold=1 if label == "neutral" else None, **columns
        )
    factory.make_prediction(run, factory.make_segment())  # of the other split

    out = command("predict", run.pk, "--split", "test", "--min-confidence", 0.6)[1]
    assert out == f"Run {run.pk}: 1 video queued, 3 predictions, 1 of them abstained (highest probability below 0.6).\n"
    document = json.loads(command("predict", run.pk, "--split", "test", "--min-confidence", 0.6, "--format", "json")[1])
    assert (document["min_confidence"], document["abstained"], document["predictions"]) == (0.6, 1, 3)
    told = [(one["position"], one["label"], one["abstained"], one["out_of_fold"]) for one in document["segments"]]
    assert told == [(0, None, True, False), (1, "negative", False, False), (2, "neutral", False, True)]
    assert document["segments"][0] == {
        "video": video.pk,
        "position": 0,
        "start_ms": 0,
        "end_ms": 3000,
        "label": None,
        "abstained": True,
        "probabilities": {"positive": 0.5, "neutral": 0.3, "negative": 0.2},
        "out_of_fold": False,
    }
    assert run.predictions.filter(label="positive").exists()  # what is stored stays


@pytest.mark.parametrize("least", ["-0.1", "1.1", "nan"])
def test_a_least_confidence_that_is_no_probability_is_refused(least: str, run: TrainingRun, command: Command) -> None:
    status, _, err = command("predict", run.pk, "--min-confidence", least)
    assert (status, err.strip()) == (1, "--min-confidence must be a number from 0 to 1.")
