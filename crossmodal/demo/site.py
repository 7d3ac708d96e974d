"""The loopback site that serves the recorded interviews: a page each, as a small podcast might have.

References: RFC 9110 §14 (range requests).
"""

import html
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from django.conf import settings

from crossmodal.demo import corpus
from crossmodal.demo.scripts import Script, all_scripts

HOST = "127.0.0.1"
CONTENT_TYPES = {
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".webm": "audio/webm",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip; charset=utf-8",
    ".json3": "application/json; charset=utf-8",
}
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
CHUNK_BYTES = 64 * 1024


def page_url(script: Script) -> str:
    return f"{settings.DEMO_SITE_ORIGIN}/{script.name}"


def page(script: Script) -> str:
    media, captions = corpus.media_name(script), corpus.captions_name(script)
    title = html.escape(script.title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>\n'
        f"<h1>{title}</h1>\n"
        "<p>An interview written for Crossmodal’s demonstration and spoken by espeak-ng. Nobody in it is real.</p>\n"
        f'<audio controls preload="metadata"><source src="/{media}" type="{CONTENT_TYPES[Path(media).suffix]}">'
        f'<track kind="captions" srclang="en" label="English" src="/{captions}"></audio>\n</body></html>\n'
    )


def index() -> str:
    links = "".join(f'<li><a href="/{s.name}">{html.escape(s.title)}</a></li>' for s in all_scripts())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Demonstration interviews</title></head>'
        f"<body><h1>Demonstration interviews</h1><ul>{links}</ul></body></html>\n"
    )


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte asked for; None where the whole file is to be sent. Raises ValueError where none fits."""
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None  # several ranges, or not one at all: RFC 9110 allows to ignore the header
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
    if start >= size or start > end:
        raise ValueError(header)
    return start, end


class Handler(BaseHTTPRequestHandler):
    """Answers only for names that the scripts give; no path from a request ever reaches the file system."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "CrossmodalDemo", ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the jobs that fetch from here tell what happened."""

    def _answer(self, *, with_body: bool) -> None:
        name = self.path.partition("?")[0].strip("/")
        if not name:
            self._send_text(index(), with_body)
            return
        for script in all_scripts():
            if name == script.name and corpus.is_recorded(script):
                self._send_text(page(script), with_body)
                return
            if name in (corpus.media_name(script), corpus.captions_name(script)):
                self._send_file(corpus.folder() / name, with_body)
                return
        self._send_text("There is no such page here.\n", with_body, HTTPStatus.NOT_FOUND)

    def _send_text(self, text: str, with_body: bool, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"text/{'html' if status == HTTPStatus.OK else 'plain'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _send_file(self, path: Path, with_body: bool) -> None:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            self._send_text("This interview is not recorded yet.\n", with_body, HTTPStatus.NOT_FOUND)
            return
        with file:
            size = path.stat().st_size
            try:
                part = byte_range(self.headers.get("Range", ""), size)
            except ValueError:
                self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start, end = part or (0, size - 1)
            self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
            if part:
                self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
            self.send_header("Content-Type", CONTENT_TYPES[path.suffix])
            self.send_header("Content-Length", str(end - start + 1))
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            file.seek(start)
            left = end - start + 1
            while with_body and left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                self.wfile.write(chunk)
                left -= len(chunk)


class DemoServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up early is nothing to report."""


def make_server(port: int) -> DemoServer:
    """A server on loopback only; raises OSError where the port is taken."""
    return DemoServer((HOST, port), Handler)
