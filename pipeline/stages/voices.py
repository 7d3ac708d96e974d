"""Who speaks, as a caption file's own markup says it."""

from dataclasses import dataclass

from pipeline.stages.cues import VOICE_MARK


@dataclass
class Voices:
    """Remembers whose voice was the last, and marks where another begins."""

    name: str = ""

    def mark(self, name: str) -> str:
        """Return the mark in front of the words of a voice; empty if it goes on, or is the first."""
        before, self.name = self.name, " ".join(name.split())
        return f" {VOICE_MARK} " if before and before != self.name else ""
