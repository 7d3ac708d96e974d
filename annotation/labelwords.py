"""Cells of a vote table read as classes, and the words that are none."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from pipeline.cell_names import is_missing_mark
from pipeline.csv_table import TableRow
from pipeline.labels import LABELS
from pipeline.stages.normal_text import readable

# Below this likeness (per cent of matching characters) a suggested reading would be a guess: "postive" has 93.
MIN_LIKENESS = 70.0
# Shorter beginnings say too little: "ne" begins two classes.
MIN_ABBREVIATION = 3
# "not positive" and "non-negative" are as like their class as a misspelt one is, and mean another.
_NEGATED = re.compile(r"\b(?:not?|non|never)\b|n['’]t\b|^(?:non|un)(?=pos|neg|neu)")
# What people write where they have no label, beside what programs write.
_NO_LABEL = frozenset({"n.a.", "-", "–", "—"})


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
        return f"{self.where}, column “{self.column}”: “{self.word}”, {self.reading}"

    @property
    def reading(self) -> str:
        """What is suggested for the word, for the end of a sentence."""
        if self.suggestion:
            return f"read as “{self.suggestion}”?"
        if is_no_label(self.word):
            return "not like any class; leave the cell empty where there is none."
        return "not like any class."


def plain_word(cell: str) -> str:
    """Return a cell as it is compared: without case, white space around it, and what nobody sees."""
    return readable(cell).strip().casefold()


def is_no_label(cell: str) -> bool:
    """Whether a cell says that there is no label."""
    return is_missing_mark(cell) or plain_word(cell) in _NO_LABEL


def suggested(word: str) -> str:
    """Return the class that a word is like or begins, or nothing.

    >>> suggested("postive"), suggested("NEG."), suggested("not positive")
    ('positive', 'negative', '')
    """
    plain = plain_word(word)
    if _NEGATED.search(plain):
        return ""
    beginning = plain.rstrip(".")
    if len(beginning) >= MIN_ABBREVIATION and (begun := [label for label in LABELS if label.startswith(beginning)]):
        return begun[0]
    found = process.extractOne(plain, LABELS, scorer=fuzz.ratio, score_cutoff=MIN_LIKENESS)
    return str(found[0]) if found else ""


@dataclass(frozen=True)
class Likeness:
    """How many cells of a column are filled, are classes, and are words like a class.

    Marks of missing values (“NA”, “nan”) do not count.
    """

    filled: int
    classes: int
    alike: int

    @classmethod
    def of(cls, cells: Iterable[str]) -> "Likeness":
        words = [word for word in map(plain_word, cells) if word and not is_no_label(word)]
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
        plain = plain_word(cell)
        if not plain or plain in LABELS:
            return plain
        suggestion = suggested(plain)
        self.unknown.append(UnknownWord(row.row, column, cell.strip(), suggestion, row.line, row.where))
        return suggestion if self.accept_suggestions else ""
