"""Who speaks, as a caption file's own markup says it."""

from dataclasses import dataclass

from pipeline.stages.cues import clean, voice_mark


@dataclass
class Voices:
    """Remembers whose voice was the last, and marks where another begins.

    ``first`` is who speaks first, if the file says so before any word: a mark would stand before the first word.
    """

    name: str = ""
    first: str = ""
    begun: bool = False

    def mark(self, name: str) -> str:
        """Return the mark in front of the words of a voice; empty if it goes on, or is the first."""
        before, self.name = self.name, clean(" ".join(name.split()))
        if not (before or self.begun):
            self.first = self.name
            return ""
        return f" {voice_mark(self.name)} " if before != self.name else ""
