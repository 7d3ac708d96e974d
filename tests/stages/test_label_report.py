"""Pairwise agreement, and coverage and precision for every threshold."""

import math
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from pipeline.labels import LABELS
from pipeline.stages.label_report import as_given, coverage_precision, pairwise_agreement, reasons
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
    pairs = pairwise_agreement(scores)
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
    assert math.isnan(pairwise_agreement([TextScore("a", 0, 0, 0, 0, "neutral", "")])[0].kappa)


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_the_curve_at_a_policys_own_threshold_has_its_own_figures(policy):
    scores = score_texts(TEXTS, policy)
    labelled = [(t, s.label) for t, s in zip(TRUTH, scores, strict=True) if s.label]
    given = as_given(scores, TRUTH)
    assert given.labelled == len(labelled)
    assert given.coverage == len(labelled) / len(TEXTS)
    assert given.accuracy == sum(t == p for t, p in labelled) / len(labelled)
    assert given.macro_f1 == pytest.approx(f1_score(*zip(*labelled, strict=True), labels=LABELS, average="macro"))
    if policy is SEED:
        (point,) = coverage_precision(scores, TRUTH, policy, [0.25])
        assert (point.labelled, point.precision, point.macro_f1) == (given.labelled, given.precision, given.macro_f1)


def test_a_higher_threshold_labels_fewer_and_in_the_end_none():
    curve = coverage_precision(score_texts(TEXTS, SEED), TRUTH, SEED)
    covered = [point.labelled for point in curve]
    assert covered == sorted(covered, reverse=True)
    assert len(curve) == 20
    assert math.isnan(curve[-1].precision[0])


def test_labels_and_reasons_are_counted():
    counts = reasons(score_texts(["I love this", "the table", "Oh!", "I hate this"], RECOMMENDED))
    assert counts == {"positive": 1, "neutral": 1, "negative": 1, "exclaimed": 1}


@pytest.mark.shared_data
def test_textblob_and_pattern_are_one_voter_on_spoken_lines(shared_data: Path) -> None:
    import csv

    with (shared_data / "text_sentiment" / "meld_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [row["Sentiment"] for row in rows]
    seed, recommended = (score_texts([row["Utterance"] for row in rows], policy) for policy in (SEED, RECOMMENDED))
    kappa = {(pair.first, pair.second): pair.kappa for pair in pairwise_agreement(seed)}
    assert kappa["textblob", "pattern"] > 0.99
    assert 0.3 < kappa["vader", "textblob"] < 0.5
    before, after = as_given(seed, truth), as_given(recommended, truth)
    assert after.coverage >= before.coverage
    assert after.macro_f1 > before.macro_f1 + 0.1
    assert all(now > then for now, then in zip(after.precision, before.precision, strict=True))
