"""Recordings: any audio or video file to one of 16 kHz, slices of it to the sample, and the outline of its waveform."""

import contextlib
import io
import secrets
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from pipeline.stages import decoding_pass
from pipeline.stages.decoding_pass import BLOCK_FRAMES, Decoded, Way, decode_once
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.sound_notes import SILENT_NOTE, other_track_note

# Of every recording that `decode` makes.
SAMPLE_RATE_HZ = decoding_pass.SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Recording:
    """A decoded recording.

    Attributes
    ----------
    path : Path
        The WAV or FLAC file.
    frames : int
        Samples in it.
    sample_rate_hz : int
        Samples per second.
    notes : tuple of str
        Sentences on what was lost or changed.
    """

    path: Path
    frames: int
    sample_rate_hz: int
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return self.frames / self.sample_rate_hz


def decode(
    source: Path, target: Path, *, max_duration_s: float | None = None, progress: ProgressCallback = ignore_progress
) -> Recording:
    """Decode the best audio stream of any container to 16 kHz mono 16-bit WAV or FLAC, in bounded memory.

    Everything stands at the time that its time stamp tells: silence takes the place of what is missing, also where the
    audio of a video file starts later than its picture, so that the times of captions hold. Where the usual downmix
    would lose the sound or clip it, the file is decoded again with another one. What was lost or changed is noted.

    Parameters
    ----------
    source : Path
        Any audio or video file that FFmpeg reads (mp3, m4a, mp4, webm, opus, wav, flac, ...).
    target : Path
        The file to write, FLAC where its name ends so and WAV otherwise; it appears under this name only when it is
        whole. FLAC takes two thirds of the space, and a quarter longer to write and read again.
    max_duration_s : float, optional
        Longer recordings are refused, in seconds.
    progress : callable
        Called with (seconds done, seconds in all); the total is 0 where the container does not tell.

    Raises
    ------
    StageError
        The file has no audio, is damaged, cut off after less than a tenth, of an unknown format, or longer than
        `max_duration_s`, or its samples are not numbers.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        form = "FLAC" if target.suffix == ".flac" else "WAV"

        def decoded(way: Way) -> Decoded:
            done = decode_once(source, temporary, form, max_duration_s, progress, way)
            if done.again is None:
                return done
            return decode_once(source, temporary, form, max_duration_s, progress, done.again)

        done = decoded(Way())
        notes = (*done.notes, SILENT_NOTE) if done.is_silent else done.notes
        if done.is_silent:
            for track in [track for track in range(done.tracks) if track != done.track]:
                other = decoded(Way(track=track))
                if not other.is_silent:
                    done, notes = other, (*other.notes, other_track_note(done.track, track))
                    break
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return Recording(path=target, frames=done.frames, sample_rate_hz=SAMPLE_RATE_HZ, notes=notes)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sf.SoundFile]:
    """A decoded recording, with one sentence for whatever is wrong with the file."""
    try:
        with sf.SoundFile(path) as file:
            yield file
    except (sf.LibsndfileError, OSError) as error:
        raise StageError("The recording's sound file is missing or damaged; fetch the video again.") from error


def read_frames(file: sf.SoundFile, count: int, dtype: str) -> np.ndarray:
    """The next samples of an open recording [shape=(count,)]; StageError where it ends before."""
    samples = file.read(count, dtype=dtype, always_2d=True)[:, 0]
    if len(samples) != count:
        raise StageError("The recording's sound file ends too early; fetch the video again.")
    return samples


def _read(path: Path, start_ms: int, end_ms: int, dtype: str) -> tuple[np.ndarray, int]:
    """Samples of a span and their rate."""
    with opened(path) as file:
        start, end = frames_of_span(file, start_ms, end_ms)
        file.seek(start)
        return read_frames(file, end - start, dtype), file.samplerate


def frames_of_span(file: sf.SoundFile, start_ms: int, end_ms: int) -> tuple[int, int]:
    """First frame of a span and the one behind its last; StageError outside the recording."""
    rate = file.samplerate
    start, end = start_ms * rate // 1000, end_ms * rate // 1000
    # A duration in whole milliseconds may be rounded up; less than one of them may be missing at the end.
    if end > file.frames and (end - file.frames) * 1000 < rate:
        end = file.frames
    if not 0 <= start < end <= file.frames:
        duration_ms = file.frames * 1000 // rate
        raise StageError(f"The span {start_ms}-{end_ms} ms is not inside the recording of {duration_ms} ms.")
    return start, end


def read_slice(path: Path, start_ms: int, end_ms: int) -> np.ndarray:
    """Read one span of a recording.

    Parameters
    ----------
    path : Path
        A decoded recording.
    start_ms, end_ms : int
        The span in milliseconds, end excluded. Less than one millisecond may be missing at the recording's end.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
        Samples between -1 and 1: the 16-bit values divided by 32,768.

    Raises
    ------
    StageError
        The span is empty or not inside the recording, or the file cannot be read.
    """
    return _read(path, start_ms, end_ms, "float32")[0]


def slice_wav(path: Path, start_ms: int, end_ms: int) -> bytes:
    """One span of a recording as a RIFF file, 16-bit PCM mono; bounds and errors as in `read_slice`."""
    samples, rate = _read(path, start_ms, end_ms, "int16")
    content = io.BytesIO()
    with wave.open(content, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(samples.astype("<i2", copy=False).tobytes())
    return content.getvalue()


def peaks(path: Path, n: int = 2000) -> np.ndarray:
    """Lowest and highest sample in each of `n` equal parts of a recording, read in blocks.

    Returns
    -------
    np.ndarray [shape=(n, 2), dtype=float32]
        Minimum and maximum per part, between -1 and 1. A recording of fewer than `n` samples repeats samples.

    Raises
    ------
    StageError
        The file is empty or cannot be read.
    """
    outline = np.empty((n, 2), dtype=np.float32)
    with opened(path) as file:
        if not file.frames:
            raise StageError("The recording's sound file is empty; fetch the video again.")
        for part in range(n):
            start = part * file.frames // n
            left = max(1, (part + 1) * file.frames // n - start)
            if file.tell() != start:  # only where there are fewer samples than parts
                file.seek(start)
            lowest, highest = np.inf, -np.inf
            while left:
                samples = read_frames(file, min(left, BLOCK_FRAMES), "float32")
                lowest, highest = min(lowest, samples.min()), max(highest, samples.max())
                left -= len(samples)
            outline[part] = lowest, highest
    return outline
