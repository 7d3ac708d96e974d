"""What a run's model knows of itself: the pages on confidence and on doubtful labels."""

import csv
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from django.test import Client

from pipeline.labels import LABELS
from pipeline.models import Prediction, TrainingRun
from pipeline.stages.abstention import risk_coverage
from tests.evaluation.corpus import Corpus, make_judged_corpus
from tests.evaluation.test_views_show_evaluation import sentences
from tests.factories import Factory

pytestmark = pytest.mark.django_db
PAGES = ("/evaluation/runs/{}/", "/evaluation/runs/{}/label-noise/", "/evaluation/runs/{}/label-noise.csv")


def spread(run: TrainingRun) -> None:
    """Right predictions are sure, wrong ones are not, so that staying silent helps."""
    labels = dict(run.predictions.values_list("segment_id", "segment__text_labels__label"))
    for number, prediction in enumerate(run.predictions.order_by("pk")):
        sure = 0.5 + 0.4 * (labels[prediction.segment_id] == prediction.label) - 0.001 * number
        shares = {f"p_{label}": sure if label == prediction.label else (1 - sure) / 2 for label in LABELS}
        Prediction.objects.filter(pk=prediction.pk).update(**shares)


def store_curve(run: TrainingRun) -> dict[str, Any]:
    """What training would have stored for these predictions."""
    rows = list(
        run.predictions.filter(segment__text_labels__policy=run.policy).values_list(
            "segment__text_labels__label", "p_positive", "p_neutral", "p_negative"
        )
    )
    found = risk_coverage(np.array([row[0] for row in rows]), np.array([row[1:] for row in rows])).as_dict()
    run.scores = {**run.scores, "n": len(rows), "risk_coverage": found}
    run.save()
    return found


def store_doubts(corpus: Corpus, n: int = 60, total: int | None = None) -> list[dict[str, Any]]:
    """The first segments as a list of doubts."""
    listed = []
    for segment in corpus.segments[:n]:
        given = segment.text_labels.get(policy="recommended").label
        listed.append({"segment": segment.pk, "given": given, "likely": LABELS[(LABELS.index(given) + 1) % 3]})
    per_class = {
        label: {"given": 20, "likely_wrong": sum(row["given"] == label for row in listed), "noise": 0.25}
        for label in LABELS
    }
    corpus.run.scores = {
        "likely_wrong": {
            "labels": list(LABELS),
            "noise": 0.31,
            "per_class": per_class,
            "total": n if total is None else total,
            "segments": listed,
        }
    }
    corpus.run.save()
    return listed


# ---------------------------------------------------------------- confidence


def test_it_says_what_staying_silent_buys(admin_client: Client, factory: Factory) -> None:
    run = make_judged_corpus(factory).run
    spread(run)
    stored = store_curve(run)
    text = sentences(admin_client.get(PAGES[0].format(run.pk)))
    whole = stored["curve"][-1]
    quieter = next(point for point in stored["curve"] if point["coverage"] >= 0.8)
    expected = (
        f"Against text labels , 60 segments. If the model may stay silent on its least sure "
        f"{100 * (1 - quieter['coverage']):.0f} %, it is wrong on {100 * (1 - quieter['accuracy']):.0f} % of the "
        f"others instead of {100 * (1 - whole['accuracy']):.0f} %."
    )
    assert expected in text
    assert "Against people, train, 60 segments." in text


def test_the_table_says_what_the_figure_draws(admin_client: Client, factory: Factory) -> None:
    run = make_judged_corpus(factory).run
    spread(run)
    stored = store_curve(run)
    response = admin_client.get(PAGES[0].format(run.pk))
    body = response.content.decode()
    figure = json.loads(re.search(r'<script id="risk-coverage" type="application/json">(.*?)</script>', body)[1])
    assert figure["data"][0]["x"] == [point["coverage"] for point in stored["curve"]]
    rows = response.context["rows"]
    assert [row["coverage"] for row in rows][:2] == [1.0, 0.9]
    assert rows[0]["points"][0]["risk"] == pytest.approx(1 - stored["curve"][-1]["accuracy"])
    assert [len(row["points"]) for row in rows] == [2] * 10, "against text labels, and against people in one split"
    assert "style=" not in body


def test_calibration_is_of_the_out_of_fold_predictions(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    factory.make_prediction(corpus.run, factory.make_segment(), fold=None)
    response = admin_client.get(PAGES[0].format(corpus.run.pk))
    found = response.context["calibration"]
    right = sum(
        prediction.label == prediction.segment.text_labels.get(policy="recommended").label
        for prediction in corpus.run.predictions.out_of_fold()
    )
    assert [(step.n, step.accuracy) for step in found.steps] == [(60, pytest.approx(right / 60))]
    assert "over 60 out-of-fold predictions" in sentences(response)


def test_people_are_asked_only_where_the_model_did_not_learn(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    store_curve(corpus.run)
    Prediction.objects.filter(segment=corpus.segments[0]).update(fold=None)
    curves = admin_client.get(PAGES[0].format(corpus.run.pk)).context["curves"]
    assert [(curve.truth, curve.n) for curve in curves] == [("text labels", 60), ("people, train", 59)]


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_votes_are_marked(admin_client: Client, factory: Factory, simulated: bool) -> None:
    run = make_judged_corpus(factory, simulated=simulated).run
    store_curve(run)
    body = admin_client.get(PAGES[0].format(run.pk)).content.decode()
    assert ("badge--simulated" in body) is simulated


def test_without_votes_it_says_how_to_get_them(admin_client: Client, factory: Factory) -> None:
    run = factory.make_run()
    factory.make_prediction(run, factory.make_segment(), fold=0)
    store_curve(run)
    assert "No segment with people’s ground truth has a prediction of this run yet" in sentences(
        admin_client.get(PAGES[0].format(run.pk))
    )


def test_a_run_without_stored_curve_still_has_its_calibration(admin_client: Client, factory: Factory) -> None:
    text = sentences(admin_client.get(PAGES[0].format(make_judged_corpus(factory).run.pk)))
    assert "was trained before the curve was kept. Train again to get one." in text
    assert "Whether its numbers can be believed" in text


@pytest.mark.parametrize("page", PAGES[:2])
def test_a_run_trained_before_such_scores_existed_says_what_to_do(
    admin_client: Client, factory: Factory, page: str
) -> None:
    response = admin_client.get(page.format(factory.make_run().pk))
    assert response.status_code == 200
    assert "was trained before these figures were kept. Train again to get them." in sentences(response)


@pytest.mark.parametrize("page", PAGES[:2])
@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_a_run_that_is_not_done_says_so(admin_client: Client, factory: Factory, page: str, state: str) -> None:
    run = factory.make_run(state=state)
    response = admin_client.get(page.format(run.pk))
    assert f"Run {run.pk} is not done" in sentences(response)
    assert f'href="/training/{run.pk}/"' in response.content.decode()


def test_confidence_takes_the_same_queries_however_many_rows(
    admin_client: Client, factory: Factory, django_assert_num_queries: Any
) -> None:
    run = make_judged_corpus(factory).run
    store_curve(run)
    with django_assert_num_queries(7):
        admin_client.get(PAGES[0].format(run.pk))


# ---------------------------------------------------------------- doubtful labels


def test_doubtful_labels_are_listed_with_what_the_model_says(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    (doubt,) = store_doubts(corpus, 1)
    segment = corpus.segments[0]
    Prediction.objects.filter(segment=segment).update(**{f"p_{doubt['likely']}": 0.62, f"p_{doubt['given']}": 0.07})
    response = admin_client.get(PAGES[1].format(corpus.run.pk))
    text = sentences(response)
    assert "1 of 60 text labels under the policy “recommended” are likely wrong" in text
    assert f"{segment.video.title} 0:00.0–0:03.0 {segment.text}" in text
    assert f"62 % {doubt['likely']} 7 % {doubt['given']}" in text
    assert f'href="/videos/{segment.video_id}/"' in response.content.decode()


def test_a_clip_can_be_played_where_there_is_sound(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 11)
    corpus.videos[0].audio = "video/a.flac"
    corpus.videos[0].save()
    body = admin_client.get(PAGES[1].format(corpus.run.pk)).content.decode()
    assert f'href="/segments/{corpus.segments[0].pk}/clip" data-clip' in body
    assert f'href="/segments/{corpus.segments[10].pk}/clip"' not in body
    assert body.count("data-clip") == 10


def test_they_come_in_pages_and_by_given_label(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    listed = store_doubts(corpus)
    url = PAGES[1].format(corpus.run.pk)
    first, second = admin_client.get(url).context["rows"], admin_client.get(url, {"page": 2}).context["rows"]
    assert [row["doubt"].segment for row in (*first, *second)] == [row["segment"] for row in listed]
    assert (len(first), len(second)) == (50, 10)
    negative = admin_client.get(url, {"label": "negative"}).context["rows"]
    assert [row["segment"].pk for row in negative] == [r["segment"] for r in listed if r["given"] == "negative"]


def test_segments_and_videos_removed_since_are_left_out_and_counted(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 25, total=40)
    for task in corpus.tasks:
        task.votes.all().delete()
        task.delete()
    corpus.segments[24].delete()
    corpus.videos[0].delete()
    response = admin_client.get(PAGES[1].format(corpus.run.pk))
    text = sentences(response)
    assert "The 25 least believable of 40 are listed." in text
    assert "11 segments of the list are not stored any more and are left out." in text
    assert len(response.context["rows"]) == 14


def test_a_label_that_changed_since_is_shown_beside_the_one_in_doubt(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    (doubt,) = store_doubts(corpus, 1)
    corpus.segments[0].text_labels.filter(policy="recommended").update(label=doubt["likely"])
    assert f"now {doubt['likely']}" in sentences(admin_client.get(PAGES[1].format(corpus.run.pk)))


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [(0, "The model doubts none of the text labels"), (1, "None of the listed segments is stored")],
)
def test_an_empty_list_says_why(admin_client: Client, factory: Factory, kept: int, sentence: str) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, kept)
    corpus.segments[0].exclusion = "too short"
    corpus.segments[0].save()
    assert sentence in sentences(admin_client.get(PAGES[1].format(corpus.run.pk)))


def test_a_class_without_doubts_says_so(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    (doubt,) = store_doubts(corpus, 1)
    text = sentences(admin_client.get(PAGES[1].format(corpus.run.pk), {"label": doubt["likely"]}))
    assert f"No {doubt['likely']} label in this list is in doubt." in text


def test_the_csv_has_every_row_of_the_choice(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    listed = store_doubts(corpus)
    response = admin_client.get(PAGES[2].format(corpus.run.pk))
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(int(row["segment"]), row["given"], row["likely"]) for row in rows] == [
        (row["segment"], row["given"], row["likely"]) for row in listed
    ]
    assert rows[0]["text_label_now"] == rows[0]["given"]
    assert {float(row["p_likely"]) for row in rows} <= {0.1, 0.8}
    chosen = admin_client.get(PAGES[2].format(corpus.run.pk), {"label": "neutral"}).content.decode()
    assert len(chosen.splitlines()) == 1 + sum(row["given"] == "neutral" for row in listed)


def test_there_is_no_csv_without_a_list(admin_client: Client, factory: Factory) -> None:
    run = factory.make_run()
    response = admin_client.get(PAGES[2].format(run.pk))
    assert (response.status_code, response.content.decode()) == (404, f"Run {run.pk} has no list of doubtful labels.\n")


@pytest.mark.parametrize("page", PAGES[1:])
def test_a_label_that_is_none_is_answered_in_a_sentence(admin_client: Client, factory: Factory, page: str) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 3)
    response = admin_client.get(page.format(corpus.run.pk), {"label": "happy"})
    assert response.status_code == 400
    assert "There is no label “happy”; choose positive, neutral or negative." in sentences(response)


def test_doubts_take_the_same_queries_however_many(
    admin_client: Client, factory: Factory, django_assert_num_queries: Any
) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus)
    for page in PAGES[1:]:
        with django_assert_num_queries(6):
            admin_client.get(page.format(corpus.run.pk))


# ---------------------------------------------------------------- who, and how


@pytest.mark.parametrize("page", PAGES)
def test_they_reject_post(admin_client: Client, factory: Factory, page: str) -> None:
    assert admin_client.post(page.format(factory.make_run().pk)).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_they_send_the_anonymous_to_the_login(client: Client, factory: Factory, page: str) -> None:
    response = client.get(page.format(factory.make_run().pk))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", PAGES)
def test_they_are_closed_to_annotators(annotator_client: Client, factory: Factory, page: str) -> None:
    assert annotator_client.get(page.format(factory.make_run().pk)).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_does_not_exist_is_not_found(admin_client: Client, page: str) -> None:
    assert admin_client.get(page.format(99)).status_code == 404


@pytest.mark.parametrize("state", ["done", "failed"])
def test_the_page_of_a_run_leads_here_when_it_is_done(admin_client: Client, factory: Factory, state: str) -> None:
    run = factory.make_run(state=state)
    body = admin_client.get(f"/training/{run.pk}/").content.decode()
    for page in PAGES[:2]:
        assert (f'href="{page.format(run.pk)}"' in body) is (state == "done")
