"""What a site may cost while yt-dlp works: time, requests, bytes, and how slowly it may send."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from yt_dlp.networking.exceptions import RequestError

from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_alarm import Alarm, ringing

if TYPE_CHECKING:
    from pipeline.stages.download import DownloadLimits

MEGABYTE: Final = 1024**2
# YouTube's watch page has 1.5 MB and its largest answers 5 MB.
MAX_PAGE_BYTES: Final = 20 * MEGABYTE
# Automatic captions of four hours in YouTube's JSON, the wordiest format, have 6 MB.
MAX_CAPTIONS_BYTES: Final = 25 * MEGABYTE
# A fragment is held in memory while it is decrypted: a minute at 8 Mbit/s.
MAX_FRAGMENT_BYTES: Final = 64 * MEGABYTE
# Looking up a video of YouTube takes 10 to 20 requests and some 10 MB.
MAX_LOOKUP_REQUESTS: Final = 200
MAX_LOOKUP_BYTES: Final = 200 * MEGABYTE
# Four hours in fragments of half a second have 28,800.
MAX_FRAGMENTS: Final = 30_000
# Retries of a fragment, keys and manifests come on top.
MAX_RECORDING_REQUESTS: Final = 4 * MAX_FRAGMENTS
SILENT: Final = "Reading what the site sent took too long; it is tried again later."
SLOW: Final = "The site sends too slowly to wait for it; it is tried again later."


class SpentError(StageError):
    """A site costs more requests or time than is allowed. Never permanent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class TooLargeError(StageError):
    """A site sends more than is taken."""


class RefusedError(RequestError):  # type: ignore[misc]
    """A request that is not made or not gone on with; yt-dlp neither tries it again nor passes over it."""

    def __init__(self, refusal: StageError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True)
class Allowance:
    """What one phase may cost, and what is said where it costs more.

    Attributes
    ----------
    seconds : float
    out_of_time : str
    requests : int
    out_of_requests : str
    total_bytes : int
        Of all answers together, decoded.
    stream_bytes : int
        Of one answer that is written to a file as it comes. An answer that is read at once is a page.
    too_large : str
        Said of an answer or of all of them; pages have a sentence of their own.
    pause_s : float
        Seconds that each request waits by order of this installation; they do not count.
    whole_phase : bool
        Whether the rate is judged over all answers of the phase, as of a recording in pieces, or for each.
    silence_s : float
        Seconds in which nothing is asked for or received, as while a hostile list of pieces is read.
    """

    seconds: float
    out_of_time: str
    requests: int
    out_of_requests: str
    total_bytes: int
    stream_bytes: int
    too_large: str
    pause_s: float = 0
    whole_phase: bool = False
    silence_s: float = float("inf")


def lookup_allowance(limits: "DownloadLimits", pause_s: float) -> Allowance:
    """Return what looking up one video may cost, all requests together."""
    return Allowance(
        seconds=limits.max_lookup_s,
        out_of_time=f"Looking the video up took more than {_minutes(limits.max_lookup_s)}; it is tried again later.",
        requests=MAX_LOOKUP_REQUESTS,
        out_of_requests=f"Looking the video up took more than {MAX_LOOKUP_REQUESTS} requests; it is tried again later.",
        total_bytes=MAX_LOOKUP_BYTES,
        stream_bytes=MAX_PAGE_BYTES,
        too_large=f"The site sends more than {megabytes(MAX_LOOKUP_BYTES)} before it names a recording.",
        pause_s=pause_s,
    )


def captions_allowance(limits: "DownloadLimits") -> Allowance:
    """Return what the captions of one video may cost."""
    return Allowance(
        seconds=limits.max_lookup_s,
        out_of_time=f"The captions did not come within {_minutes(limits.max_lookup_s)}.",
        requests=MAX_FRAGMENTS,
        out_of_requests="The captions come in too many pieces.",
        total_bytes=MAX_CAPTIONS_BYTES,
        stream_bytes=MAX_CAPTIONS_BYTES,
        too_large=f"The captions are larger than {megabytes(MAX_CAPTIONS_BYTES)}; they were not fetched.",
        whole_phase=True,
    )


def recording_allowance(limits: "DownloadLimits", *, in_fragments: bool) -> Allowance:
    """Return what a recording may cost. In all twice its size, since pieces of it may be fetched again."""
    too_large = f"The recording is larger than {megabytes(limits.max_bytes)}; it was not fetched."
    largest = min(MAX_FRAGMENT_BYTES, limits.max_bytes) if in_fragments else limits.max_bytes
    if largest < limits.max_bytes:
        too_large = f"A piece of the recording is larger than {megabytes(largest)}; it was not fetched."
    return Allowance(
        seconds=limits.max_fetch_s,
        out_of_time=f"The recording did not come within {_minutes(limits.max_fetch_s)}; it is tried again later.",
        requests=MAX_RECORDING_REQUESTS,
        out_of_requests="The recording comes in too many pieces; it is tried again later.",
        total_bytes=2 * limits.max_bytes,
        stream_bytes=largest,
        too_large=too_large,
        whole_phase=True,
        silence_s=limits.max_lookup_s,
    )


class Meter:
    """Counts what a site costs in one phase after the other, and refuses what is too much.

    Parameters
    ----------
    allowance : Allowance
        Of the first phase, which begins when `watched` does.
    patience_s : float
        Seconds before a rate is judged.
    min_rate_bytes_s : float
        Slower than this nothing is waited for.
    """

    def __init__(self, allowance: Allowance, *, patience_s: float, min_rate_bytes_s: float) -> None:
        self.patience_s = patience_s
        self.min_rate_bytes_s = min_rate_bytes_s
        self.weighed = {False: 0, True: 0}
        self.address_length = 0
        self._alarm: Alarm | None = None
        self.begin(allowance)

    def begin(self, allowance: Allowance) -> None:
        """Start a phase: everything is counted anew."""
        self.allowance = allowance
        self._until = time.monotonic() + allowance.seconds
        self._requests = 0
        self._bytes = 0
        self._flow = Flow(self)
        self.heard()

    def heard(self) -> None:
        """Note that something is asked for or received."""
        self._heard_at = time.monotonic()
        self._set_alarm()

    def flow(self) -> "Flow":
        """Return what judges the rate of the next answer."""
        return self._flow if self.allowance.whole_phase else Flow(self)

    def count_request(self) -> None:
        self._requests += 1
        if self._requests > self.allowance.requests:
            raise RefusedError(SpentError(self.allowance.out_of_requests))
        self.check_time()
        self._until += self.allowance.pause_s
        self.heard()

    def count_bytes(self, number: int) -> None:
        self._bytes += number
        if self._bytes > self.allowance.total_bytes:
            raise RefusedError(TooLargeError(self.allowance.too_large))

    def check_time(self) -> None:
        if time.monotonic() > self._until:
            raise RefusedError(self.out_of_time())

    def out_of_time(self) -> SpentError:
        return SpentError(self.allowance.out_of_time)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Make this the meter of the calling thread, and end what takes longer than its phase may.

        Work that sends nothing, such as a search in a hostile page, is ended by an alarm, which the main thread alone
        can have. In other threads the time is looked at with every request and every piece that is received.
        """
        token = _CURRENT.set(self)
        self.begin(self.allowance)
        try:
            with ringing(self._ring) as self._alarm:
                self._set_alarm()
                yield
        finally:
            self._alarm = None
            _CURRENT.reset(token)

    def _set_alarm(self) -> None:
        if self._alarm:
            self._alarm.set(min(self._until, self._heard_at + self.allowance.silence_s))

    def _ring(self) -> Exception:
        return self.out_of_time() if time.monotonic() >= self._until else SpentError(SILENT)


class Flow:
    """The rate at which answers come, judged again and again over a stretch of time."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._since = time.monotonic()
        self._received = 0

    def check(self, number: int) -> None:
        """Count bytes as they come off the network."""
        self._meter.check_time()
        self._received += number
        if number:
            self._meter.heard()
        elapsed = time.monotonic() - self._since
        if elapsed <= self._meter.patience_s:
            return
        if self._received < self._meter.min_rate_bytes_s * elapsed:
            raise RefusedError(SpentError(SLOW))
        self._since, self._received = time.monotonic(), 0


_CURRENT: ContextVar[Meter | None] = ContextVar("meter", default=None)


def current_meter() -> Meter | None:
    """Return the meter of the extraction that goes on in this thread."""
    return _CURRENT.get()


def megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.0f} MB"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
