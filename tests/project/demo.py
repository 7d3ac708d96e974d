"""The demonstration in small: a few short interviews, jobs run in place, and the site on a free port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossmodal.demo import jobs, scripts
from crossmodal.demo.site import make_server
from pipeline import jobs as pipeline_jobs

TRAIN = ("bakery", "bees", "bicycles", "choir", "ferry", "flood")
TEST = ("clock", "market")


def shortened(source: str) -> str:
    """The script's headings with one turn of the interviewer and the guest's first turn in each mood."""
    head, _, body = source.partition("\n\n")
    lines = body.splitlines()
    first: dict[str, Any] = {}
    for line in lines:
        first.setdefault(line.partition(":")[0], line)
    wanted = [first[who] for who in ("I calm", "G calm", "G happy", "G sad", "G angry")]
    return head + "\n\n" + "\n".join(wanted) + "\n"


def write_small_corpus(folder: Path) -> None:
    for name in (*TRAIN, *TEST):
        source = (scripts.FOLDER / f"{name}.txt").read_text(encoding="utf-8")
        (folder / f"{name}.txt").write_text(shortened(source), encoding="utf-8")


@contextmanager
def served(settings: Any) -> Iterator[str]:
    """The demonstration's site on a free port, known to the settings."""
    server = make_server(0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    settings.DEMO_SITE_PORT = server.server_port
    settings.DEMO_SITE_ORIGIN = f"http://127.0.0.1:{server.server_port}"
    try:
        yield settings.DEMO_SITE_ORIGIN
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Workbench:
    """Stands in for queues and workers: keeps what is queued and runs it when told."""

    pipeline: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)

    def enqueue(self, job: str, *pks: int) -> bool:
        if (job, pks) in self.pipeline:
            return False
        self.pipeline.append((job, pks))
        return True

    def enqueue_turn(self, turn: int, delay: object) -> None:
        self.turns.append(turn)

    def run_pipeline(self) -> None:
        while self.pipeline:
            job, pks = self.pipeline.pop(0)
            getattr(pipeline_jobs, job)(*pks)

    def run_turns(self) -> None:
        """The demonstration's jobs queued so far, not those that they queue."""
        queued, self.turns = self.turns, []
        for turn in queued:
            jobs.advance_demo(turn)
