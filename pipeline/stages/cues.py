"""What a caption file gives: words, cues, tracks; and which bits of a caption's text are not speech."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.stages.normal_text import readable

# Method, section 3: tags are [Laughing], (applause) and ♪ … ♪; a note left open reaches to the end of the cue, or to
# another speaker.
# "[ __ ]" is how YouTube masks a swear word: that word was spoken.
# Brackets may be doubled, as in ((cheering)).
_TAG = re.compile(r"\[{1,2}(?!\s*_+\s*\])[^\[\]]*\]{1,2}|\({1,2}[^()]*\){1,2}|[♩♪♫♬](?:(?!>>)[^♩♪♫♬])*[♩♪♫♬]?")
_MASKED_WORD = re.compile(r"\[\s*(_+)\s*\]")
# ">>" before the words of another speaker, also where it touches a word: "I do.>>Me too."
_SPEAKER_MARK = re.compile(r">{2,}(?:\u2063[^\u2063\n]*\u2063)?")
# The same from a voice tag (`<v Ann>`) or a name before the words (`Ann:`), told from what a caption's author wrote by
# invisible separators, and with the name between them if there is one. It is never shown.
_VOICE_MARK = re.compile(r">>\u2063[^\u2063\n]*\u2063")
VOICE_MARK = ">>\u2063\u2063"
# As many characters of a name as a database column holds.
_LONGEST_NAME = 120
_TOKEN = re.compile(rf"{_TAG.pattern}|{_SPEAKER_MARK.pattern}|(?:(?!{_TAG.pattern}|>>)\S)+")


@dataclass(frozen=True)
class Word:
    """One word (or tag, or speaker mark) and when it is spoken, in milliseconds; ``speaker`` is empty if unknown."""

    text: str
    start_ms: int
    end_ms: int
    speaker: str = ""


@dataclass(frozen=True)
class Cue:
    """What a player shows from `start_ms` to `end_ms`.

    ``text`` has the shown lines, separated by line feeds. ``words`` has the words spoken in this cue and not shown
    before it; only automatic captions have them, and a cue that merely shows earlier lines again has none.
    """

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class CaptionTrack:
    """All cues of a caption file.

    ``format`` is "srt", "vtt", "json3" or another that `caption_formats` knows; ``kind`` is "automatic" where lines
    roll or words carry times, otherwise "manual". ``problems`` says in a sentence each, with its place in the file,
    what could not be read. ``voice`` is who speaks first, where the file's voice tags say that; later voices stand in
    the cues' texts as marks.
    """

    cues: tuple[Cue, ...]
    format: str
    kind: str
    problems: tuple[str, ...]
    voice: str = ""


# Some 270 hours; a later time is damage. A start and a duration of this much together still fit a database's integer.
MAX_TIME_MS = 1_000_000_000

MANUAL = "manual"
AUTOMATIC = "automatic"


def clean(text: str) -> str:
    """Write text as people read it (`normal_text.readable`); a swear word's mask becomes one token."""
    return _MASKED_WORD.sub(r"[\1]", readable(text))


def caption_tokens(text: str) -> list[str]:
    """Split a caption's text into words, tags and speaker marks.

    >>> caption_tokens(">> Hi[loud music] there (I think)")
    ['>>', 'Hi', '[loud music]', 'there', '(I think)']
    """
    return [" ".join(token.split()) for token in _TOKEN.findall(text)]


def is_tag(token: str) -> bool:
    """Tell whether a token is a sound in brackets or a song between notes."""
    return _TAG.fullmatch(token) is not None


def is_speaker_mark(token: str) -> bool:
    """Tell whether a token announces another speaker."""
    return token.startswith(">>") and _SPEAKER_MARK.fullmatch(token) is not None


def voice_mark(name: str) -> str:
    """Return the invisible mark in front of the words of a speaker with a name."""
    return VOICE_MARK[:-1] + " ".join(name.replace("\u2063", " ").split())[:_LONGEST_NAME] + VOICE_MARK[-1]


def name_of_mark(token: str) -> str:
    """Return the name that a speaker mark gives; empty if it gives none."""
    return token.split("\u2063")[1] if "\u2063" in token else ""


def without_tags(text: str) -> str:
    """Leave out tags and speaker marks; white space becomes single spaces."""
    return " ".join(_SPEAKER_MARK.sub(" ", _TAG.sub(" ", text)).split())


def has_words(text: str) -> bool:
    """Tell whether anything is said outside tags."""
    return any(character.isalnum() or character == "_" for character in without_tags(text))


def without_voice_marks(text: str) -> str:
    """Leave out the marks that stand for voice tags and names."""
    return _VOICE_MARK.sub(" ", text)


def spread(tokens: Iterable[str], start_ms: int, end_ms: int) -> list[Word]:
    """Share a span of time out among tokens by their number of characters.

    Speaker marks take no time. All times are whole milliseconds, and each token ends where the next begins.
    """
    tokens = list(tokens)
    weights = [0 if is_speaker_mark(token) else len(token) + 1 for token in tokens]
    total, passed, words = sum(weights) or 1, 0, []
    for token, weight in zip(tokens, weights, strict=True):
        start = start_ms + (end_ms - start_ms) * passed // total
        passed += weight
        words.append(Word(token, start, start_ms + (end_ms - start_ms) * passed // total))
    return words
