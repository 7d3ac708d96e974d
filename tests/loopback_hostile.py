"""A server on loopback for tests that answers byte for byte as it is told: endless, packed, and as slow as it likes."""

import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# A drip ends by itself, should nobody hang up.
MAX_DRIPS = 200
Send = Callable[[bytes], None]


@dataclass
class Hostile:
    """What is sent for each path, after the request was read; change it while it runs."""

    origin: str = ""
    answers: dict[str, Callable[[Send], None]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, content: bytes, *headers: str, status: str = "200 OK") -> str:
        """Send content as it is, without its length unless a header says so. Gives the address."""
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, "Connection: close", ""))
        self.answers[path] = lambda send: send(head.encode() + content)
        return self.origin + path

    def drip(self, path: str, start: bytes, drop: bytes, pause_s: float = 0.1) -> str:
        """Send a beginning, and then a drop at a time. Gives the address."""

        def answer(send: Send) -> None:
            send(start)
            for _ in range(MAX_DRIPS):
                if self.over.wait(pause_s):
                    return
                send(drop)

        self.answers[path] = answer
        return self.origin + path

    def flood(self, path: str, start: bytes, block: bytes, times: int) -> str:
        """Send a beginning, and then the same block again and again. Gives the address."""

        def answer(send: Send) -> None:
            send(start)
            for _ in range(times):
                send(block)

        self.answers[path] = answer
        return self.origin + path

    def page(self, path: str, media: str, captions: str = "") -> str:
        """A page with a recording. Gives its address."""
        track = f'<track kind="captions" srclang="en" src="{captions}">' if captions else ""
        html = f'<html><title>Talk</title><video src="{media}">{track}</video></html>'
        return self.answer(path, html.encode(), "Content-Type: text/html")


def packed(start: bytes, megabytes: int, packing: str = "gzip") -> bytes:
    """Return a beginning and zeros behind it, packed to a thousandth of their size."""
    window = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS, "raw deflate": -zlib.MAX_WBITS}[packing]
    packer = zlib.compressobj(1, zlib.DEFLATED, window)
    parts = [packer.compress(start), *(packer.compress(bytes(1024**2)) for _ in range(megabytes)), packer.flush()]
    return b"".join(parts)


class _Handler(socketserver.StreamRequestHandler):
    hostile: Hostile

    def handle(self) -> None:
        with suppress(OSError):
            path = self.rfile.readline().decode("latin-1").split(" ")[1].partition("?")[0]
            self.hostile.requests.append(path)
            while self.rfile.readline().strip():
                pass
            answer = self.hostile.answers.get(path) or self.hostile.answers.get("*")
            if answer is None:
                self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                answer(self._send)

    def _send(self, content: bytes) -> None:
        self.wfile.write(content)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def misbehaving() -> Iterator[Hostile]:
    """The server for the length of a ``with`` block, on a free port."""
    hostile = Hostile()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hostile": hostile}))
    hostile.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hostile
    finally:
        hostile.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
