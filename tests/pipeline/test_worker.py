"""The whole path for real: private queue server, RQ workers, yt-dlp, a site on loopback, a database in a file."""

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from crossmodal import embedded
from pipeline.liveness import process_mark
from tests.conftest import SHARED_DATA
from tests.loopback import Site, serving
from tests.pipeline.machine import Machine, wait_for

# Ten times what it takes on an idle machine.
pytestmark = [pytest.mark.shared_data, pytest.mark.timeout(300)]


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
        machine = Machine(var_dir, redis_url, {"DEMO_SITE_PORT": site.origin.rpartition(":")[2]})
        try:
            machine.manage("migrate", "--verbosity", "0")
            yield machine
        finally:
            machine.stop()


def test_a_starting_worker_finds_a_real_interview_that_the_queue_forgot(machine: Machine, site: Site) -> None:
    url = site.add_page("/a.html", "interview.mp3", ("en", "interview.en.vtt"), ("en", "interview.en.json3"))
    (pk,) = machine.add(url)
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
    gone, silent = machine.add(
        site.add_page("/gone.html", "missing.mp3"), site.add_page("/silent.html", "interview.mp3")
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
    (pk,) = machine.add(url)
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
