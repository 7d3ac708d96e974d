"""Recordings: any audio or video file to one of 16 kHz, slices of it to the sample, and the outline of its waveform."""

import contextlib
import io
import os
import secrets
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile as sf

from pipeline.stages.blocks import in_blocks
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.resampling import Resampler

# Method §2: audio becomes 16 kHz mono. 16 bits are what pyAudioAnalysis reads from a WAV file.
SAMPLE_RATE_HZ = 16_000
# How much is held in memory and how often progress is told while decoding: ten seconds of sound.
BLOCK_FRAMES = 10 * SAMPLE_RATE_HZ
# FFmpeg itself goes on after a damaged packet, and so do we; with more than this share of them the times are not to
# be trusted any more.
MAX_DAMAGED_PACKETS = 0.01
# A file under a user's control must not make FFmpeg open other files or addresses: playlist formats (HLS, DASH,
# concat) are not among these, and nested protocols are off.
CONTAINER_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,"
    "ogg,opus,tta,w64,wav,wv"
)
OPEN_OPTIONS = {"format_whitelist": CONTAINER_FORMATS, "protocol_whitelist": "file"}


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
    """

    path: Path
    frames: int
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        return self.frames / self.sample_rate_hz


def decode(
    source: Path, target: Path, *, max_duration_s: float | None = None, progress: ProgressCallback = ignore_progress
) -> Recording:
    """Decode the best audio stream of any container to 16 kHz mono 16-bit WAV or FLAC, in bounded memory.

    Where the audio of a video file starts later than its picture, silence takes the place of the gap, so that the
    times of captions hold.

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
        The file has no audio, is damaged, of an unknown format, or longer than `max_duration_s`.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        form = "FLAC" if target.suffix == ".flac" else "WAV"
        frames = _decode_to(source, temporary, form, max_duration_s, progress)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return Recording(path=target, frames=frames, sample_rate_hz=SAMPLE_RATE_HZ)


def _decode_to(source: Path, target: Path, form: str, max_duration_s: float | None, progress: ProgressCallback) -> int:
    if not source.is_file():
        raise StageError(f"There is no file {source.name}.")
    try:
        container = av.open(os.fspath(source.absolute()), options=OPEN_OPTIONS)
    except (av.FFmpegError, ValueError) as error:
        raise StageError(
            f"{source.name} cannot be read as audio or video; give a recording such as mp3, m4a, mp4, webm or wav."
        ) from error
    limit = None if max_duration_s is None else round(max_duration_s * SAMPLE_RATE_HZ)
    with container:
        if not container.streams.audio:
            raise StageError(f"{source.name} has no audio in it; give a recording with sound.")
        total_s = (container.duration or 0) // av.time_base
        if max_duration_s is not None and total_s > max_duration_s:
            raise _too_long(source, max_duration_s)
        frames, told = 0, 0
        with sf.SoundFile(target, "w", SAMPLE_RATE_HZ, channels=1, format=form, subtype="PCM_16") as file:
            for samples in in_blocks(_resampled(container, source)):
                file.write(samples)
                frames += len(samples)
                if limit is not None and frames > limit:
                    raise _too_long(source, max_duration_s or 0.0)
                if frames - told >= BLOCK_FRAMES:
                    told = frames
                    done_s = frames // SAMPLE_RATE_HZ
                    progress(done_s, max(total_s, done_s) if total_s else 0)
    if not frames:
        raise StageError(f"{source.name} holds no sound that can be decoded; the file may be damaged.")
    progress(max(1, frames // SAMPLE_RATE_HZ), max(1, frames // SAMPLE_RATE_HZ))
    return frames


def _too_long(source: Path, max_duration_s: float) -> StageError:
    hours, rest = divmod(round(max_duration_s), 3600)
    clock = f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return StageError(f"{source.name} is longer than the limit of {clock} (hours:minutes:seconds).")


def _resampled(container: Any, source: Path) -> Iterator[np.ndarray]:
    """Blocks of int16 samples [shape=(n,)] at 16 kHz; a change of rate or channels on the way is followed."""
    resampler: Resampler | None = None
    shape = None
    for frame, lead_s in _decoded(container, source):
        if lead_s > 0:
            yield from _silence(round(lead_s * SAMPLE_RATE_HZ))
        if shape != (frame.format.name, frame.layout.name, frame.sample_rate):
            if resampler is not None:
                yield from resampler.finish()
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = Resampler(SAMPLE_RATE_HZ)
        assert resampler is not None  # noqa: S101 - made with the first frame
        yield from resampler.resample(frame)
    if resampler is not None:
        yield from resampler.finish()


def _silence(frames: int) -> Iterator[np.ndarray]:
    while frames > 0:
        yield np.zeros(min(frames, BLOCK_FRAMES), dtype=np.int16)
        frames -= BLOCK_FRAMES


def _decoded(container: Any, source: Path) -> Iterator[tuple[Any, float]]:
    """Audio frames, each with the seconds of silence to put before it (only the first frame can have any)."""
    stream = container.streams.best("audio") or container.streams.audio[0]
    packets, damaged, first = 0, 0, True
    try:
        for packet in container.demux(stream):
            packets += 1
            try:
                frames = packet.decode()
            except av.FFmpegError:
                damaged += 1
                continue
            for frame in frames:
                yield frame, _lead_s(container, frame) if first else 0.0
                first = False
    except av.FFmpegError as error:
        raise StageError(f"{source.name} is damaged and cannot be decoded to its end; get it again.") from error
    # The last packet of a file that was cut off is always damaged, and harmless.
    if damaged > max(1, MAX_DAMAGED_PACKETS * packets):
        raise StageError(
            f"{source.name} is damaged: {damaged} of its {packets} packets cannot be decoded; get it again."
        )


def _lead_s(container: Any, frame: Any) -> float:
    """Seconds between the start of the container and the start of its audio; 0 for a container of audio alone."""
    if frame.time is None or container.start_time is None or not container.streams.video:
        return 0.0
    lead_s = frame.time - container.start_time / av.time_base
    return max(0.0, min(lead_s, (container.duration or 0) / av.time_base))


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
