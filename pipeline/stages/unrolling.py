"""Captions that roll, to words that are each there once.

Automatic captions show two lines: the line before moves up while the new one is spoken, and between two of these cues
stands one of some 10 ms that shows the finished line alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, TypeVar

from pipeline.stages.cues import AUTOMATIC, MANUAL, Cue, Word, caption_tokens, is_tag, spread

# A cue this short (ms) shows a finished line and cannot hold speech; YouTube's are 10 ms long.
FINALISING_MS = 50
# A single word shown again after more than this long (ms) without captions was said again.
SAME_SCREEN_GAP_MS = 100
# A word's times say when it starts. It ends with the next word's start, or after the longest time (ms) that it can
# well take: a slow 12 characters a second and some. Longer waits are pauses.
WORD_BASE_MS = 200
WORD_MS_PER_CHARACTER = 80
# So many of the cues of two lines must begin with the line before them for a track to count as rolling.
ROLLING_SHARE = 0.5
ROLLING_MIN_CUES = 2


@dataclass(frozen=True)
class Chunk:
    """A run of text; ``time_ms`` is the word time in front of it, or None."""

    text: str
    time_ms: int | None = None


@dataclass(frozen=True)
class RawCue:
    """A cue as written: its lines, each a run of chunks."""

    start_ms: int
    end_ms: int
    lines: tuple[tuple[Chunk, ...], ...]

    @property
    def shown(self) -> list[str]:
        """The lines that a reader sees, white space normalised, without empty ones."""
        texts = (" ".join("".join(chunk.text for chunk in line).split()) for line in self.lines)
        return [text for text in texts if text]

    @property
    def timed(self) -> bool:
        return any(chunk.time_ms is not None for line in self.lines for chunk in line)


class Timed(Protocol):
    """What begins at some time."""

    @property
    def start_ms(self) -> int: ...


T = TypeVar("T", bound=Timed)


def in_order(items: Sequence[T], problems: list[str]) -> Sequence[T]:
    """Sort cues or events by their starts, noting where the file has them in another order."""
    moved = sum(following.start_ms < item.start_ms for item, following in pairwise(items))
    if not moved:
        return items
    problems.append(f"{moved} cues begin before the one above them; all are put in the order of their times.")
    return sorted(items, key=lambda item: item.start_ms)


def once_each(items: Sequence[T], problems: list[str]) -> Sequence[T]:
    """Leave out cues or events that are in the file a second time with the same times and text."""
    different = list(dict.fromkeys(items))
    if len(different) < len(items):
        repeated = len(items) - len(different)
        problems.append(f"cues that are there again with the same times and text, and are left out: {repeated}.")
    return different


def assemble(raw_cues: Sequence[RawCue]) -> tuple[tuple[Cue, ...], str]:
    """Turn cues as written into cues that know their own new words.

    Parameters
    ----------
    raw_cues : sequence of RawCue
        In the order of the file.

    Returns
    -------
    cues : tuple of Cue
        One for each raw cue that shows anything, with ``words`` if the track is automatic.
    kind : str
        "automatic" or "manual".
    """
    timed = any(cue.timed for cue in raw_cues)
    if not timed and not _rolls(raw_cues):
        return tuple(Cue(cue.start_ms, cue.end_ms, "\n".join(cue.shown)) for cue in raw_cues if cue.shown), MANUAL
    cues: list[Cue] = []
    screen: list[str] = []
    screen_end_ms = 0
    for raw in raw_cues:
        lines = [line for line in raw.lines if "".join(chunk.text for chunk in line).strip()]
        carried = _carried_lines(screen, raw, gap_ms=raw.start_ms - screen_end_ms)
        chunks = [
            chunk
            for line in lines[carried:]
            # The line break separates words.
            for chunk in (*line, Chunk(" "))
        ]
        words = words_of_chunks(chunks, raw.start_ms, raw.end_ms)
        if raw.shown:
            cues.append(Cue(raw.start_ms, raw.end_ms, "\n".join(raw.shown), tuple(words)))
        screen, screen_end_ms = raw.shown, raw.end_ms
    return close_words(cues) if timed else tuple(cues), AUTOMATIC


def _rolls(raw_cues: Sequence[RawCue]) -> bool:
    """Tell whether a track without word times repeats in each cue the line before."""
    two_lined = [(before.shown, cue.shown) for before, cue in pairwise(raw_cues) if len(cue.shown) > 1]
    repeating = sum(before[-1:] == lines[:1] for before, lines in two_lined)
    return repeating >= ROLLING_MIN_CUES and repeating >= ROLLING_SHARE * len(two_lined)


def _carried_lines(screen: Sequence[str], raw: RawCue, *, gap_ms: int) -> int:
    """Count the lines at the top of a cue that stood on the screen before it."""
    lines = raw.shown
    untimed = 0
    for line in (line for line in raw.lines if "".join(chunk.text for chunk in line).strip()):
        if any(chunk.time_ms is not None for chunk in line):
            break  # A line with word times is being spoken.
        untimed += 1
    carried = next(
        (n for n in range(min(len(screen), untimed), 0, -1) if list(screen[-n:]) == lines[:n]),
        0,
    )
    if raw.end_ms - raw.start_ms <= FINALISING_MS:
        return carried
    if carried == len(lines) > 1 and len(set(lines)) == 1:
        return carried - 1  # The same line said again: its like moved up and it stands below.
    if carried == len(lines) == 1 and gap_ms > SAME_SCREEN_GAP_MS and " " not in lines[0]:
        return 0
    return carried


def words_of_chunks(chunks: Sequence[Chunk], start_ms: int, end_ms: int) -> list[Word]:
    """Give each word of a cue its own time.

    Words between two word times share the time between them; what stands before the first starts with the cue.
    """
    words: list[Word] = []
    time_ms, pending = start_ms, ""
    for chunk in (*chunks, Chunk("", end_ms)):
        if chunk.time_ms is None or (pending and not pending[-1].isspace() and chunk.text[:1].strip()):
            pending += chunk.text  # No time of its own, or the rest of a word.
            continue
        words += spread(caption_tokens(pending), time_ms, max(time_ms, chunk.time_ms))
        time_ms, pending = max(time_ms, chunk.time_ms), chunk.text
    return words


def longest_word_ms(word: str) -> int:
    """Give the longest time, in milliseconds, that a word can well take."""
    return WORD_BASE_MS + WORD_MS_PER_CHARACTER * len(word)


def close_words(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """End each word at the next word's start, or after the longest time it can well take.

    Parameters
    ----------
    cues : sequence of Cue
        Cues whose words' starts are right.

    Returns
    -------
    tuple of Cue
        The same cues with their words' ends set; the last word ends with its cue at the latest.
    """
    closed: list[Cue] = []
    next_start_ms: int | None = None
    for cue in reversed(cues):
        words: list[Word] = []
        for word in reversed(cue.words):
            limit_ms = next_start_ms if next_start_ms is not None else max(cue.end_ms, word.start_ms)
            if not is_tag(word.text):  # Music lasts.
                limit_ms = min(limit_ms, word.start_ms + longest_word_ms(word.text))
            end_ms = max(word.start_ms, limit_ms)
            words.append(replace(word, end_ms=end_ms))
            next_start_ms = word.start_ms
        closed.append(replace(cue, words=tuple(reversed(words))))
    return tuple(reversed(closed))
