"""Samples to feature vectors, and the one array file that a video's vectors are kept in."""

import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from pipeline.stages.crossmodal_features import CrossmodalExtractor
from pipeline.stages.errors import StageError
from pipeline.stages.mid_term import VectorisedExtractor
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.pyaudioanalysis import LibraryExtractor
from pipeline.stages.spans import SpanReader, open_spans


class Extractor(Protocol):
    """What turns the samples of one segment into numbers; names travel with it."""

    @property
    def name(self) -> str: ...

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    def extract(self, samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
        """Features of one segment, float64 [shape=(n_features,)], from samples in [-1, 1] [shape=(n,)]."""
        ...


@runtime_checkable
class BatchExtractor(Extractor, Protocol):
    """An extractor that is faster with many segments at once, and needs no long one as a whole."""

    def extract_many(self, segments: Sequence[np.ndarray], sample_rate_hz: int) -> np.ndarray:
        """Features of several segments, float64 [shape=(n_segments, n_features)]."""
        ...

    def extract_blocks(self, read: Callable[[int], Iterator[np.ndarray]], sample_rate_hz: int) -> np.ndarray:
        """Features of one long segment; `read` gives it in blocks of so many samples, as often as it is called."""
        ...


# How much sound is held in memory at a time: a minute and a half are 6 MB.
BATCH_MS = 90_000
DEFAULT_EXTRACTOR = "pyaudioanalysis-136"
EXTRACTORS: dict[str, Extractor] = {
    extractor.name: extractor
    for extractor in (
        VectorisedExtractor(DEFAULT_EXTRACTOR),
        CrossmodalExtractor(),
        LibraryExtractor("pyaudioanalysis-reference"),
    )
}


def get_extractor(name: str) -> Extractor:
    """The extractor of that name.

    Raises
    ------
    StageError
        There is none.
    """
    if name not in EXTRACTORS:
        raise StageError(f"There is no feature extractor {name!r}; there are {', '.join(EXTRACTORS)}.")
    return EXTRACTORS[name]


def extract_spans(
    path: Path,
    spans_ms: Sequence[tuple[int, int]],
    extractor: Extractor,
    *,
    progress: ProgressCallback = ignore_progress,
) -> np.ndarray:
    """Features of spans of one decoded recording, in memory that grows with their number alone.

    Parameters
    ----------
    path : Path
        A recording decoded by `pipeline.stages.audio.decode`.
    spans_ms : sequence of (int, int)
        Start and end of each span in milliseconds, end excluded.
    extractor : Extractor
        From `get_extractor`.
    progress : callable
        Called with (spans done, spans in all).

    Returns
    -------
    np.ndarray [shape=(n_spans, n_features), dtype=float64]

    Raises
    ------
    StageError
        A span is outside the recording or too short, or the file cannot be read.
    """
    rows = np.zeros((len(spans_ms), len(extractor.feature_names)))
    if not len(spans_ms):
        return rows
    with open_spans(path) as reader:
        done = 0
        for batch in _batches(spans_ms, BATCH_MS if isinstance(extractor, BatchExtractor) else 0):
            rows[done : done + len(batch)] = _extract_batch(reader, batch, extractor)
            done += len(batch)
            progress(done, len(spans_ms))
    return rows


def _batches(spans_ms: Sequence[tuple[int, int]], batch_ms: int) -> Iterator[list[tuple[int, int]]]:
    """Runs of spans that last no longer than `batch_ms` together; a longer span stands alone."""
    batch: list[tuple[int, int]] = []
    held_ms = 0
    for start_ms, end_ms in spans_ms:
        if batch and held_ms + end_ms - start_ms > batch_ms:
            yield batch
            batch, held_ms = [], 0
        batch.append((start_ms, end_ms))
        held_ms += end_ms - start_ms
    yield batch


def _extract_batch(reader: SpanReader, spans_ms: list[tuple[int, int]], extractor: Extractor) -> np.ndarray:
    rate = reader.sample_rate_hz
    start_ms, end_ms = spans_ms[0]
    if not isinstance(extractor, BatchExtractor):
        return extractor.extract(reader.read(start_ms, end_ms), rate)[None]
    if len(spans_ms) == 1 and end_ms - start_ms > BATCH_MS:
        return extractor.extract_blocks(lambda n: reader.blocks(start_ms, end_ms, n), rate)[None]
    return extractor.extract_many([reader.read(*span) for span in spans_ms], rate)


@dataclass(frozen=True)
class FeatureTable:
    """The feature vectors of one video.

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


def write_features(path: Path, table: FeatureTable) -> None:
    """Write a table as a compressed .npz without pickles; it appears under `path` only when it is whole."""
    write_arrays(
        path,
        X=np.asarray(table.X, dtype=np.float64),
        names=np.asarray(table.names, dtype=np.str_),
        keys=np.asarray(table.keys, dtype=np.int64),
        extractor=np.asarray(table.extractor, dtype=np.str_),
    )


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as one .npz file under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_features(path: Path) -> FeatureTable:
    """Read what `write_features` wrote.

    Raises
    ------
    StageError
        The file is missing, damaged, or something else than a feature table.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            X, names, keys, extractor = (arrays[name] for name in ("X", "names", "keys", "extractor"))
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise StageError("The file of audio features is missing or damaged; extract the features again.") from error
    fits = (
        X.ndim == 2
        and X.dtype == np.float64
        and names.shape == (X.shape[1],)
        and names.dtype.kind == extractor.dtype.kind == "U"
        and keys.shape == (X.shape[0],)
        and keys.dtype == np.int64
        and extractor.shape == ()
    )
    if not fits:
        raise StageError("The file holds no table of audio features; extract the features again.")
    return FeatureTable(X=X, names=tuple(map(str, names)), keys=keys, extractor=str(extractor))
