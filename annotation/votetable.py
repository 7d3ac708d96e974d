"""Vote tables as used in 2019, read from and written to CSV.

One row per segment; columns are found by their heading: the predicted label, a column per annotator, the text.
A ``VideoId`` and a ``segment`` column may come before them, and empty columns after them.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from annotation.errors import AnnotationError
from pipeline.labels import LABELS

# Headings as they occur, without case, spaces, underscores and hyphens.
VIDEO_HEADINGS = {"videoid", "video", "id"}
SEGMENT_HEADINGS = {"segment", "segmentid", "position"}
PREDICTED_HEADINGS = {"sentimentanalysis", "predictedlabel", "predicted", "prediction", "textlabel", "label"}
TEXT_HEADINGS = {"text", "transcript"}
SIMULATED_SUFFIX = " (simulated)"
# Below this likeness (per cent of matching characters) a suggested reading would be a guess: "postive" has 93.
MIN_LIKENESS = 70.0
MAX_VIDEO_CHARACTERS = 40
MAX_SEGMENT_CHARACTERS = 20
MAX_NAME_CHARACTERS = 150


@dataclass(frozen=True)
class UnknownWord:
    """A cell that should hold a class and does not; ``row`` counts as a spreadsheet does, the heading being row 1."""

    row: int
    column: str
    word: str
    suggestion: str

    def __str__(self) -> str:
        reading = f"read as “{self.suggestion}”?" if self.suggestion else "not like any class."
        return f"Row {self.row}, column “{self.column}”: “{self.word}”, {reading}"


@dataclass(frozen=True)
class Listener:
    name: str
    simulated: bool


@dataclass(frozen=True)
class TableRow:
    """One segment. ``votes`` are in the order of the table's listeners, empty where one did not vote."""

    number: int
    key: str
    video: str
    predicted: str
    votes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class VoteTable:
    listeners: tuple[Listener, ...]
    rows: tuple[TableRow, ...]
    unknown: tuple[UnknownWord, ...]


@dataclass(frozen=True)
class _Columns:
    video: int | None
    segment: int | None
    predicted: int
    listeners: dict[int, Listener]
    text: int


def _plain(heading: str) -> str:
    return "".join(character for character in heading.casefold() if character not in " _-\t\r\n")


def _find_columns(headings: Sequence[str]) -> _Columns:
    plain = [_plain(heading) for heading in headings]

    def find(names: set[str]) -> int | None:
        return next((index for index, heading in enumerate(plain) if heading in names), None)

    predicted, text = find(PREDICTED_HEADINGS), find(TEXT_HEADINGS)
    if predicted is None or text is None or text <= predicted + 1:
        raise AnnotationError(
            "The first row must name the columns: “sentiment analysis” (the predicted label), one column per "
            f"annotator, then “text”. It reads: {', '.join(h.strip() for h in headings if h.strip()) or 'nothing'}."
        )
    listeners: dict[int, Listener] = {}
    for index in range(predicted + 1, text):
        name = " ".join(headings[index].split())
        if not name:
            continue
        if len(name) > MAX_NAME_CHARACTERS:
            raise AnnotationError(f"The heading “{name[:40]}…” is too long for an annotator's name.")
        simulated = name.endswith(SIMULATED_SUFFIX)
        listeners[index] = Listener(name.removesuffix(SIMULATED_SUFFIX), simulated)
    if not listeners:
        raise AnnotationError("No column between the predicted label and the text names an annotator.")
    for name, count in Counter(listener.name for listener in listeners.values()).items():
        if count > 1:
            raise AnnotationError(f"Two columns are named “{name}”; each annotator needs one column of their own.")
    return _Columns(find(VIDEO_HEADINGS), find(SEGMENT_HEADINGS), predicted, listeners, text)


class _LabelReader:
    """Reads cells as classes, and lists the words that are not."""

    def __init__(self, accept_suggestions: bool) -> None:
        self.accept_suggestions = accept_suggestions
        self.unknown: list[UnknownWord] = []

    def read(self, word: str, row: int, column: str) -> str:
        plain = word.casefold()
        if not plain or plain in LABELS:
            return plain
        found = process.extractOne(plain, LABELS, scorer=fuzz.ratio, score_cutoff=MIN_LIKENESS)
        suggestion = str(found[0]) if found else ""
        self.unknown.append(UnknownWord(row, column, word, suggestion))
        return suggestion if self.accept_suggestions else ""


def _records(lines: Iterable[str]) -> list[list[str]]:
    reader = csv.reader(lines, strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        raise AnnotationError(f"Line {reader.line_num} is not CSV: {error}.") from error
    except UnicodeDecodeError as error:
        raise AnnotationError("The table is not UTF-8 text; save it as “CSV UTF-8” and try again.") from error
    if any("\0" in cell for cells in records for cell in cells):
        raise AnnotationError("The table is not text: it holds NUL characters. Save it as “CSV UTF-8” and try again.")
    return records


def _key(video: str, segment: str, text: str, seen: Counter[str]) -> str:
    """What tells a row from the others and finds it again in a second import, also after rows were reordered."""
    base = f"{video}/{segment}" if video else f"text-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    seen[base] += 1
    return f"{base}#{seen[base]}"


def read_table(lines: Iterable[str], *, accept_suggestions: bool = False) -> VoteTable:
    """Read a vote table; words that are not classes are listed, and read as suggested only if that is accepted."""
    records = _records(lines)
    if not records:
        raise AnnotationError("The table is empty.")
    columns = _find_columns(records[0])
    labels = _LabelReader(accept_suggestions)
    rows: list[TableRow] = []
    seen: Counter[str] = Counter()
    for number, cells in enumerate(records[1:], start=2):
        stripped = [cell.strip() for cell in cells] + [""] * (len(records[0]) - len(cells))
        if not any(stripped):
            continue
        video = stripped[columns.video] if columns.video is not None else ""
        segment = stripped[columns.segment] if columns.segment is not None else ""
        if len(video) > MAX_VIDEO_CHARACTERS or len(segment) > MAX_SEGMENT_CHARACTERS:
            raise AnnotationError(f"Row {number}: “{video}/{segment}” is too long for a video and segment number.")
        text = stripped[columns.text]
        rows.append(
            TableRow(
                number=number,
                key=_key(video, segment, text, seen),
                video=video,
                predicted=labels.read(stripped[columns.predicted], number, records[0][columns.predicted].strip()),
                votes=tuple(
                    labels.read(stripped[i], number, listener.name) for i, listener in columns.listeners.items()
                ),
                text=text,
            )
        )
    if not rows:
        raise AnnotationError("The table has no row below its heading.")
    return VoteTable(tuple(columns.listeners.values()), tuple(rows), tuple(labels.unknown))


def segment_of_key(key: str) -> str:
    """The segment number that a key was made with, or nothing."""
    base = key.rpartition("#")[0]
    return base.rpartition("/")[2] if "/" in base else ""
