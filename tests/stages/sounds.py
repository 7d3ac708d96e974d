"""Synthetic recordings with known answers, and files of many formats made of them."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile as sf


def sine(frequency_hz: float, duration_s: float, rate_hz: int = 16_000, amplitude: float = 0.5) -> np.ndarray:
    """float64 [shape=(n,)] between -1 and 1."""
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(round(duration_s * rate_hz)) / rate_hz)


def noise(frames: int, seed: int = 0) -> np.ndarray:
    """int16 [shape=(n,)] in which no two stretches are alike."""
    return np.random.default_rng(seed).integers(-30_000, 30_000, frames, dtype=np.int16)


def write_flac(path: Path, samples: np.ndarray, rate_hz: int = 16_000) -> Path:
    sf.write(path, samples, rate_hz, format="FLAC", subtype="PCM_16")
    return path


def encode(
    path: Path, samples: np.ndarray, rate_hz: int, codec: str, *, picture: bool = False, late_s: float = 0.0
) -> Path:
    """Write samples [shape=(channels, n)] with FFmpeg's encoders; with a picture, the audio may start later than it."""
    layout = {1: "mono", 2: "stereo"}[len(samples)]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, layout=layout)
        if picture:
            video = container.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
            seconds = late_s + samples.shape[1] / rate_hz
            for number in range(round(10 * seconds)):
                image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8))
                image.pts = number
                container.mux(video.encode(image))
            container.mux(video.encode())
        resampler = av.AudioResampler(format=stream.format, layout=layout, rate=rate_hz)
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32), format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        frame.pts = round(late_s * rate_hz)
        for part in (*resampler.resample(frame), None):
            container.mux(stream.encode(part))
    return path


def silent_film(path: Path) -> Path:
    """A video file without audio."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8))
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def loudest_hz(samples: np.ndarray, rate_hz: int = 16_000) -> float:
    """Frequency with the most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate_hz / len(samples))
