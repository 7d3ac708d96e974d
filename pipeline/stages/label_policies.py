"""The rules by which polarities become weak labels, and how a user names further ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from pipeline.labels import NEGATIVE, NEUTRAL, POSITIVE, label_of_polarity
from pipeline.stages.errors import StageError

# The 2019 report, section 4.3.4: positives and negatives of less than 0.25 (absolute value) are rejected.
MIN_ABS_MEAN = 0.25
# Below what any lexicon entry can give: sums of decimal fractions in binary differ from zero, or from 0.25, by about
# 1e-17, and shall not decide a label.
ROUNDING = 1e-9

# The rules. 2019: VADER, TextBlob and pattern.en must agree in sign.
UNANIMOUS = "unanimous"
# TextBlob and pattern.en share one lexicon and nearly always agree: together they are one voter, VADER is the other.
TWO_VOTERS = "two-voters"
RULES = (UNANIMOUS, TWO_VOTERS)

DISAGREE = "disagree"  # voters contradict each other
WEAK = "weak"  # too near zero to be positive or negative (and, with two voters, too far from it to be neutral)
EXCLAIMED = "exclaimed"  # an exclamation without words of feeling: something is felt, the words do not say what

# Thresholds of `recommended`, chosen by `bench/label_rule.py`: round numbers on a plateau.
MIN_POSITIVE = 0.45
# "Not good" has a mean of -0.346 and must count.
MIN_NEGATIVE = 0.34
MAX_NEUTRAL = 0.25
EXCLAMATION_SHIFT = 0.15
# A question rather asks for a feeling than shows one.
QUESTION_WEIGHT = 0.6

# A text that ends as a question, also in quotation marks or brackets; Python, SQLite and PostgreSQL read it alike.
QUESTION_PATTERN = r"""\?[ \t\n"'”’)\]]*$"""
_QUESTION = re.compile(QUESTION_PATTERN)

_NAME_LENGTH = 40  # of the database's columns


@dataclass(frozen=True)
class LabelPolicy:
    """How texts become weak labels.

    Parameters
    ----------
    name : str
        Stored with every label it makes.
    remove_stop_words : bool
        Score the text without stop-words, which also drops "not", instead of the text as spoken.
    min_abs_mean : float
        Rule "unanimous": least absolute mean polarity of a positive or negative label, in [0, 1].
    keep_equal : bool
        Whether a mean of exactly a threshold is kept: so the 2019 report; its scripts dropped it.
    rule : str
        "unanimous" (all three signs agree) or "two-voters" (VADER, and the mean of TextBlob and pattern.en).
    hear_negations : bool
        Straighten apostrophes for all three, and bring negations next to what they turn for TextBlob and pattern.en.
    min_positive, min_negative : float
        Rule "two-voters": least absolute mean of a positive, of a negative label, in [0, 1].
    max_neutral : float
        Rule "two-voters": largest absolute mean of a neutral label, in [0, 1].
    exclamation_shift : float
        Rule "two-voters": by how much an exclamation mark lowers `min_positive` and `min_negative`. With a shift above
        0 an exclamation is never labelled neutral.
    question_weight : float
        Rule "two-voters": what a question's mean is multiplied with before it is compared, in [0, 1].
    """

    name: str
    remove_stop_words: bool = False
    min_abs_mean: float = MIN_ABS_MEAN
    keep_equal: bool = True
    rule: str = UNANIMOUS
    hear_negations: bool = False
    min_positive: float = MIN_POSITIVE
    min_negative: float = MIN_NEGATIVE
    max_neutral: float = MAX_NEUTRAL
    exclamation_shift: float = EXCLAMATION_SHIFT
    question_weight: float = QUESTION_WEIGHT

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything but the name, for the record."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


LABEL_POLICIES: dict[str, LabelPolicy] = {
    "seed-2019": LabelPolicy(name="seed-2019", remove_stop_words=True),
    "recommended": LabelPolicy(name="recommended", rule=TWO_VOTERS, hear_negations=True),
}


def label_policies_from(configured: Mapping[str, Any]) -> dict[str, LabelPolicy]:
    """Give the two built-in policies and those that a user configured.

    Parameters
    ----------
    configured : mapping
        Name to parameters of `LabelPolicy`; "base" names the policy whose parameters count where none are given
        ("recommended" if absent): ``{"strict": {"base": "seed-2019", "min_abs_mean": 0.5}}``.

    Returns
    -------
    dict of str to LabelPolicy
        The built-in ones first.

    Raises
    ------
    StageError
        If a name or a parameter is not what it must be.
    """
    policies = dict(LABEL_POLICIES)
    for name, given in configured.items():
        if not isinstance(given, Mapping):
            raise StageError(f"The label policy “{name}” must be a mapping of parameters to values.")
        if name in LABEL_POLICIES or not 0 < len(name) <= _NAME_LENGTH:
            raise StageError(f"“{name}” cannot name a label policy: it is taken, empty or over {_NAME_LENGTH} letters.")
        parameters = dict(given)
        base = parameters.pop("base", "recommended")
        if base not in policies:
            raise StageError(f"The label policy “{name}” builds on “{base}”, which is none of: {', '.join(policies)}.")
        values = {**policies[base].parameters, **{key: _checked(name, key, parameters[key]) for key in parameters}}
        policies[name] = LabelPolicy(name=name, **values)
    return policies


def _checked(name: str, key: str, value: Any) -> Any:
    known = {field.name: field.default for field in fields(LabelPolicy) if field.default is not MISSING}
    where = f"The label policy “{name}”"
    if key not in known:
        raise StageError(f"{where} has no parameter “{key}”; there are: {', '.join(known)}.")
    default = known[key]
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise StageError(f"{where}: “{key}” must be true or false.")
    elif isinstance(default, float):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise StageError(f"{where}: “{key}” must be a number from 0 to 1.")
        return float(value)
    elif value not in RULES:
        raise StageError(f"{where}: “{key}” must be one of: {', '.join(RULES)}.")
    return value


def _sign(polarity: float) -> str:
    return NEUTRAL if abs(polarity) < ROUNDING else label_of_polarity(polarity)


def asks(text: str) -> bool:
    """Tell whether a text ends as a question.

    >>> asks('"Was it bad?"'), asks("Was it? It was.")
    (True, False)
    """
    return _QUESTION.search(text) is not None


def decide(
    polarities: Sequence[float], policy: LabelPolicy, *, exclaimed: bool = False, asked: bool = False
) -> tuple[float, str, str]:
    """Apply the label rule to the polarities of one text.

    Parameters
    ----------
    polarities : sequence of float
        VADER's, TextBlob's and pattern.en's, each in [-1, 1].
    policy : LabelPolicy
        Its rule and thresholds count.
    exclaimed : bool
        Whether the text has an exclamation mark; only the rule "two-voters" wants to know.
    asked : bool
        Whether the text ends as a question; the same.

    Returns
    -------
    mean : float
        Mean polarity of the voters.
    label : str
        One of the three classes, or "" when rejected.
    reason : str
        `DISAGREE`, `WEAK`, `EXCLAIMED` or "".

    References
    ----------
    .. [1] Method, section 4.
    """
    if policy.rule == TWO_VOTERS:
        return _decide_by_two(polarities, policy, exclaimed=exclaimed, asked=asked)
    mean = sum(polarities) / len(polarities)
    signs = {_sign(polarity) for polarity in polarities}
    if len(signs) > 1:
        return mean, "", DISAGREE
    (label,) = signs
    if label != NEUTRAL and not _reaches(abs(mean), policy.min_abs_mean, policy):
        return mean, "", WEAK
    return mean, label, ""


def _decide_by_two(
    polarities: Sequence[float], policy: LabelPolicy, *, exclaimed: bool, asked: bool
) -> tuple[float, str, str]:
    vader, *lexicon = polarities
    shared = sum(lexicon) / len(lexicon)
    mean = (vader + shared) / 2
    if {_sign(vader), _sign(shared)} == {POSITIVE, NEGATIVE}:
        return mean, "", DISAGREE
    shift = policy.exclamation_shift if exclaimed else 0.0
    strength = abs(mean) * (policy.question_weight if asked else 1.0)
    # Without any word of feeling, no shift makes a label.
    if _sign(mean) != NEUTRAL:
        least = policy.min_positive if mean > 0 else policy.min_negative
        if _reaches(strength, least - shift, policy):
            return mean, label_of_polarity(mean), ""
    if strength > policy.max_neutral + ROUNDING:
        return mean, "", WEAK
    return (mean, "", EXCLAIMED) if shift else (mean, NEUTRAL, "")


def _reaches(value: float, least: float, policy: LabelPolicy) -> bool:
    return value >= least - ROUNDING if policy.keep_equal else value > least + ROUNDING
