"""How a stage tells where it stands."""

from collections.abc import Callable

# Called with (done, total); a total of 0 means that it is not known yet.
ProgressCallback = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """The callback of a caller that does not watch."""
