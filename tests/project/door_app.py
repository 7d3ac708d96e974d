"""The site with some addresses more that read and answer as tests want; shorter times with QUICK=1."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse

from django.core.handlers.wsgi import WSGIRequest

from crossmodal import client_socket, web_worker
from crossmodal.incoming import Arrival
from crossmodal.wsgi import application as site

LARGE_BYTES = 8 * 1024**2

if os.environ.get("QUICK"):
    web_worker.WebWorker.WAIT_S = {Arrival.HEAD: 0.6, Arrival.BODY: 0.6}
    web_worker.SWEEP_S = 0.1
    client_socket.STALL_S = 1.0
    client_socket.KERNEL_BYTES = 16 * 1024
    client_socket.WINDOW_S = 0.5
    client_socket.LEAST_BYTES_PER_S = 2000


def read_all(environ: dict[str, Any]) -> Iterable[bytes]:
    count = 0
    while data := environ["wsgi.input"].read(65536):
        count += len(data)
    return [f"{count} bytes".encode()]


def large_file(environ: dict[str, Any]) -> Iterable[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    file.write(os.urandom(1024) * (LARGE_BYTES // 1024))
    file.seek(0)
    return environ["wsgi.file_wrapper"](file)  # type: ignore[no-any-return]


def late(environ: dict[str, Any]) -> Iterable[bytes]:
    time.sleep(1)
    return [b"late"]


def scheme(environ: dict[str, Any]) -> Iterable[bytes]:
    return [str(WSGIRequest(environ).scheme).encode()]


ANSWERS: dict[str, Callable[[dict[str, Any]], Iterable[bytes]]] = {
    "/read": read_all,
    "/unread": lambda environ: [b"not read"],
    "/file": large_file,
    "/large": lambda environ: [b"x" * 900_000],
    "/parts": lambda environ: (b"y" * 32_768 for _ in range(LARGE_BYTES // 32_768)),
    "/late": late,
    "/scheme": scheme,
    "/pid": lambda environ: [str(os.getpid()).encode()],
}


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    answer = ANSWERS.get(environ["PATH_INFO"])
    if answer is None:
        return site(environ, start_response)
    body = answer(environ)
    size = sum(map(len, body)) if isinstance(body, list) else LARGE_BYTES
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(size))])
    return body
