"""Training runs and the form for a new one."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from pipeline.choices import RunState, VideoState
from pipeline.models import Segment, TrainingRun
from pipeline.queues import QueueUnavailable
from tests.factories import Factory
from tests.pipeline.page_fixtures import make_scores

LIST, START = "/training/", "/training/start/"
FIELDS = {
    "split": "train",
    "policy": "recommended",
    "classifier": "svm-linear",
    "balancing": "smote",
    "c_values": "1, 0.01 0.1;1",
    "fold_scheme": "stratified-group",
    "folds": "5",
    "seed": "7",
    "extractor": "pyaudioanalysis-136",
}


@pytest.fixture
def data(factory: Factory) -> None:
    """Two ready videos with all three classes, and some that do not count."""
    for _ in range(2):
        video = factory.make_video()
        for label in ("positive", "neutral", "negative"):
            factory.make_segment(video, label=label)
        factory.make_segment(video, label=None, exclusion="shorter than 2 s")
    factory.make_segment(factory.make_video(state=VideoState.LABELLED))
    factory.make_segment(factory.make_video(split="test"), label="neutral")


def test_it_shows_what_there_is_to_learn_from(data: None, admin_client: Client) -> None:
    rows = {(row["split"], row["policy"]): row for row in admin_client.get(LIST).context["available"]}
    assert rows["train", "recommended"]["videos"] == 2
    assert rows["train", "recommended"]["classes"] == {"positive": 2, "neutral": 2, "negative": 2}
    assert rows["test", "seed-2019"]["videos"] == 1
    assert rows["test", "seed-2019"]["classes"] == {"positive": 0, "neutral": 1, "negative": 0}


def test_it_lists_runs_with_their_scores_and_errors(factory: Factory, admin_client: Client) -> None:
    factory.make_run(scores=make_scores())
    factory.make_run(state=RunState.FAILED, error_message="There are too few videos.")
    page = admin_client.get(LIST).content.decode()
    assert "There are too few videos." in page
    assert f"{make_scores()['out_of_fold']['averages']['macro']['f1']:.3f}" in page


def test_it_says_what_to_do_when_there_is_none(admin_client: Client) -> None:
    assert "No run yet" in admin_client.get(LIST).content.decode()


def test_a_polling_page_gets_the_table_alone(factory: Factory, admin_client: Client) -> None:
    run = factory.make_run(state=RunState.RUNNING, progress_done=1, progress_total=4)
    page = admin_client.get(LIST, headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<div id="runs"')
    assert 'hx-trigger="every 3s"' in page
    assert "25 %" in page
    TrainingRun.objects.filter(pk=run.pk).update(state=RunState.DONE)
    assert "hx-trigger" not in admin_client.get(LIST, headers={"HX-Request": "true"}).content.decode()


def test_it_starts_a_run(data: None, admin: User, admin_client: Client, queued: list[Any]) -> None:
    response = admin_client.post(START, FIELDS)
    run = TrainingRun.objects.get()
    assert response["Location"] == f"/training/{run.pk}/"
    assert (run.split, run.policy, run.seed, run.folds, run.created_by) == ("train", "recommended", 7, 5, admin)
    assert run.c_values == [0.01, 0.1, 1.0]
    assert run.extractor == "pyaudioanalysis-136"
    assert queued == [("train", run.pk)]


def test_a_recipe_alone_starts_a_run(data: None, admin_client: Client, queued: list[Any]) -> None:
    own = {name: FIELDS[name] for name in ("split", "policy", "fold_scheme", "folds", "seed")}
    admin_client.post(START, {**own, "recipe": "recommended"})
    run = TrainingRun.objects.get()
    assert (run.recipe, run.extractor, run.classifier) == ("recommended", "crossmodal", "svm-rbf")
    assert (run.normalise_videos, run.gamma_values) == (True, [0.3, 0.6])
    assert "recommended</td>" in admin_client.get(LIST).content.decode()


def test_the_recommended_recipe_is_chosen_and_its_details_are_folded(admin_client: Client) -> None:
    page = admin_client.get(LIST).content.decode()
    assert re.search(r'<input type="radio" name="recipe" value="recommended"[^>]* checked', page)
    assert re.search(r'<details class="start__details"\s*>', page)
    assert page.count("As in the recipe") == 6


def test_what_was_chosen_stays_when_the_form_comes_back(data: None, admin_client: Client) -> None:
    page = admin_client.post(START, {**FIELDS, "recipe": "seed-2019", "folds": "1"}).content.decode()
    assert re.search(r'<input type="radio" name="recipe" value="seed-2019"[^>]* checked', page)
    assert re.search(r'<details class="start__details"\s+open>', page)


def test_policies_of_the_settings_can_be_learnt_from(
    strict_policy: None, data: None, factory: Factory, admin_client: Client, queued: list[Any]
) -> None:
    for segment in Segment.objects.kept().filter(video__split="train"):
        factory.make_text_label(segment, label=segment.text_labels.first().label, policy="strict")
    rows = {(row["split"], row["policy"]): row for row in admin_client.get(LIST).context["available"]}
    assert rows["train", "strict"]["videos"] == 2
    admin_client.post(START, {**FIELDS, "policy": "strict"})
    assert TrainingRun.objects.get().policy == "strict"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"c_values": "0.1, viel"}, "“viel” is not a number"),
        ({"c_values": "0.1, -1"}, "C must be above 0"),
        ({"c_values": "inf"}, "C must be above 0"),
        ({"c_values": ","}, "Write at least one value of C"),
        ({"c_values": " ".join(str(n) for n in range(1, 14))}, "at most 12 in one run"),
        ({"gamma_values": "1, 0", "classifier": "svm-rbf"}, "Gamma must be above 0"),
        ({"gamma_values": "1"}, "Only the classifier svm-rbf has a gamma"),
        ({"recipe": "cake"}, "Select a valid choice"),
        ({"normalise_videos": "perhaps"}, "Select a valid choice"),
        ({"folds": "1"}, "greater than or equal to 2"),
        ({"seed": "x"}, "whole number"),
        ({"classifier": "oracle"}, "Select a valid choice"),
        ({"extractor": "ears"}, "Select a valid choice"),
        ({"split": "test"}, "No positive or negative segment in the ready test videos"),
    ],
)
def test_it_explains_bad_input(
    fields: dict[str, str], sentence: str, data: None, admin_client: Client, queued: list[Any]
) -> None:
    response = admin_client.post(START, {**FIELDS, **fields})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not TrainingRun.objects.exists()
    assert not queued


def test_it_refuses_to_learn_from_nothing(admin_client: Client, queued: list[Any]) -> None:
    response = admin_client.post(START, FIELDS)
    assert response.status_code == 422
    assert "There are no ready train videos" in response.content.decode()
    assert not TrainingRun.objects.exists()


def test_it_refuses_to_learn_from_one_video(factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    video = factory.make_video()
    for label in ("positive", "neutral", "negative"):
        factory.make_segment(video, label=label)
    response = admin_client.post(START, FIELDS)
    assert response.status_code == 422
    assert "add at least one more" in response.content.decode()


def test_it_says_when_the_queue_is_away(data: None, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(job: str, *pks: int) -> None:
        raise QueueUnavailable

    monkeypatch.setattr("pipeline.intake.enqueue_on_commit", away)
    response = admin_client.post(START, FIELDS, follow=True)
    assert TrainingRun.objects.count() == 1
    assert "queue server cannot be reached" in response.content.decode()


def test_its_queries_do_not_grow(
    data: None, factory: Factory, admin: User, admin_client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(10):
        factory.make_run(created_by=admin)
    # session, user, groups; number of runs, runs; what there is to learn from
    with django_assert_num_queries(6):
        admin_client.get(LIST)
