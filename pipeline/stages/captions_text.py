"""SRT and WebVTT to cues."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pysrt

from pipeline.stages.cues import MAX_TIME_MS, VOICE_MARK, CaptionTrack, clean
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order

TIME_ARROW = "-->"
_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIME_LINE = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")
_SRT_CLOCK = re.compile(rf"\s*{_CLOCK}\s*")
_INLINE = re.compile(rf"<{_CLOCK}>|<v(?:\.[^<>\s]*)?[ \t](?P<voice>[^<>]*)>|<[^<>]*>")
# <i>, <font …> and SubStation's {\an8} in SRT files.
_SRT_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}")
_VTT_NO_CUE = re.compile(r"WEBVTT|NOTE|STYLE|REGION")
_SRT_NUMBER = re.compile(r"\s*\d+\s*$")
# WebVTT and SRT count 60 minutes to the hour and 60 seconds to the minute.
_SIXTY = 60


class UnreadableTimeError(ValueError):
    """A time that no clock shows."""


def _clock_ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    if int(minutes) >= _SIXTY or int(seconds) >= _SIXTY:
        raise UnreadableTimeError
    time_ms = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
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
        if line and TIME_ARROW in line and any(TIME_ARROW in earlier for earlier in run):
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
    """Give each cue's lines, noting text that belongs to none unless its first line matches `skipped`."""
    for first, run in _runs(text):
        arrow = next((index for index, line in enumerate(run) if TIME_ARROW in line), len(run))
        # One line above the time line is the cue's number or name.
        stray = run[: max(0, arrow - 1)] if arrow < len(run) else run
        if any(map(str.strip, stray)) and not skipped.match(stray[0]):
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

    def chunks(self, line: str) -> tuple[Chunk, ...]:
        """Cut a line at its word times; another voice becomes a speaker mark, all other markup is dropped."""
        chunks: list[Chunk] = []
        text, time_ms, position = "", None, 0
        for match in _INLINE.finditer(line):
            text += line[position : match.start()]
            position = match.end()
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
        return tuple(chunks)

    def _mark(self, annotation: str) -> str:
        before, self.voice = self.voice, " ".join(annotation.split())
        return f" {VOICE_MARK} " if before and before != self.voice else ""


def _lasts(start_ms: int, end_ms: int, block: _Block, problems: list[str]) -> bool:
    """Tell whether a cue has a duration, noting the problem if it has none."""
    if end_ms > start_ms:
        return True
    problems.append(f"{block.where}: the cue ends before it begins, so it is left out.")
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
    if not text.startswith("WEBVTT"):
        problems.append('line 1: the heading "WEBVTT" is missing; the cues are read all the same.')
    for block in _blocks(text, problems, skipped=_VTT_NO_CUE):
        try:
            start_ms, end_ms = _times_ms(block.time_line)
        except UnreadableTimeError:
            problems.append(f"{block.where}: the time cannot be read, so this cue is left out.")
            continue
        if _lasts(start_ms, end_ms, block, problems):
            raw_cues.append(RawCue(start_ms, end_ms, tuple(map(lines.chunks, block.payload))))
    cues, kind = assemble(in_order(raw_cues, problems))
    return CaptionTrack(cues, "vtt", kind, tuple(problems))


def _srt_time_ms(text: str) -> int:
    match = _SRT_CLOCK.fullmatch(text)
    if match is None:
        raise UnreadableTimeError
    return _clock_ms(match.groups())


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
            item = pysrt.SubRipItem.from_lines([block.time_line, *block.payload])
            start, end, _ = pysrt.SubRipItem.split_timestamps(block.time_line)
            start_ms, end_ms = _srt_time_ms(start), _srt_time_ms(end)
        except (pysrt.Error, UnreadableTimeError):
            problems.append(f"{block.where}: the time cannot be read, so this cue is left out.")
            continue
        if _lasts(start_ms, end_ms, block, problems):
            lines = (clean(_SRT_MARKUP.sub("", line)) for line in item.text.split("\n"))
            raw_cues.append(RawCue(start_ms, end_ms, tuple((Chunk(line),) for line in lines)))
    cues, kind = assemble(in_order(raw_cues, problems))
    return CaptionTrack(cues, "srt", kind, tuple(problems))
