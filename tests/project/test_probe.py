"""Health checks of containers."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Worker

from crossmodal import embedded, probe


class Answer(http.server.BaseHTTPRequestHandler):
    status = 200
    path_of_health = "/healthz"
    hosts: list[str] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.send_response(self.status if self.path == self.path_of_health else 404)
        self.end_headers()
        self.wfile.write(b"as it is")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("BIND", f"0.0.0.0:{server.server_port}")
        monkeypatch.setattr(Answer, "hosts", [])
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1), (400, 1)])
def test_the_web_server_is_as_healthy_as_it_says(
    port: int, monkeypatch: pytest.MonkeyPatch, status: int, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Answer, "status", status)
    assert probe.main(["web"]) == expected
    assert capsys.readouterr().out == f"{status} as it is\n"


def test_a_web_server_that_does_not_answer_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("BIND", f"127.0.0.1:{free.getsockname()[1]}")
        assert probe.main(["web"]) == 1


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [("", "localhost"), ("*", "localhost"), ("lab.org,localhost", "lab.org"), (".lab.org", "lab.org")],
)
def test_it_asks_under_a_name_that_is_allowed(
    port: int, monkeypatch: pytest.MonkeyPatch, allowed: str, expected: str
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", allowed)
    probe.main(["web"])
    assert Answer.hosts == [expected]


def test_the_proxy_is_healthy_while_it_runs_itself(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the web server behind it is, the web server's own check says."""
    monkeypatch.setenv("PROXY_HEALTH_PORT", str(port))
    monkeypatch.setattr(Answer, "path_of_health", "/alive")
    assert probe.main(["proxy"]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PROXY_HEALTH_PORT", str(free.getsockname()[1]))
        assert probe.main(["proxy"]) == 1


def test_a_worker_is_healthy_while_it_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded.running(tmp_path) as url:
        monkeypatch.setenv("REDIS_URL", url)
        assert probe.main(["worker"]) == 1
        worker = Worker(["compute"], connection=redis.Redis.from_url(url))
        worker.register_birth()
        assert probe.main(["worker"]) == 0
        worker.register_death()
        assert probe.main(["worker"]) == 1


def test_a_worker_of_another_machine_does_not_count(tmp_path: Path) -> None:
    with embedded.running(tmp_path) as url:
        worker = Worker(["compute"], connection=redis.Redis.from_url(url))
        worker.hostname = "another-machine"
        worker.register_birth()
        assert probe.ask_workers(url, "another-machine")[0] is True
        assert probe.ask_workers(url, socket.gethostname())[0] is False


def test_a_worker_without_a_queue_server_is_not_healthy(tmp_path: Path) -> None:
    assert probe.ask_workers(f"unix://{tmp_path}/none.sock", "any")[0] is False
