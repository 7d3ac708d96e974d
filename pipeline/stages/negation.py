"""What the lexicons mishear in speech: apostrophes, contractions, and negations some words before their word."""

import re
from collections.abc import Callable

from pipeline.stages.normal_text import for_scoring

# "don't", "dont", "cannot": TextBlob knows none of them, pattern.en those with an apostrophe. "wont" and "cant" are
# words of their own, but in captions hardly ever meant.
_CONTRACTED = re.compile(
    r"\b(?:\w+n't|cannot|(?:do|does|did|is|was|has|have|had|would|could|should|are|were|wo|ca|ai)nt)\b", re.IGNORECASE
)
# VADER lets a negation turn a word up to three words behind it (`vaderSentiment.VaderConstants`); the other two only
# the very next word of their lexicon, and forget the negation at any other word. No comma or stop may lie between.
_REACH = 3
_NEGATED = re.compile(
    rf"\b(?P<negation>not|never|hardly|nobody|nothing|without)(?P<words>(?:\s+[\w']+){{1,{_REACH}}})", re.IGNORECASE
)
# What may negate at all: most texts hold nothing of the kind, and are given back untouched.
_MAY_NEGATE = re.compile(r"n't\b|nt\b|\bnot\b|never|hardly|nobody|nothing|without|cannot", re.IGNORECASE)


def straighten(text: str) -> str:
    """Write apostrophes and quotation marks as on a typewriter: VADER knows "don't" with a straight one alone.

    >>> straighten("don’t"), straighten("don`t")
    ("don't", "don't")
    """
    return for_scoring(text)


def with_near_negations(text: str, knows: Callable[[str], bool]) -> str:
    """Bring each negation next to the word that it turns.

    TextBlob and pattern.en turn a word only if "not" or "never" stands right before it. So contractions are written
    out, other negations become "not", and the words between are left out.

    Parameters
    ----------
    text : str
        With straight apostrophes.
    knows : callable
        Tells whether a word, in lower case, is in the lexicon.

    Returns
    -------
    str
        For TextBlob and pattern.en, not for people.

    Examples
    --------
    >>> with_near_negations("He won't ever be happy.", {"happy"}.__contains__)
    'He not happy.'
    """
    if _MAY_NEGATE.search(text) is None:
        return text

    def near(match: re.Match[str]) -> str:
        words = match["words"].split()
        for index, word in enumerate(words):
            if knows(word.lower()):
                return " ".join(["not", *words[index:]])
        return match[0]

    return _NEGATED.sub(near, _CONTRACTED.sub("not", text))
