"""SRT and WebVTT to cues."""

import re
from collections.abc import Iterator

import pysrt

from pipeline.stages.cues import CaptionTrack, clean
from pipeline.stages.unrolling import Chunk, RawCue, assemble

TIME_ARROW = "-->"
_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIME_LINE = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")
_SRT_CLOCK = re.compile(rf"\s*{_CLOCK}\s*")
_INLINE = re.compile(rf"<{_CLOCK}>|<[^<>]*>")
# <i>, <font …> and SubStation's {\an8} in SRT files.
_SRT_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}")
_SKIPPED_BLOCKS = ("NOTE", "STYLE", "REGION", "Style:")
# WebVTT and SRT count 60 minutes to the hour and 60 seconds to the minute.
_SIXTY = 60


class UnreadableTimeError(ValueError):
    """A time that no clock shows."""


def _clock_ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    if int(minutes) >= _SIXTY or int(seconds) >= _SIXTY:
        raise UnreadableTimeError
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _times_ms(line: str) -> tuple[int, int]:
    match = _TIME_LINE.fullmatch(line)
    if match is None:
        raise UnreadableTimeError
    return _clock_ms(match.groups()[:4]), _clock_ms(match.groups()[4:])


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each run of lines between empty ones with the number of its first line.

    A time line also begins a block (with the cue's number or name above it, if there is one), so that a forgotten
    empty line does not swallow a cue.
    """
    block: list[str] = []
    first = 1
    for number, line in enumerate(text.splitlines(), start=1):
        if line == "" or (TIME_ARROW in line and any(TIME_ARROW in earlier for earlier in block)):
            if block:
                number_above = line != "" and block[-1].strip().isdigit()
                yield first, block[:-1] if number_above else block
                block, first = (block[-1:], number - 1) if number_above else ([], number)
            if line == "":
                continue
        if not block:
            first = number
        block.append(line)
    if block:
        yield first, block


def _vtt_chunks(line: str) -> tuple[Chunk, ...]:
    """Cut a line at its word times, dropping all other markup."""
    chunks: list[Chunk] = []
    text, time_ms, position = "", None, 0
    for match in _INLINE.finditer(line):
        text += line[position : match.start()]
        position = match.end()
        if match[3] is None:
            continue
        try:
            following = _clock_ms(match.groups())
        except UnreadableTimeError:
            continue  # The words after it share the time of those before.
        if text:
            chunks.append(Chunk(clean(text), time_ms))
        text, time_ms = "", following
    chunks.append(Chunk(clean(text + line[position:]), time_ms))
    return tuple(chunks)


def _span(start_ms: int, end_ms: int, where: str, problems: list[str]) -> bool:
    """Tell whether a cue lasts, noting the problem if it does not."""
    if end_ms > start_ms:
        return True
    problems.append(f"{where}: the cue ends before it begins, so it is left out.")
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
    has_header = text.startswith("WEBVTT")
    if not has_header:
        problems.append('line 1: the heading "WEBVTT" is missing; the cues are read all the same.')
    for first, block in _blocks(text):
        arrow = next((index for index, line in enumerate(block) if TIME_ARROW in line), None)
        if arrow is None:
            if (
                not (first == 1 and has_header)
                and not block[0].startswith(_SKIPPED_BLOCKS)
                and any(map(str.strip, block))
            ):
                problems.append(f"line {first}: text without a time is left out.")
            continue
        where = f"line {first + arrow}"
        try:
            start_ms, end_ms = _times_ms(block[arrow])
        except UnreadableTimeError:
            problems.append(f"{where}: the time cannot be read, so this cue is left out.")
            continue
        payload = block[arrow + 1 :]
        if not payload:
            problems.append(f"{where}: the cue has no text.")
        elif _span(start_ms, end_ms, where, problems):
            raw_cues.append(RawCue(start_ms, end_ms, tuple(map(_vtt_chunks, payload))))
    cues, kind = assemble(raw_cues)
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
    for first, block in _blocks(text):
        arrow = next((index for index, line in enumerate(block) if TIME_ARROW in line), None)
        if arrow is None:
            if not (len(block) == 1 and block[0].strip().isdigit()) and any(map(str.strip, block)):
                problems.append(f"line {first}: text without a time is left out.")
            continue
        where = f"line {first + arrow}"
        try:
            start, end, _ = pysrt.SubRipItem.split_timestamps(block[arrow])
            start_ms, end_ms = _srt_time_ms(start), _srt_time_ms(end)
        except (pysrt.Error, UnreadableTimeError):
            problems.append(f"{where}: the time cannot be read, so this cue is left out.")
            continue
        item = pysrt.SubRipItem.from_lines(block[max(0, arrow - 1) :])
        if not item.text.strip():
            problems.append(f"{where}: the cue has no text.")
        elif _span(start_ms, end_ms, where, problems):
            lines = (clean(_SRT_MARKUP.sub("", line)) for line in item.text.split("\n"))
            raw_cues.append(RawCue(start_ms, end_ms, tuple((Chunk(line),) for line in lines)))
    cues, kind = assemble(raw_cues)
    return CaptionTrack(cues, "srt", kind, tuple(problems))
