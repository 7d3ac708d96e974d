"""Transcripts of meetings and interviews: a line with who speaks and when, and what is said below it.

Otter writes "Joy Miller  0:03", Rev "Speaker 1 (00:03):" or "Speaker 1: (00:03)", Zoom "[Joy Miller] 10:30:03".
"""

import re
from collections import Counter
from itertools import pairwise

from pipeline.stages.captions_lines import CLOCK, START_LINE, numbered
from pipeline.stages.captions_times import UnreadableTimeError, clock_ms, plain_digits
from pipeline.stages.cues import MAX_TIME_MS, CaptionTrack, clean
from pipeline.stages.speaker_labels import MAX_NAME_WORDS, label_at
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, longest_word_ms, once_each
from pipeline.stages.voices import Voices

_NAME = r"[^\W_][^\n\[\]():]{0,59}?"
_HEAD = re.compile(
    rf"\s*(?:\[(?P<square>{_NAME})\]\s*|(?P<plain>{_NAME}(?:\s*\([^()\d]{{1,30}}\))?)(?:\s*[:,]\s*|\s+[-–—|]?\s*))"
    rf"(?:\((?P<round>{CLOCK})\)|\[(?P<edged>{CLOCK})\]|(?P<bare>{CLOCK}))\s*:?\s*"
)
# Trint and others write the time first: "[00:00:03] Joy Miller", "0:03 - Joy Miller".
_HEAD_AFTER = re.compile(
    rf"\s*(?:\((?P<round>{CLOCK})\)|\[(?P<edged>{CLOCK})\]|(?P<bare>{CLOCK}))\s*[-–—|:]?\s+(?P<plain>{_NAME})\s*:?\s*"
)
# Speech may end with a time too: "We met at 10:30".
_LEAST_HEADS = 2
_ADVERTISEMENT = re.compile(r"\s*Transcribed by https?://\S+\s*", re.IGNORECASE)


def is_transcript(lines: list[str]) -> bool:
    """Tell whether lines with a name and a time stand above lines without, and the times go on."""
    filled = [line for line in lines if line.strip()]
    heads = [_head(line) for line in filled]
    if all(head is None for head in heads):
        heads = _heads_after(filled)
    times = [head[1] for head in heads if head is not None]
    followed = sum(head is not None and below is None for head, below in pairwise(heads))
    return followed >= _LEAST_HEADS and 2 * followed >= len(times) and times == sorted(times)


def _heads_after(lines: list[str]) -> list[tuple[str, int] | None]:
    """Read lines that begin with a time as heads, if names follow it: most of them are there again."""
    heads = [_head_after(line) for line in lines]
    times = Counter(head[0] for head in heads if head is not None)
    timed = sum(START_LINE.fullmatch(line) is not None for line in lines)
    again = sum(number for number in times.values() if number > 1)
    return heads if timed == times.total() and 2 * again > timed else [None] * len(lines)


def _head_after(line: str) -> tuple[str, int] | None:
    match = _HEAD_AFTER.fullmatch(line)
    label = label_at(f"{match['plain']}: ") if match is not None else None
    if match is None or label is None or label.shape == "lower":
        return None
    try:
        return label.name, clock_ms(match["round"] or match["edged"] or match["bare"])
    except UnreadableTimeError:
        return None


def _head(line: str) -> tuple[str, int] | None:
    match = _HEAD.fullmatch(line)
    if match is None:
        return None
    name = (match["square"] or match["plain"]).strip()
    if len(name.split()) > MAX_NAME_WORDS or name[-1] in ".,;!?":
        return None
    try:
        return name, clock_ms(match["round"] or match["edged"] or match["bare"])
    except UnreadableTimeError:
        return None


def read_transcript(text: str) -> CaptionTrack:
    """Read a transcript whose paragraphs have a start; each lasts until the next, or as long as its words take.

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
    found: list[tuple[str, int, list[str]]] = []
    read_head = _head if any(_head(plain_digits(line)) for _, line in numbered(text)) else _head_after
    for number, line in numbered(text):
        head = read_head(plain_digits(line))
        if head is not None:
            found.append((*head, []))
        elif found and not _ADVERTISEMENT.fullmatch(line):
            found[-1][2].append(line)
        elif not found:
            problems.append(f"line {number}: text without a time is left out.")
    voices = Voices()
    raw_cues: list[RawCue] = []
    for (name, start_ms, said), (_, next_ms, _) in pairwise([*found, ("", 2 * MAX_TIME_MS, [])]):
        takes_ms = sum(longest_word_ms(word) for line in said for word in line.split())
        if not takes_ms:
            continue
        mark = voices.mark(name)
        voices.begun = True
        lines: tuple[tuple[Chunk, ...], ...] = tuple((Chunk(clean(line)),) for line in said)
        lines = ((Chunk(mark), *lines[0]), *lines[1:]) if mark else lines
        # Two turns in one second have it together.
        end_ms = min(next_ms, start_ms + takes_ms) if next_ms > start_ms else start_ms + takes_ms
        raw_cues.append(RawCue(start_ms, end_ms, lines))
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, "transcript", kind, tuple(problems), voices.first)
