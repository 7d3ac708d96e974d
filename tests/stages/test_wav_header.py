"""WAV files as programs leave them: lengths and rates in the header that are wrong, and sound behind what it tells."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from pipeline.stages.audio import decode
from pipeline.stages.wav_header import WavHeader, read_wav_header
from tests.stages.sounds import encode, noise, sine

RATE = 16_000
SOUND = noise(6 * RATE)
CUT_OFF = "it was probably cut off"


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    return kind + struct.pack("<I", len(content) if length is None else length) + content


def wav(path: Path, *chunks: bytes, riff: int | None = None, bytes_per_s: int = 2 * RATE) -> Path:
    form = struct.pack("<HHIIHH", 1, 1, RATE, bytes_per_s, 2, 16)
    body = b"WAVE" + chunk(b"fmt ", form) + b"".join(chunks)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body)
    return path


def decoded(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    recording = decode(path, path.with_name("out.wav"))
    return sf.read(recording.path, dtype="int16")[0], recording.notes


@pytest.mark.parametrize("bytes_per_s", [0, RATE // 2, RATE, 8 * RATE])
def test_the_bytes_a_second_in_the_header_do_not_matter(tmp_path: Path, bytes_per_s: int) -> None:
    samples, notes = decoded(wav(tmp_path / "a.wav", chunk(b"data", SOUND.tobytes()), bytes_per_s=bytes_per_s))
    assert notes == ()
    assert (samples == SOUND).all()


@pytest.mark.parametrize(
    ("codec", "rate_hz"), [("adpcm_ima_wav", 48_000), ("adpcm_ms", 48_000), ("pcm_mulaw", 8_000), ("pcm_alaw", 8_000)]
)
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_compressed_sound_in_wav_is_noted_only_where_it_is_cut_off(
    tmp_path: Path, codec: str, rate_hz: int, share: float
) -> None:
    path = encode(tmp_path / "a.wav", sine(440, 6.0, rate_hz)[None], rate_hz, codec)
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    samples, notes = decoded(path)
    assert len(samples) == pytest.approx(share * 6 * RATE, rel=0.02)
    assert [CUT_OFF in note and "says 0:06" in note for note in notes] == ([] if share == 1 else [True])


@pytest.mark.parametrize("told_s", [0.5, 3])
def test_sound_behind_the_told_length_is_taken_where_the_file_says_that_it_is_longer(
    tmp_path: Path, told_s: float
) -> None:
    samples, notes = decoded(wav(tmp_path / "a.wav", chunk(b"data", SOUND.tobytes(), round(told_s * 2 * RATE))))
    assert (samples == SOUND).all()
    assert len(notes) == 1
    assert "follow; they were taken as well" in notes[0]


def test_data_behind_the_told_end_of_the_file_are_left_out_and_noted(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", chunk(b"data", SOUND[: 4 * RATE].tobytes()))
    path.write_bytes(path.read_bytes() + SOUND[4 * RATE :].tobytes())
    samples, notes = decoded(path)
    assert len(samples) == 4 * RATE
    assert notes == (
        "The file's header tells 0:04 of sound, but data for 0:02 more follow behind it; they were left out. If they "
        "are sound, write the file again with a right header.",
    )


@pytest.mark.parametrize(
    "behind",
    [
        chunk(b"LIST", b"INFO" + bytes(200_000)),
        chunk(b"LIST", b"INFO" + bytes(200_000)) + chunk(b"id3 ", bytes(100_000)),
        b"ID3\x03" + bytes(200_000),
        b"TAG" + bytes(125),
        bytes(2_000),
    ],
    ids=["list", "two chunks", "tag", "short tag", "padding"],
)
@pytest.mark.parametrize("riff", [None, 0])
def test_chunks_and_tags_behind_the_sound_are_no_sound(tmp_path: Path, behind: bytes, riff: int | None) -> None:
    samples, notes = decoded(wav(tmp_path / "a.wav", chunk(b"data", SOUND.tobytes()), behind, riff=riff))
    assert notes == ()
    assert (samples == SOUND).all()


def test_a_length_that_began_anew_behind_32_bits_is_known(tmp_path: Path) -> None:
    # Sparse: six hours at 96 kHz in two channels of 24 bits.
    length = 6 * 3600 * 96_000 * 6
    form = struct.pack("<HHIIHH", 1, 2, 96_000, 576_000, 6, 24)
    head = b"RIFF" + struct.pack("<I", (length + 36) % 2**32) + b"WAVE" + chunk(b"fmt ", form)
    head += b"data" + struct.pack("<I", length % 2**32)
    with (tmp_path / "a.wav").open("wb") as file:
        file.write(head)
        file.truncate(len(head) + length)
    header = read_wav_header(tmp_path / "a.wav")
    assert header.is_sound
    assert (header.duration_s or 0) + header.beyond_s == pytest.approx(6 * 3600)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt ", b"RIFF\0\0\0\0AVI LIST"]
)
def test_what_is_no_whole_header_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert read_wav_header(tmp_path / "a.wav") == WavHeader(None)
