"""Is a text English? The lexicons that label it are, and know next to nothing of other languages."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pipeline.stages.normal_text import for_scoring

# Fewer words tell nothing: names and exclamations belong to no language.
LEAST_WORDS = 20
# Of 20 words of English speech at least 0.80 are in the dictionary (MELD, development part), and 0.86 of the texts of
# 2019, which lack the stop-words; of whole interviews 0.98. Of German, French, Spanish, Portuguese, Dutch, Italian,
# Swedish, Polish, Turkish, Indonesian, and Urdu and Hindi in Latin letters it is 0.05 to 0.71.
LEAST_KNOWN = 0.6
# Texts of many names, or of the jargon of a trade, know fewer dictionary words than that, and German or French that
# borrows from English knows more: there the function words tell, of which English speech has at least 0.15.
DOUBTFUL_KNOWN = 0.85
LEAST_FUNCTION_WORDS = 0.08

# Common words of spoken English that are no common words of its neighbours ("was", "will", "her" are German).
_FUNCTION_WORDS = """
    the and you to it that this with have not are they but what be your she just know can there from would could if like
    about don't it's i'm that's you're he's were been their them then than because how when where who which why really
    think going these those some any very well yeah i he my our out up did does didn't can't us
"""
FUNCTION_WORDS: frozenset[str] = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_WITHOUT_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_ENDING = re.compile(r"(?:n't|'(?:s|m|re|ve|ll|d))\Z")


@cache
def _dictionary() -> frozenset[str]:
    """Return the words of TextBlob's lexicon of parts of speech, in lower case."""
    # Its file is read, because importing the package imports NLTK, which takes a second or two.
    found = find_spec("textblob")
    if found is None or found.origin is None:
        raise ImportError("TextBlob is not installed")
    lines = Path(found.origin).with_name("en").joinpath("en-lexicon.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0].lower() for line in lines if line.strip() and not line.startswith(";;;"))


def hint_on_language(texts: Iterable[str]) -> str:
    """Say that texts are hardly English, if they are.

    Parameters
    ----------
    texts : iterable of str
        What is said in one recording, or all the texts of a file.

    Returns
    -------
    str
        A sentence; empty where the texts are English, or too few words to tell.
    """
    words = [word for text in texts for word in _words(text)]
    if len(words) < LEAST_WORDS:
        return ""
    known = sum(_ENDING.sub("", word) in _dictionary() for word in words) / len(words)
    function_words = sum(word in FUNCTION_WORDS for word in words) / len(words)
    if known >= DOUBTFUL_KNOWN or (known >= LEAST_KNOWN and function_words >= LEAST_FUNCTION_WORDS):
        return ""
    return (
        f"This is hardly English: {known:.0%} of its words are in an English dictionary. The lexicons that give the "
        "text labels are English, so that these labels mean little."
    )


def _words(text: str) -> list[str]:
    """Cut a text into words in lower case; of scripts without spaces each character is one."""
    found: list[str] = []
    for word in _WORD.findall(for_scoring(text).lower()):
        if word.isascii() or not _has_no_spaces(word[0]):
            found.append(word)
        else:
            found += word
    return found


def _has_no_spaces(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_WITHOUT_SPACES)
