"""Decoded frames to continuous sound in which everything stands at its time: silence in holes, overlaps cut."""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from pipeline.stages.decoding import NO_GAP, Decoded, Gap
from pipeline.stages.pauses import is_opus_pause

# Containers round time stamps to a millisecond, and live recordings jitter by some. The shortest usual packet has
# 20 ms (Opus, AMR); 21 and more have AAC, MP3 and AC-3. A lost one lies above this, and rounding far below.
TOLERANCE_S = 0.015
# Stamps of neighbouring frames that differ by no more than rounding does.
ROUNDING_S = 0.002
# A jump counts when the frames after it confirm it: so many, or at least three that last as long as this.
CONFIRMING_FRAMES = 8
MIN_CONFIRMING_FRAMES = 3
CONFIRMING_S = 0.25
# Who loses a live stream for longer starts a new file; wrong clocks jump by hours (MPEG-TS wraps after 26.5 hours).
MAX_HOLE_S = 1800.0
# Segments of streams last some seconds, and overlap by less. FFmpeg takes a larger step back for a new clock as well.
MAX_OVERLAP_S = 10.0
# A step back to this near to the beginning is the beginning of another recording: half a second, or a tenth of what
# was there. Files that were joined byte by byte begin like that.
RESTART_S = 0.5
RESTART_SHARE = 0.1
# Silence is made in pieces, so that a long one needs no memory.
SILENCE_SAMPLES = 32_768


@dataclass(frozen=True, slots=True)
class Change:
    """What placing by time stamps changed at one place.

    Attributes
    ----------
    kind : str
        "hole" (silence stands there), "pause" (silence stands there, and nothing was lost), "overlap" (sound was left
        out), "clock" (the stamps begin anew there), "stamps" (they make no sense from there on).
    start_s, length_s : float
        In seconds of the placed sound.
    damaged : bool
        Whether packets there could not be decoded.
    """

    kind: str
    start_s: float
    length_s: float
    damaged: bool = False


class Timeline:
    """Places frames by their time stamps.

    The distance of each stamp from the place that the sound before it has reached is compared with `TOLERANCE_S`; so
    rounded stamps change no sample, and errors do not add up.

    Parameters
    ----------
    max_duration_s : float, optional
        A hole that would lead beyond it is not believed.
    codec : str
        Opus leaves out packets while nobody speaks.
    """

    def __init__(self, max_duration_s: float | None = None, codec: str = "") -> None:
        self.changes: list[Change] = []
        self._max_duration_s = max_duration_s
        self._has_pauses = "opus" in codec
        self._last: Any = None  # the frame before those that wait
        # Frames that wait for those after them: (frame, gap, distance between its stamp and the sound decoded before
        # it, the length of that sound).
        self._waiting: deque[tuple[Any, Gap, float | None, float]] = deque()
        self._shift_s = 0.0  # place of a frame = sound decoded before it + this
        self._origin_s: float | None = None  # time stamp that stands at the beginning
        self._clock_s = 0.0  # place where these stamps began
        self._cut = 0  # samples still to leave out

    @property
    def is_doubtful(self) -> bool:
        """Whether stamps were not followed; what the container tells of its length is made of them as a rule."""
        return any(change.kind in ("clock", "stamps") for change in self.changes)

    def place(self, frames: Iterator[Decoded]) -> Iterator[Any]:
        """Give frames without holes and overlaps, in the form in which they were decoded."""
        waiting = self._waiting
        content_s, base_s = 0.0, 0.0  # sound decoded so far; time stamp at which the next frame would begin, less that
        for frame, time_s, gap in frames:
            start_s = content_s
            content_s = start_s + frame.samples / frame.sample_rate
            # Nearly every frame of nearly every recording.
            if (
                gap is NO_GAP
                and (time_s is None or -TOLERANCE_S <= time_s - start_s - base_s <= TOLERANCE_S)
                and not waiting
                and not self._cut
            ):
                self._last = frame
                yield frame
                continue
            if self._origin_s is None and time_s is not None:
                self._origin_s = time_s - gap.lead_s - gap.lost_s - start_s
            distance = None if time_s is None or self._origin_s is None else time_s - self._origin_s - start_s
            waiting.append((frame, gap, distance, start_s))
            while waiting and (
                self._is_near(waiting[0][2])
                or len(waiting) >= CONFIRMING_FRAMES
                or (len(waiting) >= MIN_CONFIRMING_FRAMES and content_s - waiting[0][3] >= CONFIRMING_S)
            ):
                yield from self._next()
            base_s = (self._origin_s or 0.0) + self._shift_s
        while waiting:
            yield from self._next()

    def _is_near(self, distance: float | None) -> bool:
        return distance is None or -TOLERANCE_S <= distance - self._shift_s <= TOLERANCE_S

    def _next(self) -> Iterator[Any]:
        frame, gap, distance, content_s = self._waiting[0]
        if gap.lead_s > 0:
            samples = round(gap.lead_s * frame.sample_rate)
            self._shift_s += samples / frame.sample_rate
            yield from silence(frame, samples)
        if gap.lost_s > 0:
            yield from self._hole(frame, content_s, gap.lost_s, gap.damaged)
        if not self._is_near(distance):
            yield from self._jump(frame, content_s, gap.damaged)
        self._waiting.popleft()
        self._last = frame
        yield from self._rest(frame)

    def _jump(self, frame: Any, content_s: float, damaged: bool) -> Iterator[Any]:
        """Follow the stamp of a frame, if those after it confirm it and it can be true."""
        known = [(distance, at_s) for _, _, distance, at_s in self._waiting if distance is not None]
        jumps = [distance - self._shift_s for distance, _ in known]
        forward = jumps[0] > 0
        if any((jump > TOLERANCE_S) != forward or abs(jump) <= TOLERANCE_S for jump in jumps):
            return  # jitter: some of them lie where the sound is
        nearest = min(jumps, key=abs)
        near = [jump for jump in jumps if abs(jump - nearest) <= ROUNDING_S]
        jump = sum(near) / len(near)
        place_s = content_s + self._shift_s
        if not self._steady(known):
            self._ignore(place_s, abs(jump))
            return
        if forward and self._believable(place_s, jump):
            yield from self._hole(frame, content_s, jump, damaged)
        elif not forward and -jump <= MAX_OVERLAP_S and not self._restarts(place_s, jump):
            cut = round(-jump * frame.sample_rate)
            self._cut += cut
            self._shift_s -= cut / frame.sample_rate
            self.changes.append(Change("overlap", place_s + jump, -jump))
        else:
            # A new clock: what follows stands behind what was there, and its stamps are counted from here.
            assert self._origin_s is not None  # noqa: S101 - a distance was measured from it
            self._origin_s += jump
            moved = [
                (each, gap, None if distance is None else distance - jump, at_s)
                for each, gap, distance, at_s in self._waiting
            ]
            self._waiting.clear()
            self._waiting.extend(moved)
            self._clock_s = place_s
            self.changes.append(Change("clock", place_s, abs(jump)))

    def _restarts(self, place_s: float, jump: float) -> bool:
        past_s = place_s - self._clock_s
        return past_s + jump <= min(RESTART_S, RESTART_SHARE * past_s)

    def _steady(self, known: list[tuple[float, float]]) -> bool:
        """Whether stamps advance as the sound does: not standing still, and not running away."""
        (first, first_s), (last, last_s) = known[0], known[-1]
        if len(known) < MIN_CONFIRMING_FRAMES:  # at the end, where no more follow
            return not self.changes or self.changes[-1].kind != "stamps"
        if last - first < -0.5 * (last_s - first_s):
            return False
        steps = [after[0] - before[0] for before, after in itertools.pairwise(known)]
        return min(steps) < MAX_OVERLAP_S

    def _believable(self, place_s: float, jump: float) -> bool:
        return jump <= MAX_HOLE_S and (self._max_duration_s is None or place_s + jump <= self._max_duration_s)

    def _ignore(self, place_s: float, length_s: float) -> None:
        """Stamps that make no sense are noted once for each stretch of them."""
        if not self.changes or self.changes[-1].kind != "stamps":
            self.changes.append(Change("stamps", place_s, length_s))

    def _hole(self, frame: Any, content_s: float, length_s: float, damaged: bool) -> Iterator[Any]:
        rate = frame.sample_rate
        samples = round(length_s * rate)
        is_pause = self._has_pauses and not damaged and is_opus_pause(self._last, frame, length_s)
        self.changes.append(Change("pause" if is_pause else "hole", content_s + self._shift_s, samples / rate, damaged))
        self._shift_s += samples / rate
        overlapped = min(self._cut, samples)  # there is sound already up to here
        self._cut -= overlapped
        yield from silence(frame, samples - overlapped)

    def _rest(self, frame: Any) -> Iterator[Any]:
        """The frame without what overlaps the sound before it."""
        if not self._cut:
            yield frame
            return
        cut = min(self._cut, frame.samples)
        self._cut -= cut
        if cut < frame.samples:
            samples = frame.to_ndarray()
            width = 1 if frame.format.is_planar else len(frame.layout.channels)
            yield _frame_like(frame, samples[:, cut * width :])


def silence(frame: Any, samples: int) -> Iterator[Any]:
    """Frames of silence in the form of another frame."""
    zeros = np.zeros_like(frame.to_ndarray()[:, :1]) if samples > 0 else None
    while samples > 0:
        assert zeros is not None  # noqa: S101 - made above
        count = min(samples, SILENCE_SAMPLES)
        width = count if frame.format.is_planar else count * len(frame.layout.channels)
        middle = 128 if frame.format.name.startswith("u8") else 0
        yield _frame_like(frame, np.repeat(zeros + zeros.dtype.type(middle), width, axis=1))
        samples -= count


def _frame_like(frame: Any, samples: np.ndarray) -> Any:
    made = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=frame.format.name, layout=frame.layout.name)
    made.sample_rate = frame.sample_rate
    made.time_base = frame.time_base
    return made
