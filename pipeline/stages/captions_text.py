"""SRT and WebVTT to cues."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pysrt

from pipeline.stages.cues import MAX_TIME_MS, CaptionTrack, clean, voice_mark
from pipeline.stages.karaoke import markup_of_words
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, once_each

# Parts of a second are left out by some programs, and given to the microsecond by others.
_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?"
# Also as typed by hand, or made typographic by a word processor.
_ARROW = r"(?:-{1,3}>|[\u2013\u2014]>|→)"
# What looks like a time in front of an arrow, be it right or wrong.
TIME_BEGINS = re.compile(rf"\s*-?\d+:[^\s>]*?\s*{_ARROW}")
_TIME_LINE = re.compile(rf"\s*{_CLOCK}\s*{_ARROW}\s*{_CLOCK}(?:\s.*)?")
# A tag's name follows at once: "2 < 3" is text. Wrong word times are tags too.
_TAG = r"</?[a-zA-Z.][^<>]*>|<[/\d:.,]*>"
_INLINE = re.compile(rf"<{_CLOCK}>|<v(?:\.[^<>\s]*)?[ \t](?P<voice>[^<>]*)>|{_TAG}")
# <i>, <font …>, SubStation's {\an8} and MicroDVD's {i} and {y:i} in SRT files.
_SRT_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}|\{/?[bisu]\}|\{[cfsy]:[^{}]*\}", re.IGNORECASE)
# SubStation's line breaks and hard spaces.
_SRT_BREAK = re.compile(r"\\[Nnh]")
_VTT_NO_CUE = re.compile(r"WEBVTT|NOTE|STYLE|REGION")
_SRT_NUMBER = re.compile(r"\s*\d+\s*\Z")
# WebVTT and SRT count 60 minutes to the hour and 60 seconds to the minute.
_SIXTY = 60


class UnreadableTimeError(ValueError):
    """A time that no clock shows."""


def _clock_ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    if int(minutes) >= _SIXTY or int(seconds) >= _SIXTY:
        raise UnreadableTimeError
    time_ms = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction[:3].ljust(3, "0"))
    if time_ms > MAX_TIME_MS:
        raise UnreadableTimeError
    return time_ms


def _times_ms(line: str) -> tuple[int, int]:
    match = _TIME_LINE.fullmatch(line)
    if match is None:
        raise UnreadableTimeError
    return _clock_ms(match.groups()[:4]), _clock_ms(match.groups()[4:])


@dataclass(frozen=True)
class _Block:
    """A cue's time line and the lines below it."""

    line: int
    time_line: str
    payload: list[str]

    @property
    def where(self) -> str:
        return f"line {self.line}"


def _runs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each run of lines between empty ones with the number of its first line.

    A time line also begins a run (with the cue's number above it, if there is one), so that a forgotten empty line does
    not swallow a cue.
    """
    run: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), start=1):
        if TIME_BEGINS.match(line) and any(map(TIME_BEGINS.match, run)):
            numbered = run[-1].strip().isdigit()
            yield first, run[:-1] if numbered else run
            run, first = (run[-1:], number - 1) if numbered else ([], number)
        if line:
            first = first if run else number
            run.append(line)
        elif run:
            yield first, run
            run = []
    if run:
        yield first, run


def _blocks(text: str, problems: list[str], *, skipped: re.Pattern[str]) -> Iterator[_Block]:
    """Give each cue's lines, noting text that belongs to none unless `skipped` matches it."""
    for first, run in _runs(text):
        arrow = next((index for index, line in enumerate(run) if TIME_BEGINS.match(line)), len(run))
        # One line above the time line is the cue's number or name.
        stray = run[: max(0, arrow - 1)] if arrow < len(run) else run
        if any(map(str.strip, stray)) and not skipped.match("\n".join(stray)):
            problems.append(f"line {first}: text without a time is left out.")
        if arrow == len(run):
            continue
        block = _Block(first + arrow, run[arrow], run[arrow + 1 :])
        if block.payload:
            yield block
        else:
            problems.append(f"{block.where}: the cue has no text.")


@dataclass
class _VttLines:
    """Cuts the lines of a file at their word times, remembering whose voice was the last."""

    voice: str = ""
    # Who speaks first; a mark in the text would stand before the first word of the track.
    first_voice: str = ""
    begun: bool = False

    def chunks(self, line: str) -> tuple[Chunk, ...]:
        """Cut a line at its word times; another voice becomes a speaker mark, all other markup is dropped."""
        chunks: list[Chunk] = []
        text, time_ms, position = "", None, 0
        for match in _INLINE.finditer(line):
            piece = line[position : match.start()]
            text += piece
            position = match.end()
            self.begun = self.begun or bool(clean(piece).strip())
            if match["voice"]:
                text += self._mark(match["voice"])
            if match[3] is None:
                continue
            try:
                following = _clock_ms(match.groups()[:4])
            except UnreadableTimeError:
                continue  # The words after it share the time of those before.
            if text:
                chunks.append(Chunk(clean(text), time_ms))
            text, time_ms = "", following
        chunks.append(Chunk(clean(text + line[position:]), time_ms))
        self.begun = self.begun or any(chunk.text.strip() for chunk in chunks)
        return tuple(chunks)

    def _mark(self, annotation: str) -> str:
        before, self.voice = self.voice, clean(" ".join(annotation.split()))
        if not (before or self.begun):
            self.first_voice = self.voice
            return ""
        return f" {voice_mark(self.voice)} " if before != self.voice else ""


def _lasts(start_ms: int, end_ms: int, block: _Block, problems: list[str]) -> bool:
    """Tell whether a cue has a duration, noting the problem if it has none."""
    if end_ms > start_ms:
        return True
    relation = "where" if end_ms == start_ms else "before"
    problems.append(f"{block.where}: the cue ends {relation} it begins, so it is left out.")
    return False


def read_vtt(text: str) -> CaptionTrack:
    """Read WebVTT, including YouTube's automatic captions.

    Parameters
    ----------
    text : str
        The whole file, decoded, without byte-order mark.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.

    References
    ----------
    .. [1] W3C, "WebVTT: The Web Video Text Tracks Format", section 6 (parsing).
    """
    problems: list[str] = []
    raw_cues: list[RawCue] = []
    lines = _VttLines()
    for block in _blocks(text, problems, skipped=_VTT_NO_CUE):
        try:
            start_ms, end_ms = _times_ms(block.time_line)
        except UnreadableTimeError:
            problems.append(f"{block.where}: the time cannot be read, so this cue is left out.")
            continue
        if _lasts(start_ms, end_ms, block, problems):
            markup = markup_of_words("\n".join(block.payload))
            raw_cues.append(RawCue(start_ms, end_ms, tuple(map(lines.chunks, block.payload)), markup))
    if raw_cues and not text.startswith("WEBVTT"):
        problems.insert(0, 'line 1: the heading "WEBVTT" is missing; the cues are read all the same.')
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, "vtt", kind, tuple(problems), lines.first_voice)


def read_srt(text: str) -> CaptionTrack:
    """Read SubRip captions with pysrt.

    Parameters
    ----------
    text : str
        The whole file, decoded, without byte-order mark.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.
    """
    problems: list[str] = []
    raw_cues: list[RawCue] = []
    for block in _blocks(text, problems, skipped=_SRT_NUMBER):
        try:
            start_ms, end_ms = _times_ms(block.time_line)
        except UnreadableTimeError:
            problems.append(f"{block.where}: the time cannot be read, so this cue is left out.")
            continue
        if _lasts(start_ms, end_ms, block, problems):
            # pysrt knows one arrow alone, and takes any number for a time.
            item = pysrt.SubRipItem(start=start_ms, end=end_ms, text="\n".join(block.payload))
            shown = _SRT_BREAK.sub("\n", _SRT_MARKUP.sub("", item.text))
            lines = map(clean, shown.split("\n"))
            markup = markup_of_words(_SRT_BREAK.sub("\n", item.text))
            raw_cues.append(RawCue(start_ms, end_ms, tuple((Chunk(line),) for line in lines), markup))
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, "srt", kind, tuple(problems))
