"""Rows that go to disk come back as they were."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.stages.row_file import RowFile


def test_tables_come_back_as_one_mapped_matrix(tmp_path: Path) -> None:
    tables = [np.arange(6.0).reshape(2, 3), np.zeros((0, 3)), -np.ones((3, 3), dtype=np.float32)[:, ::-1]]
    with RowFile(tmp_path / "X") as rows:
        for table in tables:
            rows.append(table)
        X = rows.mapped()
    np.testing.assert_array_equal(X, np.concatenate(tables))
    assert isinstance(X, np.memmap)
    assert X.dtype == np.float64


def test_rows_of_another_width_are_an_error(tmp_path: Path) -> None:
    with RowFile(tmp_path / "X") as rows:
        rows.append(np.zeros((1, 3)))
        for wrong in (np.zeros((1, 2)), np.zeros(3)):
            with pytest.raises(ValueError, match="do not fit"):
                rows.append(wrong)


def test_no_rows_are_an_empty_matrix(tmp_path: Path) -> None:
    with RowFile(tmp_path / "X") as rows:
        assert rows.mapped().shape == (0, 0)
        rows.append(np.zeros((0, 5)))
        assert rows.mapped().shape == (0, 5)
