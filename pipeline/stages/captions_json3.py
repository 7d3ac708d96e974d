"""YouTube's json3 captions ("timedtext") to cues."""

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from pipeline.stages.cues import AUTOMATIC, MAX_TIME_MS, VOICE_MARK, CaptionTrack, Cue, Word, clean, is_speaker_mark
from pipeline.stages.errors import StageError
from pipeline.stages.raw_cues import TOUCHING_MS
from pipeline.stages.unrolling import (
    Chunk,
    RawCue,
    assemble,
    close_words,
    in_order,
    longest_word_ms,
    once_each,
    words_of_chunks,
)

# A rolling line is there until the one after next begins. YouTube's own VTT of the same captions ends its cue this
# long (ms) before the next line, to show the finished line alone for that time.
FINALISED_MS = 10
# A duration that leaves a character less time (ms) is a placeholder: the fastest speakers say some 25 a second.
FASTEST_MS_PER_CHARACTER = 30
# The last line may go on for so long (ms) after its duration, as its word times say; YouTube's lines last some 5 s.
LAST_LINE_MS = 10_000


@dataclass(frozen=True)
class _Event:
    """One event with text: its line (or lines), and how long it is shown.

    ``timed`` tells whether its words have times, ``stays`` whether the line moves up when it is complete, although its
    duration does not say so.
    """

    start_ms: int
    end_ms: int
    chunks: tuple[Chunk, ...]
    timed: bool = False
    stays: bool = False

    @property
    def text(self) -> str:
        lines = "".join(chunk.text for chunk in self.chunks).split("\n")
        return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def read_json3(text: str) -> CaptionTrack:
    """Read json3 captions, people's or automatic.

    The events of automatic captions overlap: each line stays while the next one is spoken. Their cues are what a
    player shows while a line is spoken, that line below the one before it, exactly as in YouTube's VTT.

    Parameters
    ----------
    text : str
        The whole file, decoded.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.

    Raises
    ------
    StageError
        If the file is no JSON or holds no list of events.
    """
    problems: list[str] = []
    return read_events(_load(text, problems), problems)


def read_events(raw_events: list[Any], problems: list[str]) -> CaptionTrack:
    """Turn json3 events into a track; `problems` are those found before."""
    events: list[_Event] = []
    rolling = False
    starts = sorted(
        start_ms
        for raw in raw_events
        if isinstance(raw, dict) and raw.get("segs") and (start_ms := _time_ms(raw.get("tStartMs"))) is not None
    )
    line_ends: list[int] = []
    for number, raw in enumerate(raw_events, start=1):
        if not isinstance(raw, dict):
            problems.append(f"event {number}: this is no caption event, so it is left out.")
            continue
        segs = raw.get("segs", [])  # Events without text set up windows and styles.
        if not isinstance(segs, list):
            problems.append(f"event {number}: its text is no list of pieces, so it is left out.")
            continue
        rolling = rolling or bool(raw.get("aAppend")) or _has_word_times(segs)
        event = _event(raw, segs, number, starts, problems)
        if event is not None and event.text:
            events.append(event)
        elif event is not None and any("\n" in chunk.text for chunk in event.chunks):
            line_ends.append(event.start_ms)
    events = list(in_order(once_each(events, problems), problems))
    if rolling:
        events = _with_durations(_until_line_ends(events, sorted(line_ends)))
        return CaptionTrack(_rolling_cues(events), "json3", AUTOMATIC, tuple(problems))
    events = _with_durations(events)
    lines = [tuple((Chunk(line),) for line in event.text.split("\n")) for event in events]
    cues, kind = assemble([RawCue(e.start_ms, e.end_ms, shown) for e, shown in zip(events, lines, strict=True)])
    return CaptionTrack(cues, "json3", kind, tuple(problems))


def _load(text: str, problems: list[str]) -> list[Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        problems.append(f"line {line}: the JSON breaks off or is damaged; the events before that are read.")
        return salvage(text, "events")
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise StageError('This JSON file holds no captions: a json3 file has a list named "events".')
    return events


def salvage(text: str, key: str) -> list[Any]:
    """Read the items of a list in a damaged file up to where it is damaged."""
    _, found, rest = text.partition(f'"{key}"')
    position = len(text) - len(rest) + rest.find("[") + 1
    if not found or "[" not in rest:
        raise StageError("This file looks like JSON but cannot be read; download the captions again.")
    decoder = json.JSONDecoder()
    events: list[Any] = []
    while True:
        while text[position : position + 1] in {" ", "\n", "\r", "\t", ","}:
            position += 1
        try:
            event, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return events
        events.append(event)


def _time_ms(value: Any) -> int | None:
    """Read a time or a length of time; None if it is missing or wrong."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if number and 0 <= value <= MAX_TIME_MS else None


def _has_word_times(segs: list[Any]) -> bool:
    return any(isinstance(seg, dict) and ("tOffsetMs" in seg or "acAsrConf" in seg) for seg in segs)


def _event(raw: dict[str, Any], segs: list[Any], number: int, starts: list[int], problems: list[str]) -> _Event | None:
    start_ms = _time_ms(raw.get("tStartMs"))
    texts = [seg.get("utf8") if isinstance(seg, dict) else None for seg in segs]
    if start_ms is None:
        if any(isinstance(text, str) and text.strip() for text in texts):
            problems.append(f"event {number}: the start time is missing or wrong, so its text is left out.")
        return None
    duration_ms = _time_ms(raw.get("dDurationMs")) or 0
    chunks: list[Chunk] = []
    strange = False
    latest_ms = max(duration_ms, _room_ms(start_ms, starts) or duration_ms + LAST_LINE_MS) if duration_ms else None
    for seg, text in zip(segs, texts, strict=True):
        if not isinstance(text, str):
            problems.append(f"event {number}: a piece without text is left out.")
            continue
        offset_ms = _time_ms(seg.get("tOffsetMs", None if chunks else 0))
        if offset_ms is None or (latest_ms is not None and offset_ms > latest_ms):
            strange = strange or "tOffsetMs" in seg
            offset_ms = None if chunks else 0
        chunks.append(Chunk(_spoken(seg, clean(text)), None if offset_ms is None else start_ms + offset_ms))
    if strange:
        problems.append(f"event {number}: a word's time is wrong, so the word shares the time of the one before it.")
    if not duration_ms and any(chunk.text.strip() for chunk in chunks):
        problems.append(f"event {number}: the duration is missing or wrong, so it is estimated from the text.")
    return _Event(start_ms, start_ms + duration_ms, tuple(chunks), any(chunk.time_ms for chunk in chunks[1:]))


def _room_ms(start_ms: int, starts: list[int]) -> int:
    """Give the time until the next event with text or a line end; 0 after the last."""
    index = bisect_right(starts, start_ms)
    return starts[index] - start_ms if index < len(starts) else 0


def _spoken(seg: dict[str, Any], text: str) -> str:
    """Mark another speaker where YouTube has heard one and its text does not show it."""
    first = "".join(text.split()[:1])
    heard = seg.get("isSpeakerChange") and first and not is_speaker_mark(first)
    return f" {VOICE_MARK} {text.lstrip()}" if heard else text


def _until_line_ends(events: list[_Event], line_ends: list[int]) -> list[_Event]:
    """Let lines last until the event that ends them, where their durations are not to be believed.

    YouTube appends a line feed when a line is complete. True durations reach into the next line, since a line stays
    while the next one is spoken; some tools write the same duration for every line, or far too short ones. Without word
    times the line end is all that tells when the words end.
    """
    ends: list[int | None] = []
    for event, following in zip(events, [*events[1:], None], strict=False):
        index = bisect_right(line_ends, event.start_ms)
        end_ms = line_ends[index] if index < len(line_ends) else None
        ends.append(end_ms if following is None or end_ms is None or end_ms <= following.start_ms else None)
    placeholders = _are_placeholders(events, ends)
    return [
        replace(event, end_ms=end_ms, stays=True)
        if end_ms is not None and (placeholders or _is_too_short(event))
        else event
        for event, end_ms in zip(events, ends, strict=True)
    ]


def _are_placeholders(events: list[_Event], ends: list[int | None]) -> bool:
    """Tell whether most durations are the same, or end before their lines do."""
    if not any(event.timed for event in events):
        return True
    times = max(Counter(event.end_ms - event.start_ms for event in events).values())
    early = sum(end_ms is not None and event.end_ms < end_ms for event, end_ms in zip(events, ends, strict=True))
    return (times > 1 and 2 * times > len(events)) or 2 * early > len(events)


def _is_too_short(event: _Event) -> bool:
    return event.end_ms - event.start_ms < len(event.text) * FASTEST_MS_PER_CHARACTER


def _with_durations(events: list[_Event]) -> list[_Event]:
    """Let an event without duration, or too short for its text, last as its words take, but not into the next event."""
    lasting: list[_Event] = []
    for before, event, following in zip([None, *events], events, [*events[1:], None], strict=False):
        end_ms = event.end_ms
        if _is_too_short(event) and not _goes_on(before, event):
            end_ms = max(event.start_ms, *(chunk.time_ms or 0 for chunk in event.chunks))
            end_ms = min(end_ms + sum(map(longest_word_ms, event.text.split())), 2 * MAX_TIME_MS)
            if following is not None and following.start_ms > event.start_ms:
                end_ms = min(end_ms, following.start_ms)
            end_ms = max(end_ms, event.end_ms)
        lasting.append(replace(event, end_ms=end_ms))
    return lasting


def _goes_on(before: _Event | None, event: _Event) -> bool:
    """Tell whether a line is shown again at once, another word of it coloured: it needs no time for all its words."""
    if before is None or before.text != event.text or event.end_ms == event.start_ms:
        return False
    return abs(event.start_ms - before.end_ms) <= TOUCHING_MS


def _rolling_cues(events: list[_Event]) -> tuple[Cue, ...]:
    cues: list[Cue] = []
    for index, event in enumerate(events):
        before = events[index - 1] if index else None
        following = events[index + 1] if index + 1 < len(events) else None
        end_ms = event.end_ms
        if following is not None and event.start_ms < following.start_ms <= end_ms:
            end_ms = max(event.start_ms + 1, following.start_ms - FINALISED_MS)
        shows_before = before is not None and (before.end_ms > event.start_ms or before.stays)
        above = before.text.split("\n")[-1] if before is not None and shows_before else ""
        words: list[Word] = words_of_chunks(event.chunks, event.start_ms, end_ms)
        last_start_ms = words[-1].start_ms if words else event.start_ms
        shown = f"{above}\n{event.text}" if above else event.text
        cues.append(Cue(event.start_ms, max(end_ms, last_start_ms + 1), shown, tuple(words)))
    # As in VTT: what has no word times fills its cue.
    return close_words(cues) if any(event.timed for event in events) else tuple(cues)
