"""Caption files to cues to utterances: the door to the caption stages."""

import codecs
from pathlib import Path

from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import TIME_ARROW, read_srt, read_vtt
from pipeline.stages.cues import AUTOMATIC, CaptionTrack, Cue, Word
from pipeline.stages.errors import StageError
from pipeline.stages.segmentation import (
    SEGMENTATION_POLICIES,
    SegmentationPolicy,
    Utterance,
    segment,
    without_speechless,
)

__all__ = [
    "SEGMENTATION_POLICIES",
    "CaptionTrack",
    "Cue",
    "SegmentationPolicy",
    "Utterance",
    "Word",
    "read_captions",
    "segment",
    "without_speechless",
]

# A day of automatic json3 captions takes some 20 MB; more is no caption file. Reading takes up to 60 times the memory.
MAX_FILE_BYTES = 25_000_000
# A cue of more words than a minute of speech has tells nothing of when they are said.
MAX_CUE_WORDS = 150
# More problems than this are counted, not listed.
MAX_PROBLEMS = 50


def read_captions(path: Path) -> CaptionTrack:
    """Read a caption file whose format is told by its content, and by its ending where that is unclear.

    Parameters
    ----------
    path : Path
        An SRT, WebVTT or json3 file in UTF-8, UTF-16 (with byte-order mark) or Windows-1252.

    Returns
    -------
    CaptionTrack
        At least one cue, in the order of the file; what could not be read is in ``problems``.

    Raises
    ------
    StageError
        If nothing in the file can be read as captions.
    """
    problems: list[str] = []
    text = _decode(path, problems)
    if not text.strip():
        raise StageError(f"{path.name} is empty; give a caption file in the SRT, WebVTT or json3 format.")
    track = {"json3": read_json3, "vtt": read_vtt, "srt": read_srt}[_format(text, path)](text)
    problems += track.problems
    if not track.cues:
        detail = f" First problem: {problems[0]}" if problems else ""
        raise StageError(f"No captions can be read from {path.name}; give an SRT, WebVTT or json3 file.{detail}")
    if _holds_transcript(track):
        raise StageError(
            f"{path.name} holds a whole transcript in one cue, so that nothing tells when each sentence is said; "
            "give captions in which every sentence or line has its own times."
        )
    if len(problems) > MAX_PROBLEMS:
        problems = [*problems[:MAX_PROBLEMS], f"… and {len(problems) - MAX_PROBLEMS} more problems."]
    return CaptionTrack(track.cues, track.format, track.kind, tuple(problems))


def _holds_transcript(track: CaptionTrack) -> bool:
    """Tell whether most of the words stand in cues that are much too long."""
    if track.kind == AUTOMATIC:
        return False
    lengths = [len(cue.text.split()) for cue in track.cues]
    return 2 * sum(length for length in lengths if length > MAX_CUE_WORDS) > sum(lengths)


def _decode(path: Path, problems: list[str]) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise StageError(f"{path.name} is larger than {MAX_FILE_BYTES // 10**6} MB, too large for captions.")
        data = path.read_bytes()
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error.strerror}.") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            problems.append(f"line {line}: the file is not in UTF-8 and is read as Windows-1252; check its accents.")
            text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _format(text: str, path: Path) -> str:
    start = text.lstrip()
    if start.startswith("{"):
        return "json3"
    if start.startswith("WEBVTT"):
        return "vtt"
    first_time = next((line for line in text.split("\n") if TIME_ARROW in line), "")
    if first_time:
        return "srt" if "," in first_time.partition(TIME_ARROW)[0] else "vtt"
    return path.suffix.lower().lstrip(".") if path.suffix.lower() in {".srt", ".vtt", ".json3"} else "vtt"
