"""A feature matrix that grows on disk and is read memory-mapped."""

from pathlib import Path
from types import TracebackType

import numpy as np

from pipeline.stages.disk import check_room

DTYPE = np.dtype("<f8")


class RowFile:
    """Rows written one table after the other, so that no more than one table is in memory.

    The file is not meant to be kept: it holds bare numbers, and the number of columns is known to its writer alone.

    Parameters
    ----------
    path : Path
        The file to write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._columns = 0
        self._rows = 0

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, X: np.ndarray) -> None:
        """Add rows [shape=(n, n_features)].

        Raises
        ------
        ValueError
            They have another number of columns than those before.
        DiskFullError
            There is no room for them.
        """
        if X.ndim != 2 or self._columns not in (0, X.shape[1]):
            raise ValueError(f"rows of the shape {X.shape} do not fit to {self._columns} columns")
        self._columns = X.shape[1]
        self._rows += X.shape[0]
        check_room(self._path.parent, X.size * DTYPE.itemsize, "the table of the features")
        self._file.write(np.ascontiguousarray(X, dtype=DTYPE).data)

    def mapped(self) -> np.ndarray:
        """All rows so far, float64 [shape=(n, n_features)], read from the file as they are used."""
        self._file.flush()
        if not self._rows or not self._columns:
            return np.zeros((self._rows, self._columns))
        return np.memmap(self._path, dtype=DTYPE, mode="r", shape=(self._rows, self._columns))
