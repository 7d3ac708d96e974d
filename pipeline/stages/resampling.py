"""Decoded frames to mono samples of one rate."""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np

# Samples of the source, less than a second: enough that the work on them is all that a call costs.
RESAMPLED_AT_ONCE = 32_768


class Resampler:
    """FFmpeg's resampler to mono 16-bit samples.

    It is fed with several packets at once, since a call costs as much as the work on one packet.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._waiting = av.AudioFifo()
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate_hz)

    def resample(self, frame: Any) -> Iterator[np.ndarray]:
        """Take a decoded frame of any length; gives int16 arrays [shape=(n,)] when enough came together."""
        # Positions are counted in samples; a container's jumping timestamps are not to stop the filter.
        frame.pts = None
        self._waiting.write(frame)
        if self._waiting.samples >= RESAMPLED_AT_ONCE:
            yield from _samples(self._resampler.resample(self._waiting.read()))

    def finish(self) -> Iterator[np.ndarray]:
        """The rest, and the filter's tail."""
        if self._waiting.samples:
            yield from _samples(self._resampler.resample(self._waiting.read()))
        yield from _samples(self._resampler.resample(None))


def _samples(frames: list[Any]) -> Iterator[np.ndarray]:
    for frame in frames:
        yield frame.to_ndarray().reshape(-1)
