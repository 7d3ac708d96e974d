"""An HTTP proxy on loopback for tests: it leads names to servers of this machine and remembers what it was asked."""

import http.client
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """Where the proxy leads each "host:port", and what it was asked: "GET http://…" and "CONNECT host:port"."""

    address: str = ""
    leads_to: dict[str, tuple[str, int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    def lead(self, endpoint: str, origin: str) -> None:
        parts = urlsplit(origin)
        self.leads_to[endpoint] = (str(parts.hostname), int(parts.port or 80))


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `Proxy.asked` instead."""

    def _note(self) -> None:
        self.proxy.asked.append(f"{self.command} {self.path}")
        self.proxy.credentials.append(self.headers.get("Proxy-Authorization", ""))

    def do_GET(self) -> None:
        self._note()
        parts = urlsplit(self.path)
        target = self.proxy.leads_to.get(f"{parts.hostname}:{parts.port or 80}")
        if target is None:
            self.send_error(502)
            return
        connection = http.client.HTTPConnection(*target, timeout=5)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        connection.request(self.command, f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if self.command != "HEAD" else b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        self._note()
        target = self.proxy.leads_to.get(self.path)
        if target is None:
            self.send_error(502)
            return
        with socket.create_connection(target, timeout=5) as far:
            self.send_response(200)
            self.end_headers()
            while True:
                ready, _, _ = select.select([self.connection, far], [], [], 5)
                for near, other in ((self.connection, far), (far, self.connection)):
                    if near in ready:
                        block = near.recv(65536)
                        if not block:
                            return
                        other.sendall(block)
                if not ready:
                    return


@contextmanager
def proxying() -> Iterator[Proxy]:
    """The proxy for the length of a ``with`` block, on a free port."""
    proxy = Proxy()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    proxy.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
