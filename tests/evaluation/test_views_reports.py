"""The downloads of the evaluation page: JSON and CSV."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from evaluation.reports import text_against_people
from pipeline.csv_table import read_table
from tests.evaluation.corpus import make_judged_corpus
from tests.factories import Factory

pytestmark = pytest.mark.django_db
JSON, CSV = "/evaluation/report.json", "/evaluation/report.csv"
CORE = ["labels", "confusion", "support", "averages", "baseline", "n", "groups"]


@pytest.mark.parametrize("kind", ["text-people", "model-text", "model-people"])
def test_json_begins_with_the_documented_keys(admin_client: Client, factory: Factory, kind: str) -> None:
    corpus = make_judged_corpus(factory)
    response = admin_client.get(JSON, {"comparison": kind})
    assert response.status_code == 200
    document = response.json()
    assert list(document)[:7] == CORE
    assert (document["comparison"], document["split"], document["n"]) == (kind, "train", 60)
    assert document["run"] == (None if kind == "text-people" else corpus.run.pk)
    assert document["counts"]["compared"] == 60


def test_json_is_the_report_of_the_same_parameters(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory, simulated=True)
    other = factory.make_campaign()
    factory.make_task(other, state="majority", truth="neutral")
    document = admin_client.get(JSON, {"comparison": "text-people", "campaign": str(corpus.campaign.pk)}).json()
    expected = text_against_people("train", corpus.campaign).report().as_dict()
    assert {key: document[key] for key in expected} == expected
    assert (document["campaign"], document["simulated"]) == (corpus.campaign.name, True)


def test_a_model_meets_the_text_labels_on_its_own_split_and_policy(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    document = admin_client.get(JSON, {"comparison": "model-text", "split": "test", "policy": "seed-2019"}).json()
    assert (document["split"], document["policy"], document["campaign"]) == ("train", "recommended", None)


def test_csv_has_a_row_per_class_average_and_baseline(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    response = admin_client.get(CSV, {"comparison": "text-people"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="evaluation-text-people.csv"' in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert read_table(response.content.decode()) is not None
    rows, counts = rows[:7], rows[7:]
    assert [(row["kind"], row["name"], row["support"]) for row in counts[:2]] == [
        ("count", "compared", "60"),
        ("count", "no_majority", "0"),
    ]
    report = text_against_people("train").report()
    assert [(row["kind"], row["name"]) for row in rows] == [
        ("class", "positive"),
        ("class", "neutral"),
        ("class", "negative"),
        ("average", "macro"),
        ("average", "weighted"),
        ("average", "micro"),
        ("baseline", report.baseline["label"]),
    ]
    assert [[int(row[f"predicted_{label}"]) for label in report.labels] for row in rows[:3]] == report.confusion
    assert float(rows[3]["f1"]) == report.averages["macro"]["f1"]
    assert report.intervals
    assert float(rows[0]["recall_low"]) == report.intervals["per_class"]["positive"]["recall"][0]
    assert float(rows[6]["accuracy"]) == report.baseline["accuracy"]
    assert float(rows[6]["f1"]) == report.baseline["macro_f1"]


@pytest.mark.parametrize("url", [JSON, CSV])
@pytest.mark.parametrize("kind", ["text-people", "model-text", "model-people"])
def test_where_nothing_can_be_compared_it_says_so(admin_client: Client, url: str, kind: str) -> None:
    response = admin_client.get(url, {"comparison": kind})
    assert response.status_code == 404
    assert "no segment of the train split has both yet" in response.content.decode()


@pytest.mark.parametrize("url", [JSON, CSV])
@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "Say which comparison"),
        ({"comparison": "people-people"}, "There is no comparison “people-people”"),
        ({"comparison": "text-people", "split": "dev"}, "There is no split “dev”"),
        ({"comparison": "model-text", "run": "77"}, "There is no such finished training run"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(admin_client: Client, url: str, parameters: Any, sentence: str) -> None:
    response = admin_client.get(url, parameters)
    assert response.status_code == 400
    body = response.json()["error"] if url == JSON else response.content.decode()
    assert sentence in body


@pytest.mark.parametrize("url", [JSON, CSV])
def test_it_rejects_post(admin_client: Client, url: str) -> None:
    assert admin_client.post(url).status_code == 405


@pytest.mark.parametrize("url", [JSON, CSV])
def test_it_sends_the_anonymous_to_the_login(client: Client, url: str) -> None:
    assert client.get(url).status_code == 302


@pytest.mark.parametrize("url", [JSON, CSV])
def test_it_is_closed_to_annotators(annotator_client: Client, url: str) -> None:
    assert annotator_client.get(url).status_code == 403


@pytest.mark.parametrize("kind", ["model-text", "model-people"])
def test_what_a_model_is_not_sure_enough_of_is_left_out_and_counted(
    admin_client: Client, factory: Factory, kind: str
) -> None:
    corpus = make_judged_corpus(factory)
    unsure = corpus.run.predictions.order_by("pk")[:7]
    corpus.run.predictions.filter(pk__in=unsure).update(p_positive=0.3, p_neutral=0.4, p_negative=0.3)
    document = admin_client.get(JSON, {"comparison": kind, "min_confidence": "0.5"}).json()
    assert document["min_confidence"] == 0.5
    assert (document["n"], document["counts"]["compared"]) == (53, 53)
    assert (document["counts"]["abstained"], document["counts"]["unsure"]) == (7, 7)
    rows = csv.reader(
        io.StringIO(admin_client.get(CSV, {"comparison": kind, "min_confidence": "0.5"}).content.decode())
    )
    cells = [row for row in rows if row[0] in ("min_confidence", "count")]
    assert cells[0][:2] == ["min_confidence", "0.5"]
    assert {row[1]: row[12] for row in cells[1:]}["unsure"] == "7"
    assert admin_client.get(JSON, {"comparison": kind}).json()["n"] == 60


def test_text_labels_have_no_confidence(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    document = admin_client.get(JSON, {"comparison": "text-people", "min_confidence": "0.99"}).json()
    assert (document["n"], document["min_confidence"], document["counts"]["unsure"]) == (60, None, 0)


def test_a_model_that_is_never_so_sure_is_said_to_be(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    response = admin_client.get(JSON, {"comparison": "model-text", "min_confidence": "0.99"})
    assert response.status_code == 404
    assert "less than 0.99 sure of every segment" in response.json()["error"]


@pytest.mark.parametrize("value", ["1.5", "-0.1", "much", "nan"])
def test_a_confidence_out_of_range_is_answered_in_a_sentence(admin_client: Client, value: str) -> None:
    response = admin_client.get(JSON, {"comparison": "model-text", "min_confidence": value})
    assert response.status_code == 400
    assert "as a number from 0 to 1" in response.json()["error"]
