"""A Matroska file in which each block of sound has any time stamp, which FFmpeg's own writer does not allow."""

import struct
from pathlib import Path

import numpy as np


def _element(identity: str, content: bytes) -> bytes:
    return bytes.fromhex(identity) + struct.pack(">Q", len(content) | 1 << 56) + content


def _number(identity: str, value: int) -> bytes:
    return _element(identity, value.to_bytes(8, "big"))


def write_matroska(path: Path, blocks: list[tuple[int, np.ndarray]], rate_hz: int = 16_000) -> Path:
    """Write blocks of int16 mono samples, each with its time stamp in milliseconds."""
    head = _element("1A45DFA3", _element("4282", b"matroska") + _number("4287", 2) + _number("4285", 2))
    audio = _element("B5", struct.pack(">d", rate_hz)) + _number("9F", 1) + _number("6264", 16)
    track = _number("D7", 1) + _number("73C5", 1) + _number("83", 2)
    track += _element("86", b"A_PCM/INT/LIT") + _element("E1", audio)
    content = _element("1549A966", _number("2AD7B1", 1_000_000)) + _element("1654AE6B", _element("AE", track))
    for time_ms, samples in blocks:
        block = _element("A3", b"\x81\x00\x00\x80" + samples.astype("<i2").tobytes())
        content += _element("1F43B675", _number("E7", time_ms) + block)
    path.write_bytes(head + _element("18538067", content))
    return path


def packets(
    samples: np.ndarray, start_ms: int, length_ms: int = 20, rate_hz: int = 16_000
) -> list[tuple[int, np.ndarray]]:
    """Cut samples into blocks of some milliseconds, stamped one behind the other."""
    step = length_ms * rate_hz // 1000
    return [(start_ms + 1000 * at // rate_hz, samples[at : at + step]) for at in range(0, len(samples), step)]
