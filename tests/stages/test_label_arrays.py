"""The label rule over many texts at once gives what it gives text by text."""

import numpy as np
import pytest

from pipeline.labels import LABELS
from pipeline.stages.label_arrays import NONE, ScoredTexts, codes, decide_all, signs
from pipeline.stages.label_policies import LABEL_POLICIES, LabelPolicy, decide, label_policies_from
from pipeline.stages.label_report import THRESHOLDS, at_threshold, label_report

POLICIES = label_policies_from(
    {
        "strict": {"base": "seed-2019", "keep_equal": False},
        "unshifted": {"exclamation_shift": 0.0},
        "wide": {"max_neutral": 0.6, "keep_equal": False},
    }
)


def made(n: int) -> ScoredTexts:
    """Polarities on a grid that holds every threshold and zero, and of lexicon-like decimal fractions."""
    rng = np.random.default_rng(0)
    grid = rng.integers(-20, 21, size=(n // 2, 3)) / 20
    fine = np.round(rng.uniform(-1, 1, size=(n - n // 2, 3)), 3) * (rng.random((n - n // 2, 3)) < 0.7)
    marks = {"exclaimed": rng.random(n) < 0.3, "asked": rng.random(n) < 0.3}
    return ScoredTexts(np.vstack([grid, fine]), **marks, given=np.full(n, NONE, dtype=np.int8))


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("threshold", [None, 0.0, 0.25, 0.35, 0.9])
def test_it_decides_as_the_rule_for_one_text_does(policy: LabelPolicy, threshold: float | None) -> None:
    policy = policy if threshold is None else at_threshold(policy, threshold)
    texts = made(3000)
    one_by_one = [
        decide(row, policy, exclaimed=bool(exclaimed), asked=bool(asked))[1]
        for row, exclaimed, asked in zip(texts.polarities.tolist(), texts.exclaimed, texts.asked, strict=True)
    ]
    found = decide_all(texts, policy)
    assert [LABELS[code] if code != NONE else "" for code in found] == one_by_one
    assert found.dtype == np.int8
    assert threshold is not None or len(set(one_by_one)) == 4


def test_rounding_alone_has_no_sign() -> None:
    assert signs(np.array([[1e-17, -1e-17, 0.3]])).tolist() == [[0, 0, 1]]


def test_what_is_no_class_is_none() -> None:
    assert codes(["negative", "", "positive", "neutral", "odd"]).tolist() == [2, NONE, 0, 1, NONE]


def test_a_hundred_thousand_texts_take_two_seconds_at_most() -> None:
    import time

    texts = made(100_000)
    begun = time.process_time()
    report = label_report(texts, np.full(100_000, ""), LABEL_POLICIES["recommended"])
    assert time.process_time() - begun < 2.0
    assert len(report.curve) == len(THRESHOLDS)
