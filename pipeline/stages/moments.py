"""Cues without a duration: their words belong to what is said at that moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.stages.unrolling import Chunk, RawCue, longest_word_ms

# So near (ms) a cue without duration belongs to the next one: the longest silence inside a sentence, see
# `cutting.SENTENCE_PAUSE_MS`.
NEXT_MS = 3_000
# The one before it has ended, so that its sound holds these words only if they follow at once (ms).
NEAR_MS = 500


@dataclass(frozen=True)
class MomentaryCue:
    """A cue that ends where it begins, and how many cues with a duration stand before it in the file."""

    position: int
    time_ms: int
    lines: tuple[tuple[Chunk, ...], ...]
    where: str

    @property
    def shown(self) -> list[str]:
        return RawCue(self.time_ms, self.time_ms, self.lines).shown


class GatheredCues:
    """The cues of a file as they are read: those with a duration, and those that last for a moment."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self._raw_cues: list[RawCue] = []
        self._moments: list[MomentaryCue] = []

    def add(self, cue: RawCue, where: str) -> None:
        """Take a cue from its place in the file; one that ends before it begins is left out, and noted."""
        if cue.end_ms > cue.start_ms:
            self._raw_cues.append(cue)
        elif cue.end_ms == cue.start_ms:
            self._moments.append(MomentaryCue(len(self._raw_cues), cue.start_ms, cue.lines, where))
        else:
            self._problems.append(f"{where}: the cue ends before it begins, so it is left out.")

    def settled(self) -> list[RawCue]:
        """Give the cues in the order of the file, each with a duration; see `with_moments`."""
        return with_moments(self._raw_cues, self._moments, self._problems)


def with_moments(raw_cues: Sequence[RawCue], moments: Sequence[MomentaryCue], problems: list[str]) -> list[RawCue]:
    """Put the words of cues without duration into the cue that begins then, or else into the one that ends then.

    What the neighbour shows anyhow is not said twice. A cue with no neighbour at its time is left out, and noted.

    Parameters
    ----------
    raw_cues : sequence of RawCue
        Cues with a duration, in the order of the file.
    moments : sequence of MomentaryCue
        Cues without, in the order of the file.
    problems : list of str
        Where a sentence about each cue that is left out is added.

    Returns
    -------
    list of RawCue
        As many as before; all of them, where most cues have no duration.
    """
    if len(moments) > len(raw_cues):
        problems.append("most cues end where they begin; their ends are estimated from the text.")
        return _lasting(raw_cues, moments)
    cues = list(raw_cues)
    for position, run in groupby(moments, key=lambda moment: moment.position):
        before = raw_cues[position - 1] if position else None
        following = raw_cues[position] if position < len(raw_cues) else None
        shown = {line for cue in (before, following) if cue is not None for line in cue.shown}
        above: list[MomentaryCue] = []
        below: list[MomentaryCue] = []
        for moment in run:
            if shown.issuperset(moment.shown):
                continue
            shown.update(moment.shown)
            if following is not None and -NEAR_MS <= following.start_ms - moment.time_ms <= NEXT_MS:
                below.append(moment)
            elif before is not None and before.start_ms <= moment.time_ms <= before.end_ms + NEAR_MS:
                above.append(moment)
            else:
                problems.append(f"{moment.where}: the cue ends where it begins, so it is left out.")
        if above:
            lines = [line for moment in above for line in moment.lines]
            cues[position - 1] = replace(cues[position - 1], lines=(*cues[position - 1].lines, *lines))
        if below:
            lines = [line for moment in below for line in moment.lines]
            start_ms = min(cues[position].start_ms, below[0].time_ms)
            cues[position] = replace(cues[position], start_ms=start_ms, lines=(*lines, *cues[position].lines))
    return cues


def _lasting(raw_cues: Sequence[RawCue], moments: Sequence[MomentaryCue]) -> list[RawCue]:
    """Let cues without duration last as long as their words take, but not into the next cue."""
    every = sorted(
        [*raw_cues, *(RawCue(moment.time_ms, moment.time_ms, moment.lines) for moment in moments)],
        key=lambda cue: cue.start_ms,
    )
    lasting: list[RawCue] = []
    next_ms = math.inf
    for cue in reversed(every):
        if cue.end_ms == cue.start_ms:
            takes_ms = sum(longest_word_ms(word) for line in cue.shown for word in line.split())
            cue = replace(cue, end_ms=int(min(cue.start_ms + takes_ms, max(next_ms, cue.start_ms + 1))))
        lasting.append(cue)
        next_ms = cue.start_ms
    return [cue for cue in reversed(lasting) if cue.shown]
