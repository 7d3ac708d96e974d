"""Files that end before they should: noted or refused, and never a false alarm."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import pytest
import soundfile as sf

from pipeline.stages.audio import decode
from pipeline.stages.errors import StageError
from tests.stages.sounds import encode, noise, sine

RATE = 48_000
ALL_FORMATS = [
    ("a.mp3", "libmp3lame"),
    ("a.m4a", "aac"),
    ("a.mp4", "aac"),
    ("a.aac", "aac"),
    ("a.mka", "aac"),
    ("a.mka", "libmp3lame"),
    ("a.mka", "pcm_s16le"),
    ("a.webm", "libopus"),
    ("a.ogg", "libopus"),
    ("a.ogg", "flac"),
    ("a.flac", "flac"),
    ("a.ts", "aac"),
    ("a.ts", "libmp3lame"),
    ("a.flv", "aac"),
    ("a.avi", "libmp3lame"),
    ("a.wav", "pcm_s16le"),
    ("a.wav", "pcm_f32le"),
    ("a.aiff", "pcm_s16be"),
    ("a.au", "pcm_s16be"),
    ("a.caf", "pcm_s16be"),
    ("a.w64", "pcm_s16le"),
    ("a.wma", "libmp3lame"),
    ("a.ac3", "ac3"),
    ("a.tta", "tta"),
    ("a.wv", "wavpack"),
]


def speech_like(seconds: float, rate_hz: int = RATE) -> np.ndarray:
    """Loud and quiet in turns, so that a variable bit rate varies."""
    sound = 0.3 * noise(round(seconds * rate_hz)) / 32_768
    return np.asarray(sound * (np.arange(len(sound)) // (rate_hz * 3 // 2) % 2))


def notes_of(path: Path) -> tuple[str, ...]:
    return decode(path, path.with_name("out.wav")).notes


@pytest.mark.parametrize(("name", "codec"), ALL_FORMATS)
def test_a_whole_file_has_no_note(tmp_path: Path, name: str, codec: str) -> None:
    assert notes_of(encode(tmp_path / name, speech_like(12.0)[None], RATE, codec)) == ()


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.mkv", "pcm_s16le"), ("a.avi", "libmp3lame")]
)
def test_a_whole_film_has_no_note(tmp_path: Path, name: str, codec: str) -> None:
    assert notes_of(encode(tmp_path / name, speech_like(12.0)[None], RATE, codec, picture=True)) == ()


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        (name, codec)
        for name, codec in ALL_FORMATS
        # These begin anywhere and end anywhere; nothing in them tells a length.
        if name not in ("a.aac", "a.ts", "a.ac3", "a.m4a", "a.mp4", "a.wv")
        and (name, codec) != ("a.mka", "pcm_s16le")  # one packet
    ],
)
def test_half_a_file_is_noted(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, 0.3 * noise(12 * RATE)[None] / 32_768, RATE, codec)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    recording = decode(path, tmp_path / "out.wav")
    assert recording.duration_s == pytest.approx(6, abs=1.6)
    assert len(recording.notes) == 1
    if name.endswith(".ogg"):
        assert recording.notes[0].startswith("The file ends in the middle of its data, after 0:0")
    else:
        assert recording.notes[0].startswith(("The file says 0:12, only 0:0", "The file says 0:11, only 0:0"))
    assert recording.notes[0].endswith("it was probably cut off. Fetch or upload it again.")


def test_an_mp4_without_its_index_is_named_as_cut_off(tmp_path: Path) -> None:
    content = encode(tmp_path / "a.m4a", sine(440, 6.0, RATE)[None], RATE, "aac").read_bytes()
    (tmp_path / "a.m4a").write_bytes(content[: len(content) // 2])
    with pytest.raises(StageError, match=r"a\.m4a cannot be read: it was cut off before its index"):
        notes_of(tmp_path / "a.m4a")


def wav(samples: np.ndarray, riff: int | None = None, data: int | None = None) -> bytes:
    """A 16 kHz WAV file of int16 samples, with any lengths in its header."""
    content = samples.astype("<i2").tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    riff, data = 36 + len(content) if riff is None else riff, len(content) if data is None else data
    return b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + head + b"data" + struct.pack("<I", data) + content


def test_a_wav_with_one_of_six_seconds_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(noise(16_000), data=6 * 32_000))
    recording = decode(tmp_path / "a.wav", tmp_path / "out.wav")
    assert recording.frames == 16_000
    assert recording.notes == (
        "The file says 0:06, only 0:01 could be decoded; it was probably cut off. Fetch or upload it again.",
    )


def test_a_wav_with_hardly_anything_of_what_it_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(noise(16_000), data=60 * 32_000))
    with pytest.raises(StageError, match=r"a\.wav was cut off: it says 1:00, but only 1\.0 s could be decoded"):
        notes_of(tmp_path / "a.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("length", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF - 44])
def test_a_wav_from_a_pipe_does_not_know_its_length(tmp_path: Path, length: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav(noise(32_000), riff=min(0xFFFF_FFFF, length + 36), data=length))
    recording = decode(tmp_path / "a.wav", tmp_path / "out.wav")
    assert recording.frames == 32_000
    assert recording.notes == ()


def test_a_flac_from_a_pipe_does_not_know_its_length(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.flac", noise(160_000), 16_000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[21] &= 0xF0  # total samples: 36 bits
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content[: len(content) // 2])
    assert notes_of(tmp_path / "a.flac") == ()


def without_xing(content: bytes) -> bytes:
    return content.replace(b"Xing", b"\0\0\0\0").replace(b"Info", b"\0\0\0\0")


def twice_with_tags(content: bytes) -> bytes:
    tag = b"ID3\x03\0\0" + bytes([0, 3, 0x7F, 0x7F]) + bytes((3 << 14) + (0x7F << 7) + 0x7F)
    return tag + content + tag + content + b"TAG" + bytes(125)


@pytest.mark.parametrize("change", [without_xing, twice_with_tags, lambda content: content + content])
def test_an_mp3_whose_length_is_reckoned_gives_no_false_alarm(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    content = encode(tmp_path / "a.mp3", speech_like(12.0)[None], RATE, "libmp3lame").read_bytes()
    (tmp_path / "a.mp3").write_bytes(change(content))
    assert notes_of(tmp_path / "a.mp3") == ()


def test_a_picture_that_goes_on_is_no_missing_sound(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", sine(440, 3.0, 16_000)[None], 16_000, "flac", picture=True, late_s=2.0)
    assert notes_of(path) == ()


@pytest.mark.parametrize("live", ["0", "1"])
def test_a_recording_of_a_browser_that_was_cut_off_is_noted(tmp_path: Path, live: str) -> None:
    source = encode(tmp_path / "source.webm", speech_like(12.0)[None], RATE, "libopus")
    path, options = tmp_path / "a.webm", {"live": live, "cluster_time_limit": "5000"}
    with av.open(str(source)) as before, path.open("wb") as file:
        pipe: Any = Pipe(file)
        with av.open(pipe, "w", format="webm", options=options) as after:
            stream = after.add_stream_from_template(before.streams.audio[0])
            for packet in before.demux(audio=0):
                if packet.pts is not None:
                    packet.stream = stream
                    after.mux(packet)
    assert notes_of(path) == ()
    content = path.read_bytes()
    for share in (0.5, 0.8, 0.97):
        path.write_bytes(content[: round(share * len(content))])
        assert len(notes_of(path)) == 1
        assert notes_of(path)[0].startswith("The file ends in the middle of its data, after 0:")


class Pipe:
    """A file that cannot be written again at an earlier place."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, content: bytes) -> int:
        return self._file.write(content)
