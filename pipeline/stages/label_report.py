"""What the three classifiers add to each other, and what a threshold buys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.labels import LABELS
from pipeline.stages.label_arrays import NONE, ScoredTexts, codes, decide_all, signs
from pipeline.stages.label_policies import TWO_VOTERS, LabelPolicy
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
class Contribution:
    """What one classifier says that the other two do not; shares of all texts.

    ``felt``: its sign is not zero. ``alone``: that, and both others' are. ``against``: both others give the same sign
    that is not zero, and it gives another. ``accuracy`` is the share of the ``judged`` texts (those with people's
    label) where its sign is that of people's label; NaN where there are none.
    """

    classifier: str
    felt: float
    alone: float
    against: float
    accuracy: float
    judged: int


@dataclass(frozen=True)
class CurvePoint:
    """What a policy's labels are worth at one threshold.

    ``labelled``, ``coverage`` and ``given`` (per class) count all texts; ``judged`` and ``support`` (per class) those
    labelled ones that have people's label, on which ``accuracy``, ``macro_f1`` and ``precision`` rest. Per class in
    the order of `LABELS`; NaN where there is nothing to compute from.
    """

    threshold: float
    labelled: int
    coverage: float
    accuracy: float
    macro_f1: float
    precision: tuple[float, ...]
    given: tuple[int, ...]
    judged: int
    support: tuple[int, ...]


@dataclass(frozen=True)
class LabelReport:
    """All of it for one policy: ``labels`` as the texts have them, ``curve`` as every threshold would give them."""

    agreement: tuple[PairAgreement, ...]
    contributions: tuple[Contribution, ...]
    labels: CurvePoint
    curve: tuple[CurvePoint, ...]

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold: NaN, which it does not know, is None."""
        found: dict[str, Any] = _without_nan(asdict(self))
        return found


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def label_report(texts: ScoredTexts, truth: Sequence[str] | np.ndarray, policy: LabelPolicy) -> LabelReport:
    """Agreement, contributions, and the labels at every threshold.

    Parameters
    ----------
    texts : ScoredTexts
        At least one; polarities as given by `score_texts` under this policy.
    truth : sequence of str
        People's label of each text, one of the three classes; "" where nobody was asked.
    policy : LabelPolicy
        The rule whose threshold varies; see `at_threshold`.

    Returns
    -------
    LabelReport
    """
    return LabelReport(
        agreement=pairwise_agreement(texts),
        contributions=contributions(texts, truth),
        labels=as_given(texts, truth),
        curve=coverage_precision(texts, truth, policy),
    )


def pairwise_agreement(texts: ScoredTexts) -> tuple[PairAgreement, ...]:
    """Compare the signs of each two of the three classifiers.

    Parameters
    ----------
    texts : ScoredTexts
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
    columns = dict(zip(CLASSIFIERS, signs(texts.polarities).T, strict=True))
    return tuple(_pair(a, b, columns[a], columns[b]) for a, b in combinations(CLASSIFIERS, 2))


def _pair(first: str, second: str, a: np.ndarray, b: np.ndarray) -> PairAgreement:
    agreement = float((a == b).mean())
    by_chance = float(sum((a == sign).mean() * (b == sign).mean() for sign in (-1, 0, 1)))
    kappa = (agreement - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")
    return PairAgreement(first, second, len(a), agreement, kappa)


def contributions(texts: ScoredTexts, truth: Sequence[str] | np.ndarray) -> tuple[Contribution, ...]:
    """What each of the three classifiers adds.

    Parameters
    ----------
    texts : ScoredTexts
        At least one.
    truth : sequence of str
        People's label of each text, one of the three classes; "" where nobody was asked.

    Returns
    -------
    tuple of Contribution
        Three of them, in the order of `CLASSIFIERS`.
    """
    people = codes(truth)
    judged = people != NONE
    by_sign = signs(texts.polarities)
    found = []
    for column, name in enumerate(CLASSIFIERS):
        own, (one, other) = by_sign[:, column], np.delete(by_sign, column, axis=1).T
        right = (1 - own)[judged] == people[judged]
        found.append(
            Contribution(
                classifier=name,
                felt=float((own != 0).mean()),
                alone=float(((own != 0) & (one == 0) & (other == 0)).mean()),
                against=float(((one == other) & (one != 0) & (own != one)).mean()),
                accuracy=float(right.mean()) if judged.any() else float("nan"),
                judged=int(judged.sum()),
            )
        )
    return tuple(found)


def at_threshold(policy: LabelPolicy, threshold: float) -> LabelPolicy:
    """Give the policy with another least mean of positive and negative labels."""
    if policy.rule == TWO_VOTERS:
        return replace(policy, min_positive=threshold, min_negative=threshold)
    return replace(policy, min_abs_mean=threshold)


def coverage_precision(
    texts: ScoredTexts,
    truth: Sequence[str] | np.ndarray,
    policy: LabelPolicy,
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[CurvePoint, ...]:
    """Give coverage, and precision against people, for every threshold of a policy.

    Parameters
    ----------
    texts : ScoredTexts
        Their polarities as given by `score_texts` under this policy.
    truth : sequence of str
        People's label of each text, one of the three classes; "" where nobody was asked.
    policy : LabelPolicy
        The rule whose threshold varies; see `at_threshold`.
    thresholds : sequence of float
        Each in [0, 1].

    Returns
    -------
    tuple of CurvePoint
        One per threshold.
    """
    people = codes(truth)
    return tuple(
        _point(threshold, people, decide_all(texts, at_threshold(policy, threshold))) for threshold in thresholds
    )


def as_given(texts: ScoredTexts, truth: Sequence[str] | np.ndarray) -> CurvePoint:
    """The same figures for the labels that the texts have; the threshold is NaN."""
    return _point(float("nan"), codes(truth), texts.given)


def _point(threshold: float, people: np.ndarray, given: np.ndarray) -> CurvePoint:
    labelled = int((given != NONE).sum())
    both = (given != NONE) & (people != NONE)
    k = len(LABELS)
    confusion = np.bincount(k * people[both].astype(np.intp) + given[both], minlength=k * k).reshape(k, k)
    hits, true, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    judged = int(confusion.sum())
    precision = [int(hit) / int(n) if n else float("nan") for hit, n in zip(hits, predicted, strict=True)]
    f1 = [2 * int(hit) / int(n) if n else 0.0 for hit, n in zip(hits, true + predicted, strict=True)]
    return CurvePoint(
        threshold=threshold,
        labelled=labelled,
        coverage=labelled / max(1, len(given)),
        accuracy=int(hits.sum()) / judged if judged else float("nan"),
        macro_f1=float(np.mean(f1)) if judged else float("nan"),
        precision=tuple(precision),
        given=tuple(int((given == place).sum()) for place in range(k)),
        judged=judged,
        support=tuple(predicted.tolist()),
    )


def reasons(scores: Sequence[TextScore]) -> dict[str, int]:
    """Count the labels, and the reasons of texts without one."""
    counts: dict[str, int] = dict.fromkeys((*LABELS,), 0)
    for score in scores:
        key = score.label or score.reason
        counts[key] = counts.get(key, 0) + 1
    return counts
