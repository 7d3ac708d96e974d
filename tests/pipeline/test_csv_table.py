"""Tables as people save them: what is read, with which row numbers, and what is refused in which words."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.csv_table import (
    EncodingError,
    HeadingTwiceError,
    QuoteError,
    SeparatorError,
    Table,
    TableError,
    decode,
    read_table,
)


def read(text: str, **options: bool) -> Table:
    table = read_table(text, **options)
    assert table is not None
    return table


def cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


# ---------------------------------------------------------------- decoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_in_any_unicode_encoding_with_its_mark_is_read(encoding: str) -> None:
    assert cells(read(decode("task,label\né,“yes”\n".encode(encoding)))) == [("é", "“yes”")]


def test_text_in_another_encoding_is_refused_with_its_line() -> None:
    with pytest.raises(EncodingError, match=r"not UTF-8 text \(line 3\); save it as") as caught:
        decode("a,b\n1,2\n3,caf\xe9\n".encode("latin-1"))
    assert caught.value.line == 3


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1"])
def test_a_workbook_is_named_as_what_it_is(start: bytes) -> None:
    with pytest.raises(EncodingError, match="a spreadsheet's own file"):
        decode(start + b"rest")


def test_nul_is_no_text() -> None:
    with pytest.raises(TableError, match="NUL"):
        read_table("a,b\n1,\0\n")


# ---------------------------------------------------------------- separators


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("task;worker;label\na;b;c\n", "semicolons"),
        ('"task";"worker, or rater";"label"\n"a";"b";"c"\n', "semicolons"),
        ("task\tworker\na\tb\n", "tabs"),
        ("task|worker\na|b\n", "vertical bars"),
        ("sep=;\ntask;worker\na;b\n", "semicolons"),
        ("\ufeffsep=;\r\ntask;worker\r\n", "semicolons"),
        ("\n\ntask;worker\na;b\n", "semicolons"),
        ("SEP=^\na^b\n", "“\\^”"),
    ],
)
def test_another_separator_is_named(text: str, name: str) -> None:
    with pytest.raises(SeparatorError, match=f"separated by {name} and not by commas; save the table as"):
        read_table(text)


def test_a_row_with_another_separator_than_the_heading_is_named() -> None:
    with pytest.raises(SeparatorError, match="The cells of row 3 are separated by semicolons"):
        read_table("a,b,c\n1,2,3\n4;5;6\n")
    assert cells(read("text\na; b; c\n")) == [("a; b; c",)]
    assert cells(read("text,label,note\na; b,,\n")) == [("a; b", "", "")]


def test_a_separator_within_a_comma_separated_heading_is_none() -> None:
    assert read("task;a,worker\t1,label\n1,2,3\n").headings == ("task;a", "worker 1", "label")


def test_a_line_that_names_the_comma_is_passed_over_and_counted() -> None:
    table = read("sep=,\na,b\n1,2\n")
    assert (table.headings, table.rows[0].row, table.rows[0].line) == (("a", "b"), 2, 3)


# ---------------------------------------------------------------- places


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_know_their_row_and_their_line(end: str) -> None:
    table = read(end.join(["a,b", '"one', 'two",x', "", " , ", "3,4", ""]))
    assert [(row.row, row.line, row.where) for row in table.rows] == [
        (2, 2, "Row 2"),
        (5, 6, "Row 5 (line 6 of the file)"),
    ]


def test_places_can_be_named_by_lines() -> None:
    table = read('a,b\n"one\ntwo",x\n3,4\n', by_line=True)
    assert [row.where for row in table.rows] == ["Line 2", "Line 4 (row 3)"]


def test_a_line_break_in_a_heading_counts() -> None:
    table = read('text,,"\n"\nx,,\n')
    assert (table.headings, table.rows[0].where) == (("text", "", ""), "Row 2 (line 3 of the file)")


@pytest.mark.parametrize("blank", ["", ",,", " , ,", '"",""', "\t"])
def test_blank_rows_are_passed_over_wherever_they_stand(blank: str) -> None:
    table = read(f"{blank}\na,b,c\n{blank}\n1,2,3\n{blank}\n")
    assert (cells(table), table.rows[0].row) == ([("1", "2", "3")], 4)


@pytest.mark.parametrize("text", ["", "\n\n", " , \n,\n", "\ufeff"])
def test_a_blank_table_is_none(text: str) -> None:
    assert read_table(text) is None


# ---------------------------------------------------------------- widths, quotes, headings


def test_missing_cells_are_empty_and_counted() -> None:
    (row,) = read("a,b,c\n1\n").rows
    assert (row.cells, row.given) == (("1", "", ""), 1)


def test_a_row_with_more_cells_than_headings_is_refused_with_all_such_rows() -> None:
    with pytest.raises(TableError, match=r"Row 2 has more cells than .* \(4 and 2\).* The same holds of row 4\.$"):
        read_table("a,b\n1,well, we went, home\n3,4\n5,so, so\n")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("My votes\ntask,label\na,b\n", "or remove what stands above the row that names the columns"),
        ('"task","label"\n"1","a","b"\n"2","c","d"\n', "or name the column of row numbers if that has no heading"),
        ("task,text\na,“well, we left”\n", 'straight quotation marks ("), with no space before them'),
        ('task, text\na, "well, we left"\n', 'straight quotation marks ("), with no space before them'),
        ("task,text\na,well, we left\nb,c\n", "put cells that hold commas in quotation marks."),
    ],
)
def test_rows_that_are_too_wide_are_refused_with_what_may_have_happened(text: str, remedy: str) -> None:
    with pytest.raises(TableError) as refused:
        read(text)
    assert remedy in refused.value.message


def test_empty_cells_beside_the_headings_do_no_harm() -> None:
    assert read("a,b\n1,2,, \n").rows[0].cells[:2] == ("1", "2")


@pytest.mark.parametrize(("row", "given"), [("1", 1), ("1,2,3", 3)])
def test_rows_can_be_held_to_the_width_of_the_heading(row: str, given: int) -> None:
    with pytest.raises(TableError, match=f"Line 3 has {given} cells, the heading 2"):
        read_table(f"a,b\n1,2\n{row}\n", by_line=True, same_width=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('a,b\n1,2\n3,"open\n5,6\n', "Row 3 cannot be read as CSV: a quotation mark is opened and never closed"),
        ('a,b\n1,"he said "no" twice"\n', "Row 2 cannot be read as CSV: a quotation mark stands inside"),
        (f"a,b\n1,{'x' * 200_000}\n", "Row 2 cannot be read as CSV: a cell is too long"),
    ],
)
def test_quotation_marks_that_do_not_fit_are_refused_where_the_row_begins(text: str, sentence: str) -> None:
    with pytest.raises(QuoteError, match=sentence):
        read_table(text)


@pytest.mark.parametrize("second", ["label", "Label", " label ", "LABEL", "ｌａｂｅｌ"])
def test_a_heading_twice_is_refused(second: str) -> None:
    with pytest.raises(HeadingTwiceError, match="Row 1 has more than one column"):
        read_table(f"task,label,{second}\n1,2,3\n")


def test_what_cannot_be_seen_is_no_part_of_a_heading() -> None:
    assert read("\ufeff\ufefftext, \u200blabel\u00a0\n1,2\n").headings == ("text", "label")


def test_columns_without_a_heading_may_be_many() -> None:
    assert read("a,,\n1,2,3\n").headings == ("a", "", "")


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2)))
def test_what_is_written_as_csv_is_read_as_it_was(rows: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([["a", "b"], *rows])
    found = read(decode(file.getvalue().encode()))
    assert [list(row.cells) for row in found.rows] == [row for row in rows if any(cell.strip() for cell in row)]
