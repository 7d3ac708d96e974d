"""Lines of SRT and WebVTT to cues: which lines belong to which time.

Empty lines end a cue by the book. People and programs leave them out, double them, and write them inside a cue's text.
So the time lines divide a file here, and what stands between two of them is told apart by what it looks like: the next
cue's number or name, more of the text above, a cue whose time is lost, or a remark.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.stages.captions_times import TIME_BEGINS, plain_digits
from pipeline.stages.normal_text import readable

# A cue's number as programs write it: "7", "7.", "#7".
_NUMBER = re.compile(r"\s*#?(\d{1,9})[.):]?\s*")
_GLUED_NUMBER = re.compile(r"\s*#?\d+[.):]?\s+-?\d")
# What closes a sentence or a word, so that a number behind it is none of its own.
_CLOSES = re.compile(r"""[^\W\d]\Z|[.!?…,"'”’)\]]\Z""")
_GOES_ON = (",", ";", "-", "–", "—", "…", "...")
# A time without its arrow: what stands below is a cue whose time is lost.
_LOST_TIME = re.compile(r"\s*-?\d+\s*:\s*\d")
# In a file whose cues are numbered nearly all are: more than a third, or more than two thirds if the first is not.
_NUMBERED_SHARE = 1 / 3
_NUMBERED_SHARE_WITHOUT_FIRST = 2 / 3


@dataclass(frozen=True)
class Block:
    """A cue's time line and the lines below it; ``line`` is the time line's number in the file."""

    line: int
    time_line: str
    payload: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"line {self.line}"


@dataclass(frozen=True)
class _Line:
    number: int
    text: str

    @property
    def plain(self) -> str:
        return plain_digits(self.text)

    @property
    def cue_number(self) -> int | None:
        match = _NUMBER.fullmatch(self.plain)
        return int(match[1]) if match else None


def blocks(text: str, problems: list[str], *, remark: re.Pattern[str] | None = None) -> Iterator[Block]:
    """Divide a file into cues, noting text that belongs to none.

    Parameters
    ----------
    text : str
        The whole file.
    problems : list of str
        Where sentences about lost text are added.
    remark : pattern, optional
        What the lines that are no cue begin with (WebVTT: its heading, notes, styles). Where it is given, the line
        right above a time line may also be the cue's name.

    Yields
    ------
    Block
        Cues with text, in the order of the file.
    """
    lines = _single_spaced(text)
    times = [index for index, line in enumerate(lines) if TIME_BEGINS.match(line.plain)]
    heads, numbered = _heads(lines, times, named=remark is not None)
    for group in _groups(lines[: heads[0].index]):
        _report(group, problems, remark=remark)
    for head, following in pairwise(heads):
        region = lines[head.time + 1 : following.index]
        payload = _payload(region, problems, _Rules(numbered, following.expected, remark))
        if payload and numbered:
            payload = _without_glued_number(payload, following)
        yield Block(lines[head.time].number, lines[head.time].text, payload)


def _single_spaced(text: str) -> list[_Line]:
    """Give a file's lines; of a file in which every second one is empty, the others."""
    lines = [_Line(number, line) for number, line in enumerate(text.split("\n"), start=1)]
    filled = {line.number % 2 for line in lines if line.text}
    if len(filled) == 1 and len(lines) > 1:
        (parity,) = filled
        return [line for line in lines if line.number % 2 == parity]
    return lines


@dataclass(frozen=True)
class _Head:
    """Where a cue begins: at its number or name, or else at its time line.

    ``expected`` is the number that the cue should have by those before it, if any have numbers.
    """

    index: int
    time: int
    expected: int | None


def _heads(lines: Sequence[_Line], times: Sequence[int], *, named: bool) -> tuple[list[_Head], bool]:
    """Find where each cue begins (and where the last one ends), and tell whether the file's cues are numbered."""
    above = [_filled_above(lines, time, before) for before, time in pairwise([-1, *times])]
    gaps = [
        time - index > 1
        for index, time in zip(above, times, strict=True)
        if index is not None and lines[index].cue_number is not None
    ]
    glued = sum(_GLUED_NUMBER.match(lines[time].plain) is not None for time in times)
    count = len(gaps) + glued
    first = bool(times) and (
        (above[0] is not None and lines[above[0]].cue_number is not None) or _GLUED_NUMBER.match(lines[times[0]].plain)
    )
    numbered = bool(count) and (count > len(times) * (_NUMBERED_SHARE if first else _NUMBERED_SHARE_WITHOUT_FIRST))
    gaps_are_usual = 2 * sum(gaps) > len(gaps)
    heads: list[_Head] = []
    expected: int | None = None
    for index, (before, time) in zip(above, pairwise([-1, *times]), strict=True):
        heads.append(_Head(time, time, expected))
        following = None if expected is None else expected + 1
        if index is not None:
            number = lines[index].cue_number
            touches = index + 1 == time
            parted = index == 0 or not lines[index - 1].text.strip()
            if number is not None and numbered:
                # A number that is too high by the order, and touches the text above it, is said.
                in_turn = parted or index - 1 == before or expected is None or number <= expected
                if in_turn and (touches or number == expected or (parted and gaps_are_usual)):
                    heads[-1], following = _Head(index, time, expected), number + 1
            elif touches and parted and (named or number is not None):
                heads[-1] = _Head(index, time, expected)
        expected = following
    return [*heads, _Head(len(lines), len(lines), expected)], numbered


def _filled_above(lines: Sequence[_Line], time: int, before: int) -> int | None:
    """Give the nearest line above a time line, and below the one before it, on which anything stands."""
    return next((index for index in range(time - 1, before, -1) if lines[index].plain.strip()), None)


def _without_glued_number(payload: tuple[str, ...], following: _Head) -> tuple[str, ...]:
    """Take the next cue's number from the end of the text above it: "… take your time.2"."""
    if following.index != following.time or following.expected is None:
        return payload
    last = payload[-1].rstrip()
    text = last.removesuffix(str(following.expected))
    return (*payload[:-1], text) if text != last and text and _CLOSES.search(text) else payload


@dataclass(frozen=True)
class _Rules:
    """What tells more text from other lines: is the file numbered, what number comes next, what is a remark."""

    numbered: bool
    expected: int | None
    remark: re.Pattern[str] | None


def _payload(region: Sequence[_Line], problems: list[str], rules: _Rules) -> tuple[str, ...]:
    """Give the text of a cue, noting what stands below it and is none."""
    payload: list[str] = []
    for group in _groups(region):
        if group[0] is region[0] or _continues(group, rules, payload):
            payload += [line.text for line in group]
        else:
            _report(group, problems, remark=rules.remark)
    return tuple(payload)


def _continues(group: Sequence[_Line], rules: _Rules, payload: Sequence[str]) -> bool:
    """Tell whether lines below an empty one are more of the text of the cue above, which may have none so far."""
    top = group[0]
    if _is_remark(top, rules.remark) or (payload and _LOST_TIME.match(top.plain)):
        return False
    if top.cue_number is not None and top.cue_number == rules.expected:
        return False
    if not payload or rules.numbered:
        return True
    # Where no cue has a number, a line by itself may also be a cue whose time is lost; no player shows it in WebVTT.
    if rules.remark is not None:
        return False
    start = next((character for character in top.text if character.isalnum()), "")
    return start.islower() or payload[-1].rstrip().endswith(_GOES_ON)


def _is_remark(line: _Line, remark: re.Pattern[str] | None) -> bool:
    return remark is not None and remark.match(readable(line.text).lstrip()) is not None


def _groups(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Give the runs of lines between empty ones."""
    runs = groupby(lines, key=lambda line: bool(line.text))
    return [list(run) for filled, run in runs if filled]


def _report(group: Sequence[_Line], problems: list[str], *, remark: re.Pattern[str] | None) -> None:
    """Note that lines are left out, but for remarks, empty ones and a number that waits for its cue."""
    filled = [line for line in group if line.text.strip()]
    lone_number = len(filled) == 1 and filled[0].cue_number is not None and remark is None
    if filled and not lone_number and not _is_remark(group[0], remark):
        problems.append(f"line {group[0].number}: text without a time is left out.")
