"""Text to three polarities to a weak label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.labels import NEUTRAL, label_of_polarity
from pipeline.stages.pattern_en import pattern_sentiment
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.words import remove_stop_words

# The 2019 report, section 4.3.4: positives and negatives of less than 0.25 (absolute value) are rejected.
MIN_ABS_MEAN = 0.25
# Below what any lexicon entry can give: sums of decimal fractions in binary differ from zero, or from 0.25, by about
# 1e-17, and shall not decide a label.
ROUNDING = 1e-9

DISAGREE = "disagree"  # the signs of the three polarities differ
WEAK = "weak"  # all three agree on positive or negative, but their mean is too near zero

# How many texts are scored between two calls of the progress callback.
_PROGRESS_STEP = 200

Polarity = Callable[[str], float]


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
        Least absolute mean polarity of a positive or negative label, in [0, 1].
    keep_equal : bool
        Whether a mean of exactly `min_abs_mean` is kept: so the 2019 report; its scripts dropped it.
    """

    name: str
    remove_stop_words: bool
    min_abs_mean: float = MIN_ABS_MEAN
    keep_equal: bool = True


LABEL_POLICIES: dict[str, LabelPolicy] = {
    "seed-2019": LabelPolicy(name="seed-2019", remove_stop_words=True),
    "recommended": LabelPolicy(name="recommended", remove_stop_words=False),
}


@dataclass(frozen=True)
class TextScore:
    """Three polarities of one text, each in [-1, 1], and what follows from them.

    ``label`` is "" when the text is rejected; ``reason`` is then "disagree" or "weak", otherwise "".
    """

    text: str
    vader: float
    textblob: float
    pattern: float
    mean: float
    label: str
    reason: str


@cache
def _analyzers() -> tuple[Polarity, Polarity, Polarity]:
    """VADER, TextBlob and pattern.en, built on first use and once per process."""
    # What TextBlob's PatternAnalyzer calls. The analyzer itself makes a new named tuple class for every text, which
    # takes as long as the scoring.
    from textblob.en import sentiment as textblob
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader, pattern = SentimentIntensityAnalyzer(), pattern_sentiment()
    return (
        lambda text: float(vader.polarity_scores(text)["compound"]),
        lambda text: float(textblob(text)[0]),
        lambda text: float(pattern(text)[0]),
    )


def _sign(polarity: float) -> str:
    return NEUTRAL if abs(polarity) < ROUNDING else label_of_polarity(polarity)


def decide(polarities: Sequence[float], policy: LabelPolicy) -> tuple[float, str, str]:
    """Apply the label rule to the polarities of one text.

    Parameters
    ----------
    polarities : sequence of float
        Each in [-1, 1]; at least one.
    policy : LabelPolicy
        Its `min_abs_mean` and `keep_equal` count.

    Returns
    -------
    mean : float
        Mean polarity.
    label : str
        One of the three classes, or "" when rejected.
    reason : str
        `DISAGREE`, `WEAK` or "".

    References
    ----------
    .. [1] Method, section 4.
    """
    mean = sum(polarities) / len(polarities)
    signs = {_sign(polarity) for polarity in polarities}
    if len(signs) > 1:
        return mean, "", DISAGREE
    (label,) = signs
    least = policy.min_abs_mean - ROUNDING if policy.keep_equal else policy.min_abs_mean + ROUNDING
    if label != NEUTRAL and abs(mean) < least:
        return mean, "", WEAK
    return mean, label, ""


def score_texts(
    texts: Sequence[str], policy: LabelPolicy, *, progress: ProgressCallback = ignore_progress
) -> list[TextScore]:
    """Score texts with VADER, TextBlob and pattern.en and decide their weak labels.

    Identical texts are scored once.

    Parameters
    ----------
    texts : sequence of str
        Utterances as spoken.
    policy : LabelPolicy
        Which text is scored and what is rejected.
    progress : ProgressCallback
        Called with (texts done, all texts).

    Returns
    -------
    list of TextScore
        One per text, in the given order; ``text`` is the text as given.

    References
    ----------
    .. [1] C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
       Text", ICWSM 2014.
    .. [2] T. De Smedt and W. Daelemans, "Pattern for Python", JMLR 13, 2012 (TextBlob and pattern.en).
    .. [3] Method, section 4.
    """
    vader_of, textblob_of, pattern_of = _analyzers()
    known: dict[str, TextScore] = {}
    for done, text in enumerate(texts):
        if done % _PROGRESS_STEP == 0:
            progress(done, len(texts))
        if text in known:
            continue
        scored = remove_stop_words(text) if policy.remove_stop_words else text
        vader, textblob, pattern = vader_of(scored), textblob_of(scored), pattern_of(scored)
        mean, label, reason = decide((vader, textblob, pattern), policy)
        known[text] = TextScore(text, vader, textblob, pattern, mean, label, reason)
    progress(len(texts), len(texts))
    return [known[text] for text in texts]
