"""Cells of a vote table read as classes, and the words that are none."""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from pipeline.csv_table import TableRow
from pipeline.labels import LABELS

# Below this likeness (per cent of matching characters) a suggested reading would be a guess: "postive" has 93.
MIN_LIKENESS = 70.0


@dataclass(frozen=True)
class UnknownWord:
    """A cell that should hold a class and does not; ``row`` counts as a spreadsheet does, the heading being row 1."""

    row: int
    column: str
    word: str
    suggestion: str
    line: int
    where: str

    def __str__(self) -> str:
        reading = f"read as “{self.suggestion}”?" if self.suggestion else "not like any class."
        return f"{self.where}, column “{self.column}”: “{self.word}”, {reading}"


def suggested(word: str) -> str:
    """Return the class that a word is like, or nothing."""
    found = process.extractOne(word.strip().casefold(), LABELS, scorer=fuzz.ratio, score_cutoff=MIN_LIKENESS)
    return str(found[0]) if found else ""


@dataclass(frozen=True)
class Likeness:
    """How many cells of a column are filled, are classes, and are words like a class."""

    filled: int
    classes: int
    alike: int

    @classmethod
    def of(cls, cells: Iterable[str]) -> "Likeness":
        words = [cell.strip().casefold() for cell in cells if cell.strip()]
        classes = sum(word in LABELS for word in words)
        return cls(len(words), classes, sum(word not in LABELS and bool(suggested(word)) for word in words))

    @property
    def are_votes(self) -> bool:
        """Whether the column holds votes: most cells are classes or, misspelt, like one."""
        meant = self.classes + self.alike
        return 0 < self.filled <= 2 * meant and (self.classes > 0 or meant == self.filled)


class LabelReader:
    """Reads cells as classes, and lists the words that are not."""

    def __init__(self, accept_suggestions: bool) -> None:
        self.accept_suggestions = accept_suggestions
        self.unknown: list[UnknownWord] = []

    def read(self, cell: str, row: TableRow, column: str) -> str:
        plain = cell.strip().casefold()
        if not plain or plain in LABELS:
            return plain
        suggestion = suggested(plain)
        self.unknown.append(UnknownWord(row.row, column, cell.strip(), suggestion, row.line, row.where))
        return suggestion if self.accept_suggestions else ""
