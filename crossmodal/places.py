"""Places for slow work in a web process, so that threads are left for pages while strangers guess passwords."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """So many at once; more only while the last one was quick, as when a class signs in on an idle machine."""

    def __init__(self, count: int, quick_s: float) -> None:
        self.count = count
        self.quick_s = quick_s
        self._lock = threading.Lock()
        self._taken = 0
        self._last_s = 0.0

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Hold a place; false, at once, where none is free."""
        started = time.monotonic()
        with self._lock:
            free = self._taken < self.count or self._last_s < self.quick_s
            self._taken += free
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._taken -= 1
                    self._last_s = time.monotonic() - started
