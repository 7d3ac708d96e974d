"""Write known words as YouTube writes automatic captions, so that reading can be checked against them."""

import json
from collections.abc import Sequence

TimedLine = Sequence[tuple[str, int]]  # words with their starts in ms

FINALISED_MS = 10


def clock(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def text_of(line: TimedLine) -> str:
    return " ".join(word for word, _ in line)


def rolling_vtt(lines: Sequence[TimedLine], end_ms: int, *, word_times: bool = True) -> str:
    """Each line is shown below the one before it while it is spoken, then alone for 10 ms."""
    blocks = ["WEBVTT\nKind: captions\nLanguage: en"]
    ends = [line[0][1] for line in lines[1:]] + [end_ms]
    above = " "
    for line, until in zip(lines, ends, strict=True):
        (first, start_ms), *rest = line
        spoken = first + "".join(f"<{clock(at)}><c> {word}</c>" for word, at in rest) if word_times else text_of(line)
        settings = " align:start position:0%"
        shown_until = until - FINALISED_MS if line is not lines[-1] else until
        blocks.append(f"{clock(start_ms)} --> {clock(shown_until)}{settings}\n{above}\n{spoken}")
        if shown_until < until:
            blocks.append(f"{clock(shown_until)} --> {clock(until)}{settings}\n{text_of(line)}\n ")
        above = text_of(line)
    return "\n\n".join(blocks) + "\n"


def rolling_json3(lines: Sequence[TimedLine], end_ms: int) -> str:
    """Each line is an event that lasts until the line after the next begins; a line feed is appended before each."""
    starts = [line[0][1] for line in lines]
    ends = [*starts[2:], end_ms, end_ms][: len(lines)]
    events: list[dict[str, object]] = [{"tStartMs": 0, "dDurationMs": end_ms, "id": 1, "wpWinPosId": 1}]
    for index, (line, start_ms, until) in enumerate(zip(lines, starts, ends, strict=True)):
        if index:
            newline = {"tStartMs": start_ms - FINALISED_MS, "dDurationMs": until - start_ms, "wWinId": 1, "aAppend": 1}
            events.append({**newline, "segs": [{"utf8": "\n"}]})
        segs = [
            {"utf8": word if number == 0 else f" {word}", "acAsrConf": 0}
            | ({"tOffsetMs": at - start_ms} if number else {})
            for number, (word, at) in enumerate(line)
        ]
        events.append({"tStartMs": start_ms, "dDurationMs": until - start_ms, "wWinId": 1, "segs": segs})
    return json.dumps({"wireMagic": "pb3", "events": events})
