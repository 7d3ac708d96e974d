"""Lengths of sound in the headers of files that FFmpeg fits to the length of the file."""

import struct
from typing import Any, BinaryIO

# Sizes that stand for "not known yet" in headers of recordings that were written into a pipe or never closed:
# 0, 0xFFFFFFFF, and SoX's, MPlayer's and arecord's 0x7FFFF000 to 0x80000000.
FIRST_PLACEHOLDER = 0x7FFF_F000
# FFmpeg writes this into AVI files that go into a pipe.
FIRST_AVI_PLACEHOLDER = 1 << 30
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_W64_DATA = b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
_HEAD_BYTES = 65_536
# Sampling rates of MPEG 1 by index; MPEG 2 has half of them, and MPEG 2.5 a quarter.
_MPEG_RATES_HZ = (44_100, 48_000, 32_000)


def w64_s(file: BinaryIO) -> float | None:
    file.seek(0)
    head = file.read(4096)
    rate_at, data_at = head.find(b"fmt "), head.find(_W64_DATA)
    if rate_at < 0 or data_at < 0 or len(head) < max(rate_at + 36, data_at + 24):
        return None
    rate = struct.unpack_from("<I", head, rate_at + 32)[0]
    length = struct.unpack_from("<Q", head, data_at + 16)[0] - 24
    return length / rate if rate and 0 < length < 1 << 60 else None


def caf_s(file: BinaryIO, stream: Any) -> float | None:
    """Length of the data chunk of uncompressed sound; -1 stands for "not known yet"."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    position, frame_bytes = 8, 0
    while position + 12 <= len(head):
        kind, length = struct.unpack_from(">4sq", head, position)
        if kind == b"desc" and position + 44 <= len(head):
            bytes_per_packet, frames_per_packet = struct.unpack_from(">II", head, position + 28)
            frame_bytes = bytes_per_packet if frames_per_packet == 1 else 0
        elif kind == b"data":
            return (length - 4) / frame_bytes / stream.rate if length > 4 and frame_bytes else None
        if length < 0:
            return None
        position += 12 + length
    return None


def asf_s(file: BinaryIO) -> float | None:
    """Playing time without the preroll, unless the file is marked as a broadcast whose length is not known."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    position = head.find(_ASF_FILE_PROPERTIES)
    if position < 0 or position + 92 > len(head):
        return None
    playing, _, preroll_ms, flags = struct.unpack_from("<QQQI", head, position + 64)
    duration_s = float(playing / 1e7 - preroll_ms / 1000)
    return duration_s if not flags & 1 and duration_s > 0 else None


def avi_s(file: BinaryIO) -> float | None:
    """Length of the first sound stream in its header; 0 where the file was not closed."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    position = head.find(b"strh")
    while position >= 0 and position + 44 <= len(head):
        if head[position + 8 : position + 12] == b"auds":
            scale, rate, _, length = struct.unpack_from("<4I", head, position + 28)
            return length * scale / rate if rate and 0 < length < FIRST_AVI_PLACEHOLDER else None
        position = head.find(b"strh", position + 4)
    return None


def mp3_s(file: BinaryIO) -> float | None:
    """Length by the Xing, Info or VBRI header of an MP3 file, which counts its packets."""
    file.seek(0)
    head = file.read(10)
    start = 0
    while head[:3] == b"ID3" and len(head) == 10:
        start += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(start)
        head = file.read(10)
    file.seek(start)
    content = file.read(4096)
    sync = next((at for at in range(len(content) - 3) if content[at] == 0xFF and content[at + 1] & 0xE0 == 0xE0), -1)
    if sync < 0:
        return None
    version, rate_index = content[sync + 1] >> 3 & 3, content[sync + 2] >> 2 & 3
    if version == 1 or rate_index == 3:
        return None
    rate_hz = _MPEG_RATES_HZ[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    packets = 0
    for name in (b"Xing", b"Info"):
        position = content.find(name, sync, sync + 64)
        if 0 <= position <= len(content) - 12 and content[position + 7] & 1:
            packets = struct.unpack_from(">I", content, position + 8)[0]
    position = content.find(b"VBRI", sync, sync + 64)
    if 0 <= position <= len(content) - 18:
        packets = struct.unpack_from(">I", content, position + 14)[0]
    return packets * (1152 if version == 3 else 576) / rate_hz or None
