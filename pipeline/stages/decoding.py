"""Packets of a container to decoded frames, each with its time stamp and with what was lost before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.stream

from pipeline.stages.errors import StageError
from pipeline.stages.pauses import pause

# The times of the rest hold, since silence takes the place of what is lost. With more than a fifth of the packets
# damaged, hardly an utterance is whole any more.
MAX_DAMAGED_PACKETS = 0.2
# Streams without a clock: FFmpeg counts their packets, and rounds the length of each (AC-3 and DTS lose 13 and 50 ms a
# minute so). A stretch of damaged bytes becomes one packet, however long it was.
FORMATS_WITHOUT_CLOCK = frozenset({"aac", "ac3", "amr", "dts", "eac3", "mp3"})
# What programs write between the parts of an MP3 or AAC stream. It is no sound, and nothing is lost with it. Chance
# makes three such bytes once in megabytes.
TAGS = (b"ID3", b"APETAGEX", b"TAG", b"LYRICSBEGIN")
# 384 kbit/s at 32 kHz.
LARGEST_MP3_PACKET = 1728
# A stream without a clock may begin in the midst of a packet. Shorter remains than this are no loss.
MIN_LEAD_LOSS_S = 0.1
# The bit rate of a stretch of speech differs from the mean by less. Otherwise the file was also cut off.
MAX_RATE_RATIO = 2.0
# A longer stretch at the beginning is a wrong time stamp.
MAX_LEAD_LOSS_S = 1800.0


@dataclass(frozen=True)
class Gap:
    """What lies before a decoded frame and is not told by the time stamps of other frames.

    Attributes
    ----------
    lead_s : float
        Seconds between the start of the picture and that of the sound, with the first frame.
    lost_s : float
        Seconds of sound that could not be decoded.
    damaged : bool
        Whether packets could not be decoded.
    """

    lead_s: float = 0.0
    lost_s: float = 0.0
    damaged: bool = False


NO_GAP = Gap()
# A decoded frame of any format, its time stamp in seconds (None where the container has none), and what lies before it.
# No class: a recording has fifty frames a second, and making an object for each costs as much as resampling it.
Decoded = tuple[Any, float | None, Gap]


class PacketDecoder:
    """The packets of one audio stream, decoded in order.

    Parameters
    ----------
    container, stream
        Opened by PyAV.
    source : Path
        The file, for messages.
    loss_factor : float
        What `correction` gave after the stream was decoded before.
    late_s : float
        Seconds that are missing before the first packet, where another pass has shown it.
    from_zero : bool
        Whether the time stamps of sound alone count from the beginning of the recording.

    Attributes
    ----------
    first_s : float
        Time stamp of the first frame, 0 where there is none.
    suspect : int
        Packets that were decoded although their container marks them as damaged.
    """

    def __init__(
        self,
        container: Any,
        stream: Any,
        source: Path,
        loss_factor: float = 1.0,
        late_s: float = 0.0,
        from_zero: bool = False,
    ) -> None:
        self._container = container
        self._stream = stream
        self._source = source
        self._has_clock = container.format.name not in FORMATS_WITHOUT_CLOCK and bool(stream.time_base)
        self._marks_damage = container.format.name in ("mpegts", "mpeg")
        self._start_s: float | None = None  # stamp of a damaged packet before everything
        self._loss_factor = loss_factor
        self._sound_bytes, self._sound_s, self._lost_s = 0, 0.0, 0.0  # only where there is no clock
        self._late_s = late_s
        self._from_zero = from_zero
        self.suspect = 0
        self.first_s = 0.0

    def frames(self) -> Iterator[Decoded]:
        """Decode the stream to its end.

        Raises
        ------
        StageError
            The container cannot be read to its end, or more than `MAX_DAMAGED_PACKETS` of its packets are damaged.
        """
        packets, damaged, suspect = 0, 0, 0
        begun, lost, lost_bytes = False, False, 0
        before_s, frame_s = 0.0, 0.0  # of the last two frames, where there is no clock
        has_clock, tick_s = self._has_clock, float(self._stream.time_base or 0)
        decode = self._stream.codec_context.decode
        plain = False  # whether there is nothing to keep account of, as nearly always
        try:
            for packet in self._container.demux(self._stream):
                packets += 1
                try:
                    frames = decode(packet)
                except av.FFmpegError:
                    frames = pause(self._stream.codec_context, packet)
                    if not frames:
                        damaged += 1
                        lost, plain = True, False
                        lost_bytes += _sound_bytes(packet)
                        if not begun and self._start_s is None and packet.pts is not None:
                            self._start_s = packet.pts * tick_s
                        continue
                if plain and has_clock:
                    for frame in frames:
                        pts = frame.pts
                        yield frame, None if pts is None else pts * tick_s, NO_GAP
                    continue
                if plain and frames and packet.size <= LARGEST_MP3_PACKET:
                    self._sound_s += frame_s
                    self._sound_bytes += packet.size
                    for frame in frames:
                        yield frame, None, NO_GAP
                    continue
                if not frames:
                    plain = False
                    lost_bytes += packet.size if begun else 0
                    continue
                if self._marks_damage:
                    suspect += packet.is_corrupt
                    if not packet.is_corrupt:  # the last packet of a file that was cut off is no more than short
                        self.suspect, suspect = self.suspect + suspect, 0
                for frame in frames:
                    pts = frame.pts
                    gap = NO_GAP
                    if not begun:
                        gap = self._gap_before(packet, frame, None if pts is None else pts * tick_s, lost_bytes)
                    elif lost or lost_bytes:
                        gap = Gap(lost_s=0.0 if has_clock else self._seconds_of(lost_bytes), damaged=lost)
                    if has_clock:
                        yield frame, None if pts is None else pts * tick_s, gap
                    else:
                        before_s, frame_s = frame_s, frame.samples / frame.sample_rate
                        self._sound_s += frame_s
                        self._sound_bytes += packet.size
                        yield frame, None, gap
                    begun, lost, lost_bytes = True, False, 0
                # Encoders' padding is cut from the first frames; after two alike the rest is as long.
                plain = before_s == frame_s and not self._marks_damage
                if not has_clock and packet.size > LARGEST_MP3_PACKET and (excess := self._excess(packet)):
                    lost, lost_bytes, plain = True, excess, False
                    self._sound_bytes -= excess
        except av.FFmpegError as error:
            name = self._source.name
            raise StageError(f"{name} is damaged and cannot be decoded to its end; get it again.") from error
        # The last packet of a file that was cut off is always damaged, and harmless.
        if damaged > max(1, MAX_DAMAGED_PACKETS * packets):
            raise StageError(
                f"{self._source.name} is damaged: {damaged} of its {packets} packets cannot be decoded; get it again."
            )

    def _lead_s(self, time_s: float | None) -> float:
        """Seconds between the start of the recording and that of its sound.

        Where there are other streams, the first of them is the start. Sound alone begins at once, unless an edit list
        says otherwise; recordings of live streams have stamps that begin anywhere.
        """
        if time_s is None:
            return 0.0
        container = self._container
        start_s = time_s if self._start_s is None else self._start_s
        others = [stream for stream in (*container.streams.video, *container.streams.audio) if not _is_cover(stream)]
        if len(others) == 1 and self._from_zero:
            return start_s if MIN_LEAD_LOSS_S <= start_s <= MAX_LEAD_LOSS_S else 0.0
        if len(others) == 1 or container.start_time is None:
            return 0.0
        lead_s = start_s - container.start_time / av.time_base
        return float(max(0.0, min(lead_s, (container.duration or 0) / av.time_base)))

    def _gap_before(self, packet: Any, frame: Any, time_s: float | None, lost_bytes: int) -> Gap:
        """What lies before the first frame."""
        self.first_s = time_s or 0.0
        if self._late_s:
            return Gap(lost_s=self._late_s)
        lost_s = 0.0
        if not self._has_clock:
            lost_s = lost_bytes * frame.samples / frame.sample_rate / packet.size
        elif time_s is not None and self._start_s is not None:
            lost_s = time_s - self._start_s
        if not MIN_LEAD_LOSS_S <= lost_s <= MAX_LEAD_LOSS_S:
            lost_s = 0.0
        return Gap(self._lead_s(time_s), lost_s, damaged=lost_s > 0)

    def _seconds_of(self, lost_bytes: int) -> float:
        """How long lost bytes lasted, by the mean bit rate of what was decoded before."""
        lost_s = self._loss_factor * lost_bytes * self._sound_s / self._sound_bytes
        self._lost_s += lost_s
        return lost_s

    def _excess(self, packet: Any) -> int:
        """Damaged bytes that FFmpeg appended to the last whole packet of an MP3 stream."""
        if self._container.format.name != "mp3" or any(tag in bytes(packet) for tag in TAGS):
            return 0
        mean = self._sound_bytes * packet.duration * float(packet.time_base) / self._sound_s if packet.duration else 0
        return int(packet.size - min(mean, LARGEST_MP3_PACKET))

    def correction(self, duration_s: float | None, file_bytes: int) -> float:
        """Give the factor by which losses that were reckoned from bytes have to be multiplied.

        A header that counts the packets tells how much was lost of an MP3 file with a variable bit rate. FFmpeg passes
        over most damaged bytes of an AAC stream and tells nothing of them; there the length of the file does.

        Parameters
        ----------
        duration_s : float or None
            What the header says.
        file_bytes : int
            Length of the file.
        """
        if not self._lost_s:
            return 1.0
        if duration_s is not None:
            factor = (duration_s - self._sound_s) / self._lost_s
            return factor if 1 / MAX_RATE_RATIO <= factor <= MAX_RATE_RATIO else 1.0
        if self._container.format.name == "aac":
            lost_s = (file_bytes - self._sound_bytes) * self._sound_s / self._sound_bytes
            return max(1.0, lost_s / self._lost_s)
        return 1.0


def _sound_bytes(packet: Any) -> int:
    """Bytes of a damaged packet that may have been sound."""
    content = bytes(packet)
    return 0 if any(tag in content for tag in TAGS) else len(content)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
