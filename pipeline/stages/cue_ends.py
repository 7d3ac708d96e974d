"""Ends of cues that hold what is said after them.

Players show a line longer than it takes to say it, and some programs write every end too late. People's captions are
cut by their cues, so that an utterance would hold the next one's sound.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.stages.cues import Cue, has_words, without_tags
from pipeline.stages.pace import lasts_too_long, slow_ms
from pipeline.stages.raw_cues import TOUCHING_MS

# Ends are late as a rule if so many cues are cut; then one that lasts longer than subtitles do (ms), and so many times
# as long as its words take when spoken slowly, ends with its words.
LATE_SHARE = 0.5
LONGEST_SUBTITLE_MS = 7_000
LATE_SLOWNESS = 2


def with_plausible_ends(cues: Iterable[Cue]) -> list[Cue]:
    """End cues that last far too long where the next one begins, or after the time that their words take.

    Parameters
    ----------
    cues : iterable of Cue
        In any order. Cues without words keep their ends: music lasts.

    Returns
    -------
    list of Cue
        Ordered by their starts. A cue is changed only if it lasts longer than half a minute and its words could be
        spoken slowly in a quarter of its time, and another one begins before it ends or it is the last.
    """
    ordered = sorted(cues, key=lambda cue: cue.start_ms)
    starts = _next_starts(ordered)
    return [_plausible(cue, start_ms) for cue, start_ms in zip(ordered, starts, strict=True)]


def _plausible(cue: Cue, next_start_ms: int | None) -> Cue:
    text = without_tags(cue.text)
    if not has_words(cue.text) or not lasts_too_long(text, cue.end_ms - cue.start_ms):
        return cue
    if next_start_ms is None:
        return replace(cue, end_ms=cue.start_ms + slow_ms(text))
    return replace(cue, end_ms=min(cue.end_ms, next_start_ms))


def until_the_next(cues: Iterable[Cue]) -> list[Cue]:
    """End each cue at the latest where the next one begins; cues that begin together are lines of one.

    The overlap may be a player's, which lets a line stand, or two people's who speak at once. Either way the sound
    behind the next start has other words in it. What is cut off are a speaker's last sounds, never another one's.

    Parameters
    ----------
    cues : iterable of Cue
        People's cues, in any order. Cues without words neither end others nor are joined with them.

    Returns
    -------
    list of Cue
        Ordered by their starts.
    """
    ordered = sorted(cues, key=lambda cue: cue.start_ms)
    together: list[list[Cue]] = []
    end_ms = 0
    for cue in ordered:
        if together and _together(together[-1][0], end_ms, cue):
            together[-1].append(cue)
            end_ms = max(end_ms, cue.end_ms)
        else:
            together.append([cue])
            end_ms = cue.end_ms
    joined = list(map(_joined, together))
    starts = _next_starts(joined)
    cut = [
        cue if start_ms is None else replace(cue, end_ms=min(cue.end_ms, start_ms))
        for cue, start_ms in zip(joined, starts, strict=True)
    ]
    changed = sum(cue != before for cue, before in zip(cut, joined, strict=True))
    # Where ends are too late as a rule, so are those before a pause.
    return list(map(_without_pause, cut)) if changed and changed >= LATE_SHARE * (len(cut) - 1) else cut


def _without_pause(cue: Cue) -> Cue:
    takes_ms = slow_ms(without_tags(cue.text))
    if not has_words(cue.text) or cue.end_ms - cue.start_ms <= max(LONGEST_SUBTITLE_MS, LATE_SLOWNESS * takes_ms):
        return cue
    return replace(cue, end_ms=cue.start_ms + takes_ms)


def _joined(cues: list[Cue]) -> Cue:
    """Make one cue of those that begin together."""
    first = cues[0]
    if len(cues) == 1:
        return first
    end_ms = max(cue.end_ms for cue in cues)
    return replace(first, end_ms=end_ms, text="\n".join(cue.text for cue in cues), words=())


def _together(first: Cue, end_ms: int, cue: Cue) -> bool:
    """Whether a cue begins with others, of which the first and the latest end are given."""
    if cue.start_ms > first.start_ms and (cue.start_ms - first.start_ms > TOUCHING_MS or end_ms <= cue.start_ms):
        return False
    return has_words(first.text) and has_words(cue.text)


def _next_starts(ordered: Sequence[Cue]) -> list[int | None]:
    """Give the start of the next cue with words that begins later than each cue."""
    starts: list[int | None] = []
    nearest: int | None = None
    beyond: int | None = None
    for cue in reversed(ordered):
        starts.append(beyond if nearest == cue.start_ms else nearest)
        if has_words(cue.text) and nearest != cue.start_ms:
            nearest, beyond = cue.start_ms, nearest
    return starts[::-1]
