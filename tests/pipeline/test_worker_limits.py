"""What one job may take, for real: a hostile page ends its own job with a sentence, and the worker goes on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from crossmodal import embedded
from tests.conftest import ROOT
from tests.loopback import Site, serving
from tests.pipeline.conftest import vtt, write_wav
from tests.pipeline.crafted import foreign_records, put
from tests.pipeline.machine import Machine, wait_for

# Ten times what it takes on an idle machine.
pytestmark = pytest.mark.timeout(600)

# The worker is the real one, with smaller limits, so that the test takes little of the machine's own.
START = """
import sys
from pipeline import job_limits
job_limits.DOWNLOAD_MEMORY_BYTES = 600 * job_limits.MIB
job_limits.MARGIN_BYTES = -7_000_000
from manage import main
sys.argv = ["manage.py", "rqworker", "download", "compute"]
main()
"""
# Each list takes 3 bytes in the file and 64 in memory.
LISTS = b"[" + b"[]," * 5_000_000 + b"0]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    for name in ("one.wav", "two.wav", "three.wav"):
        write_wav(folder / name)
    (folder / "talk.vtt").write_text(vtt())
    (folder / "lists.json3").write_bytes(LISTS)
    (folder / "large.vtt").write_bytes(b"WEBVTT\n\n" + b"x" * 22_000_000)
    with serving(folder) as site:
        yield site


@pytest.fixture(scope="module")
def machine(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    var_dir = tmp_path_factory.mktemp("machine") / "var"
    limits = {"MAX_VIDEO_BYTES": "25000000", "MAX_UPLOAD_BYTES": "1000000", "MAX_VIDEO_DURATION_S": "60"}
    with embedded.running(var_dir) as redis_url:
        machine = Machine(var_dir, redis_url, {"DEMO_SITE_PORT": site.origin.rpartition(":")[2], **limits})
        try:
            machine.manage("migrate", "--verbosity", "0")
            yield machine
        finally:
            machine.stop()


def test_what_takes_too_much_ends_alone(machine: Machine, site: Site, tmp_path: Path) -> None:
    pages = [("one", "lists.json3"), ("two", "large.vtt"), ("three", "talk.vtt")]
    urls = [site.add_page(f"/{name}.html", f"{name}.wav", ("en", captions)) for name, captions in pages]
    greedy, large, good = machine.add(*urls, "--policy", "seed-2019")
    proof = tmp_path / "proof"
    with Redis.from_url(machine.environment["REDIS_URL"]) as client:
        for job_id, fields in foreign_records(proof).items():
            put(client, job_id, fields)

    worker = subprocess.Popen(
        [sys.executable, "-c", START], cwd=ROOT, env=machine.environment, stdout=machine.log, stderr=machine.log
    )
    machine.workers.append(worker)
    wait_for(lambda: machine.video(good)["state"] == "ready", 300)
    wait_for(lambda: {machine.video(pk)["state"] for pk in (greedy, large)} == {"failed"})

    assert "more memory than the 600 MB that a job may take" in machine.video(greedy)["error_message"]
    assert "a file of more than" in machine.video(large)["error_message"]
    assert [machine.video(pk)["deaths"] for pk in (greedy, large)] == [0, 0]
    wait_for(lambda: machine.log_path.read_bytes().count(b"Refused ") >= len(foreign_records(proof)))
    assert not proof.exists()
    assert worker.poll() is None
    assert b"Traceback" not in machine.log_path.read_bytes()
