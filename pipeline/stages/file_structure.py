"""Whether a file ends within one of its parts, by the lengths that its parts tell."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.stages.header_lengths import FIRST_PLACEHOLDER

_EBML_SEGMENT = 0x18538067
_OGG_PAGE_BYTES = 65_307
_CLUSTER, _CLUSTER_TIME = b"\x1f\x43\xb6\x75", b"\xe7"
# Some seconds of picture and sound.
_CLUSTER_BYTES = 8_000_000


def lacks_index(source: Path) -> bool:
    """Whether a file is MP4 or MOV and ends before its index, without which nothing of it can be decoded."""
    with source.open("rb") as file:
        names = {name for name, _ in boxes(file, os.fstat(file.fileno()).st_size)}
    return b"ftyp" in names and b"moov" not in names


def tells_fragments(file: BinaryIO, size: int) -> bool:
    """Whether an MP4 file is whole or has a list of its fragments; FFmpeg reckons a length from the bit rate else."""
    names = {name for name, _ in boxes(file, size)}
    return b"moof" not in names or bool(names & {b"sidx", b"mfra"})


def has_fragments(source: Path) -> bool:
    """Whether an MP4 file is made of fragments, such as segments of DASH that were joined."""
    with source.open("rb") as file:
        return any(name == b"moof" for name, _ in boxes(file, os.fstat(file.fileno()).st_size))


def is_cut_off(name: str, file: BinaryIO, size: int) -> bool:
    """Whether the file ends within a part whose length its header tells."""
    if name == "matroska,webm":
        return _segment_end(file) > size or _ends_within_a_cluster(file, size)
    if name.startswith("mov,"):
        return any(end > size for _, end in boxes(file, size))
    if name == "avi":
        return _avi_end(file, size) > size
    return name == "ogg" and _ends_within_a_page(file, size)


def boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Names and ends of the outer boxes of an MP4 file."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
        elif length == 0:  # up to the end of the file
            length = size - position
        if length < 8 or not name.strip(b"\0").isascii() or not name.strip(b"\0"):
            yield name, size + 1  # nothing behind here can be found
            return
        position += length
        yield name, position


def _avi_end(file: BinaryIO, size: int) -> int:
    """Where an AVI file ends by its header; one above a gibibyte has several parts."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF" or not 0 < length < FIRST_PLACEHOLDER:
            break
        position += 8 + length + length % 2
    return position if position != size + 1 else size


def _segment_end(file: BinaryIO) -> int:
    """Where the segment of a Matroska file ends by its header, 0 where that does not say."""
    file.seek(0)
    head = file.read(4096)
    position = 0
    while position < len(head):
        id_bytes = _vint_length(head[position])
        identity = int.from_bytes(head[position : position + id_bytes], "big")
        position += id_bytes
        if not id_bytes or position >= len(head):
            return 0
        size_bytes = _vint_length(head[position])
        mask = (1 << 7 * size_bytes) - 1
        length = int.from_bytes(head[position : position + size_bytes], "big") & mask
        position += size_bytes
        if identity == _EBML_SEGMENT:
            return 0 if length == mask else position + length
        position += length
    return 0


def _ends_within_a_cluster(file: BinaryIO, size: int) -> bool:
    """Whether the last cluster of a Matroska file is longer than the file; recorders in browsers tell no more."""
    start = max(0, size - _CLUSTER_BYTES)
    file.seek(start)
    tail = file.read()
    position = len(tail)
    while (position := tail.rfind(_CLUSTER, 0, position)) >= 0:
        length, first = _element_size(tail, position + 4)
        if tail[first : first + 1] == _CLUSTER_TIME:
            break
    else:
        return False
    if length is not None:
        return first + length > len(tail)
    position = first
    while position < len(tail):
        identity_bytes = _vint_length(tail[position])
        length, first = _element_size(tail, position + identity_bytes)
        if not identity_bytes or length is None:
            return False
        position = first + length
    return position > len(tail)


def _element_size(content: bytes, position: int) -> tuple[int | None, int]:
    """Read the length of an element (None where it is not told), and where its content begins."""
    size_bytes = _vint_length(content[position]) if position < len(content) else 8
    mask = (1 << 7 * size_bytes) - 1
    length = int.from_bytes(content[position : position + size_bytes], "big") & mask
    return None if length == mask else length, position + size_bytes


def _vint_length(first: int) -> int:
    """Bytes of a number of variable length, by its first byte."""
    return 9 - first.bit_length() if first else 0


def _ends_within_a_page(file: BinaryIO, size: int) -> bool:
    """Whether the last page of an Ogg file is longer than what is left of the file."""
    start = max(0, size - 2 * _OGG_PAGE_BYTES)
    file.seek(start)
    tail = file.read()
    position = tail.rfind(b"OggS\0")
    if position < 0 or len(tail) < position + 27:
        return position >= 0
    n_segments = tail[position + 26]
    lengths = tail[position + 27 : position + 27 + n_segments]
    return position + 27 + n_segments + sum(lengths) > len(tail)
