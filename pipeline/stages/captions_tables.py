"""Tables with a cue per row: Whisper's TSV and CSV, whisper.cpp's CSV with speakers, and labels of Audacity."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from pipeline.stages.captions_lines import lines_of, numbered, track_of
from pipeline.stages.captions_times import UnreadableTimeError, clock_ms
from pipeline.stages.cues import CaptionTrack
from pipeline.stages.unrolling import Chunk
from pipeline.stages.voices import Voices

_HEADINGS = {
    "start": {"start", "start time", "start_time", "starttime", "begin", "from", "start (s)", "start_s", "start_ms"},
    "end": {"end", "end time", "end_time", "endtime", "to", "end (s)", "end_s", "end_ms"},
    "text": {"text", "transcript", "caption", "subtitle", "sentence", "utterance"},
    "speaker": {"speaker", "speaker name", "speaker_name", "name"},
}
# Whole numbers are milliseconds, unless most rows would last less than this.
_SHORTEST_MS = 100
# whisper.cpp's speaker that it could not tell.
_UNKNOWN = "?"
_NUMBER = re.compile(r"-?\d{1,12}(?:[.,]\d{1,12})?")


@dataclass(frozen=True)
class _Columns:
    """Where a table has its cells; ``speaker`` is None where it names nobody."""

    delimiter: str
    width: int
    start: int
    end: int
    text: int
    speaker: int | None = None


_AUDACITY = _Columns("\t", 3, 0, 1, 2)


def is_table(text: str) -> bool:
    """Tell whether the first line is a heading with a start, an end and a text."""
    return _columns(text.lstrip().partition("\n")[0]) is not None


def _columns(heading: str) -> _Columns | None:
    for delimiter in "\t;,":
        cells = [cell.strip(' "\ufeff').lower() for cell in heading.split(delimiter)]
        at = {part: [n for n, cell in enumerate(cells) if cell in names] for part, names in _HEADINGS.items()}
        if all(len(at[part]) == 1 for part in ("start", "end", "text")):
            speaker = at["speaker"][0] if at["speaker"] else None
            return _Columns(delimiter, len(cells), at["start"][0], at["end"][0], at["text"][0], speaker)
    return None


def read_table(text: str) -> CaptionTrack:
    """Read a table with a heading: start and end (milliseconds, seconds or clock), text, and perhaps speaker.

    Parameters
    ----------
    text : str
        The whole file, decoded.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.
    """
    columns = _columns(text.lstrip().partition("\n")[0])
    rows = list(numbered(text))[1:]
    return _read(rows, columns or _AUDACITY)


def read_labels(text: str) -> CaptionTrack:
    """Read labels of Audacity: start and end in seconds, and a text; result as of `read_table`."""
    return _read(list(numbered(text)), _AUDACITY, unit_ms=1000)


def _read(lines: Sequence[tuple[int, str]], columns: _Columns, *, unit_ms: int | None = None) -> CaptionTrack:
    problems: list[str] = []
    rows = [(number, _cells(line, columns)) for number, line in lines]
    if unit_ms is None:
        unit_ms = _unit_ms([cells for _, cells in rows], columns)
    voices = Voices()
    found: list[tuple[str, int, int, tuple[tuple[Chunk, ...], ...]]] = []
    for number, cells in rows:
        try:
            start_ms, end_ms = (_time_ms(cells[at], unit_ms) for at in (columns.start, columns.end))
            said = cells[columns.text]
        except (IndexError, UnreadableTimeError):
            problems.append(f"line {number}: the time cannot be read, so this cue is left out.")
            continue
        if not said.strip():
            continue
        shown = lines_of(said)
        if columns.speaker is not None:
            name = cells[columns.speaker].strip() if columns.speaker < len(cells) else ""
            mark = voices.mark("" if name == _UNKNOWN else name)
            shown = ((Chunk(mark), *shown[0]), *shown[1:]) if mark else shown
        voices.begun = True
        found.append((f"line {number}", start_ms, end_ms, shown))
    return replace(track_of(found, "table", problems), voice=voices.first)


def _cells(line: str, columns: _Columns) -> list[str]:
    """Divide a row; a delimiter too many belongs to the text, if that comes last."""
    # Whisper's TSV quotes nothing; its CSV always does.
    tabs = columns.delimiter == "\t"
    try:
        cells = line.split("\t") if tabs else next(csv.reader([line], delimiter=columns.delimiter), [])
    except csv.Error:  # A cell of more than 131,072 characters, by a quotation mark that is never closed.
        return []
    if columns.text == columns.width - 1 < len(cells) - 1:
        return [*cells[: columns.text], columns.delimiter.join(cells[columns.text :])]
    return cells


def _unit_ms(rows: Sequence[list[str]], columns: _Columns) -> int:
    """Tell milliseconds from seconds: these have fractions, or make the rows far too short."""
    lengths: list[float] = []
    for cells in rows:
        times = [cells[at].strip() for at in (columns.start, columns.end) if at < len(cells)]
        if len(times) < 2 or not all(map(_NUMBER.fullmatch, times)):
            continue
        if any("." in time or "," in time for time in times):
            return 1000
        lengths.append(float(times[1]) - float(times[0]))
    return 1000 if lengths and median(lengths) < _SHORTEST_MS else 1


def _time_ms(cell: str, unit_ms: int) -> int:
    written = cell.strip()
    if _NUMBER.fullmatch(written):
        return max(0, round(float(written.replace(",", ".")) * unit_ms))
    if ":" not in written:
        raise UnreadableTimeError
    return clock_ms(written)
