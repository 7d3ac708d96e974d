"""A YouTube on loopback for tests: it answers what yt-dlp asks of the real one, over HTTPS.

It is reached as a proxy, so that the names of the real site stand in all addresses: `CONNECT www.youtube.com:443` is
answered by speaking TLS here, with a certificate of an authority made for the test. What is not YouTube's is refused.
"""

import json
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme

from tests.youtube.site import Answer, Asked, Tube

NAMES = ("www.youtube.com", "m.youtube.com", "music.youtube.com", "*.googlevideo.com", "i.ytimg.com", "youtu.be")
# A stream with an unsolved challenge comes at some 2 kB a second.
CRAWL_BLOCK_BYTES, CRAWL_PAUSE_S = 100, 0.05
ENDED_SESSION = "LOGIN_INFO=; Domain=.youtube.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly"


class _Handler(BaseHTTPRequestHandler):
    """A proxy that opens nothing: for YouTube's names it is itself what they lead to."""

    protocol_version = "HTTP/1.1"
    tube: Tube
    tls: ssl.SSLContext
    host = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `Tube.asked` instead."""

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if port != "443" or not any(fnmatch(host, name) for name in NAMES):
            self._refuse()
            return
        self.send_response(200, "Connection established")
        self.end_headers()
        try:
            self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        except OSError:  # the other side does not trust the certificate
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = socketserver._SocketWriter(self.connection)
        self.host = host
        self.close_connection = False

    def _refuse(self) -> None:
        self.tube.refused.append(self.path)
        self.close_connection = True
        self.send_error(502, "Not a name of YouTube")

    def do_GET(self) -> None:
        self._serve(body=True)

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_POST(self) -> None:
        self._serve(body=True)

    def _serve(self, *, body: bool) -> None:
        if not self.host:
            self._refuse()
            return
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if "videoId" in sent:
            query["videoId"] = sent["videoId"]
        asked = Asked(
            self.command,
            self.host,
            parts.path,
            query,
            client=str(sent.get("context", {}).get("client", {}).get("clientName", "")),
            cookies=self.headers.get("Cookie", ""),
            authorization=self.headers.get("Authorization", ""),
            range=self.headers.get("Range", ""),
        )
        self.tube.asked.append(asked)
        self._send(self.tube.answer(asked, sent), asked, body=body)

    def _send(self, answer: Answer, asked: Asked, *, body: bool) -> None:
        content, status, span = answer.content, answer.status, ""
        if status == 200 and asked.range.startswith("bytes="):
            first, _, last = asked.range.removeprefix("bytes=").partition("-")
            end = min(int(last or len(content) - 1), len(content) - 1)
            span = f"bytes {first}-{end}/{len(content)}"
            content, status = content[int(first) : end + 1], 206
        self.send_response(status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(content)))
        if span:
            self.send_header("Content-Range", span)
        if answer.location:
            self.send_header("Location", answer.location)
        if self.tube.ends_sessions:
            self.send_header("Set-Cookie", ENDED_SESSION)
        self.end_headers()
        with suppress(OSError):
            if body and not answer.crawls:
                self.wfile.write(content)
            for start in range(0, len(content) if body and answer.crawls else 0, CRAWL_BLOCK_BYTES):
                self.wfile.write(content[start : start + CRAWL_BLOCK_BYTES])
                time.sleep(CRAWL_PAUSE_S)


@contextmanager
def serving(folder: Path) -> Iterator[Tube]:
    """The site for the length of a ``with`` block; the authority's certificate is written into the folder."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*NAMES).configure_cert(context)
    tube = Tube(authority=folder / "authority.pem")
    authority.cert_pem.write_to_path(str(tube.authority))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"tube": tube, "tls": context}))
    server.daemon_threads = True
    tube.proxy = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield tube
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
