"""Write cues as SRT or WebVTT, and read what becomes of them."""

from collections.abc import Iterable, Sequence

from pipeline.stages.captions import SEGMENTATION_POLICIES, CaptionTrack, Utterance, segment
from pipeline.stages.captions_text import read_srt, read_vtt
from tests.stages.rolling import clock

SEED, RECOMMENDED = SEGMENTATION_POLICIES["seed-2019"], SEGMENTATION_POLICIES["recommended"]
Shown = tuple[int, int, str]  # start and end in ms, text

LINES = (
    "I never thought the river would take the whole house away.",
    "My sister laughed until she could not breathe any more.",
    "Did you feel safe in that place after the storm was over?",
)


def track_of(cues: Iterable[Shown], form: str = "srt") -> CaptionTrack:
    blocks = "\n\n".join(f"{clock(start)} --> {clock(end)}\n{text}" for start, end, text in cues)
    track = read_vtt(f"WEBVTT\n\n{blocks}") if form == "vtt" else read_srt(blocks)
    assert track.problems == ()
    return track


def every(length_ms: int, texts: Iterable[str], start_ms: int = 0) -> list[Shown]:
    """Cues that touch."""
    return [(start_ms + n * length_ms, start_ms + (n + 1) * length_ms, text) for n, text in enumerate(texts)]


def recommended(cues: Iterable[Shown], form: str = "srt") -> Sequence[Utterance]:
    return segment(track_of(cues, form), RECOMMENDED)


def told(utterances: Iterable[Utterance]) -> list[tuple[int, int, str]]:
    return [(u.start_ms, u.end_ms, u.text) for u in utterances]


def spoken(utterances: Iterable[Utterance]) -> list[tuple[str, str]]:
    return [(u.speaker, u.text) for u in utterances]


def words_of(track: CaptionTrack) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for cue in track.cues for word in cue.words]
