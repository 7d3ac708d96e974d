"""How work ends before it is done, for real: stops and crashes count nothing, deaths count at their stage only."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from crossmodal import embedded
from pipeline.liveness import process_mark
from tests.loopback import Site, serving
from tests.pipeline.conftest import vtt, write_wav
from tests.pipeline.machine import Machine, wait_for

# Ten times what it takes on an idle machine.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    write_wav(folder / "talk.wav", 6.0)
    (folder / "talk.vtt").write_text(vtt())
    with serving(folder) as site:
        yield site


class QueueServer:
    """A private queue server that can be killed and started again."""

    def __init__(self, var_dir: Path) -> None:
        self.var_dir = var_dir
        embedded.prepare_folder(var_dir)
        self.start()

    def start(self) -> None:
        embedded.clear(self.var_dir)
        self.process = subprocess.Popen(embedded.command(self.var_dir), stdout=subprocess.DEVNULL)
        embedded.wait_until_ready(self.process, self.var_dir)

    def crash(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()


@pytest.fixture(scope="module")
def queue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueServer]:
    server = QueueServer(tmp_path_factory.mktemp("machine") / "var")
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture(scope="module")
def machine(site: Site, queue_server: QueueServer) -> Iterator[Machine]:
    var_dir = queue_server.var_dir
    machine = Machine(var_dir, embedded.url(var_dir), {"DEMO_SITE_PORT": site.origin.rpartition(":")[2]})
    try:
        machine.manage("migrate", "--verbosity", "0")
        yield machine
    finally:
        machine.stop()


def jobs_of(worker: "subprocess.Popen[bytes]") -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()]


def add_slow(machine: Machine, site: Site, name: str) -> int:
    """A video whose download takes so long that it is always under way."""
    site.slow["/talk.wav"] = 0.5
    url = site.add_page(f"/{name}.html", "talk.wav", ("en", "talk.vtt"))
    return machine.add(url, "--policy", "seed-2019")[0]


def wait_until_fetched(machine: Machine, pk: int) -> None:
    wait_for(lambda: machine.video(pk)["state"] == "fetching" and machine.video(pk)["progress_done"] > 0)


def stop_at_once(worker: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C twice, or a service manager that waits no longer."""
    worker.terminate()
    time.sleep(1.1)  # RQ takes two signals within a second for one
    worker.terminate()
    worker.wait(30)


def counted(machine: Machine, pk: int) -> tuple[str, int, int, int]:
    video = machine.video(pk)
    return video["state"], video["deaths"], video["interruptions"], video["attempts"]


def test_stops_and_crashes_of_the_queue_server_count_nothing(
    machine: Machine, site: Site, queue_server: QueueServer
) -> None:
    pk = add_slow(machine, site, "stopped")
    for end in ("patient stop", "stop", "stop", "crash"):
        worker = machine.start_worker(queues="download")
        wait_until_fetched(machine, pk)
        (job,) = jobs_of(worker)
        if end == "crash":
            queue_server.crash()
        if end == "patient stop":
            machine.stop_worker()
        else:
            stop_at_once(worker)
        assert process_mark(job) == "", end
        assert counted(machine, pk) == ("queued", 0, 0, 0), end
        assert "stopped in the middle" in machine.video(pk)["error_message"]
    site.slow.clear()
    machine.start_worker()
    wait_for(lambda: machine.video(pk)["state"] == "ready")


def test_a_job_that_dies_three_times_fails_its_video_and_the_worker_lives_on(machine: Machine, site: Site) -> None:
    pk = add_slow(machine, site, "deadly")
    worker = machine.start_worker()
    for deaths in (1, 2, 3):
        wait_until_fetched(machine, pk)
        (job,) = jobs_of(worker)
        os.kill(job, signal.SIGKILL)
        wait_for(lambda: machine.video(pk)["state"] != "fetching")
        if deaths < 3:
            assert counted(machine, pk) == ("queued", deaths, 0, 0)
            assert f"died {'once' if deaths == 1 else '2 times'}" in machine.video(pk)["error_message"]
            machine.manage("process")  # sooner than the pause between tries
    assert machine.video(pk)["state"] == "failed"
    assert "The worker died 3 times at this point" in machine.video(pk)["error_message"]
    assert worker.poll() is None


def test_a_worker_that_is_killed_while_another_lives_on_counts(machine: Machine, site: Site) -> None:
    machine.start_worker(2)
    with Redis.from_url(machine.environment["REDIS_URL"]) as client:
        wait_for(lambda: client.scard("rq:workers") == 2)
    pk = add_slow(machine, site, "alone")
    wait_until_fetched(machine, pk)
    (busy,) = [worker for worker in machine.workers if worker.poll() is None and jobs_of(worker)]
    busy.kill()
    busy.wait()
    machine.manage("process")
    assert machine.video(pk)["deaths"] == 1
    site.slow.clear()
    wait_for(lambda: machine.video(pk)["state"] == "ready")
    assert counted(machine, pk) == ("ready", 0, 0, 0)


@pytest.mark.parametrize("queue_server_is_away", [False, True], ids=["told by the queue server", "found by itself"])
def test_removing_a_video_ends_its_job_within_seconds(machine: Machine, site: Site, queue_server_is_away: bool) -> None:
    worker = machine.start_worker()
    pk = add_slow(machine, site, f"removed-{queue_server_is_away}")
    wait_until_fetched(machine, pk)
    (job,) = jobs_of(worker)
    said = machine.log_path.stat().st_size
    away = {"REDIS_URL": "unix:///nowhere.sock"} if queue_server_is_away else {}
    environment = dict(machine.environment)
    machine.environment.update(away)
    try:
        remove = f"from pipeline import intake, models; intake.remove(models.Video.objects.get(pk={pk}))"
        machine.manage("shell", "-c", remove)
    finally:
        machine.environment = environment
    wait_for(lambda: process_mark(job) == "", 12)
    assert machine.rows("SELECT * FROM pipeline_video WHERE id = ?", pk) == []
    with Redis.from_url(machine.environment["REDIS_URL"]) as client:
        wait_for(lambda: not client.exists(f"rq:job:fetch_video-{pk}"), 10)
    assert b"Traceback" not in machine.log_path.read_bytes()[said:]
    assert worker.poll() is None
