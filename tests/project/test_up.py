"""Everything under one command, for real: queue server, workers, web server and demonstration site."""

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from crossmodal import embedded, probe
from crossmodal.env import socket_path
from crossmodal.management.commands import up
from crossmodal.processes import FolderLock
from crossmodal.supervisor import sessions_of
from tests.browser.product import free_port

ROOT = Path(django_settings.BASE_DIR)
PATIENCE_S = 120.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
    return result


# ---------------------------------------------------------------- what hinders a start


@pytest.fixture
def refusal(settings: Any, tmp_path: Path) -> Callable[..., str]:
    """Start in a folder of its own, which must fail with one sentence; gives it."""
    settings.VAR_DIR = tmp_path
    settings.DEMO_SITE_PORT = free_port()

    def fail(**options: Any) -> str:
        with pytest.raises(CommandError) as caught:
            call_command("up", **{"port": free_port(), **options})
        assert caught.value.returncode == 1
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return fail


def test_a_taken_port(refusal: Callable[..., str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"or choose another, as in `make run PORT={port + 1}`" in refusal(port=port)


def test_a_taken_port_of_the_demonstration(refusal: Callable[..., str], settings: Any) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings.DEMO_SITE_PORT = other.getsockname()[1]
        assert refusal().endswith("set DEMO_SITE_PORT to another one.")


def test_a_second_start_in_the_same_folder(refusal: Callable[..., str], tmp_path: Path) -> None:
    with FolderLock(tmp_path / "up.lock"):
        assert refusal() == f"Crossmodal already runs on {tmp_path}: use that one, or stop it with Ctrl-C first."


def test_a_folder_that_cannot_be_written(refusal: Callable[..., str], settings: Any) -> None:
    settings.VAR_DIR = Path("/proc/nowhere")
    assert refusal().startswith("The folder /proc/nowhere cannot be written")


def test_a_queue_server_that_cannot_be_reached(refusal: Callable[..., str], settings: Any) -> None:
    settings.EMBEDDED_VALKEY = False
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert refusal().startswith("The queue server named by REDIS_URL cannot be reached: ")


def test_a_missing_queue_program(refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "set REDIS_URL" in refusal()


def test_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    database = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "DEMO_SITE_PORT": str(free_port())}
    answer = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(free_port())],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "crossmodal.settings", **database},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert answer.returncode == 1
    assert "The database cannot be used: " in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not embedded.answers(socket_path(tmp_path))


# ---------------------------------------------------------------- who reaches it


@pytest.mark.parametrize(
    ("host", "names", "said", "not_said"),
    [
        ("127.0.0.1", ["localhost"], "http://localhost:8000", "Others"),
        ("0.0.0.0", ["localhost", "[::1]"], "without encryption", "Pages are trusted"),
        ("0.0.0.0", ["localhost", "[::1]"], "ALLOWED_HOSTS must name the host they type", "Pages are trusted"),
        ("192.168.1.4", ["lab.org"], "Put a proxy with HTTPS in front", "ALLOWED_HOSTS"),
        ("::", ["lab.org"], "Others can reach these pages", "ALLOWED_HOSTS"),
    ],
)
def test_it_says_when_others_can_reach_it(settings: Any, host: str, names: list[str], said: str, not_said: str) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_PROXY_SSL_HEADER = names, None
    output = StringIO()
    up.Command(stdout=output)._welcome(host, 8000)
    assert said in output.getvalue()
    assert not_said not in output.getvalue()


def test_behind_a_proxy_it_says_that_nothing_else_may_reach_it(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    output = StringIO()
    up.Command(stdout=output)._welcome("0.0.0.0", 8000)
    assert "nothing but the proxy reaches 0.0.0.0" in output.getvalue()
    assert "without encryption" not in output.getvalue()


# ---------------------------------------------------------------- a start


class Running:
    """A `manage.py up` in a process of its own, and what it started."""

    def __init__(self, var_dir: Path) -> None:
        self.var_dir = var_dir
        self.port = free_port()
        self.demo_port = free_port()
        self.output = var_dir.parent / "output"
        self.env = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "VAR_DIR": str(var_dir),
            "STATIC_ROOT": str(var_dir / "static"),
            "DEMO_SITE_PORT": str(self.demo_port),
            "PYTHONUNBUFFERED": "1",
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port), "--workers", "1"],
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        wait_for(lambda: "Crossmodal is ready: " in self.said or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.said
        wait_for(lambda: len(self.workers()) == 3, "all workers")

    def workers(self) -> dict[str, int]:
        """Registered workers whose process lives: name and pid."""
        client = redis.Redis.from_url(embedded.url(self.var_dir), decode_responses=True)
        found = {str(key): int(client.hget(key, "pid") or 0) for key in client.smembers("rq:workers")}
        return {name: pid for name, pid in found.items() if pid in self.everything()}

    def services(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    def everything(self) -> set[int]:
        """Pids of all services and of whatever they started."""
        return set(sessions_of(self.services()))

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=True).stdout


def gone(pids: set[int]) -> bool:
    def alive(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return not any(alive(pid) for pid in pids)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running(tmp_path / "var"))
        return started[-1]

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def sign_in(port: int, name: str, password: str) -> str:
    """The address one ends at after filling in the login form."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    address = f"http://localhost:{port}/accounts/login/"
    page = browser.open(address).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "username": name, "password": password}
    return str(browser.open(address, urllib.parse.urlencode(form).encode()).geturl())


@pytest.mark.timeout(600)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_it_starts_supervises_stops_and_starts_again(start: Callable[[], Running]) -> None:
    first = start()
    first.wait_until_ready()

    # The first start says how to sign in, and what it says is true.
    login = re.search(r"sign in as (\S+) with the password (\S+)", first.said)
    assert login is not None
    assert sign_in(first.port, login[1], login[2]) == f"http://localhost:{first.port}/"
    assert probe.ask_web("127.0.0.1", first.port)[0] == 200
    assert len(first.services()) == 1 + 1 + 3 + 1  # queue, web, workers, demonstration site
    with socket.create_connection(("127.0.0.1", first.demo_port), timeout=10):
        pass

    # When the queue server dies, it is replaced, and so are the workers that had registered there.
    before = first.workers()
    os.kill(redis.Redis.from_url(embedded.url(first.var_dir)).info("server")["process_id"], signal.SIGKILL)
    wait_for(lambda: "queue was ended by SIGKILL" in first.said, "noticing it")
    wait_for(lambda: embedded.answers(socket_path(first.var_dir)), "a new queue server")
    wait_for(lambda: len(first.workers()) == 3 and before.keys().isdisjoint(first.workers()), "new workers")
    assert probe.ask_web("127.0.0.1", first.port)[0] == 200

    # Ctrl-C leaves nothing behind.
    everything = first.everything()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(PATIENCE_S) == 0
    assert gone(everything)
    assert "Traceback" not in first.said
    assert not embedded.answers(socket_path(first.var_dir))

    # What was unfinished is taken up at the next start, which makes no second admin.
    first.manage(
        "shell",
        "-c",
        "from pipeline.models import Video\n"
        "Video.objects.create(extractor='generic', extractor_id='none', split='train', "
        f"url='http://127.0.0.1:{first.demo_port}/no-such-page')",
    )
    second = start()
    second.wait_until_ready()
    assert "Taken up again: 1 unfinished job." in wait_for(lambda: second.said if "Taken up" in second.said else "", "")
    assert "password" not in second.said

    # Killed outright, it takes its services with it, and the next start is like any other.
    everything = second.everything()
    second.process.kill()
    second.process.wait()
    wait_for(lambda: gone(everything), "nothing left")
    third = start()
    third.wait_until_ready()
    third.process.terminate()
    assert third.process.wait(PATIENCE_S) == 0
