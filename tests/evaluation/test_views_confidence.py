"""The page on how sure a run's model is, and what staying silent buys."""

import json
import re
from typing import Any

import numpy as np
import pytest
from django.test import Client

from pipeline.labels import LABELS
from pipeline.models import Prediction, TrainingRun
from pipeline.stages.abstention import risk_coverage
from tests.evaluation.corpus import make_judged_corpus
from tests.evaluation.test_views_show_evaluation import sentences
from tests.factories import Factory

pytestmark = pytest.mark.django_db
PAGE = "/evaluation/runs/{}/"


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


def test_it_says_what_staying_silent_buys(admin_client: Client, factory: Factory) -> None:
    run = make_judged_corpus(factory).run
    spread(run)
    stored = store_curve(run)
    text = sentences(admin_client.get(PAGE.format(run.pk)))
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
    response = admin_client.get(PAGE.format(run.pk))
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
    response = admin_client.get(PAGE.format(corpus.run.pk))
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
    curves = admin_client.get(PAGE.format(corpus.run.pk)).context["curves"]
    assert [(curve.truth, curve.n) for curve in curves] == [("text labels", 60), ("people, train", 59)]


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_votes_are_marked(admin_client: Client, factory: Factory, simulated: bool) -> None:
    run = make_judged_corpus(factory, simulated=simulated).run
    store_curve(run)
    body = admin_client.get(PAGE.format(run.pk)).content.decode()
    assert ("badge--simulated" in body) is simulated


def test_without_votes_it_says_how_to_get_them(admin_client: Client, factory: Factory) -> None:
    run = factory.make_run()
    factory.make_prediction(run, factory.make_segment(), fold=0)
    store_curve(run)
    assert "No segment with people’s ground truth has a prediction of this run yet" in sentences(
        admin_client.get(PAGE.format(run.pk))
    )


def test_a_run_without_stored_curve_still_has_its_calibration(admin_client: Client, factory: Factory) -> None:
    text = sentences(admin_client.get(PAGE.format(make_judged_corpus(factory).run.pk)))
    assert "was trained before the curve was kept. Train again to get one." in text
    assert "Whether its numbers can be believed" in text


def test_confidence_takes_the_same_queries_however_many_rows(
    admin_client: Client, factory: Factory, django_assert_num_queries: Any
) -> None:
    run = make_judged_corpus(factory).run
    store_curve(run)
    with django_assert_num_queries(7):
        admin_client.get(PAGE.format(run.pk))
