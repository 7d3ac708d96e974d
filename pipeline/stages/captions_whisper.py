"""JSON of speech recognisers to cues: Whisper in all its editions, and what is built like it.

openai-whisper, whisper-ctranslate2, faster-whisper, stable-ts, WhisperX and the API's "verbose_json" write a list of
"segments" in seconds; whisper.cpp writes "transcription" in milliseconds, Transformers "chunks" with a "timestamp".
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from pipeline.stages.captions_json3 import read_events, read_json3, salvage
from pipeline.stages.captions_markup import unmarked
from pipeline.stages.captions_times import UnreadableTimeError, clock_ms
from pipeline.stages.cues import MAX_TIME_MS, CaptionTrack, clean
from pipeline.stages.json_lists import (
    DURATIONS,
    ENDS,
    LISTS,
    STARTS,
    TEXTS,
    json_lines,
    list_of,
    python_literal,
    speaker_of,
)
from pipeline.stages.moments import GatheredCues
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, longest_word_ms, once_each
from pipeline.stages.voices import Voices

# Nobody takes so many seconds for a character: times in milliseconds.
_SLOWEST_S_PER_CHARACTER = 5.0
# Words without segments are put together up to so many, or up to a silence of so many milliseconds.
_LINE_WORDS = 10
_LINE_GAP_MS = 500
# whisper.cpp's tokens that are no text: "[_BEG_]", "[_TT_150]".
_NO_TEXT = "[_"


@dataclass(frozen=True)
class _Piece:
    """A word, or a part of one, or a whole segment, with its times in milliseconds where it has some."""

    text: str
    start_ms: int | None
    end_ms: int | None
    speaker: str = ""


@dataclass(frozen=True)
class _Segment:
    """A segment and its words; ``number`` is its place in the file."""

    whole: _Piece
    words: tuple[_Piece, ...]
    number: int = 0


def read_json(text: str) -> CaptionTrack:
    """Read captions in JSON: YouTube's json3, or what a speech recogniser wrote.

    Parameters
    ----------
    text : str
        The whole file, decoded.

    Returns
    -------
    CaptionTrack
        "automatic" where words carry times; what could not be read is in ``problems``.

    Raises
    ------
    StageError
        If the file is no JSON or holds no captions.
    """
    problems: list[str] = []
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = json_lines(text) or python_literal(text)
        if document is None:
            key = next((key for key in LISTS if f'"{key}"' in text), None)
            if '"events"' in text or key is None:
                return read_json3(text)
            problems.append("line 1: the JSON breaks off or is damaged; what stands before that is read.")
            document = {key: salvage(text, key)}
    if isinstance(document, dict) and isinstance(document.get("events"), list):
        return read_events(document["events"], problems)
    return _track(_segments(document, problems), problems)


def _track(segments: Sequence[_Segment], problems: list[str]) -> CaptionTrack:
    gathered = GatheredCues(problems)
    voices = Voices()
    for segment in _with_ends(segments):
        where = f"segment {segment.number}"
        start_ms, end_ms = segment.whole.start_ms, segment.whole.end_ms
        if start_ms is None or end_ms is None or end_ms < start_ms:
            problems.append(f"{where}: its times are missing or wrong, so it is left out.")
            continue
        lines = (tuple(_chunks(segment, voices)),)
        voices.begun = True
        gathered.add(RawCue(start_ms, end_ms, lines), where)
    cues, kind = assemble(in_order(once_each(gathered.settled(), problems), problems))
    return CaptionTrack(cues, "whisper", kind, tuple(problems), voices.first)


def _segments(document: Any, problems: list[str]) -> list[_Segment]:
    items = list_of(document)
    found: list[_Segment] = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            problems.append(f"segment {number}: this is no segment, so it is left out.")
            continue
        segment = _Segment(_piece(item), tuple(_words(item)), number)
        if segment.whole.text.strip() or segment.words:
            found.append(_completed(segment))
    if isinstance(document, dict) and document.get("words") is not items:
        found = _with_words(found, [_piece(word) for word in _dicts(document.get("words"))])
    found = _in_milliseconds(found)
    lengths = [len(segment.whole.text.split()) for segment in found]
    if len(found) > 1 and not any(segment.words for segment in found) and median(lengths) <= 1:
        return list(_lines_of_words([segment.whole for segment in found]))
    return found


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _words(item: dict[str, Any]) -> Iterator[_Piece]:
    for word in _dicts(item.get("words")) or _dicts(item.get("tokens")):
        piece = _piece(word)
        if piece.text.strip() and not piece.text.strip().startswith(_NO_TEXT):
            yield piece


def _piece(item: dict[str, Any]) -> _Piece:
    text = unmarked(next((item[key] for key in TEXTS if isinstance(item.get(key), str)), ""))
    start_ms, end_ms = _times(item)
    return _Piece(text, start_ms, end_ms, speaker_of(item))


def _times(item: dict[str, Any]) -> tuple[int | None, int | None]:
    """Read start and end, wherever the program puts them."""
    if isinstance(offsets := item.get("offsets"), dict):
        return _time(offsets.get("from"), 1), _time(offsets.get("to"), 1)
    if isinstance(clocks := item.get("timestamps"), dict):
        return _time(clocks.get("from"), 1000), _time(clocks.get("to"), 1000)
    if isinstance(pair := item.get("timestamp"), list) and len(pair) == 2:
        return _time(pair[0], 1000), _time(pair[1], 1000)
    for suffix, unit in (("", 1000), ("_ms", 1), ("Ms", 1)):
        start_ms = next((_time(item[key + suffix], unit) for key in STARTS if key + suffix in item), None)
        if start_ms is None:
            continue
        end_ms = next((_time(item[key + suffix], unit) for key in ENDS if key + suffix in item), None)
        length_ms = next((_time(item[key + suffix], unit) for key in DURATIONS if key + suffix in item), None)
        return start_ms, start_ms + length_ms if end_ms is None and length_ms is not None else end_ms
    return None, None


def _time(value: Any, unit: int) -> int | None:
    """Read a number of seconds (unit 1000) or milliseconds (unit 1), or a time of the clock; None if it is none."""
    if isinstance(value, str):
        try:
            if ":" in value:
                return clock_ms(value)
            value = float(value.removesuffix("s"))
        except (UnreadableTimeError, ValueError):
            return None
    # Neither infinity, nor what is no number, nor whole numbers of hundreds of digits.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_TIME_MS:
        return None
    time_ms = round(value * unit)
    return time_ms if 0 <= time_ms <= MAX_TIME_MS else None


def _completed(segment: _Segment) -> _Segment:
    """Take a segment's text and times from its words where it has none itself."""
    whole, words = segment.whole, segment.words
    starts = [word.start_ms for word in words if word.start_ms is not None]
    ends = [word.end_ms for word in words if word.end_ms is not None]
    return replace(
        segment,
        whole=replace(
            whole,
            text=whole.text if whole.text.strip() else "".join(_spaced(words)),
            start_ms=whole.start_ms if whole.start_ms is not None else min(starts, default=None),
            end_ms=whole.end_ms if whole.end_ms is not None else max(ends, default=None),
        ),
    )


def _with_words(segments: list[_Segment], words: Sequence[_Piece]) -> list[_Segment]:
    """Give each segment without words those of the whole track that are said in it."""
    waiting = [word for word in words if word.start_ms is not None and word.text.strip()]
    if not waiting or any(segment.words for segment in segments):
        return segments
    found: list[_Segment] = []
    position = 0
    for segment in segments:
        first = position
        while position < len(waiting) and (waiting[position].start_ms or 0) < (segment.whole.end_ms or 0):
            position += 1
        found.append(replace(segment, words=tuple(waiting[first:position])))
    return found


def _in_milliseconds(segments: list[_Segment]) -> list[_Segment]:
    """Read whole numbers as milliseconds where as seconds nobody would speak so slowly."""
    rates = [
        (s.whole.end_ms - s.whole.start_ms) / max(1, len(s.whole.text))
        for s in segments
        if s.whole.start_ms is not None and s.whole.end_ms is not None
    ]
    if not rates or median(rates) < 1000 * _SLOWEST_S_PER_CHARACTER:
        return segments

    def mended(piece: _Piece) -> _Piece:
        start_ms, end_ms = (None if time is None else time // 1000 for time in (piece.start_ms, piece.end_ms))
        return replace(piece, start_ms=start_ms, end_ms=end_ms)

    return [
        replace(segment, whole=mended(segment.whole), words=tuple(map(mended, segment.words))) for segment in segments
    ]


def _lines_of_words(words: Sequence[_Piece]) -> Iterator[_Segment]:
    line: list[_Piece] = []
    for word in words:
        gap_ms = (word.start_ms or 0) - (line[-1].end_ms or 0) if line else 0
        if len(line) >= _LINE_WORDS or gap_ms >= _LINE_GAP_MS:
            yield _completed(_Segment(_Piece("", None, None), tuple(line)))
            line = []
        line.append(word)
    if line:
        yield _completed(_Segment(_Piece("", None, None), tuple(line)))


def _with_ends(segments: Sequence[_Segment]) -> Iterator[_Segment]:
    """Let a segment without end last as long as its words take, but not into the next one."""
    for segment, following in pairwise([*segments, None]):
        if segment is None:
            continue
        whole = segment.whole
        if whole.end_ms is None and whole.start_ms is not None:
            end_ms = whole.start_ms + sum(map(longest_word_ms, whole.text.split()))
            next_ms = following.whole.start_ms if following else None
            if next_ms is not None and next_ms > whole.start_ms:
                end_ms = min(end_ms, next_ms)
            yield replace(segment, whole=replace(whole, end_ms=end_ms))
        else:
            yield segment


def _spaced(words: Sequence[_Piece]) -> list[str]:
    """Give the words with the spaces between them, which some programs leave out."""
    spaced = any(word.text[:1].isspace() for word in words)
    return [word.text if spaced else f" {word.text}" for word in words]


def _chunks(segment: _Segment, voices: Voices) -> Iterator[Chunk]:
    """Give a segment's text cut at its word times, another speaker marked."""
    texts = _spaced(segment.words)
    shown = segment.whole.text.split()
    if "".join(texts).split() == shown:
        pieces = list(zip(texts, segment.words, strict=True))
    else:
        # Punctuation, or half a character, is missing from the words: the text's words have the same order.
        firsts = [word for text, word in zip(texts, segment.words, strict=True) if text[:1].isspace()]
        if len(firsts) != len(shown):
            yield Chunk(clean(voices.mark(segment.whole.speaker or voices.name) + segment.whole.text))
            return
        pieces = [(f" {text}", word) for text, word in zip(shown, firsts, strict=True)]
    for text, word in pieces:
        mark = voices.mark(word.speaker or segment.whole.speaker or voices.name)
        ends = word.start_ms is not None and word.end_ms is not None and word.end_ms > word.start_ms
        yield Chunk(clean(mark + text), word.start_ms, word.end_ms if ends else None)
