"""The demonstration's interviews as written: who says what in which mood."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pipeline.labels import NEGATIVE, NEUTRAL, POSITIVE

FOLDER = Path(__file__).resolve().parent / "interviews"
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Mood(StrEnum):
    HAPPY = "happy"
    CALM = "calm"
    SAD = "sad"
    ANGRY = "angry"


# What a listener is expected to hear.
LABEL_OF_MOOD: dict[Mood, str] = {
    Mood.HAPPY: POSITIVE,
    Mood.CALM: NEUTRAL,
    Mood.SAD: NEGATIVE,
    Mood.ANGRY: NEGATIVE,
}


@dataclass(frozen=True)
class Turn:
    """What one speaker says without being interrupted, in one mood."""

    speaker: str  # "interviewer" | "guest"
    mood: Mood
    text: str

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(SENTENCE_END.split(self.text))


@dataclass(frozen=True)
class Script:
    """One interview and how it is recorded."""

    name: str
    title: str
    split: str
    media: str  # "m4a" | "mp3" | "webm"
    captions: str  # "srt" | "vtt" | "rolling" | "json3"
    voices: dict[str, str]  # speaker → espeak-ng voice
    turns: tuple[Turn, ...]
    source: str  # the text it was read from

    @property
    def captions_suffix(self) -> str:
        return "vtt" if self.captions == "rolling" else self.captions


SPEAKERS = {"I": "interviewer", "G": "guest"}
HEADINGS = {"title", "split", "media", "captions", "interviewer", "guest"}


def parse(name: str, source: str) -> Script:
    """A script from its text: ``heading: value`` lines, a blank line, then ``I calm: …`` or ``G happy: …`` per turn.

    Raises ValueError with the line that cannot be read.
    """
    head, _, body = source.partition("\n\n")
    headings = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
    if headings.keys() != HEADINGS:
        raise ValueError(f"{name}: headings are {sorted(headings)}, not {sorted(HEADINGS)}")
    turns = []
    for line in filter(None, map(str.strip, body.splitlines())):
        who, _, text = line.partition(": ")
        letter, _, mood = who.partition(" ")
        if letter not in SPEAKERS or mood not in set(Mood) or not text:
            raise ValueError(f"{name}: cannot read {line!r}")
        turns.append(Turn(SPEAKERS[letter], Mood(mood), text))
    return Script(
        name=name,
        title=headings["title"],
        split=headings["split"],
        media=headings["media"],
        captions=headings["captions"],
        voices={speaker: headings[speaker] for speaker in SPEAKERS.values()},
        turns=tuple(turns),
        source=source,
    )


@lru_cache(maxsize=1)
def all_scripts() -> tuple[Script, ...]:
    """Every interview of the corpus, in the order of their names."""
    return tuple(parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.txt")))
