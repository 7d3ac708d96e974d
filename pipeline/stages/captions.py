"""Caption files to cues to utterances: the door to the caption stages."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.stages.caption_formats import read_format
from pipeline.stages.caption_names import READ_FORMATS
from pipeline.stages.cues import AUTOMATIC, CaptionTrack, Cue, Word
from pipeline.stages.errors import StageError
from pipeline.stages.segmentation import (
    SEGMENTATION_POLICIES,
    SegmentationPolicy,
    Utterance,
    nothing_usable,
    segment,
    without_speechless,
)
from pipeline.stages.text_files import read_text

__all__ = [
    "SEGMENTATION_POLICIES",
    "CaptionTrack",
    "Cue",
    "SegmentationPolicy",
    "Utterance",
    "Word",
    "nothing_usable",
    "read_captions",
    "segment",
    "without_speechless",
]

# A day of automatic json3 captions takes some 20 MB; more is no caption file. Reading takes up to 60 times the memory.
MAX_FILE_BYTES = 25_000_000
# A cue of more words than a minute of speech has tells nothing of when they are said.
MAX_CUE_WORDS = 150
# No word of speech has more characters; text without spaces is counted by them.
LONGEST_WORD = 26
# Some four minutes of speech. The classifiers' time grows with the square of some texts, so that no cue may be endless.
MAX_CUE_CHARACTERS = 4_000
# More problems than this are counted, not listed.
MAX_PROBLEMS = 50


def read_captions(path: Path) -> CaptionTrack:
    """Read a caption file whose format is told by its content, and by its ending where that is unclear.

    Parameters
    ----------
    path : Path
        A file in one of `caption_names.READ_FORMATS`, in any encoding that `text_files` knows.

    Returns
    -------
    CaptionTrack
        At least one cue, in the order of the file; what could not be read is in ``problems``.

    Raises
    ------
    StageError
        If nothing in the file can be read as captions.
    """
    decoded = read_text(path, max_bytes=MAX_FILE_BYTES, what="captions")
    problems = list(decoded.problems)
    if not decoded.text.strip():
        raise StageError(f"{path.name} is empty; give a caption file with text and times.")
    track = read_format(decoded.text, path)
    problems += track.problems
    if not track.cues:
        detail = f" First problem: {problems[0]}" if problems else ""
        raise StageError(f"No captions can be read from {path.name}; give one of these: {READ_FORMATS}.{detail}")
    if _holds_transcript(track):
        raise StageError(
            f"{path.name} holds a whole transcript in one cue, so that nothing tells when each sentence is said; "
            "give captions in which every sentence or line has its own times."
        )
    cues = _without_endless(track.cues, problems)
    if len(problems) > MAX_PROBLEMS:
        problems = [*problems[:MAX_PROBLEMS], f"… and {len(problems) - MAX_PROBLEMS} more problems."]
    return replace(track, cues=cues, problems=tuple(problems))


def _holds_transcript(track: CaptionTrack) -> bool:
    """Tell whether most of the words stand in cues that are much too long."""
    if track.kind == AUTOMATIC:
        return False
    lengths = [max(len(cue.text.split()), len(cue.text) // LONGEST_WORD) for cue in track.cues]
    return 2 * sum(length for length in lengths if length > MAX_CUE_WORDS) > sum(lengths)


def _without_endless(cues: Sequence[Cue], problems: list[str]) -> tuple[Cue, ...]:
    """Leave out cues of more than anybody says in one breath; not even damaged files hold many."""
    kept = tuple(cue for cue in cues if len(cue.text) <= MAX_CUE_CHARACTERS)
    if len(kept) < len(cues):
        problems.append(
            f"cues of more than {MAX_CUE_CHARACTERS} characters, which are left out: {len(cues) - len(kept)}."
        )
    return kept
