"""Many spans of one decoded recording, read through one open file, whole or block by block."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile as sf

from pipeline.stages.audio import frames_of_span, opened, read_frames


class SpanReader:
    """Reads spans of an open recording; spans in their order are read fastest."""

    def __init__(self, file: sf.SoundFile) -> None:
        self._file = file
        self.sample_rate_hz = int(file.samplerate)

    def read(self, start_ms: int, end_ms: int) -> np.ndarray:
        """One span, float32 [shape=(n,)] between -1 and 1; bounds and errors as in `audio.read_slice`."""
        start, end = frames_of_span(self._file, start_ms, end_ms)
        self._seek(start)
        return read_frames(self._file, end - start, "float32")

    def blocks(self, start_ms: int, end_ms: int, block_samples: int) -> Iterator[np.ndarray]:
        """The same span in blocks of `block_samples`, of which the last may be shorter."""
        start, end = frames_of_span(self._file, start_ms, end_ms)
        self._seek(start)
        for position in range(start, end, block_samples):
            yield read_frames(self._file, min(block_samples, end - position), "float32")

    def _seek(self, frame: int) -> None:
        # Seeking in FLAC searches the file, also where it stands at the place already.
        if self._file.tell() != frame:
            self._file.seek(frame)


@contextlib.contextmanager
def open_spans(path: Path) -> Iterator[SpanReader]:
    """Open a decoded recording for reading spans.

    Raises
    ------
    StageError
        The file cannot be read.
    """
    with opened(path) as file:
        yield SpanReader(file)
