"""Text to three polarities to a weak label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

from pipeline.stages.errors import StageError
from pipeline.stages.label_policies import (
    DISAGREE,
    EXCLAIMED,
    LABEL_POLICIES,
    MIN_ABS_MEAN,
    ROUNDING,
    WEAK,
    LabelPolicy,
    asks,
    decide,
    label_policies_from,
)
from pipeline.stages.negation import straighten, with_near_negations
from pipeline.stages.normal_text import readable
from pipeline.stages.pattern_en import is_in_lexicon, pattern_sentiment
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.words import remove_stop_words

__all__ = [
    "DISAGREE",
    "EXCLAIMED",
    "LABEL_POLICIES",
    "MIN_ABS_MEAN",
    "ROUNDING",
    "WEAK",
    "LabelPolicy",
    "TextScore",
    "decide",
    "label_policies_from",
    "score_texts",
]

# How many texts are scored between two calls of the progress callback.
_PROGRESS_STEP = 200

# Some ten minutes of speech. VADER's time grows with the square of the emoji in a text, so that no text may be endless.
LONGEST_TEXT = 10_000

Polarity = Callable[[str], float]


@dataclass(frozen=True)
class TextScore:
    """Three polarities of one text, each in [-1, 1], and what follows from them.

    ``label`` is "" when the text is rejected; ``reason`` is then "disagree", "weak" or "exclaimed", otherwise "".
    """

    text: str
    vader: float
    textblob: float
    pattern: float
    mean: float
    label: str
    reason: str


# TextBlob reads its lexicon on first use, and a second thread would meet half of it.
_building = Lock()


def _analyzers() -> tuple[Polarity, Polarity, Polarity]:
    """VADER, TextBlob and pattern.en, built on first use and once per process."""
    with _building:
        return _built_analyzers()


@cache
def _built_analyzers() -> tuple[Polarity, Polarity, Polarity]:
    # What TextBlob's PatternAnalyzer calls. The analyzer itself makes a new named tuple class for every text, which
    # takes as long as the scoring.
    from textblob.en import sentiment as textblob
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader, pattern = SentimentIntensityAnalyzer(), pattern_sentiment()
    textblob("Load the lexicon.")
    return (
        lambda text: float(vader.polarity_scores(text)["compound"]),
        lambda text: float(textblob(text)[0]),
        lambda text: float(pattern(text)[0]),
    )


def score_texts(
    texts: Sequence[str], policy: LabelPolicy, *, progress: ProgressCallback = ignore_progress
) -> list[TextScore]:
    """Score texts with VADER, TextBlob and pattern.en and decide their weak labels.

    Identical texts are scored once. Every policy scores what a reader sees (`normal_text.readable`); one that hears
    negations also gets apostrophes, quotation marks and dots as the lexicons know them (`normal_text.for_scoring`).
    The policy of 2019 does not, as its scripts did not.

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

    Raises
    ------
    StageError
        If a text is longer than `LONGEST_TEXT`.

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
        if len(text) > LONGEST_TEXT:
            raise StageError(
                f"Text {done + 1} has {len(text):,} characters, and no more than {LONGEST_TEXT:,} are scored; "
                "give one utterance per text."
            )
        shown = readable(text)
        scored = for_lexicon = remove_stop_words(shown) if policy.remove_stop_words else shown
        if policy.hear_negations:
            scored = straighten(scored)
            for_lexicon = with_near_negations(scored, is_in_lexicon)
        vader, textblob, pattern = vader_of(scored), textblob_of(for_lexicon), pattern_of(for_lexicon)
        mean, label, reason = decide((vader, textblob, pattern), policy, exclaimed="!" in shown, asked=asks(shown))
        known[text] = TextScore(text, vader, textblob, pattern, mean, label, reason)
    progress(len(texts), len(texts))
    return [known[text] for text in texts]
