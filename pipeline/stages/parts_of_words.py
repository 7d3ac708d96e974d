"""Parts of words that are cues of their own, to whole words.

whisper.cpp can write a cue per token ("-ml 1"): " Amer", "icans", ",". A token that begins a word has a space before
it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.stages.raw_cues import TOUCHING_MS, RawCue

# So many cues begin with a space where the space tells.
_SPACED_SHARE = 0.5
# What is no word by itself: closing punctuation, and the end of a contraction.
_PART = re.compile(r"""[,.!?;:…%)\]”"]+|['’](?:s|t|re|ve|ll|d|m)[.,!?]*|n['’]t[.,!?]*""", re.IGNORECASE)


def whole_words(raw_cues: Sequence[RawCue]) -> list[RawCue]:
    """Join cues that go on with the word of the cue before.

    Parameters
    ----------
    raw_cues : sequence of RawCue
        Of a track that has a word a cue.

    Returns
    -------
    list of RawCue
        Each lasts from the beginning of its first part to the end of its last.
    """
    spaced = [_written(cue)[:1].isspace() for cue in raw_cues]
    tell = sum(spaced) >= _SPACED_SHARE * len(raw_cues)
    joined: list[RawCue] = []
    for cue, begins in zip(raw_cues, spaced, strict=True):
        before = joined[-1] if joined else None
        text = " ".join(cue.shown)
        goes_on = _PART.fullmatch(text) is not None or (tell and not begins)
        if before is None or not goes_on or begins or cue.start_ms - before.end_ms > TOUCHING_MS:
            joined.append(cue)
            continue
        last = before.lines[-1]
        whole = replace(last[-1], text=last[-1].text.rstrip() + text)
        lines = (*before.lines[:-1], (*last[:-1], whole))
        joined[-1] = replace(before, end_ms=max(before.end_ms, cue.end_ms), lines=lines)
    return joined


def _written(cue: RawCue) -> str:
    """Give the first line with its spaces."""
    return "".join(chunk.text for chunk in cue.lines[0])
