"""The whole path for real: private queue server, RQ workers, yt-dlp, a site on loopback, a database in a file."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from crossmodal import embedded
from pipeline.liveness import process_mark
from tests.conftest import ROOT, SHARED_DATA
from tests.loopback import Site, serving

# Ten times what it takes on an idle machine.
pytestmark = [pytest.mark.shared_data, pytest.mark.timeout(300)]


class Machine:
    """One installation of its own: settings, database, files, and the processes that a test starts."""

    def __init__(self, var_dir: Path, redis_url: str, site: Site) -> None:
        self.database = var_dir / "crossmodal.sqlite3"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "DJANGO_SETTINGS_MODULE": "crossmodal.settings",
            "DATABASE_URL": "",
            "VAR_DIR": str(var_dir),
            "REDIS_URL": redis_url,
            "SECRET_KEY": "tests-only-" + "x" * 40,
            "DEMO_SITE_PORT": site.origin.rpartition(":")[2],
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.log = (var_dir / "workers.log").open("wb")

    def manage(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """The running worker, or a new one."""
        if self.workers and self.workers[-1].poll() is None:
            return self.workers[-1]
        command = [sys.executable, "manage.py", "rqworker", "download", "compute"]
        worker = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log)
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.log.close()

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def video(self, pk: int) -> dict[str, Any]:
        return self.rows("SELECT * FROM pipeline_video WHERE id = ?", pk)[0]


def wait_for(condition: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared test data is not there ({SHARED_DATA})")
    with serving(SHARED_DATA / "interview") as site:
        yield site


@pytest.fixture(scope="module")
def machine(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for all tests here, since migrating and starting workers takes seconds; each test adds its own videos."""
    var_dir = tmp_path_factory.mktemp("machine") / "var"
    with embedded.running(var_dir) as redis_url:
        machine = Machine(var_dir, redis_url, site)
        try:
            machine.manage("migrate", "--verbosity", "0")
            yield machine
        finally:
            machine.stop()


def add(machine: Machine, *urls: str) -> list[int]:
    document = machine.manage("add_video", *urls, "--split", "train", "--format", "json")
    return [video["id"] for video in json.loads(document)["created"]]


def test_a_starting_worker_finds_a_real_interview_that_the_queue_forgot(machine: Machine, site: Site) -> None:
    url = site.add_page("/a.html", "interview.mp3", ("en", "interview.en.vtt"), ("en", "interview.en.json3"))
    (pk,) = add(machine, url)
    with closing(Redis.from_url(machine.environment["REDIS_URL"])) as client:
        client.flushall()  # the private server forgets at every restart

    machine.start_worker()
    wait_for(lambda: machine.video(pk)["state"] == "ready")

    video = machine.video(pk)
    assert (video["title"], video["captions_kind"], video["attempts"]) == ("An interview", "automatic", 0)
    assert video["duration_s"] == pytest.approx(56.8, abs=0.2)
    segments = machine.rows("SELECT * FROM pipeline_segment WHERE video_id = ? AND exclusion = ''", pk)
    assert len(segments) > 5
    labels = machine.rows("SELECT policy, COUNT(*) AS n FROM pipeline_textlabel GROUP BY policy ORDER BY policy")
    assert labels == [{"policy": name, "n": len(segments)} for name in ("recommended", "seed-2019")]
    assert site.requests.count("GET /a.html") == 1
    assert site.requests.count("GET /interview.mp3") == 1


def test_failures_are_told_and_nothing_else_stops(machine: Machine, site: Site) -> None:
    machine.start_worker()
    gone, silent = add(
        machine, site.add_page("/gone.html", "missing.mp3"), site.add_page("/silent.html", "interview.mp3")
    )

    wait_for(lambda: (machine.video(gone)["state"], machine.video(silent)["state"]) == ("failed", "no-captions"))

    assert json.loads(machine.manage("process", "--wait", "--format", "json"))["queued"] == 0
    assert "HTTP 404" in machine.video(gone)["error_message"]
    assert machine.video(gone)["error_permanent"]
    assert machine.video(silent)["audio"]


def test_what_a_killed_worker_held_is_taken_up_again(machine: Machine, site: Site) -> None:
    url = site.add_page("/slow.html", "interview.mp3?slow", ("en", "interview.en.json3"))
    site.slow["/interview.mp3"] = 0.1  # 22 seconds for the whole file
    worker = machine.start_worker()
    (pk,) = add(machine, url)
    wait_for(lambda: machine.video(pk)["progress_what"] == "Downloading" and machine.video(pk)["progress_done"] > 0)

    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()

    worker.send_signal(signal.SIGKILL)
    worker.wait()
    # The job's own process dies with its worker, so that it does not go on beside the second one.
    assert children
    wait_for(lambda: not any(process_mark(int(child)) for child in children))
    assert machine.video(pk)["state"] == "fetching"
    site.slow.clear()
    assert json.loads(machine.manage("process", "--format", "json"))["queued"] == 1
    assert "stopped in the middle" in machine.video(pk)["error_message"]

    machine.start_worker()
    wait_for(lambda: machine.video(pk)["state"] == "ready")
    assert site.requests.count("GET /slow.html") == 2
