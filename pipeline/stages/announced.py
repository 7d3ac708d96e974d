"""How long a recording should be by its own header, to tell where a file was cut off."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.stages.file_structure import is_cut_off, tells_fragments
from pipeline.stages.header_lengths import asf_s, avi_s, caf_s, mp3_s, w64_s
from pipeline.stages.wav_header import wav_header

# Encoders pad to whole packets and headers round: a tenth of a second. The rest is for clocks that are not exact.
TOLERANCE_S = 0.5
TOLERANCE_SHARE = 0.001
# Formats whose duration FFmpeg reads from a header. It reckons that of others from the bit rate (AAC, AC-3, MP3 without
# a Xing header) or from the last time stamp in the file (Ogg, MPEG-TS), which both fit a file that was cut off.
WITH_HEADER = frozenset({"aiff", "ape", "au", "flac", "flv", "tta", "wv"})
# Duration, a float of four or eight bytes.
_EBML_DURATION = re.compile(rb"\x44\x89(\x84....|\x88........|\x01\0\0\0\0\0\0[\x04\x08])", re.DOTALL)


@dataclass(frozen=True)
class Announced:
    """What a file says of its length.

    Attributes
    ----------
    duration_s : float or None
        Seconds of sound; None where it does not say.
    cut_off : bool
        Whether the file ends within one of its parts.
    """

    duration_s: float | None
    cut_off: bool

    def missing_s(self, decoded_s: float) -> float:
        """Seconds that are missing at the end, 0 where the difference is no more than rounding."""
        if self.duration_s is None:
            return 0.0
        missing_s = self.duration_s - decoded_s
        return missing_s if missing_s > TOLERANCE_S + TOLERANCE_SHARE * self.duration_s else 0.0

    def fits(self, length_s: float) -> bool:
        """Whether a length is what the file says, but for rounding."""
        return self.duration_s is not None and abs(self.duration_s - length_s) <= TOLERANCE_S


def announced(source: Path, container: Any, stream: Any) -> Announced:
    """Read what an open container and the file say of the sound's length."""
    name = container.format.name
    with source.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        cut_off = is_cut_off(name, file, size)
        duration_s: float | None = None
        match name:
            case "wav":
                header = wav_header(file, size)
                duration_s = header.duration_s
                if duration_s is not None and header.is_sound:
                    duration_s += header.beyond_s
            case "w64":
                duration_s = w64_s(file)
            case "caf":
                duration_s = caf_s(file, stream)
            case "asf":
                duration_s = asf_s(file)
            case "mp3":
                duration_s = _mp3_s(file, stream)
            case "avi":
                # The count takes in chunks without sound, which FFmpeg writes where the sound starts late.
                duration_s = avi_s(file) if cut_off else None
            case "matroska,webm":
                duration_s = _matroska_s(file, container, stream)
            case _ if name.startswith("mov,"):
                duration_s = _stream_s(container, stream) if tells_fragments(file, size) else None
            case _ if name in WITH_HEADER:
                duration_s = _stream_s(container, stream)
    return Announced(duration_s, cut_off)


def _stream_s(container: Any, stream: Any) -> float | None:
    """The duration of the sound itself, as FFmpeg read it; that of the container may be its picture's."""
    if stream.duration is not None:
        duration_s = float(stream.duration * stream.time_base)
    elif len(container.streams) == 1:
        duration_s = (container.duration or 0) / 1_000_000
    else:
        duration_s = None
    return _from_start(duration_s, container) if container.format.name == "flv" else duration_s or None


def _mp3_s(file: BinaryIO, stream: Any) -> float | None:
    """The length that the header counts; FFmpeg knows besides how much the encoder has added."""
    duration_s = mp3_s(file)
    if duration_s is None or stream.duration is None:
        return duration_s
    cut_s = float(stream.duration * stream.time_base)
    return cut_s if abs(cut_s - duration_s) < TOLERANCE_S else duration_s


def _from_start(end_s: float | None, container: Any) -> float | None:
    """The length of sound that ends at a time; Matroska and FLV tell the end, and their stamps may begin late."""
    start_s = max(0, container.start_time or 0) / 1_000_000
    return end_s - start_s if end_s and end_s > start_s else None


def _matroska_s(file: BinaryIO, container: Any, stream: Any) -> float | None:
    """The length of the track if the file tells it, and else that of the segment where there is no picture."""
    end_s = _clock_s(stream.metadata.get("DURATION") or stream.metadata.get("DURATION-eng") or "")
    file.seek(0)
    # FFmpeg reckons a length from the bit rate where the segment tells none.
    if end_s is None and not container.streams.video and _EBML_DURATION.search(file.read(4096)):
        end_s = (container.duration or 0) / 1_000_000
    return _from_start(end_s, container)


def _clock_s(text: str) -> float | None:
    """Seconds of a text such as 00:00:56.801000000."""
    try:
        hours, minutes, seconds = text.strip("\0 ").split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None
