"""Formats of one line, or one short block, per cue: SBV, Whisper's log, MicroDVD, MPL2 and plain starts."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from pipeline.stages.captions_markup import mended
from pipeline.stages.captions_times import UnreadableTimeError, clock_ms
from pipeline.stages.cues import MAX_TIME_MS, CaptionTrack, clean
from pipeline.stages.errors import StageError
from pipeline.stages.moments import GatheredCues
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, longest_word_ms, once_each

CLOCK = r"(?:\d{1,4}:)?\d{1,2}:\d{2}(?:[.,]\d{1,9})?"
SBV_TIMES = re.compile(rf"\s*({CLOCK})\s*,\s*({CLOCK})\s*")
# faster-whisper's users print "[0.00s -> 3.00s] words", WhisperX "Transcript: [0.0 --> 3.0] words".
_LOG_TIME = rf"({CLOCK}|\d{{1,6}}(?:\.\d{{1,9}})?)s?"
LOG_LINE = re.compile(rf"\s*(?:Transcript:\s*)?\[\s*{_LOG_TIME}\s*-{{1,2}}>\s*{_LOG_TIME}\s*\]\s?(.*)")
MICRODVD_LINE = re.compile(r"\s*\{(\d{1,9})\}\{(\d{0,9})\}(.*)")
MPL2_LINE = re.compile(r"\s*\[(\d{1,9})\]\[(\d{0,9})\](.*)")
# LRC's "[00:12.00]words", and a page's transcript: "0:12 words", "(0:12) words", or the time on a line of its own.
START_LINE = re.compile(rf"\s*(?:\[({CLOCK})\]|\(({CLOCK})\)|({CLOCK})(?=[\s:\-–]|\Z))\s*(?:[-–:=]\s*)?(.*)")
_LRC_WORD = re.compile(rf"<({CLOCK})>")
_LRC_REMARK = re.compile(r"\s*\[[a-z#]+:.*\]\s*", re.IGNORECASE)
_LRC_OFFSET = re.compile(r"\s*\[offset:\s*([+-]?\d{1,9})\s*\]\s*", re.IGNORECASE)
_TIME_IN_WORDS = re.compile(r"\s*(?=\d)(?:(\d{1,3}) hours?,?\s*)?(?:(\d{1,2}) minutes?,?\s*)?(?:(\d{1,2}) seconds?)?")
_SUBVIEWER_HEAD = re.compile(r"\s*\[[A-Z ]{2,20}\].*")
_PICTURES_PER_SECOND = re.compile(r"\s*(\d{2}(?:\.\d+)?)\s*")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>")
# MicroDVD and MPL2 write "|" for a line break, and a slash before italics.
_BAR = re.compile(r"\|\s*/?")
# A refrain has a few times in front of its words; damaged files have thousands.
_MOST_STARTS = 50
_FULL_MS = 1000
_DECISECOND_MS = 100


def lines_of(text: str) -> tuple[tuple[Chunk, ...], ...]:
    return tuple((Chunk(clean(_MARKUP.sub("", line))),) for line in mended(text.split("\n")))


def track_of(
    found: Sequence[tuple[str, int, int, tuple[tuple[Chunk, ...], ...]]], form: str, problems: list[str]
) -> CaptionTrack:
    """Make a track of cues, each with its place in the file, start, end and lines."""
    gathered = GatheredCues(problems)
    for where, start_ms, end_ms, lines in found:
        if max(start_ms, end_ms) > MAX_TIME_MS:
            problems.append(f"{where}: the time cannot be read, so this cue is left out.")
        else:
            gathered.add(RawCue(start_ms, end_ms, lines), where)
    raw_cues = [cue for cue in gathered.settled() if cue.shown]
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, form, kind, tuple(problems))


def numbered(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _stray(number: int, line: str, problems: list[str]) -> None:
    if line.strip():
        problems.append(f"line {number}: text without a time is left out.")


def read_sbv(text: str) -> CaptionTrack:
    """Read YouTube's SubViewer: "0:00:01.000,0:00:04.000", and the text below it."""
    problems: list[str] = []
    found: list[tuple[str, int, int, list[str]]] = []
    for number, line in numbered(text):
        match = SBV_TIMES.fullmatch(line)
        if match is None:
            if found:
                found[-1][3].append(line.replace("[br]", "\n"))  # SubViewer 2 writes it so.
            elif not _SUBVIEWER_HEAD.fullmatch(line):
                _stray(number, line, problems)
            continue
        try:
            found.append((f"line {number}", clock_ms(match[1]), clock_ms(match[2]), []))
        except UnreadableTimeError:
            problems.append(f"line {number}: the time cannot be read; its text joins the cue above.")
    cues = [(where, start_ms, end_ms, lines_of("\n".join(said))) for where, start_ms, end_ms, said in found]
    return track_of(cues, "sbv", problems)


def read_whisper_log(text: str) -> CaptionTrack:
    """Read what Whisper prints while it works: "[00:00.000 --> 00:04.000]  text"."""

    def times(match: re.Match[str]) -> tuple[int, int]:
        return clock_ms(match[1]), clock_ms(match[2])

    # Other lines are messages and progress, or the rest of a line that a narrow window broke.
    return _read_lines(text, LOG_LINE, times, "whisper-log")


def read_microdvd(text: str) -> CaptionTrack:
    """Read MicroDVD, whose times are numbers of pictures; the first line gives their rate."""
    first = next((match for _, line in numbered(text) if (match := MICRODVD_LINE.fullmatch(line))), None)
    rate = _PICTURES_PER_SECOND.fullmatch(first[3]) if first else None
    if first is None or rate is None or not float(rate[1]) or int(first[1]) > 1:
        raise StageError(
            "This is a MicroDVD file that does not give its pictures per second, so that its times are unknown; put a "
            'first line like "{1}{1}25" into it, or convert it to SRT, for example with Subtitle Edit.'
        )
    per_second = float(rate[1])
    rest = "\n".join("" if line.strip() == first[0].strip() else line for line in text.split("\n"))

    def times(match: re.Match[str]) -> tuple[int, int]:
        start_ms = round(int(match[1]) * _FULL_MS / per_second)
        return start_ms, round(int(match[2]) * _FULL_MS / per_second) if match[2] else start_ms

    return _read_lines(rest, MICRODVD_LINE, times, "microdvd")


def read_mpl2(text: str) -> CaptionTrack:
    """Read MPL2, whose times are tenths of a second: "[10][40]text"."""

    def times(match: re.Match[str]) -> tuple[int, int]:
        start_ms = int(match[1]) * _DECISECOND_MS
        return start_ms, int(match[2]) * _DECISECOND_MS if match[2] else start_ms

    return _read_lines(text, MPL2_LINE, times, "mpl2")


def _read_lines(
    text: str, pattern: re.Pattern[str], times: Callable[[re.Match[str]], tuple[int, int]], form: str
) -> CaptionTrack:
    problems: list[str] = []
    found: list[tuple[str, int, int, tuple[tuple[Chunk, ...], ...]]] = []
    for number, line in numbered(text):
        match = pattern.fullmatch(line)
        if match is None:
            _stray(number, line, problems)
            continue
        said = match[3]
        if form != "whisper-log":
            said = _BAR.sub("\n", said.removeprefix("/"))
        try:
            found.append((f"line {number}", *times(match), lines_of(said)))
        except UnreadableTimeError:
            problems.append(f"line {number}: the time cannot be read, so this cue is left out.")
    return track_of(found, form, problems)


def read_starts(text: str) -> CaptionTrack:
    """Read lines that have a start alone: LRC, and transcripts as pages show them. Each lasts until the next."""
    problems: list[str] = []
    shift_ms = 0
    found: list[tuple[int, list[str]]] = []
    # Editors mark names by stars; TMPlayer divides lines by bars.
    for number, line in numbered(text.replace("**", "").replace("|", " ")):
        if (offset := _LRC_OFFSET.fullmatch(line)) is not None:
            shift_ms = -int(offset[1])  # Of LRC: a positive one shows words earlier.
            continue
        rest = line
        starts: list[str] = []
        while len(starts) < _MOST_STARTS and (match := START_LINE.fullmatch(rest)) is not None:
            starts.append(match[1] or match[2] or match[3])
            rest = match[4]
            if match[1] is None:
                break
        if not starts and _LRC_REMARK.fullmatch(line):
            continue
        if not starts and found:
            found[-1][1].append(_without_length(line, found[-1]))
        elif not starts:
            _stray(number, line, problems)
        try:
            found += [(clock_ms(start), [rest]) for start in starts]
        except UnreadableTimeError:
            problems.append(f"line {number}: the time cannot be read, so this cue is left out.")
    found.sort(key=lambda cue: cue[0])
    raw_cues: list[RawCue] = []
    for (start_ms, said), (next_ms, _) in pairwise([*found, (2 * MAX_TIME_MS, [])]):
        lines = tuple(_lrc_chunks(line, shift_ms) for line in said)
        takes_ms = sum(longest_word_ms(word) for line in said for word in line.split())
        start_ms = max(0, start_ms + shift_ms)
        end_ms = min(max(0, next_ms + shift_ms), start_ms + takes_ms)
        if takes_ms and end_ms > start_ms:
            raw_cues.append(RawCue(start_ms, end_ms, lines))
        elif takes_ms and raw_cues:
            raw_cues[-1] = RawCue(raw_cues[-1].start_ms, raw_cues[-1].end_ms, (*raw_cues[-1].lines, *lines))
    cues, kind = assemble(raw_cues)
    return CaptionTrack(cues, "lrc", kind, tuple(problems))


def _without_length(line: str, cue: tuple[int, list[str]]) -> str:
    """Leave out the time in words, which YouTube's page has for readers of the screen below the clock."""
    match = _TIME_IN_WORDS.match(line)
    if match is None or any(said.strip() for said in cue[1]):
        return line
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return line[match.end() :] if (hours * 60 + minutes) * 60 + seconds == cue[0] // _FULL_MS else line


def _lrc_chunks(line: str, shift_ms: int) -> tuple[Chunk, ...]:
    parts = _LRC_WORD.split(line)
    chunks = [Chunk(clean(_MARKUP.sub("", parts[0])))] if parts[0].strip() or len(parts) == 1 else []
    for time, text in zip(parts[1::2], parts[2::2], strict=True):
        try:
            chunks.append(Chunk(clean(_MARKUP.sub("", text)), max(0, clock_ms(time) + shift_ms)))
        except UnreadableTimeError:
            chunks.append(Chunk(clean(_MARKUP.sub("", text))))
    return tuple(chunks)
