"""Decoded frames to mono samples of one rate."""

from typing import Any

import av
import numpy as np

from pipeline.stages.downmix import Levels, Mix, default_weights, to_float

# Samples of the source, less than a second: enough that the work on them is all that a call costs.
RESAMPLED_AT_ONCE = 32_768
NOTHING: list[np.ndarray] = []


class Resampler:
    """FFmpeg's resampler to mono 16-bit samples.

    It is fed with several packets at once, since a call costs as much as the work on one packet.

    Parameters
    ----------
    levels : Levels
        Measures what comes in.
    mix : Mix, optional
        Replaces FFmpeg's own mix.
    """

    def __init__(self, sample_rate_hz: int, levels: Levels, mix: Mix | None = None) -> None:
        self._waiting = av.AudioFifo()
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate_hz)
        self._levels = levels
        self._mix = mix

    def resample(self, frame: Any) -> list[np.ndarray]:
        """Take a decoded frame of any length; gives int16 arrays [shape=(n,)] when enough came together."""
        # Positions are counted in samples; a container's jumping timestamps are not to stop the filter.
        frame.pts = None
        self._waiting.write(frame)
        return self._take() if self._waiting.samples >= RESAMPLED_AT_ONCE else NOTHING

    def finish(self) -> list[np.ndarray]:
        """The rest, and the filter's tail."""
        rest = self._take() if self._waiting.samples else NOTHING
        return rest + _samples(self._resampler.resample(None))

    def _take(self) -> list[np.ndarray]:
        frame = self._waiting.read()
        self._levels.add(frame)
        return _samples(self._resampler.resample(frame if self._mix is None else _mixed(frame, self._mix)))


def _mixed(frame: Any, mix: Mix) -> Any:
    """A mono frame by another mix than FFmpeg's."""
    weights = mix.weights.get(frame.layout.name)
    if weights is None:
        weights = default_weights(frame.layout.name)
    mono = mix.gain * sum(weight * channel for weight, channel in zip(weights, to_float(frame), strict=True))
    made = av.AudioFrame.from_ndarray(np.asarray(mono, dtype=np.float32)[None], format="fltp", layout="mono")
    made.sample_rate = frame.sample_rate
    return made


def _samples(frames: list[Any]) -> list[np.ndarray]:
    # Half the time of to_ndarray, which copies.
    return [np.frombuffer(frame.planes[0], dtype=np.int16)[: frame.samples] for frame in frames]
