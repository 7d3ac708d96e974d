"""What the three classifiers add to each other, and what a threshold buys."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.labels import LABELS
from pipeline.stages.label_policies import ROUNDING, TWO_VOTERS, LabelPolicy, decide
from pipeline.stages.sentiment import TextScore

CLASSIFIERS = ("vader", "textblob", "pattern")
# Thresholds of the curve: 0 to 0.95 in steps of 0.05.
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(20))


@dataclass(frozen=True)
class PairAgreement:
    """How far two classifiers agree on the sign of `n` texts; kappa is NaN where both always give the same sign."""

    first: str
    second: str
    n: int
    agreement: float
    kappa: float


@dataclass(frozen=True)
class CurvePoint:
    """What a policy's labels are worth at one threshold.

    ``precision`` has one value per class in the order of `LABELS`, NaN for a class that no text is labelled with;
    ``macro_f1`` counts labelled texts only.
    """

    threshold: float
    labelled: int
    coverage: float
    accuracy: float
    macro_f1: float
    precision: tuple[float, ...]


def _signs(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return np.where(np.abs(array) < ROUNDING, 0, np.sign(array)).astype(int)


def pairwise_agreement(scores: Sequence[TextScore]) -> tuple[PairAgreement, ...]:
    """Compare the signs of each two of the three classifiers.

    Parameters
    ----------
    scores : sequence of TextScore
        At least one.

    Returns
    -------
    tuple of PairAgreement
        Three of them.

    References
    ----------
    .. [1] J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological
       Measurement 20, 1960.
    """
    signs = {name: _signs([getattr(score, name) for score in scores]) for name in CLASSIFIERS}
    return tuple(_pair(a, b, signs[a], signs[b]) for a, b in combinations(CLASSIFIERS, 2))


def _pair(first: str, second: str, a: np.ndarray, b: np.ndarray) -> PairAgreement:
    agreement = float((a == b).mean())
    by_chance = float(sum((a == sign).mean() * (b == sign).mean() for sign in (-1, 0, 1)))
    kappa = (agreement - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")
    return PairAgreement(first, second, len(a), agreement, kappa)


def at_threshold(policy: LabelPolicy, threshold: float) -> LabelPolicy:
    """Give the policy with another least mean of positive and negative labels."""
    if policy.rule == TWO_VOTERS:
        return replace(policy, min_positive=threshold, min_negative=threshold)
    return replace(policy, min_abs_mean=threshold)


def coverage_precision(
    scores: Sequence[TextScore],
    truth: Sequence[str],
    policy: LabelPolicy,
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[CurvePoint, ...]:
    """Give coverage and precision against people for every threshold of a policy.

    Parameters
    ----------
    scores : sequence of TextScore
        As given by `score_texts` under this policy.
    truth : sequence of str
        People's label of each text, one of the three classes.
    policy : LabelPolicy
        The rule whose threshold varies; see `at_threshold`.
    thresholds : sequence of float
        Each in [0, 1].

    Returns
    -------
    tuple of CurvePoint
        One per threshold.
    """
    people = np.asarray(truth)
    return tuple(
        _point(threshold, people, _labels(scores, at_threshold(policy, threshold))) for threshold in thresholds
    )


def as_given(scores: Sequence[TextScore], truth: Sequence[str]) -> CurvePoint:
    """The same figures for the labels that the scores have; the threshold is NaN."""
    return _point(float("nan"), np.asarray(truth), np.array([score.label for score in scores]))


def _labels(scores: Sequence[TextScore], policy: LabelPolicy) -> np.ndarray:
    return np.array([decide((s.vader, s.textblob, s.pattern), policy, exclaimed="!" in s.text)[1] for s in scores])


def _point(threshold: float, truth: np.ndarray, given: np.ndarray) -> CurvePoint:
    covered = given != ""
    labelled = int(covered.sum())
    precision, f1 = [], []
    for label in LABELS:
        hits = int(((given == label) & (truth == label)).sum())
        predicted, there = int((given == label).sum()), int((covered & (truth == label)).sum())
        precision.append(hits / predicted if predicted else float("nan"))
        f1.append(2 * hits / (predicted + there) if predicted + there else 0.0)
    accuracy = float((given == truth)[covered].mean()) if labelled else float("nan")
    return CurvePoint(
        threshold, labelled, labelled / max(1, len(truth)), accuracy, float(np.mean(f1)), tuple(precision)
    )


def reasons(scores: Sequence[TextScore]) -> dict[str, int]:
    """Count the labels, and the reasons of texts without one."""
    counts: dict[str, int] = dict.fromkeys((*LABELS,), 0)
    for score in scores:
        key = score.label or score.reason
        counts[key] = counts.get(key, 0) + 1
    return counts
