"""When what is said in a recording, and in which mood; written beside it as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from crossmodal.demo.scripts import LABEL_OF_MOOD, Mood


@dataclass(frozen=True)
class TimedWord:
    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class TimedSentence:
    """One sentence as spoken. ``end_ms`` is where the sound ends, before the pause."""

    speaker: str
    mood: Mood
    start_ms: int
    end_ms: int
    words: tuple[TimedWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Timeline:
    """A whole recording; ``fingerprint`` tells what it was made from."""

    fingerprint: str
    duration_ms: int
    sentences: tuple[TimedSentence, ...]

    def mood_between(self, start_ms: int, end_ms: int) -> Mood | None:
        """The mood heard longest between two moments; None where nobody speaks."""
        heard: dict[Mood, int] = {}
        for sentence in self.sentences:
            overlap_ms = min(end_ms, sentence.end_ms) - max(start_ms, sentence.start_ms)
            if overlap_ms > 0:
                heard[sentence.mood] = heard.get(sentence.mood, 0) + overlap_ms
        return max(heard, key=lambda mood: heard[mood]) if heard else None

    def label_between(self, start_ms: int, end_ms: int) -> str | None:
        """The class that an attentive listener would give this stretch."""
        mood = self.mood_between(start_ms, end_ms)
        return LABEL_OF_MOOD[mood] if mood else None


def write_timeline(path: Path, timeline: Timeline) -> None:
    path.write_text(json.dumps(asdict(timeline), separators=(",", ":")), encoding="utf-8")


def read_timeline(path: Path) -> Timeline:
    """Raises OSError or ValueError (also KeyError, TypeError) where the file is not a timeline."""
    data = json.loads(path.read_text(encoding="utf-8"))
    sentences = tuple(
        TimedSentence(
            speaker=row["speaker"],
            mood=Mood(row["mood"]),
            start_ms=row["start_ms"],
            end_ms=row["end_ms"],
            words=tuple(TimedWord(**word) for word in row["words"]),
        )
        for row in data["sentences"]
    )
    return Timeline(fingerprint=data["fingerprint"], duration_ms=data["duration_ms"], sentences=sentences)
