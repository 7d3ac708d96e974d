"""Pairwise agreement, and coverage and precision for every threshold."""

import math
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from pipeline.labels import LABELS
from pipeline.stages.label_arrays import ScoredTexts
from pipeline.stages.label_report import (
    as_given,
    contributions,
    coverage_precision,
    label_report,
    pairwise_agreement,
    reasons,
)
from pipeline.stages.sentiment import LABEL_POLICIES, TextScore, score_texts

SEED, RECOMMENDED = LABEL_POLICIES["seed-2019"], LABEL_POLICIES["recommended"]
TEXTS = [
    "I love this wonderful day",
    "We left the house at nine",
    "It was a terrible and horrible night",
    "This is good",
    "Nobody was there",
    "The table is in the hall",
    "I hate him",
    "A nice idea",
    "That is rather bad",
    "Fine by me",
]
TRUTH = [
    "positive",
    "neutral",
    "negative",
    "positive",
    "negative",
    "neutral",
    "negative",
    "neutral",
    "negative",
    "neutral",
]


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


def test_agreement_is_cohens_of_the_signs():
    scores = score_texts(TEXTS, SEED)
    pairs = pairwise_agreement(ScoredTexts.of(scores))
    assert [(pair.first, pair.second) for pair in pairs] == [
        ("vader", "textblob"),
        ("vader", "pattern"),
        ("textblob", "pattern"),
    ]
    for pair in pairs:
        a, b = ([sign(getattr(score, name)) for score in scores] for name in (pair.first, pair.second))
        assert pair.n == len(TEXTS)
        assert pair.agreement == sum(x == y for x, y in zip(a, b, strict=True)) / len(a)
        assert pair.kappa == pytest.approx(cohen_kappa_score(a, b))


def test_kappa_is_not_a_number_where_nothing_varies():
    assert math.isnan(pairwise_agreement(ScoredTexts.of([TextScore("a", 0, 0, 0, 0, "neutral", "")]))[0].kappa)


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_the_curve_at_a_policys_own_threshold_has_its_own_figures(policy):
    scores = score_texts(TEXTS, policy)
    labelled = [(t, s.label) for t, s in zip(TRUTH, scores, strict=True) if s.label]
    given = as_given(ScoredTexts.of(scores), TRUTH)
    assert given.labelled == len(labelled)
    assert given.coverage == len(labelled) / len(TEXTS)
    assert given.accuracy == sum(t == p for t, p in labelled) / len(labelled)
    assert given.macro_f1 == pytest.approx(f1_score(*zip(*labelled, strict=True), labels=LABELS, average="macro"))
    if policy is SEED:
        (point,) = coverage_precision(ScoredTexts.of(scores), TRUTH, policy, [0.25])
        assert (point.labelled, point.precision, point.macro_f1) == (given.labelled, given.precision, given.macro_f1)


def test_a_higher_threshold_labels_fewer_and_in_the_end_none():
    curve = coverage_precision(ScoredTexts.of(score_texts(TEXTS, SEED)), TRUTH, SEED)
    covered = [point.labelled for point in curve]
    assert covered == sorted(covered, reverse=True)
    assert len(curve) == 20
    assert math.isnan(curve[-1].precision[0])


def test_coverage_is_of_all_texts_and_precision_of_those_that_people_judged():
    texts = ScoredTexts.of(score_texts(TEXTS, SEED))
    whole, part = as_given(texts, TRUTH), as_given(texts, [TRUTH[0], *[""] * 8, TRUTH[9]])
    assert (part.coverage, part.labelled, part.given) == (whole.coverage, whole.labelled, whole.given)
    assert (whole.judged, whole.support) == (whole.labelled, whole.given)
    assert part.judged == 2
    assert part.support == (2, 0, 0)
    assert part.precision[0] == 0.5
    assert math.isnan(part.precision[1])


def test_what_each_classifier_adds_is_what_the_others_do_not_say():
    rows = [(0.5, 0.0, 0.0), (0.5, -0.2, -0.2), (0.0, 0.3, 0.3), (0.4, 0.4, 0.4), (0.0, 0.0, 0.0)]
    texts = ScoredTexts.of([TextScore("x", *row, 0.0, "neutral", "") for row in rows])
    vader, textblob, _ = contributions(texts, ["positive", "positive", "positive", "", "neutral"])
    assert (vader.felt, vader.alone, vader.against) == (0.6, 0.2, 0.4)
    assert (textblob.felt, textblob.alone, textblob.against) == (0.6, 0.0, 0.0)
    assert (vader.accuracy, vader.judged) == (0.75, 4)
    assert textblob.accuracy == 0.5


def test_the_report_can_be_json_where_nobody_was_asked():
    import json

    texts = ScoredTexts.of(score_texts(TEXTS, RECOMMENDED))
    document = json.loads(json.dumps(label_report(texts, [""] * len(TEXTS), RECOMMENDED).as_dict(), allow_nan=False))
    assert list(document) == ["agreement", "contributions", "labels", "curve"]
    assert document["labels"]["precision"] == [None, None, None]
    assert document["curve"][0]["coverage"] > 0


def test_labels_and_reasons_are_counted():
    counts = reasons(score_texts(["I love this", "the table", "Oh!", "I hate this"], RECOMMENDED))
    assert counts == {"positive": 1, "neutral": 1, "negative": 1, "exclaimed": 1}


@pytest.mark.shared_data
def test_textblob_and_pattern_are_one_voter_on_spoken_lines(shared_data: Path) -> None:
    import csv

    with (shared_data / "text_sentiment" / "meld_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [row["Sentiment"] for row in rows]
    texts = [row["Utterance"] for row in rows]
    seed, recommended = (ScoredTexts.of(score_texts(texts, policy)) for policy in (SEED, RECOMMENDED))
    kappa = {(pair.first, pair.second): pair.kappa for pair in pairwise_agreement(seed)}
    assert kappa["textblob", "pattern"] > 0.99
    assert 0.3 < kappa["vader", "textblob"] < 0.5
    before, after = as_given(seed, truth), as_given(recommended, truth)
    assert after.coverage >= before.coverage
    assert after.macro_f1 > before.macro_f1 + 0.1
    assert all(now > then for now, then in zip(after.precision, before.precision, strict=True))
