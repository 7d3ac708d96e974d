"""Captions that roll, grow or show a word at a time, to words that are each there once.

Automatic captions show two lines: the line before moves up while the new one is spoken, and between two of these cues
stands one of some 10 ms that shows the finished line alone. What has no word times is told by `screens`.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol, TypeVar

from pipeline.stages.cues import AUTOMATIC, MANUAL, Cue, Word, caption_tokens, is_tag, spread, without_tags
from pipeline.stages.karaoke import merge_karaoke
from pipeline.stages.pace import lasts_too_long, longest_word_ms, slow_ms
from pipeline.stages.parts_of_words import whole_words
from pipeline.stages.raw_cues import FINALISING_MS, TOUCHING_MS, Chunk, RawCue
from pipeline.stages.screens import Carried, Screen, carried_over, is_repeat, rolls, screen_of, word_by_word

__all__ = ["Chunk", "RawCue", "assemble", "close_words", "in_order", "longest_word_ms", "once_each", "words_of_chunks"]

# A line grows by a word at a time; what is left of the last cue's time after its word is a pause.
GROWING_WORDS = 1
# After an empty screen of so many milliseconds a line is said again; a program's own gaps are shorter.
LINE_GAP_MS = 500


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
    raw_cues = merge_karaoke(raw_cues)
    if any(cue.timed for cue in raw_cues):
        return _timed_cues(raw_cues), AUTOMATIC
    raw_cues = [cue for cue in raw_cues if cue.shown]
    if rolls(raw_cues):
        return _rolling_cues(raw_cues), AUTOMATIC
    if word_by_word(raw_cues):
        return _cues_of_words(whole_words(raw_cues)), AUTOMATIC
    return tuple(Cue(cue.start_ms, cue.end_ms, "\n".join(cue.shown)) for cue in raw_cues), MANUAL


def _timed_cues(raw_cues: Sequence[RawCue]) -> tuple[Cue, ...]:
    cues: list[Cue] = []
    exact: list[bool] = []
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
            exact.append(raw.exact)
        screen, screen_end_ms = raw.shown, raw.end_ms
    closed = close_words(cues)
    return tuple(cue if known else other for cue, other, known in zip(cues, closed, exact, strict=True))


def _ends(raw_cues: Sequence[RawCue]) -> list[int]:
    """Give each cue's end, or the next cue's start if that is earlier: then the next words are spoken.

    An end that is far too late is where the words end if they are spoken slowly.
    """
    ends: list[int] = []
    next_start_ms: int | None = None
    for cue, following in zip(reversed(raw_cues), [None, *reversed(raw_cues)], strict=False):
        if following is not None and following.start_ms > cue.start_ms:
            next_start_ms = following.start_ms
        end_ms = cue.end_ms if next_start_ms is None else min(cue.end_ms, next_start_ms)
        text = without_tags(" ".join(cue.shown))
        ends.append(cue.start_ms + slow_ms(text) if text and lasts_too_long(text, end_ms - cue.start_ms) else end_ms)
    return ends[::-1]


def _cues_of_words(raw_cues: Sequence[RawCue]) -> tuple[Cue, ...]:
    return tuple(
        Cue(
            cue.start_ms,
            cue.end_ms,
            "\n".join(cue.shown),
            tuple(spread(caption_tokens("\n".join(cue.shown)), cue.start_ms, end_ms)),
        )
        for cue, end_ms in zip(raw_cues, _ends(raw_cues), strict=True)
    )


def _rolling_cues(raw_cues: Sequence[RawCue]) -> tuple[Cue, ...]:
    """Give each cue the words that did not stand on the screen before it."""
    ends = _ends(raw_cues)
    screens = [screen_of(cue) for cue in raw_cues]
    for index in range(len(raw_cues) - 1, 0, -1):
        if is_repeat(screens[index - 1], screens[index]):
            ends[index - 1] = ends[index]  # The words take as long as they stand there alone.
    words_of: list[list[Word]] = []
    before: Screen | None = None
    for screen, end_ms in zip(screens, ends, strict=True):
        carried = carried_over(before, screen)
        if carried.tokens:
            _finish_word(words_of, screen.tokens[carried.tokens - 1], unfinished=carried.unfinished)
        words = spread(screen.tokens[carried.tokens :], screen.start_ms, end_ms)
        if _adds_to_line(carried, words, before):
            words = [replace(w, end_ms=min(w.end_ms, w.start_ms + longest_word_ms(w.text))) for w in words]
        words_of.append(words)
        before = screen
    return tuple(
        Cue(cue.start_ms, cue.end_ms, "\n".join(cue.shown), tuple(words))
        for cue, words in zip(raw_cues, words_of, strict=True)
    )


def _adds_to_line(carried: Carried, words: Sequence[Word], before: Screen | None) -> bool:
    return before is not None and len(words) <= GROWING_WORDS and carried.tokens >= len(before.tokens)


def _finish_word(words_of: Sequence[list[Word]], text: str, *, unfinished: bool) -> None:
    """Complete the last word, of which letters or punctuation came later."""
    words = next((words for words in reversed(words_of) if words), None)
    if words and (unfinished or text.startswith(words[-1].text)):
        words[-1] = replace(words[-1], text=text)


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
    if carried == len(lines) == 1 and gap_ms > (LINE_GAP_MS if " " in lines[0] else TOUCHING_MS):
        return 0
    return carried


def words_of_chunks(chunks: Sequence[Chunk], start_ms: int, end_ms: int) -> list[Word]:
    """Give each word of a cue its own time.

    Words between two word times share the time between them; what stands before the first starts with the cue.
    """
    words: list[Word] = []
    time_ms, until_ms, pending = start_ms, None, ""
    for chunk in (*chunks, Chunk("", end_ms)):
        if chunk.time_ms is None or (pending and not pending[-1].isspace() and chunk.text[:1].strip()):
            pending += chunk.text  # No time of its own, or the rest of a word.
            if chunk.text.strip():
                until_ms = None
            continue
        close_ms = chunk.time_ms if until_ms is None else min(until_ms, chunk.time_ms)
        words += spread(caption_tokens(pending), time_ms, max(time_ms, close_ms))
        time_ms, until_ms, pending = max(time_ms, chunk.time_ms), chunk.end_ms, chunk.text
    return words


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
