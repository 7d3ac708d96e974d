"""Vote tables as used in 2019, read from CSV.

One row per segment; columns are found by their heading: the predicted label, a column per annotator, the text.
A ``VideoId`` and a ``segment`` column may come before them. Columns whose cells are classes are annotators' wherever
they stand; what is not read is said.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from annotation.errors import AnnotationError
from annotation.labelwords import LabelReader, UnknownWord
from annotation.listeners import Listener
from annotation.votecolumns import ROW_ID_HEADING, VoteColumns, find_columns, plain
from pipeline import csv_table
from pipeline.cell_names import is_missing_mark, seen
from pipeline.csv_table import HeadingTwiceError, QuoteError, Table, TableError

MAX_VIDEO_CHARACTERS = 40
MAX_SEGMENT_CHARACTERS = 20
# Spreadsheets turn whole numbers into floating-point ones: 0.0 for 0.
_WHOLE_FLOAT = re.compile(r"(\d+)[.,]0+")
# They write a long number so, and its last digits are lost.
_SHORTENED_NUMBER = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{2,}")
_MADE_UP_VIDEO = re.compile(r"text-[0-9a-f]{16}#\d+")


@dataclass(frozen=True)
class TableRow:
    """One segment. ``votes`` are in the order of the table's listeners, empty where one did not vote.

    ``again`` is the place of an earlier row that has the same video and segment; empty where there is none.
    """

    where: str
    key: str
    video: str
    segment: str
    predicted: str
    votes: tuple[str, ...]
    text: str
    again: str


@dataclass(frozen=True)
class VoteTable:
    """A read table.

    ``unread`` has a sentence on each column, or part of one, that is not read; ``notes`` has those on cells that are
    read in a way that may not be meant.
    """

    listeners: tuple[Listener, ...]
    rows: tuple[TableRow, ...]
    unknown: tuple[UnknownWord, ...]
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def whole_number(text: str) -> str:
    """Return a whole number as it is written without a fraction, and any other text as it is.

    >>> whole_number("3.0"), whole_number("3.5"), whole_number("007")
    ('3', '3.5', '007')
    """
    plain = unicodedata.normalize("NFKC", seen(text)).strip()
    found = _WHOLE_FLOAT.fullmatch(plain)
    return found[1] if found else plain


def segment_number(text: str) -> str:
    """Return a segment's number without a fraction and leading zeros; a segment's name as it is."""
    plain = whole_number(text)
    return (plain.lstrip("0") or "0") if plain.isascii() and plain.isdecimal() else plain


def clean_text(text: str) -> str:
    """Return a text as it is compared: without white space around it, and with line feeds alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def is_made_up(video: str) -> bool:
    """Whether this stands for a row that names no video; tables exported by earlier versions have such a VideoId."""
    return bool(_MADE_UP_VIDEO.fullmatch(video))


def base_key(video: str, segment: str, text: str) -> str:
    """What tells a row from the others and finds it again in a second import, also after rows were reordered."""
    return f"{video}/{segment}" if video else f"text-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def canonical_key(key: str) -> str:
    """The key that a stored row would have now: earlier versions kept numbers as they were written."""
    base, _, number = key.rpartition("#")
    if "/" not in base:
        return key
    video, _, segment = base.rpartition("/")
    return f"{whole_number(video)}/{segment_number(segment)}#{number}"


def segment_of_key(key: str, video: str) -> str:
    """The segment number that a key was made with, or nothing."""
    base = key.rpartition("#")[0]
    return segment_number(base.removeprefix(f"{video}/")) if base.startswith(f"{video}/") else ""


def read_table(lines: Iterable[str], *, accept_suggestions: bool = False) -> VoteTable:
    """Read a vote table; words that are not classes are listed, and read as suggested only if that is accepted."""
    try:
        table = csv_table.read_table("".join(lines))
    except HeadingTwiceError as error:
        first, second = error.names
        raise AnnotationError(
            f"Two columns are named “{first}”; each annotator needs one column of their own."
            if first == second
            else f"The columns “{first}” and “{second}” differ in case, spaces or the form of letters; rename one."
        ) from error
    except QuoteError as error:
        raise AnnotationError(f"{error.where} is not CSV: {error.reason}.") from error
    except TableError as error:
        raise AnnotationError(error.message) from error
    if table is None:
        raise AnnotationError("The table is empty.")
    columns = find_columns(table)
    if not table.rows:
        raise AnnotationError("The table has no row below its heading.")
    return _RowReader(table, columns, accept_suggestions).read()


class _RowReader:
    """Reads the rows of a table whose columns are known."""

    def __init__(self, table: Table, columns: VoteColumns, accept_suggestions: bool) -> None:
        self.table = table
        self.columns = columns
        self.labels = LabelReader(accept_suggestions)
        self.seen: Counter[str] = Counter()
        self.places: dict[tuple[str, str], str] = {}
        self.spellings: dict[str, tuple[str, str]] = {}
        self.names_videos = any(self._video(row.cells) for row in table.rows)

    def read(self) -> VoteTable:
        rows = tuple(self._row(row) for row in self.table.rows)
        unread = list(self.columns.unread)
        segment = self.columns.segment
        if segment is not None and not self.names_videos and any(row.cells[segment].strip() for row in self.table.rows):
            unread.append(f"The column “{self.table.headings[segment]}” is not read, since no row names a video.")
        listeners, unknown = tuple(self.columns.listeners.values()), tuple(self.labels.unknown)
        return VoteTable(listeners, rows, unknown, tuple(unread), tuple(self._notes(rows)))

    def _notes(self, rows: tuple[TableRow, ...]) -> Iterator[str]:
        index = self.columns.video
        if index is not None and plain(self.table.headings[index]) == ROW_ID_HEADING:
            videos = [row.video for row in rows]
            if len(set(videos)) == len(videos) > 1:
                yield (
                    f"Each row has a value of its own in the column “{self.table.headings[index]}” and counts as a "
                    "video; if it numbers the rows, rename it “row”."
                )
        for column, names in (("VideoId", [row.video for row in rows]), ("segment", [row.segment for row in rows])):
            for name, n in Counter(filter(is_missing_mark, names)).items():
                cells = "1 cell" if n == 1 else f"{n} cells"
                read = f"“{name}” in {cells} of the column {column} is taken as a name"
                yield f"{read}; leave cells empty that name none."

    def _video(self, cells: tuple[str, ...]) -> str:
        video = whole_number(cells[self.columns.video]) if self.columns.video is not None else ""
        return "" if is_made_up(video) else video

    def _row(self, row: csv_table.TableRow) -> TableRow:
        columns, headings = self.columns, self.table.headings
        last = max(columns.predicted, columns.text)
        if row.given <= last:
            raise AnnotationError(
                f"{row.where} ends before the column “{headings[last]}”: it has {row.given} of {len(headings)} cells. "
                "Put a text that holds a line break in quotation marks, or fill the row up with commas."
            )
        video, text = self._video(row.cells), clean_text(row.cells[columns.text])
        segment = segment_number(row.cells[columns.segment]) if columns.segment is not None else ""
        self._check_place(row, video, segment)
        earlier = self.places.setdefault((video, segment), row.where) if video and segment else row.where
        base = base_key(video, segment, text)
        self.seen[base] += 1
        return TableRow(
            where=row.where,
            key=f"{base}#{self.seen[base]}",
            video=video,
            segment=segment if video else "",
            predicted=self.labels.read(row.cells[columns.predicted], row, headings[columns.predicted]),
            votes=self._votes(row),
            text=text,
            again="" if earlier == row.where else earlier,
        )

    def _check_place(self, row: csv_table.TableRow, video: str, segment: str) -> None:
        """Raise AnnotationError where video and segment do not fit, or a video is written in two ways."""
        if len(video) > MAX_VIDEO_CHARACTERS or len(segment) > MAX_SEGMENT_CHARACTERS:
            raise AnnotationError(f"{row.where}: “{video}/{segment}” is too long for a video and segment number.")
        if _SHORTENED_NUMBER.fullmatch(video):
            raise AnnotationError(
                f"{row.where}: a spreadsheet shortened the VideoId to “{video}”; write it in full, with the column "
                "formatted as text."
            )
        if self.names_videos and segment and not video:
            raise AnnotationError(f"{row.where} names the segment {segment} and no video; write its VideoId.")
        if not video:
            return
        number = segment_number(video)
        spelling, place = self.spellings.setdefault(number, (video, row.where))
        if spelling != video:
            raise AnnotationError(
                f"{row.where} writes the VideoId as “{video}”, {place.lower()} as “{spelling}”; write it in one way."
            )

    def _votes(self, row: csv_table.TableRow) -> tuple[str, ...]:
        votes = [self.labels.read(row.cells[i], row, one.name) for i, one in self.columns.listeners.items()]
        people = Counter(one.username for one, vote in zip(self.columns.listeners.values(), votes, strict=True) if vote)
        for name, n in people.items():
            if n > 1:
                raise AnnotationError(f"{row.where}: “{name}” has both a simulated vote and one of their own.")
        return tuple(votes)
