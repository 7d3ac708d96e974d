"""What the page on security names is there."""

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
PROMISES = [line for line in PAGE.partition("## Promises")[2].splitlines() if line.startswith("| ")]
ROWS = [line for line in PROMISES if not line.startswith("| promise |")]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def test_there_are_promises_and_each_has_its_four_columns() -> None:
    assert len(ROWS) > 25
    for row in ROWS:
        assert len(cells(row)) == 4, row
        assert all(cells(row)), row


@pytest.mark.parametrize("row", ROWS, ids=[str(number) for number in range(len(ROWS))])
def test_each_promise_names_tests_that_exist(row: str) -> None:
    tests = re.findall(r"`([^`]+)`", cells(row)[2])
    assert tests, row
    for name in tests:
        assert "def test_" in (ROOT / "tests" / name).read_text(), name


def test_each_guard_that_is_named_as_a_file_exists() -> None:
    guards = [path for row in ROWS for path in re.findall(r"`((?:crossmodal|pipeline)/[^`]+)`", cells(row)[1])]
    assert len(guards) > 15
    assert [path for path in guards if not (ROOT / path).is_file()] == []
