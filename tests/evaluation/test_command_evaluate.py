"""The command `evaluate`: what it prints, and how it ends."""

import json
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import ManagementUtility, call_command

from annotation.models import TaskState
from evaluation.reports import model_against_people, model_against_text, text_against_people
from tests.evaluation.corpus import make_judged_corpus
from tests.factories import Factory

pytestmark = pytest.mark.django_db
TEXT = ("--predictions", "text", "--against", "people", "--split", "train")


def ended_with(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error, as a shell would see them."""
    status = 0
    try:
        # It would close the test's own transaction with the connection.
        with mock.patch("django.core.management.base.connections.close_all"):
            ManagementUtility(["manage.py", "evaluate", *arguments]).execute()
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_json_is_one_document_that_begins_with_the_documented_keys(
    factory: Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    make_judged_corpus(factory)
    status, out, _ = ended_with(capsys, *TEXT, "--format", "json")
    document = json.loads(out)
    assert status == 0
    assert list(document)[:7] == ["labels", "confusion", "support", "averages", "baseline", "n", "groups"]
    expected = text_against_people("train").report().as_dict()
    assert {key: document[key] for key in expected} == expected


@pytest.mark.parametrize("against", ["people", "text"])
def test_a_run_meets_people_and_text_labels(factory: Factory, capsys: pytest.CaptureFixture[str], against: str) -> None:
    run = make_judged_corpus(factory).run
    _, out, _ = ended_with(
        capsys, "--predictions", str(run.pk), "--against", against, "--split", "train", "--format", "json"
    )
    comparison = model_against_people(run, "train") if against == "people" else model_against_text(run)
    document = json.loads(out)
    assert document["confusion"] == comparison.report().confusion
    assert document["run"] == run.pk


def test_a_model_may_be_asked_to_be_sure(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_judged_corpus(factory).run
    run.predictions.filter(pk__in=run.predictions.order_by("pk")[:5]).update(
        p_positive=0.3, p_neutral=0.4, p_negative=0.3
    )
    arguments = ("--predictions", str(run.pk), "--against", "text", "--split", "train", "--min-confidence", "0.5")
    document = json.loads(ended_with(capsys, *arguments, "--format", "json")[1])
    assert (document["n"], document["min_confidence"], document["counts"]["unsure"]) == (55, 0.5, 5)
    assert "unsure: 5" in ended_with(capsys, *arguments)[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--predictions", "1", "--against", "text", "--min-confidence", "2"], "takes a number from 0 to 1"),
        (["--predictions", "text", "--against", "people", "--min-confidence", "0.5"], "text labels have no probabil"),
    ],
)
def test_a_confidence_that_cannot_be_asked_for_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    status, _, err = ended_with(capsys, *arguments, "--split", "train")
    assert status == 2
    assert sentence in err


def test_text_shows_matrix_scores_baseline_and_what_was_left_out(
    factory: Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = make_judged_corpus(factory)
    factory.make_task(corpus.campaign, state=TaskState.NO_MAJORITY)
    status, out, _ = ended_with(capsys, *TEXT)
    report = text_against_people("train").report()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert status == 0
    assert "positive " + " ".join(map(str, report.confusion[0])) in lines
    macro = report.averages["macro"]
    assert f"macro {macro['precision']:.3f} {macro['recall']:.3f} {macro['f1']:.3f} 60" in lines
    assert any(line.startswith(f"always answering {report.baseline['label']}: accuracy") for line in lines)
    assert "no majority: 1" in lines


def test_resamples_and_seed_change_the_intervals_alone(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    make_judged_corpus(factory)
    documents = [
        json.loads(ended_with(capsys, *TEXT, "--format", "json", *more)[1])
        for more in ([], ["--seed", "1"], ["--resamples", "0"])
    ]
    assert documents[0]["intervals"] != documents[1]["intervals"]
    assert documents[2]["intervals"] is None
    assert documents[0]["averages"] == documents[1]["averages"] == documents[2]["averages"]


def test_a_campaign_and_a_policy_narrow_it_down(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    make_judged_corpus(factory)
    segment = factory.make_segment(label=None)
    factory.make_text_label(segment, "negative", policy="seed-2019")
    factory.make_task(factory.make_campaign(name="Autumn"), segment, state=TaskState.MAJORITY, truth="negative")
    arguments = [*TEXT, "--campaign", "Autumn", "--policy", "seed-2019", "--format", "json"]
    document = json.loads(ended_with(capsys, *arguments)[1])
    assert (document["n"], document["campaign"], document["policy"]) == (1, "Autumn", "seed-2019")


def test_help_explains_each_option_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ended_with(capsys, "--help")
    assert status == 0
    for word in (
        "--predictions",
        "--against",
        "--split",
        "--campaign",
        "--policy",
        "--resamples",
        "--seed",
        "--format",
    ):
        assert word in out
    assert "manage.py evaluate --predictions text --against people --split train --format json" in out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--predictions", "text", "--against", "people"),
        ("--predictions", "text", "--against", "people", "--split", "dev"),
        ("--predictions", "text", "--against", "nobody", "--split", "train"),
        ("--predictions", "text", "--against", "text", "--split", "train"),
        ("--predictions", "best", "--against", "people", "--split", "train"),
        ("--predictions", "1", "--against", "text", "--split", "train", "--campaign", "x"),
        (*TEXT, "--resamples", "-1"),
        (*TEXT, "--resamples", "many"),
        (*TEXT, "--policy", "mine"),
        (*TEXT, "--format", "xml"),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = ended_with(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err


def test_what_is_not_there_ends_with_status_1_and_a_sentence(
    factory: Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    run = factory.make_run(split="train")
    factory.make_campaign(name="Autumn", split="test")
    factory.make_task(factory.make_campaign(name="Spring"), state=TaskState.NO_MAJORITY)
    cases: list[tuple[tuple[str, ...], str]] = [
        (TEXT, "Left out: no majority: 1."),
        (("--predictions", "text", "--against", "people", "--split", "test"), "Nothing is stored for it yet."),
        ((*TEXT, "--campaign", "Winter"), "in the train split there are: Spring."),
        ((*TEXT, "--campaign", "Autumn"), "use --split test"),
        (("--predictions", "999", "--against", "people", "--split", "train"), f"finished: {run.pk}."),
        (("--predictions", str(run.pk), "--against", "text", "--split", "test"), "use --split train"),
    ]
    for arguments, sentence in cases:
        status, out, err = ended_with(capsys, *arguments)
        assert (status, out) == (1, "")
        assert sentence in err


def test_it_needs_no_plotting_library(factory: Factory, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    make_judged_corpus(factory)
    for name in ("evaluation.charts", "evaluation.sections"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    call_command("evaluate", *TEXT)
    assert "evaluation.charts" not in sys.modules


@pytest.mark.shared_data
def test_imported_votes_of_2019_give_the_figures_of_2019_to_the_last_bit(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = shared_data / "seed2019" / "votes_train.csv"
    call_command("import_votes", table, "--split", "train", "--campaign", "2019", "--accept-suggestions")
    capsys.readouterr()
    document = json.loads(ended_with(capsys, *TEXT, "--format", "json")[1])
    assert document["confusion"] == [[24, 3, 1], [5, 33, 0], [3, 9, 22]]
    assert document["averages"]["macro"] == {
        "precision": 0.8132850241545894,
        "recall": 0.7908742444346161,
        "f1": 0.7890368491509899,
    }
    assert (document["n"], document["groups"], document["simulated"]) == (100, 8, False)
