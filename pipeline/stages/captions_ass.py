"""SubStation Alpha (ASS, SSA) to cues."""

import re
from collections.abc import Iterator

from pysubs2 import SSAEvent

from pipeline.stages.captions_times import UnreadableTimeError, clock_ms
from pipeline.stages.cues import CaptionTrack, clean
from pipeline.stages.moments import GatheredCues
from pipeline.stages.unrolling import Chunk, RawCue, assemble, once_each
from pipeline.stages.voices import Voices

# SubStation's usual columns, where a file does not name them.
_COLUMNS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_KARAOKE = re.compile(r"\\[kK][fot]?(\d{1,6})")
_BREAK = re.compile(r"\\[Nn]")
# What old SubStation writes for nobody ("no time processing").
_NO_NAME = "NTP"
_KARAOKE_UNIT_MS = 10
# pysubs2 finds drawings by their commands. Its time grows with the square of opening braces; no subtitle has many.
_MOST_BRACES = 200


def read_ass(text: str) -> CaptionTrack:
    """Read SubStation Alpha: dialogue without comments and drawings; karaoke times become word times.

    Parameters
    ----------
    text : str
        The whole file, decoded, with line feeds.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.
    """
    problems: list[str] = []
    gathered = GatheredCues(problems)
    voices = Voices()
    for number, row in _dialogue(text):
        where = f"line {number}"
        try:
            start_ms, end_ms = clock_ms(row["start"]), clock_ms(row["end"])
        except UnreadableTimeError:
            problems.append(f"{where}: the time cannot be read, so this cue is left out.")
            continue
        if _is_drawing(row["text"]):
            continue
        name = row.get("name", row.get("actor", "")).strip()
        if name.upper() == _NO_NAME:
            name = ""
        lines = _lines(row["text"], start_ms, voices.mark(name) if name else "")
        voices.begun = True
        gathered.add(RawCue(start_ms, end_ms, lines), where)
    raw_cues = [cue for cue in gathered.settled() if cue.shown]
    # Programs sort the lines by style or layer as they like.
    raw_cues.sort(key=lambda cue: cue.start_ms)
    cues, kind = assemble(once_each(raw_cues, problems))
    return CaptionTrack(cues, "ass", kind, tuple(problems), voices.first)


def _is_drawing(text: str) -> bool:
    return "\\p" in text and text.count("{") <= _MOST_BRACES and SSAEvent(text=text).is_drawing


def _dialogue(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each line of dialogue by its columns, which the file may name in another order."""
    columns: tuple[str, ...] = _COLUMNS
    for number, line in enumerate(text.split("\n"), start=1):
        kind, colon, rest = line.strip().partition(":")
        if kind == "Format" and "text" in rest.lower() and "start" in rest.lower():
            columns = tuple(name.strip().lower() for name in rest.split(","))
        elif kind == "Dialogue" and colon:
            row = dict(zip(columns, rest.split(",", len(columns) - 1), strict=False))
            if {"start", "end", "text"} <= row.keys():
                yield number, row


def _lines(text: str, start_ms: int, mark: str) -> tuple[tuple[Chunk, ...], ...]:
    """Cut a text at its line breaks and karaoke times, without its other overrides."""
    lines: list[tuple[Chunk, ...]] = []
    time_ms = start_ms
    for line in _BREAK.split(text.replace(r"\h", " ")):
        chunks = [Chunk(mark)] if mark else []
        mark, position, pending = "", 0, None
        for match in [*_OVERRIDE.finditer(line), None]:
            said = clean(line[position : match.start() if match else None])
            if said:
                chunks.append(Chunk(said, pending))
                pending = None
            if match is None:
                break
            position = match.end()
            for length in _KARAOKE.findall(match[0]):
                pending = time_ms
                time_ms += int(length) * _KARAOKE_UNIT_MS
        lines.append(tuple(chunks))
    return tuple(lines)
