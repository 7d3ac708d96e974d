"""Samples to feature vectors, by one extractor or by several at once."""

from collections.abc import Callable, Iterator, Sequence
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
# What is extracted of every video at once: all that a recipe asks for, so that no training run has to wait for it.
STORED_EXTRACTORS = (DEFAULT_EXTRACTOR, CrossmodalExtractor.name)
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
    """Features of spans by one extractor, float64 [shape=(n_spans, n_features)]; the rest as in `extract_spans_by`."""
    return extract_spans_by(path, spans_ms, [extractor], progress=progress)[0]


def extract_spans_by(
    path: Path,
    spans_ms: Sequence[tuple[int, int]],
    extractors: Sequence[Extractor],
    *,
    progress: ProgressCallback = ignore_progress,
) -> list[np.ndarray]:
    """Features of spans of one decoded recording, in memory that grows with their number alone.

    Every span is read once for all extractors; one that lasts longer than `BATCH_MS` is read by each for itself.

    Parameters
    ----------
    path : Path
        A recording decoded by `pipeline.stages.audio.decode`.
    spans_ms : sequence of (int, int)
        Start and end of each span in milliseconds, end excluded.
    extractors : sequence of Extractor
        From `get_extractor`.
    progress : callable
        Called with (spans that all extractors are done with, spans in all).

    Returns
    -------
    list of np.ndarray [shape=(n_spans, n_features), dtype=float64]
        One for each extractor.

    Raises
    ------
    StageError
        A span is outside the recording or too short, or the file cannot be read.
    """
    rows = [np.zeros((len(spans_ms), len(extractor.feature_names))) for extractor in extractors]
    if not len(spans_ms):
        return rows
    with open_spans(path) as reader:
        done = 0
        for batch in _batches(spans_ms):
            for of_extractor, features in zip(rows, _extract_batch(reader, batch, extractors), strict=True):
                of_extractor[done : done + len(batch)] = features
            done += len(batch)
            progress(done, len(spans_ms))
    return rows


def _batches(spans_ms: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Runs of spans that last no longer than `BATCH_MS` together; a longer span stands alone."""
    batch: list[tuple[int, int]] = []
    held_ms = 0
    for start_ms, end_ms in spans_ms:
        if batch and held_ms + end_ms - start_ms > BATCH_MS:
            yield batch
            batch, held_ms = [], 0
        batch.append((start_ms, end_ms))
        held_ms += end_ms - start_ms
    yield batch


def _extract_batch(
    reader: SpanReader, spans_ms: list[tuple[int, int]], extractors: Sequence[Extractor]
) -> Iterator[np.ndarray]:
    """Features of one batch by each extractor."""
    rate = reader.sample_rate_hz
    start_ms, end_ms = spans_ms[0]
    if len(spans_ms) == 1 and end_ms - start_ms > BATCH_MS:
        for extractor in extractors:
            if isinstance(extractor, BatchExtractor):
                yield extractor.extract_blocks(lambda n: reader.blocks(start_ms, end_ms, n), rate)[None]
            else:
                yield extractor.extract(reader.read(start_ms, end_ms), rate)[None]
        return
    segments = [reader.read(*span) for span in spans_ms]
    for extractor in extractors:
        if isinstance(extractor, BatchExtractor):
            yield extractor.extract_many(segments, rate)
        else:
            yield np.array([extractor.extract(samples, rate) for samples in segments])
