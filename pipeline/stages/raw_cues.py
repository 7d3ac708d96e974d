"""Cues as a file writes them, before anything is undone."""

from dataclasses import dataclass, field

from pipeline.stages.cues import without_voice_marks

# Cues with no longer a time (ms) between them follow each other without a break on the screen.
TOUCHING_MS = 100
# A cue this short (ms) shows a finished line and cannot hold speech; YouTube's are 10 ms long.
FINALISING_MS = 50


@dataclass(frozen=True)
class Chunk:
    """A run of text; ``time_ms`` is the word time in front of it, or None; ``end_ms`` is its exact end, if known."""

    text: str
    time_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True)
class RawCue:
    """A cue as written: its lines, each a run of chunks; ``markup`` has the tags that are open at each word."""

    start_ms: int
    end_ms: int
    lines: tuple[tuple[Chunk, ...], ...]
    markup: tuple[str, ...] = field(default=(), compare=False)

    @property
    def shown(self) -> list[str]:
        """The lines that a reader sees, white space normalised, without empty ones."""
        texts = (" ".join("".join(chunk.text for chunk in line).split()) for line in self.lines)
        return [text for text in texts if text]

    @property
    def seen(self) -> list[list[str]]:
        """The words of each line that a reader sees."""
        lines = (without_voice_marks(line).split() for line in self.shown)
        return [line for line in lines if line]

    @property
    def timed(self) -> bool:
        """Whether words carry times of their own."""
        return any(chunk.time_ms is not None for line in self.lines for chunk in line)

    @property
    def exact(self) -> bool:
        """Whether words carry ends of their own."""
        return any(chunk.end_ms is not None for line in self.lines for chunk in line)
