"""The real proxy before a real gunicorn, on loopback; the web server writes down what reaches it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossmodal.proxy.__main__ import CADDYFILE, program, variables

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = "lab.example.org"
PATIENCE_S = 60.0
# In place of the proxy's 10 s for headers and 120 s for whole requests.
DEADLINE_S = 1.5
LOG = "SEEN_LOG"
# Answered by the pages themselves; everything else by the recorder below.
REAL_PAGES = ("/healthz", "/accounts/login/")
HEADERS = ("HTTP_", "CONTENT_LENGTH", "REMOTE_ADDR")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Pass pages on to Crossmodal; of all else note headers and length of the body, which is read to its end."""
    if environ["PATH_INFO"] in REAL_PAGES and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
        from crossmodal.wsgi import application as pages

        return pages(environ, start_response)
    seen: dict[str, Any] = {name: value for name, value in environ.items() if name.startswith(HEADERS)}
    seen |= {"path": environ["PATH_INFO"], "reached": time.time()}
    note(seen | {"complete": False})
    stream, length = environ["wsgi.input"], 0
    while block := stream.read(65536):
        length += len(block)
    note(seen | {"complete": True, "length": length, "read": time.time()})
    if asked := environ.get("HTTP_RANGE"):
        span = ("Content-Range", asked.replace("=", " ") + "/100")
        start_response("206 Partial Content", [span, ("Content-Length", "8")])
        return slow_sound(2 * DEADLINE_S if "long" in environ["QUERY_STRING"] else 0.6)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Server", "a name")])
    return [b"seen"]


def slow_sound(pause_s: float) -> Iterator[bytes]:
    yield b"half"
    time.sleep(pause_s)
    yield b"half"


def note(seen: dict[str, Any]) -> None:
    with Path(os.environ[LOG]).open("a") as log:
        log.write(json.dumps(seen) + "\n")


@dataclass
class Web:
    """A running gunicorn, and what reached it."""

    port: int
    log: Path

    def seen(self, path: str, *, complete: bool = True) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [line for line in lines if line["path"] == path and line["complete"] is complete]


def wait_for_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).read()
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"no answer from {url}"
        time.sleep(0.05)


@contextlib.contextmanager
def running(command: list[str], env: dict[str, str], log: Path, url: str) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for_answer(url, process, log)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving_web(port: int, folder: Path) -> Iterator[Web]:
    """Gunicorn with the project's own configuration, with four threads, behind one trusted proxy, for a named site."""
    web = Web(port, folder / "seen.jsonl")
    env = os.environ | {
        "BIND": f"127.0.0.1:{port}",
        "VAR_DIR": str(folder / "var"),
        "SITE_NAME": SITE,
        "BEHIND_PROXY": "1",
        "WEB_WORKERS": "1",
        "WEB_THREADS": "4",
        "DJANGO_SETTINGS_MODULE": "tests.project.server_settings",
        LOG: str(web.log),
    }
    # Of the environment of the tests, nothing that settings would take up.
    env.pop("ALLOWED_HOSTS", None)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:crossmodal.server", "tests.project.proxied"]
    with running(command, env, folder / "web.log", f"http://127.0.0.1:{port}/healthz"):
        yield web


@contextlib.contextmanager
def serving_proxy(folder: Path, health_port: int, **more: str) -> Iterator[Path]:
    """Caddy with the project's Caddyfile; more are its variables, over the usual ones. Gives its log."""
    folder.mkdir(parents=True, exist_ok=True)
    shorter = {"HEAD_DEADLINE": f"{DEADLINE_S}s", "BODY_DEADLINE": f"{DEADLINE_S}s"}
    own = {"PROXY_BIND": "127.0.0.1", "PROXY_HEALTH_PORT": str(health_port), "PROXY_DATA": str(folder)}
    before = dict(os.environ)
    try:
        os.environ.update(own | more)
        env = variables() | shorter
    finally:
        os.environ.clear()
        os.environ.update(before)
    command = [program(), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    log = folder / "proxy.log"
    with running(command, env, log, f"http://127.0.0.1:{health_port}/alive"):
        yield log
