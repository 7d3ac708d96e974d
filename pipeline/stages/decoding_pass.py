"""One pass over a file of sound: opened, decoded, placed in time, resampled and written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile as sf

from pipeline.stages.announced import announced
from pipeline.stages.blocks import in_blocks
from pipeline.stages.decoding import PacketDecoder
from pipeline.stages.disk import SOUND_BYTES_PER_S, check_room, unwritten_sound
from pipeline.stages.downmix import Levels, Mix, NotANumberError
from pipeline.stages.errors import StageError
from pipeline.stages.file_structure import has_fragments, lacks_index
from pipeline.stages.progress import ProgressCallback
from pipeline.stages.recording_time import Timeline
from pipeline.stages.resampling import Resampler
from pipeline.stages.sound_notes import MIN_DECODED_SHARE, beyond_note, change_notes, clock, cut_off_note, suspect_note
from pipeline.stages.tracks import choose_track
from pipeline.stages.wav_header import read_wav_header

# Method §2: audio becomes 16 kHz mono. 16 bits are what pyAudioAnalysis reads from a WAV file.
SAMPLE_RATE_HZ = 16_000
# How much is held in memory and how often progress is told while decoding: ten seconds of sound.
BLOCK_FRAMES = 10 * SAMPLE_RATE_HZ
# A file under a user's control must not make FFmpeg open other files or addresses: playlist formats (HLS, DASH,
# concat) are not among these, and nested protocols are off.
CONTAINER_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,"
    "ogg,opus,tta,w64,wav,wv"
)
OPEN_OPTIONS = {"format_whitelist": CONTAINER_FORMATS, "protocol_whitelist": "file"}


@dataclass(frozen=True)
class Way:
    """What is known of a recording when it is decoded for the second time; most are decoded once.

    Attributes
    ----------
    mix : Mix or None
        Replaces FFmpeg's downmix.
    loss_factor : float
        Corrects the length of what was lost, where it was reckoned from bytes.
    late_s : float
        Seconds that are missing at the beginning.
    track : int or None
        Number of the track of sound from 0; None chooses one.
    """

    mix: Mix | None = None
    loss_factor: float = 1.0
    late_s: float = 0.0
    track: int | None = None


@dataclass(frozen=True)
class Decoded:
    """What became of a file in one pass.

    Attributes
    ----------
    frames : int
        Samples written.
    notes : tuple of str
        Sentences on what was lost or changed.
    again : Way or None
        How it has to be decoded again, if so.
    is_silent : bool
        Whether there is nothing to hear.
    track : int
        Number of the track of sound that was decoded, from 0.
    tracks : int
        How many there are.
    """

    frames: int
    notes: tuple[str, ...]
    again: Way | None
    is_silent: bool
    track: int
    tracks: int


def decode_once(
    source: Path,
    target: Path,
    form: str,
    max_duration_s: float | None,
    progress: ProgressCallback,
    way: Way,
) -> Decoded:
    """Decode a file and write its sound.

    Raises
    ------
    StageError
        As `pipeline.stages.audio.decode`.
    """
    limit = None if max_duration_s is None else round(max_duration_s * SAMPLE_RATE_HZ)
    if not source.is_file():
        raise StageError(f"There is no file {source.name}.")
    wav = read_wav_header(source)
    with _opened(source, ignore_length=wav.is_sound) as container:
        if not container.streams.audio:
            raise StageError(f"{source.name} has no audio in it; give a recording with sound.")
        tracks = container.streams.audio
        stream, track_notes = choose_track(container) if way.track is None else (tracks[way.track], ())
        is_in_fragments = container.format.name.startswith("mov,") and has_fragments(source)
        is_alone = len(container.streams) == 1
        total_s = _total_s(container)
        expected = announced(source, container, stream)
        if max_duration_s is not None and total_s > max_duration_s:
            raise _too_long(source, max_duration_s)
        before = target.stat().st_size if target.exists() else 0  # of another pass, which this one writes over
        check_room(target.parent, total_s * SOUND_BYTES_PER_S - before, "decoding the recording")
        from_zero = container.format.name.startswith("mov,") and not is_in_fragments
        packets = PacketDecoder(container, stream, source, way.loss_factor, way.late_s, from_zero)
        codec = stream.codec_context.name
        timeline, levels = Timeline(max_duration_s, codec), Levels(codec)
        frames, told, is_silent = 0, 0, True
        with _written(target, form) as file:
            for samples in in_blocks(_resampled(timeline.place(packets.frames()), levels, way.mix, source)):
                file.write(samples)
                frames += len(samples)
                is_silent = is_silent and not ((samples > 1) | (samples < -1)).any()
                if limit is not None and frames > limit:
                    raise _too_long(source, max_duration_s or 0.0)
                if frames - told >= BLOCK_FRAMES:
                    told = frames
                    check_room(target.parent, 0, "decoding the recording")  # also where a file announces no length
                    done_s = frames // SAMPLE_RATE_HZ
                    progress(done_s, max(total_s, done_s) if total_s else 0)
    decoded_s = frames / SAMPLE_RATE_HZ
    if timeline.is_doubtful:
        expected = replace(expected, duration_s=None)
    if not frames:
        raise StageError(f"{source.name} holds no sound that can be decoded; the file may be damaged.")
    if expected.missing_s(decoded_s) and decoded_s < MIN_DECODED_SHARE * (expected.duration_s or 0):
        raise StageError(
            f"{source.name} was cut off: it says {clock(expected.duration_s or 0)}, but only {decoded_s:.1f} s could "
            "be decoded. Fetch or upload it again, or convert it to WAV if it is meant to be so short."
        )
    progress(max(1, frames // SAMPLE_RATE_HZ), max(1, frames // SAMPLE_RATE_HZ))
    mix, mix_notes = levels.choose()
    notes = (
        *track_notes,
        *cut_off_note(expected, decoded_s),
        *beyond_note(wav),
        *change_notes(timeline.changes),
        *suspect_note(packets.suspect),
    )
    # Segments of a stream from the midst of a recording, of which the index tells the whole.
    is_late = is_in_fragments and is_alone and expected.missing_s(decoded_s) > 0
    late_s = packets.first_s if is_late and expected.fits(packets.first_s + decoded_s) else 0.0
    factor = way.loss_factor * packets.correction(expected.duration_s, source.stat().st_size)
    wanted = Way(mix, factor, late_s, way.track)
    again = wanted if wanted != Way(track=way.track) else None
    return Decoded(frames, (*notes, *mix_notes), again, is_silent, tracks.index(stream), len(tracks))


@contextmanager
def _written(target: Path, form: str) -> Iterator[sf.SoundFile]:
    """A file of 16-bit sound to write to."""
    try:
        with sf.SoundFile(target, "w", SAMPLE_RATE_HZ, channels=1, format=form, subtype="PCM_16") as file:
            yield file
    except sf.LibsndfileError as error:
        raise unwritten_sound(target.parent) from error


def _opened(source: Path, *, ignore_length: bool) -> Any:
    try:
        # Demuxers other than that of WAV do not know the last option, and pass over it.
        options = OPEN_OPTIONS | ({"ignore_length": "1"} if ignore_length else {})
        return av.open(os.fspath(source.absolute()), options=options)
    except (av.FFmpegError, ValueError) as error:
        if lacks_index(source):
            raise StageError(
                f"{source.name} cannot be read: it was cut off before its index, which stands at its end. Fetch or "
                "upload it again."
            ) from error
        raise StageError(
            f"{source.name} cannot be read as audio or video; give a recording such as mp3, m4a, mp4, webm or wav."
        ) from error


def _total_s(container: Any) -> int:
    """Whole seconds that the container tells, 0 where it does not."""
    total = container.duration or 0
    # FFmpeg takes the last time stamp of an Ogg file for its length; recordings of live streams begin late.
    if container.format.name == "ogg":
        total -= max(0, container.start_time or 0)
    return int(total // av.time_base)


def _too_long(source: Path, max_duration_s: float) -> StageError:
    hours, rest = divmod(round(max_duration_s), 3600)
    limit = f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return StageError(f"{source.name} is longer than the limit of {limit} (hours:minutes:seconds).")


def _resampled(frames: Iterator[Any], levels: Levels, mix: Mix | None, source: Path) -> Iterator[np.ndarray]:
    """Blocks of int16 samples [shape=(n,)] at 16 kHz; a change of rate or channels on the way is followed."""
    resampler: Resampler | None = None
    shape = None
    try:
        for frame in frames:
            if shape != (frame.format.name, frame.layout.name, frame.sample_rate):
                if resampler is not None:
                    yield from resampler.finish()
                shape = (frame.format.name, frame.layout.name, frame.sample_rate)
                resampler = Resampler(SAMPLE_RATE_HZ, levels, mix)
            assert resampler is not None  # noqa: S101 - made with the first frame
            if parts := resampler.resample(frame):
                yield from parts
        if resampler is not None:
            yield from resampler.finish()
    except NotANumberError as error:
        raise StageError(
            f"{source.name} holds samples that are no numbers (NaN), infinite or far beyond full scale near "
            f"{clock(levels.seconds)}; write the sound again without them, as 16-bit WAV for example."
        ) from error
