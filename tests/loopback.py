"""A web site on loopback for tests: pages with a recording and captions, byte ranges, and failures on demand."""

import html
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json3": "application/json",
    ".mp3": "audio/mpeg",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".wav": "audio/wav",
    ".xml": "application/rss+xml",
}
SLOW_BLOCK_BYTES = 4096


@dataclass
class Site:
    """What the site serves, and how it misbehaves; change it while it runs."""

    folder: Path
    origin: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    # Path → HTTP status given instead of the content, for as many requests as the second number says (-1: always).
    failures: dict[str, list[int]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    # Path → seconds between blocks of 4 kB.
    slow: dict[str, float] = field(default_factory=dict)
    without_length: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)

    def add_page(
        self, path: str, media: str, *tracks: tuple[str, str], tag: str = "audio", title: str = "An interview"
    ) -> str:
        """A page with one recording; tracks are (language, file). Gives its address."""
        inside = "".join(f'<track kind="captions" srclang="{lang}" src="{src}">' for lang, src in tracks)
        self.pages[path] = (
            f"<!doctype html><html lang=en><head><title>{html.escape(title)}</title></head><body>"
            f'<{tag} controls src="{media}">{inside}</{tag}></body></html>'
        )
        return self.origin + path

    def fail(self, path: str, status: int, times: int = -1) -> None:
        self.failures[path] = [status, times]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `Site.requests` instead."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = unquote(self.path.partition("?")[0])
        self.site.requests.append(f"{self.command} {path}")
        failure = self.site.failures.get(path)
        if failure and failure[1]:
            failure[1] -= 1
            return self._send(failure[0], b"", "text/plain")
        if path in self.site.redirects:
            self.send_response(302)
            self.send_header("Location", self.site.redirects[path])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if path in self.site.pages:
            return self._send(200, self.site.pages[path].encode(), TYPES[".html"], body=body)
        file = self.site.folder / path.lstrip("/")
        if not file.is_file():
            return self._send(404, b"", "text/plain")
        return self._send_file(path, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"), body=body)

    def _send_file(self, path: str, content: bytes, kind: str, *, body: bool) -> None:
        asked = self.headers.get("Range", "")
        if path in self.site.without_length:
            return self._send(200, content, kind, body=body, length=False)
        if not asked.startswith("bytes="):
            return self._send(200, content, kind, body=body, path=path)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first or 0), min(int(last or len(content) - 1), len(content) - 1)
        span = f"bytes {start}-{end}/{len(content)}"
        return self._send(206, content[start : end + 1], kind, body=body, span=span, path=path)

    def _send(
        self,
        status: int,
        content: bytes,
        kind: str,
        *,
        body: bool = True,
        span: str = "",
        path: str = "",
        length: bool = True,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        if length:
            self.send_header("Content-Length", str(len(content)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        if not body:
            return
        for start in range(0, len(content), SLOW_BLOCK_BYTES):
            try:
                self.wfile.write(content[start : start + SLOW_BLOCK_BYTES])
            except OSError:
                return
            time.sleep(self.site.slow.get(path, 0))


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """The site for the length of a ``with`` block, on a free port."""
    site = Site(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    server.daemon_threads = True
    site.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
