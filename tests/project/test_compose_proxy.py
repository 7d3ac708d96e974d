"""The proxy of the containers, for real: Caddy with the project's Caddyfile before gunicorn, both on loopback."""

import contextlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossmodal.proxy import __main__ as proxy
from tests.browser.product import free_port
from tests.project.proxied import DEADLINE_S, SITE, Web, serving_proxy, serving_web

KB, MB = 1024, 1024**2


@dataclass
class Running:
    """The proxy's port, the web server behind it, and the proxy's log."""

    port: int
    web: Web
    log: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("proxied")
    (folder / "static" / "js").mkdir(parents=True)
    (folder / "static" / "js" / "page.0123456789ab.js").write_text("export {};" * 100_000)
    port = free_port()
    with contextlib.ExitStack() as stack:
        web = stack.enter_context(serving_web(free_port(), folder))
        log = stack.enter_context(
            serving_proxy(
                folder / "proxy",
                free_port(),
                WEB_ADDRESS=f"127.0.0.1:{web.port}",
                PROXY_PORT=str(port),
                STATIC_ROOT=str(folder / "static"),
                MAX_UPLOAD_BYTES=str(1 * MB),
            )
        )
        yield Running(port, web, log)


def ask(
    port: int, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    chunked = body is not None and not isinstance(body, bytes)
    try:
        connection.request(method, path, body=body, headers={"Host": "localhost"} | named, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


def opened(port: int, text: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(text.replace("\n", "\r\n").encode())
    return connection


# ---------------------------------------------------------------- slow connections


UNFINISHED = {
    "head": "GET / HTTP/1.1\nHost: localhost\nX-Slow: ",
    "form": "POST /slow HTTP/1.1\nHost: localhost\nContent-Length: 5000\n\na",
    "chunks": "POST /slow HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n5\na",
    "get": "GET /slow HTTP/1.1\nHost: localhost\nContent-Length: 5000\n\na",
    "upload": "POST /videos/upload/ HTTP/1.1\nHost: localhost\nContent-Length: 5000\n\na",
    "static": "POST /static/none HTTP/1.1\nHost: localhost\nContent-Length: 5000\n\na",
    "nothing": "",
}


def test_slow_connections_hold_nothing_up_and_are_closed(running: Running) -> None:
    """The web server has four threads, and sees none of these."""
    slow = [(name, opened(running.port, text)) for _ in range(30) for name, text in UNFINISHED.items()]
    # In a chunk that is too long the proxy sees the end of a body.
    dripping = [connection for name, connection in slow if name != "chunks"][:20]
    began, took = time.monotonic(), []
    while time.monotonic() - began < 0.5 * DEADLINE_S:
        before = time.monotonic()
        assert ask(running.port, "GET", "/healthz")[0] == 200
        took.append(time.monotonic() - before)
        for connection in dripping:
            with contextlib.suppress(ConnectionError):  # one that is refused at once may be closed
                connection.sendall(b"a")
    assert max(took) < 0.5 * DEADLINE_S
    assert running.web.seen("/slow", complete=False) == running.web.seen("/videos/upload/", complete=False) == []
    kept = [name for name, connection in slow if not is_closed(connection, began + 3 * DEADLINE_S)]
    assert kept == []
    assert running.web.seen("/slow") == running.web.seen("/videos/upload/") == []


def is_closed(connection: socket.socket, deadline: float) -> bool:
    """Whether the other side ends the connection in time, with or without an answer."""
    try:
        while time.monotonic() < deadline:
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            if not connection.recv(4096):
                return True
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.close()
    return False


def test_a_body_reaches_the_web_server_when_it_is_complete(running: Running) -> None:
    with opened(running.port, "POST /patient HTTP/1.1\nHost: localhost\nContent-Length: 20\n\n") as slow:
        for _ in range(4):
            slow.sendall(b"12345")
            time.sleep(0.2)
            done = time.time()
        assert b" 200 OK" in slow.recv(4096)
    (seen,) = running.web.seen("/patient")
    assert seen["length"] == 20
    assert seen["CONTENT_LENGTH"] == "20"
    assert seen["reached"] > done - 0.25


def test_a_chunked_body_arrives_when_it_is_complete(running: Running) -> None:
    head = "POST /chunks HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n"
    with opened(running.port, head) as slow:
        for part in (b"5\r\n12345\r\n", b"3\r\n678\r\n", b"0\r\n\r\n"):
            time.sleep(0.2)
            assert running.web.seen("/chunks", complete=False) == []
            slow.sendall(part)
        assert b" 200 OK" in slow.recv(4096)
    assert [seen["length"] for seen in running.web.seen("/chunks")] == [8]


@pytest.mark.parametrize("path", ["/videos/7/captions/"])
def test_a_large_file_may_take_longer_than_a_form(running: Running, path: str) -> None:
    head = f"POST {path} HTTP/1.1\nHost: localhost\nX-Test: slow\nContent-Length: {9 * MB}\n\n"
    with opened(running.port, head) as slow:
        slow.sendall(b"a" * (8 * MB))
        time.sleep(1.5 * DEADLINE_S)
        slow.sendall(b"a" * MB)
        assert b" 200 OK" in slow.recv(4096)
    assert [seen["length"] for seen in running.web.seen(path) if seen.get("HTTP_X_TEST")] == [9 * MB]


# ---------------------------------------------------------------- size


def blocks(size: int) -> Iterator[bytes]:
    for start in range(0, size, 64 * KB):
        yield b"a" * min(64 * KB, size - start)


FORMS = ["/", "/accounts/login/", "/annotate/1/vote/", "/videos/uploads/", "/VIDEOS/1/audio", "/people/add/", "/admin/"]
TABLES = [
    "/videos/add/",
    "/videos/import/",
    "/videos/lists/",
    "/videos/lists/add/",
    "/videos/7/captions/",
    "/campaigns/import/",
    "/campaigns/7/import/",
]


@pytest.mark.parametrize(
    ("path", "limit"),
    [(path, 256 * KB) for path in FORMS] + [(path, 20 * MB) for path in TABLES] + [("/videos/upload/", 21 * MB)],
)
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "counted"])
def test_a_body_over_the_limit_is_refused_with_a_sentence(
    running: Running, path: str, limit: int, announced: bool
) -> None:
    before = len(running.web.seen(path))
    if announced:
        head = f"POST {path} HTTP/1.1\nHost: localhost\nContent-Length: {limit + 1}\n\n"
        with opened(running.port, head) as connection:
            answer = connection.recv(65536).decode()
        assert answer.startswith("HTTP/1.1 413 ")
        assert "larger than Crossmodal accepts" in answer
        assert running.web.seen(path, complete=False) == running.web.seen(path, complete=False)[:before]
    else:
        with contextlib.suppress(ConnectionError):  # the proxy may close while the client still sends
            assert ask(running.port, "POST", path, blocks(limit + 1))[0] == 413
    assert len(running.web.seen(path)) == before


@pytest.mark.parametrize(
    ("path", "size"),
    [(path, 256 * KB) for path in FORMS[:3]] + [(path, 6 * MB) for path in TABLES] + [("/videos/upload/", 21 * MB)],
)
def test_a_body_of_the_limit_passes(running: Running, path: str, size: int) -> None:
    assert ask(running.port, "POST", path, b"a" * size)[0] == 200
    assert running.web.seen(path)[-1]["length"] == size


@pytest.mark.parametrize("length", ["9" * 19, "9" * 400, "-1", "1e3", "5, 6"])
def test_a_length_that_makes_no_sense_is_refused(running: Running, length: str) -> None:
    with opened(running.port, f"POST /odd HTTP/1.1\nHost: localhost\nContent-Length: {length}\n\na") as connection:
        assert connection.recv(4096).split()[1] in {b"400", b"413"}
    assert running.web.seen("/odd", complete=False) == []


def test_large_headers_are_refused(running: Running) -> None:
    with opened(running.port, "GET /odd HTTP/1.1\nHost: localhost\nX-Large: " + "a" * 60_000 + "\n\n") as connection:
        assert b" 431 " in connection.recv(4096)


# ---------------------------------------------------------------- who asks


def test_forged_headers_are_replaced(running: Running) -> None:
    forged = {
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Ssl": "on",
        "X_Forwarded_Protocol": "ssl",
        "X_Forwarded_Port": "443",
        "X_Forwarded_Prefix": "/x",
        "X_Real_Ip": "203.0.113.9",
        "Forwarded": "for=203.0.113.9;proto=https",
        "Proxy": "http://evil.example",
    }
    assert ask(running.port, "GET", "/who", **forged)[0] == 200
    (seen,) = running.web.seen("/who")
    assert (seen["HTTP_X_FORWARDED_FOR"], seen["HTTP_X_FORWARDED_PROTO"]) == ("127.0.0.1", "http")
    assert seen["HTTP_X_FORWARDED_HOST"] == "localhost"
    told = {name for name in seen if name.startswith(("HTTP_X_", "HTTP_FORWARDED", "HTTP_PROXY"))}
    assert told == {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"}
    assert "203.0.113.9" not in json.dumps(seen)


@pytest.mark.parametrize("header", ["X_Forwarded_For", "X-Forwarded_For", "x_forwarded_proto", "SCRIPT_NAME"])
def test_headers_with_underscores_do_not_pass_for_others(running: Running, header: str) -> None:
    path = f"/under/{header}"
    with opened(running.port, f"GET {path} HTTP/1.1\nHost: localhost\n{header}: 203.0.113.9\n\n") as connection:
        connection.recv(4096)
    assert "203.0.113.9" not in json.dumps(running.web.seen(path))


def test_sound_passes_by_range_and_as_it_comes(running: Running) -> None:
    head = "GET /videos/1/audio HTTP/1.1\nHost: localhost\nRange: bytes=10-17\nConnection: close\n\n"
    with opened(running.port, head) as connection:
        began, first = time.monotonic(), b""
        while b"half" not in first and (block := connection.recv(4096)):
            first += block
        assert time.monotonic() - began < 0.5
        assert b" 206 " in first
        assert b"Content-Range: bytes 10-17/100" in first
        assert connection.recv(4096) == b"half"
        assert time.monotonic() - began > 0.5


def test_an_answer_may_take_longer_than_a_request(running: Running) -> None:
    assert ask(running.port, "GET", "/videos/1/audio?long", Range="bytes=0-7")[2] == "halfhalf"


def test_pages_do_not_tell_what_serves_them(running: Running) -> None:
    for path in ("/who", "/static/none.js", "/healthz"):
        _, headers, _ = ask(running.port, "GET", path)
        assert (headers["Server"], headers["Via"]) == (None, None)


def test_static_files_come_from_the_proxy_itself(running: Running) -> None:
    status, headers, text = ask(running.port, "GET", "/static/js/page.0123456789ab.js")
    assert (status, len(text)) == (200, 1_000_000)
    assert headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert headers["Content-Type"].startswith("text/javascript")
    for path in ("/static/", "/static/js/", "/static/..%2fproxy/proxy.log", "/static/js/%2e%2e/%2e%2e/proxy/proxy.log"):
        status, _, text = ask(running.port, "GET", path)
        assert status in {400, 403, 404} or text == "seen"  # an address outside is one of the web server
    assert running.web.seen("/static/js/page.0123456789ab.js") == []


# ---------------------------------------------------------------- the web server is away


def test_without_the_web_server_a_sentence_says_so(tmp_path: Path) -> None:
    port = free_port()
    more = {"WEB_ADDRESS": f"127.0.0.1:{free_port()}", "PROXY_PORT": str(port)}
    with serving_proxy(tmp_path / "proxy", free_port(), **more) as log:
        status, headers, text = ask(port, "GET", "/videos/?q=a-secret", Cookie="sessionid=a-secret")
        assert (status, headers["Retry-After"]) == (502, "30")
        assert "Crossmodal does not answer at the moment." in text
        assert (headers["Server"], headers["Cache-Control"]) == (None, "no-store")
        assert "a-secret" not in log.read_text()


# ---------------------------------------------------------------- HTTPS


def test_with_a_name_pages_are_reached_over_https_alone(running: Running, tmp_path: Path) -> None:
    plain, encrypted = free_port(), free_port()
    more = {
        "SITE_NAME": SITE,
        "SITE_TLS": "internal",
        "WEB_ADDRESS": f"127.0.0.1:{running.web.port}",
        "PROXY_PORT": str(plain),
        "PROXY_TLS_PORT": str(encrypted),
    }
    with serving_proxy(tmp_path / "proxy", free_port(), **more):
        status, headers, _ = ask(plain, "GET", "/videos/?page=2", Host=SITE)
        assert (status, headers["Location"]) == (308, f"https://{SITE}/videos/?page=2")
        trust = ssl.create_default_context(cafile=str(root_certificate(tmp_path / "proxy")))
        with (
            socket.create_connection(("127.0.0.1", encrypted), timeout=10) as bare,
            trust.wrap_socket(bare, server_hostname=SITE) as connection,
        ):
            head = (
                f"GET /accounts/login/ HTTP/1.1\r\nHost: {SITE}\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n"
            )
            connection.sendall(head.encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        assert answer.startswith("HTTP/1.1 200 OK")
        assert "Strict-Transport-Security: max-age=31536000" in answer
        assert re.search(r"Set-Cookie: csrftoken=.*; Secure", answer)


def root_certificate(folder: Path) -> Path:
    """Caddy's own root certificate, once it has signed one for the site."""
    deadline = time.monotonic() + 20
    while not (folder.rglob(f"{SITE}.crt") and list(folder.rglob(f"{SITE}.json"))):
        assert time.monotonic() < deadline, "no certificate"
        time.sleep(0.05)
    return next(folder.rglob("root.crt"))


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SITE_NAME": "https://lab.example.org"}, "SITE_NAME is 'https://lab.example.org'; write a name alone"),
        ({"SITE_NAME": "lab.example.org {"}, "write a name alone"),
        ({"SITE_TLS": "internal"}, "SITE_TLS is set and SITE_NAME is not"),
        ({"SITE_NAME": SITE, "SITE_TLS": "/none.pem /none.key"}, "SITE_TLS names /none.pem, which cannot be read"),
        ({"SITE_NAME": SITE, "SITE_TLS": "one"}, "SITE_TLS holds the paths of a certificate and of its key"),
        ({"PROXY_BEFORE": "10.0.0.5, somewhere"}, "PROXY_BEFORE holds 'somewhere'"),
        ({"WEB_ADDRESS": "web"}, "WEB_ADDRESS is 'web'; write a host and a port"),
        ({"MAX_UPLOAD_BYTES": "2 GB"}, "MAX_UPLOAD_BYTES is '2 GB'; write a whole number."),
        ({"SITE_EMAIL": "a { b"}, "SITE_EMAIL is 'a { b'; write an e-mail address."),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start_with_a_sentence(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert proxy.main([]) == 1
    told = capsys.readouterr().err
    assert told.startswith("The proxy does not start: ")
    assert said in told
    assert told.count("\n") == 1


def test_its_deadlines_are_those_that_the_documents_name() -> None:
    command = [proxy.program(), "adapt", "--config", str(proxy.CADDYFILE), "--adapter", "caddyfile"]
    done = subprocess.run(command, env=proxy.variables(), capture_output=True, text=True, check=True)
    config = json.loads(done.stdout)
    pages, health = config["apps"]["http"]["servers"].values()
    assert (pages["read_header_timeout"], pages["read_timeout"]) == (10_000_000_000, 120_000_000_000)
    assert pages["max_header_bytes"] == 32 * KB
    assert config["admin"]["disabled"] is True
    assert health["listen"] == ["127.0.0.1:8001"]
    assert "access" not in json.dumps(pages.get("logs", {}))


def test_what_stands_in_the_environment_does_not_reach_caddy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a-secret")
    monkeypatch.setenv("PROXY_BEFORE", "10.0.0.5, 192.168.0.0/16")
    assert "a-secret" not in json.dumps(proxy.variables())
    assert proxy.variables()["PROXY_BEFORE"] == "10.0.0.5 192.168.0.0/16"
