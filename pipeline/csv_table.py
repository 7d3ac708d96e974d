"""CSV tables as people save them: every row with its place in the file, and no cell lost in silence.

Every reader of tables uses this module, so that all of them accept the same files and refuse the same faults.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.cell_names import same_heading, seen
from pipeline.csv_formulas import unguarded
from pipeline.csv_text import EncodingError, TableError, decode, read_text

__all__ = [
    "EncodingError",
    "HeadingTwiceError",
    "QuoteError",
    "SeparatorError",
    "Table",
    "TableError",
    "TableRow",
    "also_rows",
    "decode",
    "read_table",
    "read_text",
]

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# The line by which Excel is told what separates the cells.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ ,;\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_QUOTE_FAULTS = (
    ("unexpected end of data", "a quotation mark is opened and never closed"),
    ("expected after", "a quotation mark stands inside a quoted cell; write it twice there"),
    ("field larger", "a cell is too long; perhaps a quotation mark is never closed"),
)
# What is no quotation mark in CSV: those of word processors, and apostrophes.
_OTHER_QUOTES = ("“", "”", "„", "«", "‘", "'")
# Of rows that have the same fault, so many are named.
MAX_NAMED = 10


class SeparatorError(TableError):
    """The cells are separated by something else than commas."""


class QuoteError(TableError):
    """A row cannot be read as CSV: its quotation marks do not fit together."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} cannot be read as CSV: {reason}.")
        self.where = where
        self.reason = reason


class HeadingTwiceError(TableError):
    """Two columns have the same heading, apart from case and white space."""

    def __init__(self, where: str, names: tuple[str, str]) -> None:
        first, second = names
        same = "" if first == second else f" (“{first}” and “{second}”)"
        super().__init__(f"{where} has more than one column {second}; rename all but one{same}.")
        self.names = names


@dataclass(frozen=True)
class TableRow:
    """A row and its place.

    Attributes
    ----------
    row : int
        As a spreadsheet counts: the first row of the file is 1, blank rows count.
    line : int
        Line of the file on which the row begins; another number where cells before it hold line breaks.
    where : str
        The place in words, for the beginning of a sentence.
    cells : tuple of str
        As they stand, but without the quotes of `csv_formulas`; at least as many as there are headings, those that the
        row lacks are empty.
    given : int
        How many cells the row has in the file.
    """

    row: int
    line: int
    where: str
    cells: tuple[str, ...]
    given: int


@dataclass(frozen=True)
class Table:
    """A table whose headings are all different, and whose rows hold no cell beside them.

    Attributes
    ----------
    headings : tuple of str
        Without white space around them, and with single spaces inside; columns without a heading are empty.
    raw_headings : tuple of str
        As they stand in the file, but without the quotes of `csv_formulas`.
    where : str
        The place of the headings in words.
    rows : tuple of TableRow
        All rows below the headings that are not blank.
    """

    headings: tuple[str, ...]
    raw_headings: tuple[str, ...]
    where: str
    rows: tuple[TableRow, ...] = field(default=())

    def missing(self, columns: tuple[str, ...]) -> list[str]:
        """Return those of the columns that the table does not have."""
        return [column for column in columns if column not in self.headings]

    def cells(self, row: TableRow, columns: tuple[str, ...]) -> dict[str, str]:
        """Return the row's cells of these columns, without white space around them."""
        return {column: row.cells[self.headings.index(column)].strip() for column in columns}


def read_table(text: str, *, by_line: bool = False, same_width: bool = False) -> Table | None:
    """Read a table with its headings in the first row that is not blank.

    Parameters
    ----------
    text : str
        What `decode` gives; line ends may be LF, CRLF or CR.
    by_line : bool
        Name places by lines of the file rather than by rows.
    same_width : bool
        Refuse rows with fewer cells than headings too.

    Returns
    -------
    Table or None
        None where all is blank.

    Raises
    ------
    TableError
        The cells are not separated by commas, quotation marks do not fit together, a heading is there twice, a row has
        more cells than there are headings, or the text holds NUL characters.
    """
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise TableError("The table is not text: it holds NUL characters. Save it as “CSV UTF-8” and try again.")
    start, lines_before = _after_separator_line(text)
    _check_separator(text[start:])
    records = _records(text[start:], lines_before, by_line)
    heading = next(records, None)
    if heading is None:
        return None
    headings = tuple(" ".join(seen(cell).split()) for cell in heading.cells)
    _check_headings(headings, heading.where)
    rows = tuple(_padded(row, len(headings)) for row in records)
    _check_row_separators(rows, headings)
    _check_widths(rows, headings, same_width)
    return Table(headings, heading.cells, heading.where, rows)


def _after_separator_line(text: str) -> tuple[int, int]:
    """Where the table begins after a line such as “sep=,”, and how many lines come before."""
    found = _SEPARATOR_LINE.match(text)
    if not found:
        return 0, 0
    _refuse_separator(found[1])
    return found.end(), 1


def _refuse_separator(separator: str) -> None:
    if separator == ",":
        return
    raise SeparatorError(_separator_fault("The cells are", separator))


def _separator_fault(cells_are: str, separator: str) -> str:
    name = SEPARATORS.get(separator, f"“{separator}”")
    return (
        f"{cells_are} separated by {name} and not by commas; save the table as “CSV UTF-8 (comma delimited)”, or "
        "replace the separators, and try again."
    )


def _check_separator(text: str) -> None:
    """Raise SeparatorError where the first row holds more of another separator than commas, outside quotes."""
    counts = dict.fromkeys((",", *SEPARATORS), 0)
    quoted = begun = False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif character in "\r\n" and not quoted and begun:
            break
        elif character in counts and not quoted:
            counts[character] += 1
        begun = begun or not character.isspace()
    most = max(SEPARATORS, key=lambda separator: counts[separator])
    if counts[most] > counts[","]:
        _refuse_separator(most)


def _records(text: str, lines_before: int, by_line: bool) -> Iterator[TableRow]:
    """All rows that are not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number, line = 1, lines_before + 1
    while True:
        where = _where(number, line, by_line)
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reason = next((words for sign, words in _QUOTE_FAULTS if sign in str(error)), str(error))
            raise QuoteError(where, reason) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield TableRow(number, line, where, tuple(map(unguarded, cells)), len(cells))
        number, line = number + 1, lines_before + reader.line_num + 1


def _where(row: int, line: int, by_line: bool) -> str:
    if by_line:
        return f"Line {line}" if row == line else f"Line {line} (row {row})"
    return f"Row {row}" if row == line else f"Row {row} (line {line} of the file)"


def _check_headings(headings: tuple[str, ...], where: str) -> None:
    seen: dict[str, str] = {}
    for name in filter(None, headings):
        earlier = seen.setdefault(same_heading(name), name)
        if earlier is not name:
            raise HeadingTwiceError(where, (earlier, name))


def _padded(row: TableRow, columns: int) -> TableRow:
    lacking = ("",) * (columns - len(row.cells))
    return TableRow(row.row, row.line, row.where, row.cells + lacking, row.given)


def _check_row_separators(rows: tuple[TableRow, ...], headings: tuple[str, ...]) -> None:
    """Raise SeparatorError where a row is one cell that holds enough of another separator for all columns."""
    for row in rows:
        for separator in SEPARATORS if row.given == 1 < len(headings) else ():
            if row.cells[0].count(separator) >= len(headings) - 1:
                raise SeparatorError(_separator_fault(f"The cells of {row.where.lower()} are", separator))


def _check_widths(rows: tuple[TableRow, ...], headings: tuple[str, ...], same_width: bool) -> None:
    columns = len(headings)
    wide = [row for row in rows if any(cell.strip() for cell in row.cells[columns:])]
    short = [row for row in rows if row.given < columns] if same_width else []
    if same_width and (wide or short):
        row = min((*wide, *short), key=lambda row: row.row)
        fault = "a comma" if row.given > columns else "a line break"
        raise TableError(
            f"{row.where} has {row.given} cells, the heading {columns}; mend it. Perhaps {fault} stands in a cell that "
            "needs quotation marks."
        )
    if wide:
        raise TableError(
            f"{wide[0].where} has more cells than the first row has columns ({wide[0].given} and {columns}); "
            f"{_remedy(wide, rows, headings)}{also_rows(wide[1:])}"
        )


def _remedy(wide: list[TableRow], rows: tuple[TableRow, ...], headings: tuple[str, ...]) -> str:
    """What to do about rows that are wider than the headings, by what is the likely reason."""
    quoted = any(cell.strip().startswith(_OTHER_QUOTES) or cell.startswith(' "') for row in wide for cell in row.cells)
    straight = 'straight quotation marks ("), with no space before them' if quoted else "quotation marks"
    remedy = f"put cells that hold commas in {straight}"
    if len(list(filter(None, headings))) == 1:
        return f"{remedy}, or remove what stands above the row that names the columns."
    if len(wide) == len(rows) > 1 and {row.given for row in rows} == {len(headings) + 1}:
        return f"{remedy}, or name the column of row numbers if that has no heading."
    return f"{remedy}."


def also_rows(rows: list[TableRow]) -> str:
    """Return a sentence that names further rows with the same fault, or nothing."""
    if not rows:
        return ""
    named = ", ".join(row.where.lower() for row in rows[:MAX_NAMED])
    return f" The same holds of {named}{f' and {len(rows) - MAX_NAMED} more' if len(rows) > MAX_NAMED else ''}."
