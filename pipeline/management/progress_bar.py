"""A stage's progress as a bar on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from pipeline.stages.progress import ProgressCallback


@contextmanager
def progress_bar(unit: str) -> Iterator[ProgressCallback]:
    """The callback to give to a stage; the bar is on stderr, and only where that is a terminal."""
    with tqdm(unit=unit, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield show
