"""SRT and WebVTT to cues."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.stages.captions_blocks import blocks
from pipeline.stages.captions_markup import mended
from pipeline.stages.captions_times import UnreadableTimeError, clock_ms, times_ms
from pipeline.stages.cues import CaptionTrack, clean
from pipeline.stages.karaoke import markup_of_words
from pipeline.stages.moments import GatheredCues
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, once_each
from pipeline.stages.voices import Voices

# A tag's name follows at once: "2 < 3" is text. Wrong word times are tags too.
_TAG = r"</?[a-zA-Z.][^<>]*>|<[/\d:.,]*>"
_INLINE = re.compile(
    rf"<(?P<time>(?:\d{{1,4}}:)?\d{{1,2}}:\d{{1,2}}(?:[.,]\d{{1,9}})?)>|<v(?:\.[^<>\s]*)?[ \t](?P<voice>[^<>]*)>|{_TAG}"
)
_VTT_REMARK = re.compile(r"WEBVTT|NOTE|STYLE|REGION")


@dataclass
class _ShownLines:
    """Cuts the lines of a file at their word times."""

    voices: Voices = field(default_factory=Voices)

    def of(self, shown: Sequence[str]) -> tuple[tuple[Chunk, ...], ...]:
        return tuple(map(self._chunks, shown))

    def _chunks(self, line: str) -> tuple[Chunk, ...]:
        """Cut a line at its word times; another voice becomes a speaker mark, all other markup is dropped."""
        chunks: list[Chunk] = []
        text, time_ms, position = "", None, 0
        for match in _INLINE.finditer(line):
            piece = line[position : match.start()]
            text += piece
            self.voices.begun = self.voices.begun or bool(clean(piece).strip())
            position = match.end()
            if match["voice"]:
                text += self.voices.mark(match["voice"])
            if match["time"] is None:
                continue
            try:
                following = clock_ms(match["time"])
            except UnreadableTimeError:
                continue  # The words after it share the time of those before.
            if text:
                chunks.append(Chunk(clean(text), time_ms))
            text, time_ms = "", following
        chunks.append(Chunk(clean(text + line[position:]), time_ms))
        self.voices.begun = self.voices.begun or any(chunk.text.strip() for chunk in chunks)
        return tuple(chunks)


def _raw_cues(text: str, problems: list[str], *, remark: re.Pattern[str] | None = None) -> tuple[list[RawCue], str]:
    """Read the cues of a file, those without a duration among their neighbours, and the name of the first voice."""
    gathered = GatheredCues(problems)
    lines = _ShownLines()
    for block in blocks(text, problems, remark=remark):
        try:
            start_ms, end_ms, rest = times_ms(block.time_line)
        except UnreadableTimeError:
            problems.append(f"{block.where}: the time cannot be read, so this cue is left out.")
            continue
        payload = mended(block.payload or ((rest,) if rest else ()))
        if not (block.payload or rest):
            problems.append(f"{block.where}: the cue has no text.")
            continue
        # A cue that is left out does not change whose voice was the last.
        shown = lines.of(payload) if end_ms >= start_ms else ()
        gathered.add(RawCue(start_ms, end_ms, shown, markup_of_words("\n".join(payload))), block.where)
    return gathered.settled(), lines.voices.first


def read_vtt(text: str) -> CaptionTrack:
    """Read WebVTT, including YouTube's automatic captions.

    Parameters
    ----------
    text : str
        The whole file, decoded, without byte-order mark.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.

    References
    ----------
    .. [1] W3C, "WebVTT: The Web Video Text Tracks Format", section 6 (parsing).
    """
    problems: list[str] = []
    raw_cues, voice = _raw_cues(text, problems, remark=_VTT_REMARK)
    if raw_cues and not text.lstrip("\ufeff \t\n").startswith("WEBVTT"):
        problems.insert(0, 'line 1: the heading "WEBVTT" is missing; the cues are read all the same.')
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, "vtt", kind, tuple(problems), voice)


def read_srt(text: str) -> CaptionTrack:
    """Read SubRip captions.

    Parameters
    ----------
    text : str
        The whole file, decoded, without byte-order mark.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.
    """
    problems: list[str] = []
    raw_cues, voice = _raw_cues(text, problems)
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, "srt", kind, tuple(problems), voice)
