"""Caption files to cues to utterances: the door to the caption stages."""

import codecs
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import TIME_BEGINS, read_srt, read_vtt
from pipeline.stages.cues import AUTOMATIC, CaptionTrack, Cue, Word
from pipeline.stages.errors import StageError
from pipeline.stages.segmentation import (
    SEGMENTATION_POLICIES,
    SegmentationPolicy,
    Utterance,
    nothing_usable,
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
    "nothing_usable",
    "read_captions",
    "segment",
    "without_speechless",
]

# A day of automatic json3 captions takes some 20 MB; more is no caption file. Reading takes up to 60 times the memory.
MAX_FILE_BYTES = 25_000_000
# A cue of more words than a minute of speech has tells nothing of when they are said.
MAX_CUE_WORDS = 150
# No word of speech has more characters; text without spaces is counted by them.
LONGEST_WORD = 26
# Some four minutes of speech. The classifiers' time grows with the square of some texts, so that no cue may be endless.
MAX_CUE_CHARACTERS = 4_000
# UTF-32 first: its mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_END_OF_FILE = "\x1a"  # of DOS
# More problems than this are counted, not listed.
MAX_PROBLEMS = 50


def read_captions(path: Path) -> CaptionTrack:
    """Read a caption file whose format is told by its content, and by its ending where that is unclear.

    Parameters
    ----------
    path : Path
        An SRT, WebVTT or json3 file in UTF-8, UTF-16 or UTF-32 (with byte-order mark) or Windows-1252.

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
    cues = _without_endless(track.cues, problems)
    if len(problems) > MAX_PROBLEMS:
        problems = [*problems[:MAX_PROBLEMS], f"… and {len(problems) - MAX_PROBLEMS} more problems."]
    return replace(track, cues=cues, problems=tuple(problems))


def _holds_transcript(track: CaptionTrack) -> bool:
    """Tell whether most of the words stand in cues that are much too long."""
    if track.kind == AUTOMATIC:
        return False
    lengths = [max(len(cue.text.split()), len(cue.text) // LONGEST_WORD) for cue in track.cues]
    return 2 * sum(length for length in lengths if length > MAX_CUE_WORDS) > sum(lengths)


def _without_endless(cues: Sequence[Cue], problems: list[str]) -> tuple[Cue, ...]:
    """Leave out cues of more than anybody says in one breath; not even damaged files hold many."""
    kept = tuple(cue for cue in cues if len(cue.text) <= MAX_CUE_CHARACTERS)
    if len(kept) < len(cues):
        problems.append(
            f"cues of more than {MAX_CUE_CHARACTERS} characters, which are left out: {len(cues) - len(kept)}."
        )
    return kept


def _decode(path: Path, problems: list[str]) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise StageError(f"{path.name} is larger than {MAX_FILE_BYTES // 10**6} MB, too large for captions.")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES)  # A device or a pipe has no end.
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error.strerror}.") from error
    text = _text(data, problems).removesuffix(_END_OF_FILE)
    # Two carriage returns where a line end was translated twice.
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _text(data: bytes, problems: list[str]) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = data.decode(encoding, errors="replace")
    broken = text.count("\ufffd")
    # A damaged place or two among accents that are right make no other encoding.
    if encoding != "utf-8" or broken < len(text) - len(text.encode("ascii", "ignore")) - broken:
        problems.append(f"line {line}: characters that are damaged are read as “\ufffd”; their number: {broken}.")
        return text
    problems.append(f"line {line}: the file is not in UTF-8 and is read as Windows-1252; check its accents.")
    return data.decode("cp1252", errors="replace")


def _format(text: str, path: Path) -> str:
    start = text.lstrip()
    if start.startswith("{"):
        return "json3"
    if start.startswith("WEBVTT"):
        return "vtt"
    first_time = next(filter(None, map(TIME_BEGINS.match, text.split("\n"))), None)
    if first_time is not None:
        return "srt" if "," in first_time[0] or path.suffix.lower() == ".srt" else "vtt"
    return path.suffix.lower().lstrip(".") if path.suffix.lower() in {".srt", ".vtt", ".json3"} else "vtt"
