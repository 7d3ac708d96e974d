"""Headers of WAV files: how long the sound should be, and whether the file holds more than they tell."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.stages.header_lengths import FIRST_PLACEHOLDER

# Lengths not known yet lie around the half and the whole of 32 bits, with headers counted in or out.
_LAST_PLACEHOLDER, _LARGE_PLACEHOLDER = 0x8000_1000, 0xFFFF_0000
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# Both kinds of ADPCM, and GSM: the format tells how many samples a block holds.
_WITH_BLOCKS = {2, 0x11, 0x31}
# What stands behind the sound and is no chunk is padding or a tag below this.
_MIN_REST_S = 0.5
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
# More than any file has; a search through garbage is to end.
_MAX_CHUNKS = 10_000


@dataclass(frozen=True)
class WavHeader:
    """What the header of a WAV file says.

    Attributes
    ----------
    duration_s : float or None
        Seconds of sound; None where the header was written before the sound and never again.
    beyond_s : float
        Seconds that lie behind the sound and are neither chunks nor tags; 0 where there are none.
    is_sound : bool
        Whether these are sound, by the length of the whole file in the header.
    """

    duration_s: float | None
    beyond_s: float = 0.0
    is_sound: bool = False


def read_wav_header(source: Path) -> WavHeader:
    """Read the header of a file; one that tells nothing where it is no WAV file."""
    with source.open("rb") as file:
        return wav_header(file, os.fstat(file.fileno()).st_size)


def wav_header(file: BinaryIO, size: int) -> WavHeader:
    """Read the header of a WAV, RF64 or RIFX file of so many bytes."""
    file.seek(0)
    riff = file.read(12)
    if riff[:4] not in (b"RIFF", b"RF64", b"RIFX") or riff[8:] != b"WAVE":
        return WavHeader(None)
    order = ">" if riff[:4] == b"RIFX" else "<"
    bytes_per_s, samples_per_s, samples, large = 0.0, 0, 0, 0
    for kind, start, length in _chunks(file, size, order):
        file.seek(start)
        if kind == b"ds64":
            large = struct.unpack("<Q", file.read(16)[8:].ljust(8, b"\0"))[0]
        elif kind == b"fmt ":
            bytes_per_s, samples_per_s = _rates(file.read(40), order)
        elif kind == b"fact":
            samples = struct.unpack(order + "I", file.read(4).ljust(4, b"\0"))[0]
        elif kind == b"data":
            if length == 0xFFFF_FFFF and large:
                length = large
            elif _is_placeholder(length):
                return WavHeader(None)
            if samples_per_s and not _is_placeholder(samples):
                return WavHeader(samples / samples_per_s)
            if not bytes_per_s:
                return WavHeader(None)
            beyond_s = (size - start - length) / bytes_per_s
            if beyond_s < _MIN_REST_S or _is_known(file, size, start + length, order):
                return WavHeader(length / bytes_per_s)
            riff_bytes = struct.unpack(order + "I", riff[4:8])[0]
            # A length has 32 bits, and begins anew behind them.
            is_sound = riff_bytes not in range(start + length - 8, start + length + 9) or size > 1 << 32
            return WavHeader(length / bytes_per_s, beyond_s, is_sound)
    return WavHeader(None)


def _is_placeholder(length: int) -> bool:
    return not length or FIRST_PLACEHOLDER <= length <= _LAST_PLACEHOLDER or length >= _LARGE_PLACEHOLDER


def _chunks(file: BinaryIO, size: int, order: str, position: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and length of each chunk."""
    for _ in range(_MAX_CHUNKS):
        if position + 8 > size:
            return
        file.seek(position)
        kind, length = struct.unpack(order + "4sI", file.read(8))
        yield kind, position + 8, length
        position += 8 + length + length % 2


def _rates(content: bytes, order: str) -> tuple[float, int]:
    """Bytes a second; and samples a second where only the count of samples tells the length, else 0.

    The bytes a second in the header are wrong in the files of many programs, FFmpeg's ADPCM among them.
    """
    if len(content) < 16:
        return 0.0, 0
    tag, channels, rate, bytes_per_s, block, bits = struct.unpack_from(order + "HHIIHH", content)
    if tag == _EXTENSIBLE and len(content) >= 26:
        tag = struct.unpack_from(order + "H", content, 24)[0]
    if tag in (_PCM, _FLOAT, _A_LAW, _MU_LAW):
        return float(channels * -(-bits // 8) * rate), 0
    if tag in _WITH_BLOCKS and len(content) >= 20 and (in_block := struct.unpack_from(order + "H", content, 18)[0]):
        return block * rate / in_block, 0
    return float(bytes_per_s), rate


def _is_known(file: BinaryIO, size: int, position: int, order: str) -> bool:
    """Whether chunks or tags stand behind the sound."""
    file.seek(position)
    head = file.read(16)
    if head.startswith(_TAGS) or head[1:].startswith(_TAGS):
        return True
    for at in (position + position % 2, position):
        names = [(kind, start + length) for kind, start, length in _chunks(file, size, order, at)]
        if names and all(kind.isascii() and kind.decode().isprintable() for kind, _ in names) and names[-1][1] <= size:
            return True
    return False
