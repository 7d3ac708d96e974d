"""Which format a caption file has, told by its content, and by its ending where that is unclear."""

import re
from collections.abc import Callable
from pathlib import Path

from pipeline.stages.caption_strangers import refuse_stranger
from pipeline.stages.captions_ass import read_ass
from pipeline.stages.captions_lines import (
    LOG_LINE,
    MICRODVD_LINE,
    MPL2_LINE,
    SBV_TIMES,
    START_LINE,
    read_microdvd,
    read_mpl2,
    read_sbv,
    read_starts,
    read_whisper_log,
)
from pipeline.stages.captions_markup import parted
from pipeline.stages.captions_sami import read_sami
from pipeline.stages.captions_tables import is_table, read_labels, read_table
from pipeline.stages.captions_text import read_srt, read_vtt
from pipeline.stages.captions_times import TIME_BEGINS, plain_digits
from pipeline.stages.captions_transcripts import is_transcript, read_transcript
from pipeline.stages.captions_whisper import read_json
from pipeline.stages.captions_xml import read_ttml, read_youtube_xml
from pipeline.stages.cues import CaptionTrack
from pipeline.stages.normal_text import with_line_feeds
from pipeline.stages.xml_names import local_name

Reader = Callable[[str], CaptionTrack]

_JSON = re.compile(r"""\{\s*(?:["'}]|\Z)|\[\s*(?:\[\s*)?[{\]]""")
_XML_PROLOGUE = re.compile(r"\s*<(?:\?[^>]*|!--(?:(?!-->).)*--|!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?)>", re.DOTALL)
_XML_ROOT = re.compile(r"\s*<([\w:-]+)")
_XML_READERS: dict[str, Reader] = {
    "tt": read_ttml,
    "transcript": read_youtube_xml,
    "timedtext": read_youtube_xml,
    "sami": read_sami,
}
_ASS = re.compile(r"^\s*(?:\[(?:Script Info|V4\+? Styles|Events)\]|Dialogue:)", re.IGNORECASE | re.MULTILINE)
_AUDACITY = re.compile(r"(?:\d{1,9}(?:[.,]\d{1,9})?\t){2}")
# So many lines of a file are looked at to tell its format.
_LINES_LOOKED_AT = 200
# Lines that begin with a time make a transcript where at least two do so; one may be speech ("9:30 is fine").
_LEAST_STARTS = 2
_LINE_READERS: tuple[tuple[re.Pattern[str], int, Reader], ...] = (
    (SBV_TIMES, 1, read_sbv),
    (LOG_LINE, 1, read_whisper_log),
    (MICRODVD_LINE, 1, read_microdvd),
    (MPL2_LINE, 1, read_mpl2),
    (START_LINE, _LEAST_STARTS, read_starts),
)


def read_format(text: str, path: Path) -> CaptionTrack:
    """Read the text of a caption file in whichever format it is.

    Parameters
    ----------
    text : str
        The whole file, decoded.
    path : Path
        Its ending counts where the content does not tell.

    Returns
    -------
    CaptionTrack
        Possibly without cues.

    Raises
    ------
    StageError
        If the file is of a kind that is not read, or is no captions at all.
    """
    start = text.lstrip("\ufeff \t\r\n")
    if _JSON.match(start) and not MICRODVD_LINE.match(start):
        return read_json(text)
    if start.startswith("<") and (reader := _XML_READERS.get(_xml_root(start))) is not None:
        return reader(start)
    text = parted(with_line_feeds(text))
    return _reader(text, text.lstrip("\ufeff \t\n"), path)(text)


def _xml_root(text: str) -> str:
    """Give the name of a file's first element, behind what may stand in front of it; empty if there is none."""
    position = 0
    while (prologue := _XML_PROLOGUE.match(text, position)) is not None:
        position = prologue.end()
    root = _XML_ROOT.match(text, position)
    return local_name(root[1]).lower() if root else ""


def _reader(text: str, start: str, path: Path) -> Reader:
    if start.startswith("WEBVTT"):
        return read_vtt
    if is_table(start):
        return read_table
    if start.startswith("{\\rtf"):  # It may hold times.
        refuse_stranger(start, path)
    lines = [plain_digits(line) for line in text.split("\n")]
    first_time = next(filter(None, map(TIME_BEGINS.match, lines)), None)
    if first_time is not None:
        of_srt = "," in first_time[0] or ">" not in first_time[0] or path.suffix.lower() == ".srt"
        return read_srt if of_srt else read_vtt
    if _ASS.search(start[:5000]):
        return read_ass
    if _AUDACITY.match(start):
        return read_labels
    if is_transcript(lines):
        return read_transcript
    looked_at = [line for line in lines if line.strip()][:_LINES_LOOKED_AT]
    for pattern, least, reader in _LINE_READERS:
        if sum(pattern.fullmatch(line) is not None for line in looked_at) >= least:
            return reader
    refuse_stranger(start, path)
    return read_srt if path.suffix.lower() == ".srt" else read_vtt
