"""An alarm that ends work which takes too long, whatever it is busy with, and leaves other alarms in force."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

# An alarm that something in yt-dlp swallowed rings again.
RING_AGAIN_S: Final = 5.0


class ExpiredError(BaseException):
    """The time is over; no exception that yt-dlp's `except Exception` would swallow."""

    def __init__(self, told: Exception) -> None:
        super().__init__(str(told))
        self.told = told


class Alarm:
    """The process's one timer, lent by whoever had it set before, such as the queue for a job's own time limit."""

    def __init__(self, ring: Callable[[], Exception]) -> None:
        self._ring = ring
        self._until: float | None = None
        self._before: Any = signal.getsignal(signal.SIGALRM)
        left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        self._before_until = time.monotonic() + left_s if left_s else None
        signal.signal(signal.SIGALRM, self._rung)

    def set(self, until: float) -> None:
        self._until = until
        self._wind()

    def give_back(self) -> None:
        """Stop, and leave the timer as it would stand without this one."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        if self._before_until is not None:
            signal.setitimer(signal.ITIMER_REAL, max(self._before_until - time.monotonic(), 0.001))

    def _wind(self) -> None:
        due = [moment for moment in (self._until, self._before_until) if moment is not None]
        if due:
            signal.setitimer(signal.ITIMER_REAL, max(min(due) - time.monotonic(), 0.001))

    def _rung(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self._before_until is not None and now >= self._before_until and callable(self._before):
            self._before_until = None
            self._until = now + RING_AGAIN_S
            self._wind()
            try:
                self._before(number, frame)
            except Exception as error:  # noqa: BLE001 - whoever set it may raise anything, which comes out unchanged
                told = error
                self._ring = lambda: told
                raise ExpiredError(told) from None
        elif self._until is not None and now >= self._until:
            self._until = now + RING_AGAIN_S
            self._wind()
            raise ExpiredError(self._ring())
        else:
            self._wind()


@contextmanager
def ringing(ring: Callable[[], Exception]) -> Iterator[Alarm | None]:
    """Have an alarm where one can be had; what it ends is told by the exception that `ring` makes."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or not hasattr(signal, "setitimer") or signal.getsignal(signal.SIGALRM) is None:
        yield None
        return
    alarm = Alarm(ring)
    try:
        yield alarm
    except ExpiredError as expired:
        raise expired.told from None
    finally:
        alarm.give_back()
