"""Captions of a timeline in the shapes in which they are found: people's SRT and VTT, rolling automatic VTT and json3.

References: W3C WebVTT; the automatic ones follow what YouTube serves: each line is shown while it grows, with a time
before every word but the first, then stands finished for 10 ms, then again above the next line.
"""

import json
from dataclasses import dataclass

from crossmodal.demo.timeline import TimedWord, Timeline

LINE_CHARACTERS = 40  # YouTube's automatic captions are 40 columns wide
FINISHED_MS = 10


@dataclass(frozen=True)
class Line:
    """One line of automatic captions; ``until_ms`` is when the next one starts."""

    words: tuple[TimedWord, ...]
    until_ms: int

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def _clock(milliseconds: int, separator: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{separator}{milliseconds:03d}"


def as_srt(timeline: Timeline) -> str:
    cues = (
        f"{number}\n{_clock(sentence.start_ms, ',')} --> {_clock(sentence.end_ms, ',')}\n{sentence.text}\n"
        for number, sentence in enumerate(timeline.sentences, 1)
    )
    return "\n".join(cues)


def as_vtt(timeline: Timeline) -> str:
    cues = (
        f"{_clock(sentence.start_ms, '.')} --> {_clock(sentence.end_ms, '.')}\n{sentence.text}\n"
        for sentence in timeline.sentences
    )
    return "\n".join(["WEBVTT\n", *cues])


def lines(timeline: Timeline) -> list[Line]:
    """The words broken into lines as they come: a line is full at its width, whoever speaks."""
    broken: list[list[TimedWord]] = []
    width = 0
    for word in (word for sentence in timeline.sentences for word in sentence.words):
        if not broken or width + 1 + len(word.text) > LINE_CHARACTERS:
            broken.append([])
            width = -1
        broken[-1].append(word)
        width += 1 + len(word.text)
    starts = [line[0].start_ms for line in broken[1:]] + [timeline.sentences[-1].end_ms]
    return [Line(tuple(words), until_ms) for words, until_ms in zip(broken, starts, strict=True)]


def as_rolling_vtt(timeline: Timeline) -> str:
    blocks, before = ["WEBVTT\nKind: captions\nLanguage: en\n"], " "
    for line in lines(timeline):
        first, *rest = line.words
        growing = first.text + "".join(f"<{_clock(word.start_ms, '.')}><c> {word.text}</c>" for word in rest)
        finished_ms = line.until_ms - FINISHED_MS
        blocks.append(_rolling_cue(line.start_ms, finished_ms, before, growing))
        blocks.append(_rolling_cue(finished_ms, line.until_ms, line.text, " "))
        before = line.text
    return "\n".join(blocks)


def _rolling_cue(start_ms: int, end_ms: int, above: str, below: str) -> str:
    times = f"{_clock(start_ms, '.')} --> {_clock(end_ms, '.')} align:start position:0%"
    return f"{times}\n{above}\n{below}\n"


def as_json3(timeline: Timeline) -> str:
    window: dict[str, object] = {
        "tStartMs": 0,
        "dDurationMs": timeline.duration_ms,
        "id": 1,
        "wpWinPosId": 1,
        "wsWinStyleId": 1,
    }
    events: list[dict[str, object]] = [window]
    shown = lines(timeline)
    for number, line in enumerate(shown):
        # A line stays until the one after the next begins, so neighbours overlap.
        end_ms = shown[number + 1].until_ms if number + 1 < len(shown) else line.until_ms
        if number:
            newline_ms = line.start_ms - FINISHED_MS
            events.append(
                {
                    "tStartMs": newline_ms,
                    "dDurationMs": end_ms - newline_ms,
                    "wWinId": 1,
                    "aAppend": 1,
                    "segs": [{"utf8": "\n"}],
                }
            )
        segments: list[dict[str, object]] = [{"utf8": line.words[0].text, "acAsrConf": 0}]
        for word in line.words[1:]:
            segments.append({"utf8": f" {word.text}", "tOffsetMs": word.start_ms - line.start_ms, "acAsrConf": 0})
        events.append({"tStartMs": line.start_ms, "dDurationMs": end_ms - line.start_ms, "wWinId": 1, "segs": segments})
    return json.dumps({"wireMagic": "pb3", "pens": [{}], "events": events}, ensure_ascii=False)


WRITERS = {"srt": as_srt, "vtt": as_vtt, "rolling": as_rolling_vtt, "json3": as_json3}
