"""What killed processes leave behind, and a full disk, for real: workers, gunicorn, and a file system of its own."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from crossmodal import embedded, probe
from pipeline.liveness import process_mark
from pipeline.stages.disk import RESERVE_BYTES
from tests.browser.product import free_port
from tests.conftest import ROOT
from tests.limited_disk import LimitedDisk, limited_disk
from tests.loopback import Site, serving
from tests.pipeline.conftest import vtt, write_wav
from tests.pipeline.machine import Machine, wait_for

pytestmark = pytest.mark.timeout(300)

# An admin who is signed in, a video to download, and a training that takes some time.
SEED = """
import django, json, sys, tempfile
django.setup()
import numpy as np
from pathlib import Path
from django.core.files import File
from django.test import Client
from pipeline.intake import start_run, submit_urls
from pipeline.labels import LABELS
from pipeline.models import Segment, TextLabel
from pipeline.stages.feature_file import FeatureTable, write_features
from pipeline.stages.features import DEFAULT_EXTRACTOR, get_extractor
from tests.factories import Factory

N = 600
random, factory = np.random.default_rng(0), Factory()
names = tuple(get_extractor(DEFAULT_EXTRACTOR).feature_names)
for _ in range(4):
    video = factory.make_video(split="test")
    rows = [Segment(video=video, position=n, start_ms=n, end_ms=n + 1, text="", policy="recommended") for n in range(N)]
    Segment.objects.bulk_create(rows)
    labels = [dict(segment=row, policy="recommended", label=LABELS[row.position % 3]) for row in rows]
    TextLabel.objects.bulk_create([TextLabel(**label, vader=0, textblob=0, pattern=0, mean=0) for label in labels])
    X = random.normal(size=(N, len(names)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npz"
        write_features(path, FeatureTable(X=X, names=names, keys=np.arange(N), extractor=DEFAULT_EXTRACTOR))
        with path.open("rb") as content:
            video.features.save("features.npz", File(content))
client = Client()
client.force_login(factory.make_user("ada", role="admin"))
(video,) = submit_urls([sys.argv[1]], split="train").created
start_run({"split": "test", "policy": "recommended", "extractor": DEFAULT_EXTRACTOR, "classifier": "svm-rbf"})
print(json.dumps({"session": client.cookies["sessionid"].value, "video": video.pk}))
"""
TOKEN = "t" * 32


@dataclass(frozen=True)
class Web:
    """A running gunicorn."""

    process: "subprocess.Popen[bytes]"
    port: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    write_wav(folder / "talk.wav")
    (folder / "talk.vtt").write_text(vtt())
    with serving(folder) as site:
        yield site


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedDisk | None]:
    with limited_disk(tmp_path_factory.mktemp("machine") / "disk", 2**30) as disk:
        yield disk


@pytest.fixture(scope="module")
def machine(site: Site, disk: LimitedDisk | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    var_dir = (disk.folder if disk else tmp_path_factory.mktemp("machine")) / "var"
    with embedded.running(var_dir) as redis_url:
        machine = Machine(var_dir, redis_url, {"DEMO_SITE_PORT": site.origin.rpartition(":")[2]})
        try:
            machine.manage("migrate", "--verbosity", "0")
            yield machine
        finally:
            machine.stop()


@pytest.fixture(scope="module")
def seed(machine: Machine, site: Site) -> Any:
    url = site.add_page("/slow.html", "talk.wav", ("en", "talk.vtt"))
    command = [sys.executable, "-c", SEED, url]
    done = subprocess.run(command, cwd=ROOT, env=machine.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def web(machine: Machine) -> Iterator[Web]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "python:crossmodal.server", "--bind", f"127.0.0.1:{port}"]
    environment = {**machine.environment, "WEB_WORKERS": "1"}
    process = subprocess.Popen(
        [*command, "crossmodal.wsgi"], cwd=ROOT, env=environment, stdout=machine.log, stderr=machine.log
    )
    try:
        wait_for(lambda: probe.ask_web("127.0.0.1", port)[0] == 200)
        yield Web(process, port)
    finally:
        worker = horse_of(process)
        process.terminate()
        process.wait(30)
        assert left(machine, worker) is None


def left(machine: Machine, pid: int) -> list[str] | None:
    """Files in the scratch folder of a process; None where it has none."""
    base = machine.database.parent / "scratch"
    for folder in base.glob(f"*-{pid}-*"):
        if folder.is_dir():
            return [path.name for path in folder.rglob("*") if path.is_file()]
    return None


def horse_of(worker: "subprocess.Popen[bytes]") -> int:
    return int(Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()[0])


def silence() -> bytes:
    """Ten minutes of it: 30 kB that become 19 MB."""
    content = io.BytesIO()
    soundfile.write(content, np.zeros(600 * 16_000, dtype=np.int16), 16_000, format="FLAC")
    return content.getvalue()


def head(web: Web, session: str, length: int) -> bytes:
    """A form with everything but the rest of its file."""
    fields = {"csrfmiddlewaretoken": TOKEN, "split": "train", "policy": "recommended"}
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    parts += '--b\r\nContent-Disposition: form-data; name="recording"; filename="a.flac"\r\n\r\n'
    return (
        f"POST /videos/upload/ HTTP/1.1\r\nHost: localhost:{web.port}\r\nConnection: close\r\n"
        f"Cookie: sessionid={session}; csrftoken={TOKEN}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(parts) + length}\r\n\r\n{parts}"
    ).encode()


def test_a_worker_that_starts_removes_what_a_killed_one_downloaded(machine: Machine, site: Site, seed: Any) -> None:
    site.slow["/talk.wav"] = 0.1
    worker = machine.start_worker()
    wait_for(lambda: machine.video(seed["video"])["progress_done"] > 0)
    horse = horse_of(worker)
    files = left(machine, horse)
    assert files
    assert any(name.startswith("recording") for name in files)

    worker.kill()
    worker.wait()
    wait_for(lambda: not process_mark(horse))
    assert left(machine, horse) == files
    site.slow.clear()
    machine.start_worker()

    wait_for(lambda: left(machine, horse) is None)


def test_a_worker_removes_what_its_killed_training_left(machine: Machine, seed: Any) -> None:
    worker = machine.start_worker()
    wait_for(lambda: machine.rows("SELECT progress_what FROM pipeline_trainingrun")[0]["progress_what"] == "Training")
    horse = horse_of(worker)
    assert "features" in (left(machine, horse) or [])

    os.kill(horse, signal.SIGKILL)

    wait_for(lambda: left(machine, horse) is None)
    assert worker.poll() is None
    machine.change("UPDATE pipeline_trainingrun SET state = 'failed'")


def test_a_web_worker_that_is_killed_leaves_no_upload(machine: Machine, seed: Any, web: Web) -> None:
    victim = horse_of(web.process)
    with socket.create_connection(("127.0.0.1", web.port)) as client:
        client.sendall(head(web, seed["session"], 20_000_000) + b"x" * 6_000_000)
        wait_for(lambda: any(name.endswith(".upload.flac") for name in left(machine, victim) or []))
        os.kill(victim, signal.SIGKILL)
    # gunicorn starts another one, which sweeps.
    wait_for(lambda: left(machine, victim) is None)


def test_a_full_disk_is_told_and_the_work_goes_on_when_there_is_room(
    machine: Machine, disk: LimitedDisk | None, seed: Any, web: Web
) -> None:
    if disk:
        disk.leave_bytes(RESERVE_BYTES + 8 * 10**6)
        machine.start_worker()
    else:  # another real limit: no file may grow larger than 8 MB
        machine.stop_worker()
        limited = ["bash", "-c", f"ulimit -f 8000; exec {sys.executable} manage.py rqworker download compute"]
        machine.workers.append(subprocess.Popen(limited, cwd=ROOT, env=machine.environment, stderr=machine.log))
    body = silence() + b"\r\n--b--\r\n"
    with socket.create_connection(("127.0.0.1", web.port)) as client:
        client.sendall(head(web, seed["session"], len(body)) + body)
        assert b" 302 " in client.recv(1000)
    told = "SELECT * FROM pipeline_video WHERE extractor = 'upload' AND error_message != ''"
    wait_for(lambda: bool(machine.rows(told)))

    (video,) = machine.rows(told)
    assert (video["state"], video["error_permanent"]) == ("queued", 0)
    assert " left" in video["error_message"]
    assert "Make room there" in video["error_message"]
    assert video["source"]
    assert not list((machine.database.parent / "scratch").glob("*-*/*"))

    if disk:
        disk.leave_bytes(2**29)
    else:
        machine.stop_worker()
        machine.start_worker()
    machine.change("UPDATE pipeline_video SET waits_until = NULL WHERE id = ?", video["id"])
    machine.manage("process")
    wait_for(lambda: machine.video(video["id"])["state"] == "no-captions")
    assert not machine.video(video["id"])["source"]
    stored = {path.name for path in (machine.database.parent / "files" / "video").iterdir()}
    assert stored == {
        Path(row[name]).name
        for row in machine.rows("SELECT source, audio, captions, peaks, features FROM pipeline_video")
        for name in row
        if row[name]
    }
