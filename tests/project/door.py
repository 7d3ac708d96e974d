"""A web server of one process and two threads on loopback, and clients that talk to it byte by byte."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.product import ROOT, free_port

THREADS = 2
PATIENCE_S = 30.0


@dataclass
class Door:
    port: int
    process: "subprocess.Popen[bytes]"
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def connect(self, receive_bytes: int = 0) -> socket.socket:
        client = socket.socket()
        if receive_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(PATIENCE_S)
        client.connect(("127.0.0.1", self.port))
        return client

    def ask(self, path: str, *fields: str, method: str = "GET", body: bytes = b"") -> "Answer":
        with self.connect() as client:
            client.sendall(head(path, *fields, "Connection: close", method=method) + body)
            return read_answer(client)

    def stop(self) -> float:
        """Seconds that a graceful stop takes."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(2 * PATIENCE_S)
        return time.monotonic() - begin


@dataclass
class Answer:
    status: int
    fields: str
    body: bytes


def head(path: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def read_answer(client: socket.socket) -> Answer:
    """One answer, which states its length or ends with the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        assert more, f"closed after {data!r}"
        data += more
    fields, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", fields)
    while (length is None or len(body) < int(length[1])) and (more := client.recv(65536)):
        body += more
    return Answer(int(fields.split()[1]), fields.decode(), body)


def closed(client: socket.socket) -> bool:
    """Whether the server ends the connection, after whatever it still sends, before the client's patience ends."""
    try:
        while client.recv(1024**2):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


@contextmanager
def opened(folder: Path, **more: str) -> Iterator[Door]:
    port, log_file = free_port(), folder / "web.log"
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "WEB_WORKERS": "1",
        "WEB_THREADS": str(THREADS),
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:crossmodal.server", "--bind", f"127.0.0.1:{port}"]
    with log_file.open("wb") as log:
        process = subprocess.Popen([*command, "tests.project.door_app"], cwd=ROOT, env=env, stdout=log, stderr=log)
    door = Door(port, process, log_file)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "Booting worker" not in door.log:
            assert process.poll() is None, door.log
            assert time.monotonic() < deadline, door.log
            time.sleep(0.05)
        assert door.ask("/pid").status == 200
        yield door
    finally:
        process.kill()
        process.wait()
