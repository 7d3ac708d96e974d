"""One training run: progress, scores, card, predictions."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pipeline.choices import RunState, VideoState
from pipeline.models import TrainingRun
from pipeline.queues import QueueUnavailable
from tests.factories import Factory
from tests.pipeline.page_fixtures import make_scores

CARD = {
    "label_policy": "recommended",
    "mid_window_s": 1.0,
    "seed": 3,
    "training_videos": list(range(40)),
    "notes": ["4 folds instead of 5."],
}


@pytest.fixture
def run(factory: Factory) -> TrainingRun:
    return factory.make_run(scores=make_scores(), card=CARD)


def _show(client: Client, run: TrainingRun) -> Any:
    return client.get(reverse("show_run", args=[run.pk]))


def test_it_shows_scores_card_and_notes(run: TrainingRun, admin_client: Client) -> None:
    response = _show(admin_client, run)
    scores = response.context["scores"]
    assert [[cell.count for cell in row.cells] for row in scores.confusion] == [[4, 1, 0], [0, 3, 1], [0, 1, 2]]
    assert [row.cells[column].heat for column, row in enumerate(scores.confusion)] == [8, 8, 7]
    assert [(c, taken) for c, _, taken in scores.by_c] == [("0.1", True), ("1", False)]
    page = response.content.decode()
    for words in (
        "4 folds instead of 5.",
        "Label policy",
        "Mid window (s)",
        "40 entries: 0, 1, 2, …",
        "Always positive",
        "taken",
    ):
        assert words in page


def test_a_waiting_run_has_no_scores_but_polls(factory: Factory, admin_client: Client) -> None:
    page = _show(admin_client, factory.make_run(state=RunState.QUEUED)).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "Out-of-fold scores" not in page


def test_a_failed_run_says_why(factory: Factory, admin_client: Client) -> None:
    run = factory.make_run(state=RunState.FAILED, error_message="No segment is labelled negative.")
    assert "No segment is labelled negative." in _show(admin_client, run).content.decode()


def test_progress_goes_on_until_the_run_ends(factory: Factory, admin_client: Client) -> None:
    run = factory.make_run(state=RunState.RUNNING, progress_what="Training", progress_done=3, progress_total=25)
    address = reverse("run_progress", args=[run.pk])
    response = admin_client.get(address)
    assert "Training, 3 of 25" in response.content.decode()
    assert "HX-Refresh" not in response
    TrainingRun.objects.filter(pk=run.pk).update(state=RunState.DONE)
    assert admin_client.get(address)["HX-Refresh"] == "true"


def test_the_card_can_be_downloaded(run: TrainingRun, factory: Factory, admin_client: Client) -> None:
    response = admin_client.get(reverse("run_card", args=[run.pk]))
    assert json.loads(response.content) == CARD
    assert response["Content-Disposition"] == f'attachment; filename="crossmodal-run-{run.pk}-card.json"'
    assert admin_client.get(reverse("run_card", args=[factory.make_run().pk])).status_code == 404


def test_it_predicts_a_split(run: TrainingRun, factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    ready = [factory.make_video(split="test"), factory.make_video(split="test")]
    factory.make_video(split="train")
    factory.make_video(split="test", state=VideoState.LABELLED)
    response = admin_client.post(reverse("predict_videos", args=[run.pk]), {"split": "test"}, follow=True)
    assert queued == [("predict_video", run.pk, video.pk) for video in ready]
    assert "2 videos will be predicted" in response.content.decode()


def test_it_shows_how_far_predicting_is(run: TrainingRun, factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(split="test")
    for _ in range(3):
        factory.make_prediction(run, factory.make_segment(video))
    rows = {row["split"]: row for row in _show(admin_client, run).context["predicted"]}
    assert (rows["test"]["ready"], rows["test"]["videos"], rows["test"]["segments"]) == (1, 1, 3)
    assert (rows["train"]["ready"], rows["train"]["videos"]) == (0, 0)


def test_it_does_not_predict_an_unknown_split_or_without_a_model(
    run: TrainingRun, factory: Factory, admin_client: Client, queued: list[Any]
) -> None:
    response = admin_client.post(reverse("predict_videos", args=[run.pk]), {"split": "all"}, follow=True)
    assert "Choose the train or the test split." in response.content.decode()
    waiting = factory.make_run(state=RunState.QUEUED)
    response = admin_client.post(reverse("predict_videos", args=[waiting.pk]), {"split": "test"}, follow=True)
    assert "no model to predict with" in response.content.decode()
    assert not queued


def test_it_says_when_the_queue_is_away(
    run: TrainingRun, factory: Factory, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(job: str, *pks: int) -> None:
        raise QueueUnavailable

    monkeypatch.setattr("pipeline.intake.enqueue_on_commit", away)
    factory.make_video(split="test")
    response = admin_client.post(reverse("predict_videos", args=[run.pk]), {"split": "test"}, follow=True)
    assert "queue server cannot be reached" in response.content.decode()


def test_its_queries_do_not_grow(
    run: TrainingRun, factory: Factory, admin_client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(6):
        factory.make_prediction(run, factory.make_segment())
    # session, user, groups; run; ready videos, predicted ones
    with django_assert_num_queries(6):
        _show(admin_client, run)
