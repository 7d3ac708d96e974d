"""The one array file that a video's feature vectors are kept in: a table of each extractor."""

import secrets
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.stages.errors import StageError

PARTS = ("X", "names", "keys")
# Of files with one table: they say whose it is in an array of its own.
FORMER_EXTRACTOR = "extractor"
DAMAGE = (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class FeatureTable:
    """The feature vectors of one video by one extractor.

    Attributes
    ----------
    X : np.ndarray [shape=(n, n_features), dtype=float64]
        One row per segment.
    names : tuple of str
        One per column.
    keys : np.ndarray [shape=(n,), dtype=int64]
        Position of each row's segment in its video.
    extractor : str
        Name of the extractor.
    """

    X: np.ndarray
    names: tuple[str, ...]
    keys: np.ndarray
    extractor: str


def write_features(path: Path, *tables: FeatureTable) -> None:
    """Write tables of different extractors as one compressed .npz without pickles, in arrays `extractor/part`.

    It appears under `path` only when it is whole.
    """
    arrays: dict[str, np.ndarray] = {}
    for table in tables:
        arrays[f"{table.extractor}/X"] = np.asarray(table.X, dtype=np.float64)
        arrays[f"{table.extractor}/names"] = np.asarray(table.names, dtype=np.str_)
        arrays[f"{table.extractor}/keys"] = np.asarray(table.keys, dtype=np.int64)
    write_arrays(path, **arrays)


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as one .npz file under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def stored_extractors(path: Path) -> tuple[str, ...]:
    """Names of the extractors that a file of `write_features` has tables of; no table is read.

    Raises
    ------
    StageError
        The file is missing, damaged, or something else than feature tables.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if FORMER_EXTRACTOR in arrays.files:
                names = [str(arrays[FORMER_EXTRACTOR])]
            else:
                names = [name.removesuffix("/X") for name in arrays.files if name.endswith("/X")]
    except DAMAGE as error:
        raise _damaged() from error
    return tuple(names)


def read_features(path: Path, extractor: str) -> FeatureTable:
    """Read one extractor's table of a file that `write_features` wrote; the others are not read.

    A file with a single table, as former versions wrote them, is read as well.

    Raises
    ------
    StageError
        The file is missing or damaged, or has no table of this extractor.
    """
    if extractor not in stored_extractors(path):
        raise StageError(f"The file holds no features of the extractor {extractor}; extract them again.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            prefix = "" if FORMER_EXTRACTOR in arrays.files else f"{extractor}/"
            X, names, keys = (arrays[prefix + part] for part in PARTS)
    except DAMAGE as error:
        raise _damaged() from error
    fits = (
        X.ndim == 2
        and X.dtype == np.float64
        and names.shape == (X.shape[1],)
        and names.dtype.kind == "U"
        and keys.shape == (X.shape[0],)
        and keys.dtype == np.int64
    )
    if not fits:
        raise StageError("The file holds no table of audio features; extract the features again.")
    return FeatureTable(X=X, names=tuple(map(str, names)), keys=keys, extractor=extractor)


def read_all_features(path: Path) -> Sequence[FeatureTable]:
    """Every table of a file, in its order; errors as in `read_features`."""
    return [read_features(path, extractor) for extractor in stored_extractors(path)]


def _damaged() -> StageError:
    return StageError("The file of audio features is missing or damaged; extract the features again.")
