"""Places for slow work in a web process, so that threads are left for pages while strangers guess passwords."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """So many at once; more only while work is seen to be quick, as when a class signs in on an idle machine."""

    def __init__(self, count: int, quick_s: float, most: int | None = None) -> None:
        self.count = count
        self.most = most
        self.quick_s = quick_s
        self._lock = threading.Lock()
        self._begun: list[float] = []
        self._last_s = 0.0

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Hold a place; false, at once, where none is free."""
        now = time.monotonic()
        with self._lock:
            free = len(self._begun) < self.count or self._is_quick(now)
            if free:
                self._begun.append(now)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._begun.remove(now)
                    self._last_s = time.monotonic() - now

    def _is_quick(self, now: float) -> bool:
        """Whether what ended last was quick, nothing under way takes longer, and there are less than ``most``."""
        if self.most is not None and len(self._begun) >= self.most:
            return False
        return self._last_s < self.quick_s and all(now - begun < self.quick_s for begun in self._begun)
