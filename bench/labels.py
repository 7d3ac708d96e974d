"""Text labels per second, against the libraries alone and against building them for every text.

Run from the repository's root: python bench/labels.py
Prints `name: ours, theirs, ratio`, texts per second of processor time, both measured in this process in turns; best of
several rounds.
"""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from pipeline.stages import pattern_en
from pipeline.stages.sentiment import LABEL_POLICIES, score_texts

ROUNDS = 5
N_TEXTS = 2000
N_REBUILT = 4  # texts for which the analyzers are built anew: that takes a good part of a second each

# Subjects, verbs, objects and turns whose combinations read like interviews; no two texts are the same.
SUBJECTS = ("I", "My brother", "The whole town", "Our teacher", "Nobody", "That band", "The old doctor", "We")
VERBS = ("really loved", "didn't like", "could not stand", "talked about", "was happy with", "walked through", "feared")
OBJECTS = (
    "the wonderful music",
    "this terrible weather",
    "the house by the river",
    "every single day of it",
    "a good joke",
)
TURNS = (
    "and then we drove home for dinner.",
    "because it was the best summer of my life!",
    "which isn't what I had expected at all.",
    "so I was sad and angry for a year.",
    "but there were forty chairs in the hall.",
    "you know, when I was young.",
    "and I don’t think that's fair.",
    "or whatever they call it now.",
)


def texts() -> list[str]:
    made = [f"{s} {v} {o} {t}" for s in SUBJECTS for v in VERBS for o in OBJECTS for t in TURNS]
    return made[:N_TEXTS]


def bare(given: Sequence[str]) -> None:
    """The three libraries' own calls, analyzers built before."""
    vader, pattern = ANALYZERS
    for text in given:
        vader.polarity_scores(text)
        TextBlob(text).sentiment  # noqa: B018 - a property that computes
        pattern(text)


def rebuilt(given: Sequence[str]) -> None:
    """As bare, but with analyzers built for each text."""
    for text in given:
        pattern_en._build.cache_clear()
        SentimentIntensityAnalyzer().polarity_scores(text)
        TextBlob(text).sentiment  # noqa: B018
        pattern_en.pattern_sentiment()(text)


def rate(work: Callable[[], object], count: int) -> float:
    started = time.process_time()
    work()
    return count / (time.process_time() - started)


def report(name: str, ours: float, theirs: float) -> None:
    print(f"{name}: {ours:,.0f} texts/s, {theirs:,.0f} texts/s, {ours / theirs:.2f}")


def main() -> None:
    given = texts()
    assert len(set(given)) == N_TEXTS
    for name, policy in LABEL_POLICIES.items():
        score = partial(score_texts, given, policy)
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(ROUNDS):  # in turns, so that a busy machine slows both
            ours.append(rate(score, N_TEXTS))
            theirs.append(rate(lambda: bare(given), N_TEXTS))
        report(f"{name} against the bare libraries", max(ours), max(theirs))
        if name == "recommended":
            report(
                f"{name} against analyzers built per text",
                max(ours),
                rate(lambda: rebuilt(given[:N_REBUILT]), N_REBUILT),
            )
    policy = LABEL_POLICIES["recommended"]
    repeated = given[:200] * 10
    best = max(rate(lambda: score_texts(repeated, policy), len(repeated)) for _ in range(ROUNDS))
    report("each text ten times, against the bare libraries", best, rate(lambda: bare(repeated), len(repeated)))


def bare_pattern() -> Callable[[str], object]:
    """pattern.en as it is: the class below Crossmodal's, with the same lexicon and arguments."""
    ours: Any = pattern_en.pattern_sentiment()
    base = type(ours).__mro__[1]
    theirs: Callable[[str], object] = base(
        path=ours.path,
        synset=ours._synset,
        negations=ours.negations,
        modifiers=ours.modifiers,
        modifier=ours.modifier,
        language=ours.language,
    )
    theirs.load()  # type: ignore[attr-defined]
    return theirs


ANALYZERS = (SentimentIntensityAnalyzer(), bare_pattern())

if __name__ == "__main__":
    score_texts(["Warm up."], LABEL_POLICIES["recommended"])
    main()
