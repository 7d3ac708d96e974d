"""Writing CSV: the one place, so that no table holds a text that a spreadsheet would run as a formula."""

import csv
from collections.abc import Iterable
from numbers import Number
from typing import Protocol

from pipeline.csv_formulas import guarded, needs_quotation_marks


class Writable(Protocol):
    """A text file, or an HTTP response."""

    def write(self, text: str, /) -> object: ...


class TableWriter:
    """Writes rows with commas between the cells, as `csv_table.read_table` reads them back.

    Numbers are written as they are, None as an empty cell, and everything else as its text, with a quote before what
    would be a formula. Headings are texts like any other.
    """

    def __init__(self, file: Writable) -> None:
        self._plain = csv.writer(file)
        self._quoted = csv.writer(file, quoting=csv.QUOTE_ALL)

    def write_row(self, cells: Iterable[object]) -> None:
        row = [_written(cell) for cell in cells]
        quoted = any(needs_quotation_marks(cell) for cell in row if isinstance(cell, str))
        (self._quoted if quoted else self._plain).writerow(row)

    def write_rows(self, rows: Iterable[Iterable[object]]) -> None:
        for row in rows:
            self.write_row(row)


def _written(cell: object) -> object:
    if cell is None or isinstance(cell, Number):
        return cell
    return guarded(str(cell))
