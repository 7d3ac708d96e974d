"""TTML's elements to cues: times that count from the element around, pictures and ticks, speakers."""

import re
from dataclasses import dataclass

from pipeline.stages.captions_times import UnreadableTimeError, clock_ms
from pipeline.stages.cues import MAX_TIME_MS, CaptionTrack, clean
from pipeline.stages.moments import GatheredCues
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, once_each
from pipeline.stages.voices import Voices

_OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)(h|ms|m|s|f|t)?")
_CLOCK_FRAMES = re.compile(r"(\d{1,4}:\d{2}:\d{2})[:;](\d{1,3})(?:\.\d+)?")
# TTML's own value where a file gives none.
_FRAME_RATE = 30.0
_MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


@dataclass
class _Element:
    """An open element and its span; in a sequence each child begins where the one before it ended."""

    name: str
    begin_ms: int
    end_ms: int | None
    in_turn: bool = False
    next_ms: int = 0
    language: str = ""


@dataclass
class _Paragraph:
    """A paragraph, and the span of its parts that have times of their own."""

    number: int
    lines: list[list[Chunk]]
    timed: bool
    readable: bool = True
    first_ms: int | None = None
    last_ms: int | None = None


class TtmlTarget:
    """Collects the cues of a TTML file while it is parsed."""

    def __init__(self, problems: list[str], *, english_only: bool = False) -> None:
        self.problems = problems
        self._english_only = english_only
        self._frame_rate, self._tick_rate = _FRAME_RATE, 1.0
        self._open: list[_Element] = []
        self._paragraph: _Paragraph | None = None
        self._number = 0
        self._hidden = 0
        self._voices = Voices()
        self._agent = ""
        self._agents: dict[str, str] = {}
        self._gathered = GatheredCues(self.problems)

    def track(self) -> CaptionTrack:
        """Return what was read, also of a file that breaks off."""
        cues, kind = assemble(in_order(once_each(self._gathered.settled(), self.problems), self.problems))
        return CaptionTrack(cues, "ttml", kind, tuple(self.problems), self._voices.first)

    def start(self, name: str, values: dict[str, str]) -> None:
        if name == "tt":
            self._read_rates(values)
        if name == "p":
            self._number += 1
            timed = not {"begin", "end", "dur"}.isdisjoint(values)
            self._paragraph = _Paragraph(self._number, [[Chunk(self._mark(values.get("agent", "")))]], timed)
        try:
            element = self._element(name, values)
        except UnreadableTimeError:
            element = _Element(name, 0, None)
            if self._paragraph is not None and self._paragraph.readable:
                self._paragraph.readable = False
                self.problems.append(f"paragraph {self._number}: the time cannot be read, so it is left out.")
        element.language = values.get("lang") or (self._open[-1].language if self._open else "")
        self._open.append(element)
        if name == "agent":
            self._agent = values.get("id", "")
        if self._paragraph is None:
            return
        if name == "br":
            self._paragraph.lines.append([])
        elif name in {"metadata", "set"}:
            self._hidden += 1
        elif name == "span" and "begin" in values:
            self._paragraph.lines[-1].append(Chunk("", element.begin_ms))
            if self._paragraph.first_ms is None:
                self._paragraph.first_ms = element.begin_ms
            self._paragraph.last_ms = max(self._paragraph.last_ms or 0, element.end_ms or 0)

    def data(self, text: str) -> None:
        if self._paragraph is not None and not self._hidden:
            self._paragraph.lines[-1].append(Chunk(re.sub(r"\s+", " ", text)))
        elif self._agent and self._open and self._open[-1].name == "name":
            self._agents[self._agent] = self._agents.get(self._agent, "") + text

    def end(self, name: str) -> None:
        element = self._open.pop()
        if name == "agent":
            self._agent = ""
        if self._paragraph is not None and name in {"metadata", "set"}:
            self._hidden -= 1
        if name == "p" and self._paragraph is not None:
            english = not element.language or element.language.lower().startswith("en")
            if self._paragraph.readable and (english or not self._english_only):
                self._close(element, self._paragraph)
            self._paragraph = None

    def _mark(self, agent: str) -> str:
        name = self._agents.get(agent.strip(), agent) if agent else ""
        mark = self._voices.mark(name) if name else ""
        self._voices.begun = True
        return mark

    def _close(self, element: _Element, paragraph: _Paragraph) -> None:
        lines = tuple(_chunks(line) for line in paragraph.lines)
        if not any(chunk.text.strip() for line in lines for chunk in line):
            return
        where = f"paragraph {paragraph.number}"
        if not paragraph.timed and paragraph.first_ms is not None:
            element = _Element("p", paragraph.first_ms, paragraph.last_ms)
        end_ms = element.begin_ms if element.end_ms is None else element.end_ms
        self._gathered.add(RawCue(element.begin_ms, end_ms, lines), where)

    # ------------------------------------------------------------ times

    def _read_rates(self, values: dict[str, str]) -> None:
        try:
            parts = [float(part) for part in values.get("frameRateMultiplier", "1 1").replace(":", " ").split()]
            self._frame_rate = float(values.get("frameRate", _FRAME_RATE)) * parts[0] / parts[1]
            self._tick_rate = float(values.get("tickRate", self._frame_rate if "frameRate" in values else 1))
        except (ValueError, IndexError, ZeroDivisionError):
            self._frame_rate = self._tick_rate = 0.0
        if not (0 < self._frame_rate < MAX_TIME_MS and 0 < self._tick_rate < float("inf")):
            self.problems.append("the frame rate cannot be read; 30 pictures a second are taken.")
            self._frame_rate, self._tick_rate = _FRAME_RATE, 1.0

    def _element(self, name: str, values: dict[str, str]) -> _Element:
        parent = self._open[-1] if self._open else _Element("", 0, None)
        base_ms = parent.next_ms if parent.in_turn else parent.begin_ms
        begin_ms, end_ms = self._time_ms(values.get("begin")), self._time_ms(values.get("end"))
        length_ms = self._time_ms(values.get("dur") or values.get("duration"))
        if begin_ms is not None and _is_absolute(begin_ms, base_ms, parent):
            base_ms = 0
        start_ms = base_ms + (begin_ms or 0)
        ends = [] if end_ms is None else [base_ms + end_ms]
        ends += [] if length_ms is None else [start_ms + length_ms]
        end = min(ends) if ends else None if parent.in_turn else parent.end_ms
        if max(start_ms, end or 0) > 2 * MAX_TIME_MS:
            raise UnreadableTimeError
        if parent.in_turn and end is not None:
            parent.next_ms = end
        return _Element(name, start_ms, end, values.get("timeContainer") == "seq", start_ms)

    def _time_ms(self, value: str | None) -> int | None:
        """Read a time expression; None if there is none."""
        if value is None or not value.strip():
            return None
        text = value.strip()
        if (match := _CLOCK_FRAMES.fullmatch(text)) is not None:
            return clock_ms(match[1]) + round(int(match[2]) * 1000 / self._frame_rate)
        if ":" in text:
            return clock_ms(text)
        match = _OFFSET.fullmatch(text)
        if match is None:
            raise UnreadableTimeError
        rates = {"f": self._frame_rate, "t": self._tick_rate}
        number, unit = float(match[1]), match[2] or "s"
        time_ms = number * 1000 / rates[unit] if unit in rates else number * _MS[unit]
        if time_ms > MAX_TIME_MS:
            raise UnreadableTimeError
        return round(time_ms)


def _is_absolute(begin_ms: int, base_ms: int, parent: _Element) -> bool:
    """Tell whether a time counts from the beginning of the file, against the book: else it lay outside its parent."""
    end_ms = parent.end_ms
    return base_ms > 0 and end_ms is not None and base_ms <= begin_ms <= end_ms < base_ms + begin_ms


def _chunks(line: list[Chunk]) -> tuple[Chunk, ...]:
    """Join pieces of text up to the next word time."""
    chunks: list[Chunk] = []
    for piece in line:
        if piece.time_ms is not None or not chunks:
            chunks.append(piece)
        else:
            chunks[-1] = Chunk(chunks[-1].text + piece.text, chunks[-1].time_ms)
    return tuple(Chunk(clean(chunk.text), chunk.time_ms) for chunk in chunks)
