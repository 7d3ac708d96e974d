"""Karaoke captions: a cue per highlighted word, to one cue per line whose words have times.

Whisper (``--highlight_words``), stable-ts and editors of short videos show the same line again and again, each time
with another word underlined, bold or coloured.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.stages.cues import clean, voice_mark
from pipeline.stages.pace import lasts_too_long, slow_ms
from pipeline.stages.raw_cues import TOUCHING_MS, Chunk, RawCue

# A line that is shown again after a longer break (ms) is said again, even if another word of it is highlighted. It is
# the longest silence inside a sentence, see `cutting.SENTENCE_PAUSE_MS`.
LONGEST_BREAK_MS = 3_000

# More than so many of a line's words are highlighted one after another; not all, since some have no times.
LIT_SHARE = 0.5

# So many cues of a line show which markup most of its words have.
MOST_LOOKED_AT = 20

_MARKUP = re.compile(r"<(?P<close>/?)(?P<name>[a-zA-Z]+)(?P<rest>[^<>]*)>|<[\d:.,]*>|\{[^{}]*\}")
# Tags that say who speaks or in which language, and no highlight.
_NO_HIGHLIGHT = {"v", "lang", "br"}
# No program nests more tags; damaged files do.
_MOST_TAGS = 8


def markup_of_words(text: str) -> tuple[str, ...]:
    """Return the tags that are open at each word of a cue's text; nothing if no word has any.

    >>> markup_of_words('I <u>never</u> thought')
    ('', 'u', '')
    """
    if "<" not in text and "{" not in text:
        return ()
    words: list[str] = []
    stack: list[tuple[str, str]] = []
    position, inside = 0, False
    for match in [*_MARKUP.finditer(text), None]:
        piece = clean(text[position : match.start() if match else None])
        around = " ".join(tag for _, tag in stack)
        for part in re.findall(r"\s+|\S+", piece):
            if part.isspace():
                inside = False
            elif inside:
                words[-1] = words[-1] or around  # The rest of a word.
            else:
                words.append(around)
                inside = True
        if match is None:
            break
        position = match.end()
        _open_or_close(stack, match)
    return tuple(words) if any(words) else ()


def _open_or_close(stack: list[tuple[str, str]], match: re.Match[str]) -> None:
    name = (match["name"] or "").lower()
    if not name or name in _NO_HIGHLIGHT:
        return
    if not match["close"]:
        if len(stack) < _MOST_TAGS:
            stack.append((name, name + match["rest"]))
        return
    for index in range(len(stack) - 1, -1, -1):
        if stack[index][0] == name:
            del stack[index]
            return


def merge_karaoke(raw_cues: Sequence[RawCue]) -> list[RawCue]:
    """Make one cue of cues that show the same text with one word highlighted after another.

    Parameters
    ----------
    raw_cues : sequence of RawCue
        In the order of their times.

    Returns
    -------
    list of RawCue
        Karaoke cues are merged, and the words of the merged cue have the times of their highlights; the others come as
        they are. A line that is highlighted from its beginning again is another cue: it is sung twice.
    """
    merged: list[RawCue] = []
    groups = list(_groups(raw_cues))
    for group, following in zip(groups, [*groups[1:], None], strict=False):
        if _is_karaoke(group):
            merged.append(_merged(group, following[0].cue.seen if following else []))
        else:
            merged += [state.cue for state in group]
    return merged


def _is_karaoke(group: Sequence["_State"]) -> bool:
    """Tell whether the highlight goes through the line: emphasis that differs from cue to cue leaves most words out."""
    highlights = {state.new for state in group if state.new}
    lit = frozenset[int]().union(*highlights)
    words = first = 0
    for line in group[0].cue.seen:
        following = first + len(line)
        if not lit.isdisjoint(range(first, following)):  # Another line may wait below.
            words += len(line)
        first = following
    return len(highlights) > 1 and len(lit) > LIT_SHARE * words


@dataclass(frozen=True)
class _State:
    """A cue of a group, and the words that are highlighted from here on."""

    cue: RawCue
    new: frozenset[int]


def _visible(cue: RawCue) -> list[str]:
    return [word for line in cue.seen for word in line]


def _groups(raw_cues: Sequence[RawCue]) -> Iterator[list[_State]]:
    """Give the cues that show the same text one after another while the highlight goes on."""
    group: list[_State] = []
    text: list[str] = []
    lit: frozenset[int] = frozenset()
    plain = ""
    last = -1
    for index, cue in enumerate(raw_cues):
        words = _visible(cue)
        if not group or words != text or not words or cue.timed or _long_break(group[-1].cue, cue):
            if group:
                yield group
            group, text, lit, last = [], words, frozenset(), -1
            plain = _plain_markup(raw_cues, index, words)
        now = _highlighted(cue, words, plain)
        new = now - lit if lit < now else now
        if group and _goes_back(group[-1], last, new, cue):
            yield group
            group, new, last = [], now, -1
        group.append(_State(cue, new))
        last = max(new, default=last)
        # Between two words there may be a cue without highlight.
        lit = now or lit
    if group:
        yield group


def _long_break(before: RawCue, cue: RawCue) -> bool:
    longest_ms = LONGEST_BREAK_MS if before.markup or cue.markup else TOUCHING_MS
    return cue.start_ms - before.end_ms > longest_ms


def _plain_markup(raw_cues: Sequence[RawCue], first: int, words: list[str]) -> str:
    """Return the markup of a word that is not highlighted: none, or the one that most words have."""
    found: Counter[str] = Counter()
    for cue in raw_cues[first : first + min(len(words), MOST_LOOKED_AT) + 1]:
        if _visible(cue) != words:
            break
        found.update(cue.markup or [""])
    return "" if "" in found or not found else found.most_common(1)[0][0]


def _highlighted(cue: RawCue, words: list[str], plain: str) -> frozenset[int]:
    if cue.timed or len(cue.markup) != len(words):
        return frozenset()
    return frozenset(index for index, markup in enumerate(cue.markup) if markup != plain)


def _goes_back(before: _State, last: int, new: frozenset[int], cue: RawCue) -> bool:
    """Tell whether the highlight is at or before the word where it was last."""
    if not new or min(new) > last:
        return False
    goes_on = before.new and cue.start_ms - before.cue.end_ms <= TOUCHING_MS
    return not (min(new) == last and goes_on)


def _merged(group: list[_State], next_lines: list[list[str]]) -> RawCue:
    """Make one cue of a group, without a line that is only shown here and sung in the cue that follows."""
    times: dict[int, tuple[int, int]] = {}
    visible = _visible(group[0].cue)
    for state, following in zip(group, [*group[1:], None], strict=True):
        end_ms = state.cue.end_ms
        if following is not None and state.cue.start_ms < following.cue.start_ms:
            end_ms = min(end_ms, following.cue.start_ms)
        words = " ".join(visible[index] for index in state.new)
        if words and lasts_too_long(words, end_ms - state.cue.start_ms):
            end_ms = state.cue.start_ms + slow_ms(words)
        for index in state.new:
            times[index] = (times.get(index, (state.cue.start_ms,))[0], end_ms)
    first = group[0].cue
    lines: list[tuple[Chunk, ...]] = []
    index = 0
    for line in first.seen:
        chunks: list[Chunk] = []
        waits = line in next_lines and not any(at in times for at in range(index, index + len(line)))
        for word in line:
            chunk = Chunk(f"{word} ", *times.get(index, ()))
            before = chunks[-1] if chunks else None
            if before and (before.time_ms, before.end_ms) == (chunk.time_ms, chunk.end_ms):
                chunks[-1] = replace(before, text=before.text + chunk.text)
            else:
                chunks.append(chunk)
            index += 1
        if not waits:
            lines.append(tuple(chunks))
    if mark := _leading_mark(first):
        lines[0] = (Chunk(f"{mark} "), *lines[0])
    return RawCue(first.start_ms, max(state.cue.end_ms for state in group), tuple(lines))


def _leading_mark(cue: RawCue) -> str:
    match = re.match(r">>\u2063([^\u2063\n]*)\u2063", " ".join(cue.shown))
    return voice_mark(match[1]) if match else ""
