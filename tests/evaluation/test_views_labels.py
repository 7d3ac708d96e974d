"""The page on the text classifiers, and its downloads."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.test import Client

from annotation.models import TaskState
from evaluation.label_quality import label_quality
from pipeline.csv_table import read_table
from pipeline.models import Segment
from pipeline.stages.label_policies import asks
from tests.evaluation.corpus import make_judged_corpus
from tests.evaluation.test_views_show_evaluation import sentences
from tests.factories import Factory

pytestmark = pytest.mark.django_db
URL, JSON, CSV = "/evaluation/labels/", "/evaluation/labels/report.json", "/evaluation/labels/report.csv"


def scored(factory: Factory, *polarities: float, label: str = "", policy: str = "seed-2019", **columns: Any) -> Segment:
    """A segment with these polarities under one policy; rejected where no label is given."""
    segment = factory.make_segment(label=None, **columns)
    vader, textblob, pattern = polarities
    segment.text_labels.create(
        policy=policy,
        vader=vader,
        textblob=textblob,
        pattern=pattern,
        mean=sum(polarities) / 3,
        label=label,
        rejection="" if label else "disagree",
    )
    return segment


def test_it_shows_agreement_and_what_each_classifier_adds(admin_client: Client, factory: Factory) -> None:
    video = factory.make_video()
    scored(factory, 0.6, 0.6, 0.6, label="positive", video=video)
    scored(factory, 0.6, -0.3, -0.3, video=video)
    scored(factory, 0.6, 0.0, 0.0, video=video)
    scored(factory, 0.0, 0.0, 0.0, label="neutral", video=video)
    text = sentences(admin_client.get(URL, {"policy": "seed-2019"}))
    assert "4 kept segments of the train split were scored under the policy “seed-2019”." in text
    assert "VADER and TextBlob 50 %" in text
    assert "TextBlob and pattern.en 100 % 1.000" in text
    assert "VADER 75 % 25 % 25 %" in text
    assert "Labelled positive 1" in text
    assert "They disagree 2" in text


def test_coverage_is_told_for_every_threshold_of_the_policy(admin_client: Client, factory: Factory) -> None:
    video = factory.make_video()
    for polarity in (0.1, 0.3, 0.5):
        scored(factory, polarity, polarity, polarity, label="positive", video=video)
    response = admin_client.get(URL, {"policy": "seed-2019"})
    points = {point["threshold"]: point for point in response.context["points"]}
    assert [points[at]["labelled"] for at in (0.0, 0.25, 0.45, 0.95)] == [3, 2, 1, 0]
    assert points[None]["labelled"] == 3
    text = sentences(response)
    assert "1 of these labels were made while the policy had other parameters" in text
    assert "Nothing heard yet" in text


def test_precision_counts_segments_that_people_judged(admin_client: Client, factory: Factory) -> None:
    video, campaign = factory.make_video(), factory.make_campaign()
    first, second = (scored(factory, 0.5, 0.5, 0.5, label="positive", video=video) for _ in range(2))
    scored(factory, 0.4, 0.4, 0.4, label="positive", video=video)
    factory.make_task(campaign, first, state=TaskState.MAJORITY, truth="positive")
    factory.make_task(campaign, second, state=TaskState.ADJUDICATED, truth="neutral")
    factory.make_task(campaign, state=TaskState.NO_MAJORITY, segment=factory.make_segment(video))
    factory.make_task(campaign, state=TaskState.OPEN, segment=factory.make_segment(video, label=None))
    never_scored = factory.make_segment(video, label=None)
    factory.make_task(campaign, never_scored, state=TaskState.MAJORITY, truth="neutral")
    document = admin_client.get(JSON, {"policy": "seed-2019"}).json()
    assert document["labels"]["precision"] == [0.5, None, None]
    assert document["labels"]["support"] == [2, 0, 0]
    assert document["labels"]["coverage"] == 1.0
    assert document["people"] == {
        "judged": 2,
        "no_majority": 1,
        "awaiting": 1,
        "without_label": 1,
        "without_recording": 0,
        "simulated": 0,
        "adjudicated": 1,
    }
    text = sentences(admin_client.get(URL, {"policy": "seed-2019"}))
    assert "50 % of the 2 labelled ones that people judged are what people hear" in text


def test_a_campaign_says_whose_votes_count(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    other = factory.make_campaign()
    factory.make_task(other, corpus.segments[0], state=TaskState.MAJORITY, truth="neutral")
    document = admin_client.get(JSON, {"campaign": str(other.pk)}).json()
    assert (document["people"]["judged"], document["texts"], document["campaign"]) == (1, 60, other.name)


def test_excluded_segments_and_the_other_split_do_not_count(admin_client: Client, factory: Factory) -> None:
    factory.make_segment(label="positive")
    factory.make_segment(label="positive", exclusion="too short")
    factory.make_segment(factory.make_video(split="test"), label="positive")
    assert admin_client.get(JSON).json()["texts"] == 1


def test_an_exclamation_is_heard_by_the_rule_that_asks_for_it(admin_client: Client, factory: Factory) -> None:
    video = factory.make_video()
    for text in ("This is good!", "This is good."):
        scored(factory, 0.4, 0.4, 0.4, label="positive", policy="recommended", text=text, video=video)
    points = {point["threshold"]: point["labelled"] for point in admin_client.get(JSON).json()["curve"]}
    assert points[0.5] == 1, "0.4 reaches 0.5 less the shift of an exclamation"


def test_policies_of_the_settings_can_be_chosen(admin_client: Client, factory: Factory, mine: Any) -> None:
    scored(factory, 0.7, 0.7, 0.7, label="positive", policy="mine")
    document = admin_client.get(JSON, {"policy": "mine"}).json()
    assert (document["policy"]["name"], document["policy"]["min_abs_mean"], document["texts"]) == ("mine", 0.6, 1)
    assert '<option value="mine"' in admin_client.get(URL).content.decode()


def test_figures_go_to_the_page_as_data(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    body = admin_client.get(URL).content.decode()
    for name in ("label-coverage", "label-precision"):
        assert f'data-figure="{name}"' in body
        found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', body)
        assert json.loads(found[1])["data"]
    assert "style=" not in body


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_votes_are_marked(admin_client: Client, factory: Factory, simulated: bool) -> None:
    make_judged_corpus(factory, simulated=simulated)
    assert ("badge--simulated" in admin_client.get(URL).content.decode()) is simulated
    assert admin_client.get(JSON).json()["simulated"] is simulated


def test_json_has_the_keys_of_the_command_and_then_its_own(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    document = admin_client.get(JSON).json()
    assert list(document) == [
        *("policy", "texts", "agreement", "counts", "labels", "curve", "contributions"),
        *("split", "campaign", "people", "simulated", "made_otherwise"),
    ]
    assert document["labels"]["threshold"] is None
    assert len(document["curve"]) == 20
    assert sum(document["counts"].values()) == 60


def test_csv_has_the_policy_as_set_and_a_row_per_threshold(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    response = admin_client.get(CSV)
    assert 'filename="labels-train.csv"' in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert read_table(response.content.decode()) is not None
    document = admin_client.get(JSON).json()
    assert [row["threshold"] for row in rows[:3]] == ["", "0.0", "0.05"]
    assert len(rows) == 21
    assert float(rows[0]["precision_positive"]) == document["labels"]["precision"][0]
    assert int(rows[5]["given_negative"]) == document["curve"][4]["given"][2]


def test_without_segments_it_says_so(admin_client: Client) -> None:
    assert "No segment of the train split has been scored" in sentences(admin_client.get(URL))


@pytest.mark.parametrize("url", [JSON, CSV])
def test_downloads_say_so_too(admin_client: Client, url: str) -> None:
    response = admin_client.get(url)
    assert response.status_code == 404
    assert "No segment of the train split has been scored" in response.content.decode()


@pytest.mark.parametrize("url", [URL, JSON, CSV])
@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"split": "dev"}, "There is no split “dev”"),
        ({"policy": "odd"}, "There is no policy “odd”; choose one of recommended, seed-2019."),
        ({"campaign": "99"}, "There is no such campaign"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(
    admin_client: Client, url: str, parameters: dict[str, str], sentence: str
) -> None:
    response = admin_client.get(url, parameters)
    assert response.status_code == 400
    # JSON writes quotation marks beyond ASCII as escapes.
    assert sentence in (response.json()["error"] if url == JSON else sentences(response))


def test_the_page_takes_the_same_queries_however_many_rows(
    admin_client: Client, factory: Factory, django_assert_num_queries: Any
) -> None:
    make_judged_corpus(factory)
    with django_assert_num_queries(8):
        admin_client.get(URL)


@pytest.mark.parametrize("url", [URL, JSON, CSV])
def test_it_rejects_post(admin_client: Client, url: str) -> None:
    assert admin_client.post(url).status_code == 405


@pytest.mark.parametrize("url", [URL, JSON, CSV])
def test_it_sends_the_anonymous_to_the_login(client: Client, url: str) -> None:
    assert client.get(url).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("url", [URL, JSON, CSV])
def test_it_is_closed_to_annotators(annotator_client: Client, url: str) -> None:
    assert annotator_client.get(url).status_code == 403


def test_the_database_knows_questions_and_exclamations_as_the_rule_does(factory: Factory) -> None:
    texts = ["Was it good?", "“Was it good?” \n", "Why? It was good.", "Really?!", "(good?]\t’)", "Good!", "?", ""]
    video = factory.make_video()
    for text in texts:
        scored(factory, 0.5, 0.5, 0.5, video=video, text=text)
    found = label_quality("train", "seed-2019").texts
    assert found.asked.tolist() == [asks(text) for text in texts]
    assert found.exclaimed.tolist() == ["!" in text for text in texts]
