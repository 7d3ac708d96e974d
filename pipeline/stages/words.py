"""Word tokens, sentence ends and stop-words, without any downloaded NLTK data."""

import re
import textwrap
from functools import cache
from typing import Protocol

# NLTK's English stop-words as they stood in 2019 (179 entries, `nltk_data/corpora/stopwords/english`, from Porter's
# list). All are lower case and the 2019 scripts compared without lowering, so "I" and "The" are never removed.
_STOP_WORDS = """
    i me my myself we our ours ourselves you you're you've you'll you'd your yours yourself yourselves he him his
    himself she she's her hers herself it it's its itself they them their theirs themselves what which who whom this
    that that'll these those am is are was were be been being have has had having do does did doing a an the and but
    if or because as until while of at by for with about against between into through during before after above below
    to from up down in out on off over under again further then once here there when where why how all any both each
    few more most other some such no nor not only own same so than too very s t can will just don don't should
    should've now d ll m o re ve y ain aren aren't couldn couldn't didn didn't doesn doesn't hadn hadn't hasn hasn't
    haven haven't isn isn't ma mightn mightn't mustn mustn't needn needn't shan shan't shouldn shouldn't wasn wasn't
    weren weren't won won't wouldn wouldn't
"""
STOP_WORDS: frozenset[str] = frozenset(_STOP_WORDS.split())

# A full stop after one of these does not end a sentence.
_ABBREVIATIONS = "mr mrs ms dr prof rev gen col capt lt sgt sen rep gov st jr sr vs etc e.g i.e a.m p.m vol fig inc ltd"
ABBREVIATIONS: frozenset[str] = frozenset([*_ABBREVIATIONS.split(), "ph.d"])

# No closing punctuation is longer; damaged files hold words that are.
_LONGEST_END = 64
# NLTK gives up, with an error, where one of its patterns takes more than five seconds. So much takes milliseconds.
_LONGEST_PIECE = 4_000
_SENTENCE_END = re.compile(r"""(?P<stem>.*?)(?P<stop>[.!?…]+)["'”’»)\]]*$""", re.DOTALL)
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
# In running speech these single letters are words, so that a full stop after them is one.
_LETTER_WORDS = frozenset("iIaA")


class _Tokenizer(Protocol):
    def tokenize(self, text: str) -> list[str]: ...


@cache
def _tokenizer() -> _Tokenizer:
    # Imported on first use: NLTK takes a second or two to import.
    from nltk.tokenize.destructive import NLTKWordTokenizer

    tokenizer: _Tokenizer = NLTKWordTokenizer()
    return tokenizer


def ends_sentence(word: str, following: str = "") -> bool:
    """Tell whether a word with its punctuation ends a sentence.

    Parameters
    ----------
    word : str
        One word as written, or a longer text whose last word counts.
    following : str
        The next word, if known: dots of hesitation ("well... maybe") end a sentence only before a capital.

    Examples
    --------
    >>> ends_sentence("Kafka."), ends_sentence("Dr."), ends_sentence("well...", "maybe")
    (True, False, False)
    """
    last = "".join(word.split()[-1:])[-_LONGEST_END:]
    match = _SENTENCE_END.match(last)
    if match is None:
        return False
    stem, stop = match["stem"].lstrip("\"'“‘«([").rstrip(".…"), match["stop"]
    if stop in {"…", "..", "...", "...."}:
        return not following or following.lstrip("\"'“‘«([")[:1].isupper()
    if stop != ".":
        return True
    return stem.lower() not in ABBREVIATIONS and (stem in _LETTER_WORDS or not _INITIALS.fullmatch(stem))


def sentences(text: str) -> list[str]:
    """Split a text after each word that ends a sentence; white space becomes single spaces."""
    words = text.split()
    parts: list[list[str]] = [[]]
    for word, following in zip(words, [*words[1:], ""], strict=False):
        parts[-1].append(word)
        if following and ends_sentence(word, following):
            parts.append([])
    return [" ".join(part) for part in parts if part]


def word_tokens(text: str) -> list[str]:
    """Cut a text into NLTK word tokens; punctuation marks are tokens of their own.

    NLTK's ``word_tokenize`` first splits sentences with the downloaded Punkt model, since its tokenizer detaches only
    the last full stop of what it is given; `sentences` stands in for that model.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        The tokens in their order ("don't" gives "do", "n't").

    References
    ----------
    .. [1] Method, section 3: "NLTK word tokens, NLTK English stop-words".
    """
    tokenizer = _tokenizer()
    return [token for sentence in sentences(text) for piece in _pieces(sentence) for token in tokenizer.tokenize(piece)]


def _pieces(sentence: str) -> list[str]:
    """Divide a sentence that nobody speaks, so that the tokenizer gets through."""
    if len(sentence) <= _LONGEST_PIECE:
        return [sentence]
    return textwrap.wrap(sentence, _LONGEST_PIECE, break_on_hyphens=False)


def remove_stop_words(text: str) -> str:
    """Drop the stop-words from a text and join the remaining tokens with spaces, as the 2019 method did.

    Applied to its own result it changes nothing that the polarities depend on.
    """
    return " ".join(token for token in word_tokens(text) if token not in STOP_WORDS)
