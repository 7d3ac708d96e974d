"""The label rule over many texts at once, for reports that ask it for every threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.labels import LABELS
from pipeline.stages.label_policies import ROUNDING, TWO_VOTERS, LabelPolicy, asks
from pipeline.stages.sentiment import TextScore

# In the place of a class: rejected, or not known.
NONE = -1


@dataclass(frozen=True)
class ScoredTexts:
    """Polarities of `n` texts under one policy, and the labels they have.

    Attributes
    ----------
    polarities : np.ndarray [shape=(n, 3), dtype=float64]
        VADER's, TextBlob's and pattern.en's, each in [-1, 1].
    exclaimed : np.ndarray [shape=(n,), dtype=bool]
        Whether the text has an exclamation mark.
    asked : np.ndarray [shape=(n,), dtype=bool]
        Whether the text ends as a question.
    given : np.ndarray [shape=(n,), dtype=int8]
        Places in `LABELS`, or `NONE` where the text was rejected.
    """

    polarities: np.ndarray
    exclaimed: np.ndarray
    asked: np.ndarray
    given: np.ndarray

    @classmethod
    def of(cls, scores: Sequence[TextScore]) -> "ScoredTexts":
        return cls(
            polarities=np.array([(s.vader, s.textblob, s.pattern) for s in scores], dtype=np.float64).reshape(-1, 3),
            exclaimed=np.array(["!" in s.text for s in scores], dtype=bool),
            asked=np.array([asks(s.text) for s in scores], dtype=bool),
            given=codes([s.label for s in scores]),
        )

    def __len__(self) -> int:
        return len(self.given)


def codes(labels: Sequence[str] | np.ndarray) -> np.ndarray:
    """Places in `LABELS`, int8 [shape=(n,)]; `NONE` for every other text."""
    names = np.asarray(labels, dtype=np.str_)
    found = np.full(len(names), NONE, dtype=np.int8)
    for place, label in enumerate(LABELS):
        found[names == label] = place
    return found


def signs(polarities: np.ndarray) -> np.ndarray:
    """-1, 0 or 1, int8, in the shape given; what rounding alone may make counts as 0."""
    return np.where(np.abs(polarities) < ROUNDING, 0, np.sign(polarities)).astype(np.int8)


def decide_all(texts: ScoredTexts, policy: LabelPolicy) -> np.ndarray:
    """The labels that `pipeline.stages.label_policies.decide` gives, as `codes`.

    Parameters
    ----------
    texts : ScoredTexts
    policy : LabelPolicy
        Its rule and thresholds count.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=int8]
    """
    return _by_two(texts, policy) if policy.rule == TWO_VOTERS else _unanimous(texts.polarities, policy)


def _unanimous(polarities: np.ndarray, policy: LabelPolicy) -> np.ndarray:
    first, second, third = polarities.T
    mean = (first + second + third) / 3  # added up in the order of `decide`, so that both round alike
    by_sign = signs(polarities)
    agreed = (by_sign == by_sign[:, :1]).all(axis=1)
    strong = (by_sign[:, 0] == 0) | _reaches(np.abs(mean), np.full(len(mean), policy.min_abs_mean), policy)
    return np.where(agreed & strong, _code(by_sign[:, 0]), NONE).astype(np.int8)


def _by_two(texts: ScoredTexts, policy: LabelPolicy) -> np.ndarray:
    vader, *lexicon = texts.polarities.T
    shared = (lexicon[0] + lexicon[1]) / 2
    mean = (vader + shared) / 2
    sign = signs(mean)
    shift = np.where(texts.exclaimed, policy.exclamation_shift, 0.0)
    least = np.where(mean > 0, policy.min_positive, policy.min_negative) - shift
    strength = np.abs(mean) * np.where(texts.asked, policy.question_weight, 1.0)
    felt = (sign != 0) & _reaches(strength, least, policy)
    neutral = (strength <= policy.max_neutral + ROUNDING) & (shift == 0)
    chosen = np.where(felt, _code(sign), np.where(neutral, _code(np.zeros_like(sign)), NONE))
    return np.where(signs(vader) * signs(shared) == -1, NONE, chosen).astype(np.int8)


def _code(sign: np.ndarray) -> np.ndarray:
    """Place in `LABELS` of a sign: they stand in the order 1, 0, -1."""
    return 1 - sign


def _reaches(values: np.ndarray, least: np.ndarray, policy: LabelPolicy) -> np.ndarray:
    return values >= least - ROUNDING if policy.keep_equal else values > least + ROUNDING
