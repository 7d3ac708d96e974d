"""Lines that stand on the screen again: rolling, growing and repeated captions, without word times.

A viewer who reads along skips what stood there before. Words are compared without case and punctuation, because live
captions are corrected while they roll.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.stages.cues import Cue, caption_tokens, is_speaker_mark, without_tags
from pipeline.stages.raw_cues import FINALISING_MS, TOUCHING_MS, RawCue

# So many of the cues must begin with what stood there before for a track to count as rolling, and at least so many.
ROLLING_SHARE = 0.5
ROLLING_MIN_CUES = 2
# Two cues share a word by chance, and two by chance now and then; so many in a row are the same words again.
SHARED_WORDS = 3
# A line is the same, corrected, if so much of it is. It takes some words to tell.
CORRECTED_SIMILARITY = 0.8
# Longer texts are compared by their last and first words only.
_LONGEST = 200
# A track has a word a cue if at most so many words stand in a cue on average, in so many cues at least …
WORDS_A_CUE = 1.5
WORD_BY_WORD_MIN_CUES = 5
# … and not every cue is a sentence: replies such as "No." are.
WORD_BY_WORD_SENTENCES = 0.5
# Where a program shows its cues twice, at least so many are repeats; people say something again now and then.
REPEATED_SHARE = 1 / 3
# A repeat that would need more words a second is not said again: few people speak so fast, see `speech_rate`.
FAST_WORDS_PER_S = 5.0
# A word without a duration of its own stands below or above its neighbour; more lines are real ones.
TWO_LINED_SHARE = 0.3


@dataclass(frozen=True)
class Screen:
    """The text of a cue as tokens, each with what it is compared by, in lines."""

    lines: tuple[tuple[tuple[str, str], ...], ...]
    start_ms: int
    end_ms: int

    @property
    def tokens(self) -> list[str]:
        return [token for line in self.lines for token, _ in line]

    @property
    def keys(self) -> list[str]:
        return [key for line in self.lines for _, key in line if key]


@dataclass(frozen=True)
class Carried:
    """How many tokens of a cue stood there before; ``unfinished`` if the last of them was there in part."""

    tokens: int
    unfinished: bool = False


NOTHING = Carried(0)


def screen_of(cue: RawCue) -> Screen:
    """Return what a viewer sees, ready for comparison."""
    lines = (tuple((token, _key(token)) for token in caption_tokens(line)) for line in cue.shown)
    return Screen(tuple(lines), cue.start_ms, cue.end_ms)


def _key(token: str) -> str:
    if is_speaker_mark(token):
        return ""
    return "".join(filter(str.isalnum, token.casefold()))


def carried_over(before: Screen | None, cue: Screen) -> Carried:
    """Count the tokens at the beginning of a cue that stood on the screen before it.

    Parameters
    ----------
    before, cue : Screen
        Two cues of a rolling track that follow each other.

    Returns
    -------
    Carried
        Whole lines that moved up or stayed, the whole cue to which words were added, or at least three words that were
        broken into lines at another place.
    """
    if before is None or not before.keys or not cue.keys:
        return NOTHING
    touching = cue.start_ms - before.end_ms <= TOUCHING_MS
    lines = _carried_lines(before, cue)
    if lines == len(cue.lines):
        if cue.end_ms - cue.start_ms <= FINALISING_MS:
            pass
        elif len({_keys(line) for line in cue.lines}) == 1 < len(cue.lines):
            lines -= 1  # The same line said again: its like moved up and it stands below.
        elif not touching:
            lines = 0
    if lines:
        return Carried(sum(len(line) for line in cue.lines[:lines]))
    old, new = before.keys[-_LONGEST:], cue.keys[:_LONGEST]
    shared = next((n for n in range(min(len(old), len(new)), 0, -1) if old[-n:] == new[:n]), 0)
    whole = shared == len(before.keys)
    if shared >= SHARED_WORDS and (touching or shared < len(cue.keys)):
        return Carried(_tokens_of_keys(cue, shared))
    # A line to which words were added, or of which only the end is left.
    if touching and (whole or SHARED_WORDS > shared == len(new) > 1):
        return Carried(_tokens_of_keys(cue, shared))
    grown = _grown_inside_a_word(before, cue) if touching else NOTHING
    if grown != NOTHING:
        return grown
    return Carried(sum(len(line) for line in cue.lines[: _carried_lines(before, cue, corrected=True)]))


def _carried_lines(before: Screen, cue: Screen, *, corrected: bool = False) -> int:
    old, new = [_keys(line) for line in before.lines], [_keys(line) for line in cue.lines]
    if not corrected:
        return next((n for n in range(min(len(old), len(new)), 0, -1) if old[-n:] == new[:n]), 0)
    # A line that is alone on the screen and differs is another one.
    return next((n for n in range(min(len(old), len(new) - 1), 0, -1) if all(map(_same, old[-n:], new[:n]))), 0)


def _keys(line: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(key for _, key in line if key)


def _same(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Tell whether a line is another one with at most a correction in it."""
    if old == new:
        return True
    if min(len(old), len(new)) < SHARED_WORDS or abs(len(old) - len(new)) > 1 or max(len(old), len(new)) > _LONGEST:
        return False
    if new[: len(old)] == old or old[: len(new)] == new:
        return False  # What only grew at its end is no correction.
    matcher = difflib.SequenceMatcher(None, " ".join(old), " ".join(new))
    # What differs much is told in less time.
    ratios = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
    return all(ratio() >= CORRECTED_SIMILARITY for ratio in ratios)


def _tokens_of_keys(cue: Screen, keys: int) -> int:
    """Count the tokens that the first so many compared words are in, with what stands before and among them."""
    counted = found = 0
    for line in cue.lines:
        for token, key in line:
            # Punctuation that stands alone belongs to the word before it.
            if found == keys and (key or is_speaker_mark(token)):
                return counted
            counted += 1
            found += bool(key)
        if found == keys:
            return counted
    return counted


def _grown_inside_a_word(before: Screen, cue: Screen) -> Carried:
    """Count what was there of a text that grows by characters."""
    old = "".join(before.keys)
    if not "".join(cue.keys).startswith(old):
        return NOTHING
    length = 0
    for number, (key, whole) in enumerate(zip(cue.keys, before.keys, strict=False), start=1):
        length += len(key)
        if length > len(old):
            same = number == len(before.keys) and key.startswith(whole)
            return Carried(_tokens_of_keys(cue, number), unfinished=True) if same else NOTHING
        if key != whole:
            return NOTHING
    return NOTHING


def is_repeat(before: Screen, cue: Screen) -> bool:
    """Tell whether a cue shows the same words again without a break, be it in another case."""
    return before.keys == cue.keys and cue.start_ms - before.end_ms <= TOUCHING_MS


def rolls(raw_cues: Sequence[RawCue]) -> bool:
    """Tell whether a track without word times shows its lines again and again."""
    screens = [screen_of(cue) for cue in raw_cues if cue.shown]
    carried = [(before, cue) for before, cue in pairwise(screens) if _shows_again(before, cue)]
    if len(carried) < ROLLING_MIN_CUES:
        return False
    if len(carried) >= ROLLING_SHARE * (len(screens) - 1):
        return True
    two_lined = [(before, cue) for before, cue in pairwise(screens) if len(cue.lines) > 1]
    moved_up = sum(_keys(before.lines[-1]) == _keys(cue.lines[0]) for before, cue in two_lined)
    return moved_up >= ROLLING_MIN_CUES and moved_up >= ROLLING_SHARE * len(two_lined)


def _shows_again(before: Screen, cue: Screen) -> bool:
    return before.lines != cue.lines and carried_over(before, cue) != NOTHING


def word_by_word(raw_cues: Sequence[RawCue]) -> bool:
    """Tell whether a track shows one word at a time."""
    shown = [" ".join(cue.shown) for cue in raw_cues if cue.shown]
    words = sum(len(text.split()) for text in shown)
    if sum(len(cue.shown) > 1 for cue in raw_cues) > TWO_LINED_SHARE * len(raw_cues):
        return False
    if len(shown) < WORD_BY_WORD_MIN_CUES or words > WORDS_A_CUE * len(shown):
        return False
    return sum(text.endswith((".", "!", "?", "…", "]", ")")) for text in shown) <= WORD_BY_WORD_SENTENCES * len(shown)


def said_once(cues: Sequence[Cue]) -> list[Cue]:
    """Join people's cues that show the same text again without a break.

    Parameters
    ----------
    cues : sequence of Cue
        Ordered by their starts.

    Returns
    -------
    list of Cue
        A text that is shown by several touching cues is one cue, if that happens throughout the track or the repeated
        cue is too short for its words; otherwise it is said again, as a refrain is. A word or two may well be said
        twice: these are joined only in a track that repeats longer texts too.
    """
    repeats = [index for index in range(1, len(cues)) if _repeats(cues[index - 1], cues[index])]
    if len(repeats) < REPEATED_SHARE * len(cues):
        repeats = [index for index in repeats if _takes_longer(cues[index])]
    long = sum(len(without_tags(cues[index].text).split()) >= SHARED_WORDS for index in repeats)
    joined: list[Cue] = []
    repeated = set(repeats)
    for index, cue in enumerate(cues):
        short = len(without_tags(cue.text).split()) < SHARED_WORDS
        if index in repeated and joined and not (short and long < ROLLING_MIN_CUES):
            joined[-1] = replace(joined[-1], end_ms=max(joined[-1].end_ms, cue.end_ms))
        else:
            joined.append(cue)
    return joined


def _takes_longer(cue: Cue) -> bool:
    """Tell whether the words of a cue hardly fit into its time, so that it goes on showing what was said."""
    return len(without_tags(cue.text).split()) * 1000 > FAST_WORDS_PER_S * (cue.end_ms - cue.start_ms)


def _repeats(before: Cue, cue: Cue) -> bool:
    return before.text.split() == cue.text.split() and -TOUCHING_MS <= cue.start_ms - before.end_ms <= TOUCHING_MS
