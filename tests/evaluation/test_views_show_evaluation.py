"""The evaluation page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from annotation.models import TaskState
from tests.evaluation.corpus import make_judged_corpus
from tests.factories import Factory

pytestmark = pytest.mark.django_db
URL = "/evaluation/"


def sentences(response: Any) -> str:
    """The page's text without tags, white space collapsed."""
    body = re.sub(r"<(script|select)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_it_shows_the_three_comparisons(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    response = admin_client.get(URL)
    assert response.status_code == 200
    text = sentences(response)
    for title in ("Text labels against people", "Model against text labels", "Model against people"):
        assert title in text
    assert text.count("Always answering") == 3
    assert "on 60 segments from 6 videos" in text


def test_the_numbers_of_the_table_are_those_of_the_report(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    report = admin_client.get("/evaluation/report.json", {"comparison": "text-people"}).json()
    text = sentences(admin_client.get(URL))
    macro = report["averages"]["macro"]
    assert f"Macro F1 {macro['f1']:.3f}" in text
    baseline = report["baseline"]
    assert (
        f"Always answering {baseline['label']} would have an accuracy of {baseline['accuracy']:.3f} "
        f"and a macro F1 of {baseline['macro_f1']:.3f}." in text
    )
    low, high = report["intervals"]["averages"]["macro"]["precision"]
    assert f"Macro average {macro['precision']:.3f} {low:.2f}–{high:.2f}" in text


def test_figures_go_to_the_page_as_data_and_never_as_script_or_style(admin_client: Client, factory: Factory) -> None:
    make_judged_corpus(factory)
    body = admin_client.get(URL).content.decode()
    for kind in ("text-people", "model-text", "model-people"):
        for figure in ("heatmap", "bars"):
            assert f'data-figure="{kind}-{figure}"' in body
            found = re.search(rf'<script id="{kind}-{figure}" type="application/json">(.*?)</script>', body)
            assert found
            assert json.loads(found[1])["data"]
    assert not re.search(r"<script(?![^>]*(src=|application/json))", body)
    assert "style=" not in body
    assert "<style" not in body


def test_the_security_policy_allows_no_inline_style_or_script(admin_client: Client) -> None:
    policy = admin_client.get(URL).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


def test_it_says_what_to_do_next_when_there_is_nothing(admin_client: Client) -> None:
    response = admin_client.get(URL)
    assert response.status_code == 200
    text = sentences(response)
    assert "Draw segments of the train split for people to hear, or import a vote table." in text
    assert text.count("No model yet") == 2


def test_it_says_how_many_votes_are_missing_before_the_first_figure(admin_client: Client, factory: Factory) -> None:
    campaign = factory.make_campaign()
    factory.make_task(campaign, state=TaskState.OPEN)
    factory.make_task(campaign, state=TaskState.OPEN)
    factory.make_task(campaign, state=TaskState.NO_MAJORITY)
    assert "2 segments need votes and 1 has no majority." in sentences(admin_client.get(URL))


def test_it_sends_to_the_run_when_its_predictions_are_missing(admin_client: Client, factory: Factory) -> None:
    run = factory.make_run()
    factory.make_task(factory.make_campaign(split="test"), state=TaskState.MAJORITY, truth="neutral")
    response = admin_client.get(URL, {"split": "test"})
    assert (
        f"1 segment with ground truth has no prediction of run {run.pk}: let it predict the test split."
        in sentences(response)
    )
    assert f'href="/training/{run.pk}/"' in response.content.decode()


def test_it_says_that_no_model_can_hear_imported_rows(admin_client: Client, factory: Factory) -> None:
    factory.make_run()
    factory.make_task(
        imported_key="7/0#1", imported_video="7", imported_label="neutral", state=TaskState.MAJORITY, truth="neutral"
    )
    expected = (
        "1 segment with ground truth comes from imported vote tables without a recording, so no model can predict it"
    )
    assert expected in sentences(admin_client.get(URL))


def test_segments_without_majority_are_counted_on_the_page(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    factory.make_task(corpus.campaign, state=TaskState.NO_MAJORITY)
    assert "No majority 1, left out until adjudicated" in sentences(admin_client.get(URL))


def test_what_the_model_is_not_sure_enough_of_is_shown(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    first = corpus.run.predictions.order_by("pk")[:1]
    corpus.run.predictions.filter(pk__in=first).update(p_positive=0.3, p_neutral=0.4, p_negative=0.3)
    response = admin_client.get(URL, {"min_confidence": "0.5"})
    text = sentences(response)
    assert text.count("Model not sure enough 1, left out: below 0.5") == 2
    assert text.count("Text label rejected 0") == 2
    assert 'name="min_confidence" value="0.5"' in response.content.decode()
    assert "Model not sure enough" not in sentences(admin_client.get(URL))


def test_a_model_that_is_never_so_sure_gets_a_way_on(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    response = admin_client.get(URL, {"min_confidence": "0.95"})
    assert sentences(response).count("It would abstain on all 60 segments that could be compared") == 2
    assert f'href="/evaluation/runs/{corpus.run.pk}/"' in response.content.decode()


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_votes_are_marked_wherever_they_are_in(
    admin_client: Client, factory: Factory, simulated: bool
) -> None:
    make_judged_corpus(factory, simulated=simulated)
    response = admin_client.get(URL)
    badges = response.content.decode().count("badge--simulated")
    assert badges == (4 if simulated else 0), "two sections and their two rows at a glance; not the model against text"
    assert ("60 of these 60 segments rest on simulated votes" in sentences(response)) is simulated


def test_it_opens_on_the_split_of_the_newest_campaign(admin_client: Client, factory: Factory) -> None:
    factory.make_campaign(split="train")
    factory.make_campaign(split="test")
    body = admin_client.get(URL).content.decode()
    assert '<option value="test" selected>' in body


def test_the_newest_finished_run_is_taken_and_any_other_can_be_chosen(admin_client: Client, factory: Factory) -> None:
    older = make_judged_corpus(factory).run
    newer = factory.make_run()
    factory.make_run(state="running")
    context = admin_client.get(URL).context
    assert context["question"].run == newer
    assert admin_client.get(URL, {"run": older.pk}).context["question"].run == older


def test_downloads_ask_for_what_the_page_shows(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    body = admin_client.get(URL, {"campaign": str(corpus.campaign.pk), "policy": "seed-2019"}).content.decode()
    expected = f"split=train&amp;campaign={corpus.campaign.pk}&amp;run={corpus.run.pk}&amp;policy=seed-2019"
    assert f'href="/evaluation/report.json?{expected}&amp;comparison=text-people"' in body
    assert f'href="/evaluation/report.csv?{expected}&amp;comparison=model-people"' in body


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"split": "dev"}, "There is no split “dev”"),
        ({"policy": "mine"}, "There is no policy “mine”; choose one of recommended, seed-2019."),
        ({"campaign": "99"}, "There is no such campaign"),
        ({"run": "x"}, "There is no such finished training run"),
        ({"min_confidence": "2"}, "Say how sure the model must be as a number from 0 to 1"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(admin_client: Client, parameters: dict[str, str], sentence: str) -> None:
    response = admin_client.get(URL, parameters)
    assert response.status_code == 400
    assert sentence in sentences(response)


def test_a_campaign_of_the_other_split_is_refused_by_name(admin_client: Client, factory: Factory) -> None:
    campaign = factory.make_campaign(name="Autumn", split="train")
    response = admin_client.get(URL, {"split": "test", "campaign": str(campaign.pk)})
    assert response.status_code == 400
    assert "“Autumn” holds segments of the train split" in sentences(response)


def test_a_run_that_is_not_finished_cannot_be_chosen(admin_client: Client, factory: Factory) -> None:
    assert admin_client.get(URL, {"run": factory.make_run(state="failed").pk}).status_code == 400


def test_the_page_takes_the_same_queries_however_many_rows(
    admin_client: Client, factory: Factory, django_assert_max_num_queries: Any
) -> None:
    make_judged_corpus(factory)
    with django_assert_max_num_queries(16):
        admin_client.get(URL)


def test_it_rejects_post(admin_client: Client) -> None:
    assert admin_client.post(URL).status_code == 405


def test_it_sends_the_anonymous_to_the_login(client: Client) -> None:
    response = client.get(URL)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


def test_it_is_closed_to_annotators(annotator_client: Client) -> None:
    assert annotator_client.get(URL).status_code == 403


@pytest.mark.shared_data
def test_imported_votes_of_2019_give_the_figures_of_2019_on_the_page(admin_client: Client, shared_data: Path) -> None:
    table = shared_data / "seed2019" / "votes_train.csv"
    call_command("import_votes", table, "--split", "train", "--campaign", "2019", "--accept-suggestions")
    text = sentences(admin_client.get(URL))
    assert "Macro F1 0.789 (95 % interval" in text
    assert "on 100 segments from 8 videos" in text
    assert "Macro average 0.813" in text
    assert "+ positive 24 86 % 3 11 % 1 4 % 28" in text
    assert "○ neutral 5 13 % 33 87 % 0 0 % 38" in text
    assert "− negative 3 9 % 9 26 % 22 65 % 34" in text


def test_policies_of_the_settings_can_be_chosen(strict_policy: None, admin_client: Client) -> None:
    response = admin_client.get(URL, {"policy": "strict"})
    assert response.status_code == 200
    assert '<option value="strict" selected>strict</option>' in response.content.decode()
