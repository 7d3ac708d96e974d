"""gunicorn's threaded worker, whose threads never wait for a client.

One loop holds all connections: it reads a request until it is whole (its head, and a small body), and sends what a
client has not taken yet. A thread of the pool gets whole requests only, and computes the answer. Requests with large
bodies have threads of their own, so that uploads that take hours keep no page waiting.
"""

import errno
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, ClassVar

from gunicorn import util
from gunicorn.config import Config
from gunicorn.errors import ConfigError
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from crossmodal.client_socket import CONTINUE, ClientSocket, Pace
from crossmodal.few_lines import FewLines
from crossmodal.incoming import Arrival, Incoming

# A browser sends a head at once; 10 s are enough for one packet that is lost several times.
HEAD_S = 10.0
# 64 kB at the 26 kbit/s of the slowest mobile networks.
BODY_S = 20.0
# After an answer that closes the connection: time and bytes for a client that still sends, so that it reads the answer.
LINGER_S = 2.0
STOPPING_LINGER_S = 0.5
LINGER_BYTES = 256 * 1024
RECEIVE_BYTES = 64 * 1024
# Of those that wait for a large body; further ones wait for one of them.
UPLOAD_THREADS = 16
SWEEP_S = 0.5
# Descriptors: a connection has one, and a second one while it is sent a file.
WANTED_DESCRIPTORS = 4096
NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Client(TConn):  # type: ignore[misc]
    """A connection: what has arrived, what it waits for, and until when."""

    def __init__(self, cfg: Config, sock: ClientSocket, address: Any, server: Any) -> None:
        super().__init__(cfg, sock, address, server)
        self.incoming = Incoming()
        self.data_ready = True
        self.keep = False
        self.since = time.monotonic()
        self.deadline: float | None = None
        self.lingered_bytes = 0

    @property
    def host(self) -> str:
        return str(self.client[0]) if isinstance(self.client, tuple) else ""

    def is_overdue(self, now: float, *, stopping: bool) -> bool:
        """An answer has no deadline, but must go on; a worker that stops waits for nobody who does not read."""
        if self.deadline is not None:
            return now >= self.deadline
        pace: Pace = self.sock.pace
        return pace.is_too_slow() or (stopping and now - pace.last >= STOP_KEEPALIVE_LINGER)


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """Replaces how ThreadWorker waits; parsing, answering, stopping and restarting are gunicorn's own."""

    nr: int
    max_requests: int
    # Seconds for the next part of a request, by what there is of it.
    WAIT_S: ClassVar[dict[Arrival, float]] = {Arrival.HEAD: HEAD_S, Arrival.BODY: BODY_S}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.uploads = ThreadPoolExecutor(UPLOAD_THREADS, thread_name_prefix="upload")
        self._held: set[Client] = set()
        self._large_bodies = 0
        self._next_sweep = 0.0

    @classmethod
    def check_config(cls, cfg: Config, log: Any) -> None:
        if cfg.is_ssl or cfg.http2_cleartext != "off":
            raise ConfigError("This worker speaks HTTP/1.1 without encryption: let a proxy in front do the rest.")

    def init_process(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        self.log.error_log.addFilter(FewLines())
        super().init_process()

    # ------------------------------------------------------------ holding connections

    def _hold(self, conn: Client, event: int, callback: Callable[[Client], None], wait_s: float | None) -> None:
        """Wait for the client in the loop; without ``wait_s`` its pace decides how long."""
        conn.since = time.monotonic()
        conn.deadline = None if wait_s is None else conn.since + wait_s
        self._held.add(conn)
        self.poller.register(conn.sock, event, partial(self._on_event, conn, callback))

    def _on_event(self, conn: Client, callback: Callable[[Client], None], _: Any) -> None:
        if conn in self._held:  # another event of the same turn may have closed it
            callback(conn)

    def _release(self, conn: Client) -> None:
        if conn in self._held:
            self._held.remove(conn)
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Client) -> None:
        self._release(conn)
        self.nr_conns -= 1
        conn.close()

    def _make_room(self) -> None:
        """Close the connection that waits longest, of the address that holds most: nobody else has to make way."""
        per_host = Counter(conn.host for conn in self._held)
        if per_host:
            greediest = per_host.most_common(1)[0][0]
            self._drop(min((conn for conn in self._held if conn.host == greediest), key=lambda conn: conn.since))

    def murder_pending(self) -> None:
        """Close what is overdue; the loop of ThreadWorker calls this after each turn."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_S
        for conn in [conn for conn in self._held if conn.is_overdue(now, stopping=not self.alive)]:
            if conn.incoming.arrival in self.WAIT_S:
                self._release(conn)
                util.write_error(conn.sock, 408, "Request Timeout", "The request did not arrive in time.")
                self._linger(conn)
            else:
                self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """When the worker stops, unfinished requests get as long as ThreadWorker gives to idle connections."""
        for conn in self._held:
            if conn.deadline is not None:
                conn.deadline = min(conn.deadline, deadline)

    # ------------------------------------------------------------ reading requests

    def accept(self, listener: socket.socket) -> None:
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in NO_DESCRIPTORS:
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        conn = Client(self.cfg, ClientSocket(accepted), address, listener.getsockname())
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._hold(conn, EVENT_READ, self._on_request, self.WAIT_S[Arrival.HEAD])
        self._on_request(conn)  # the first bytes often come with the connection

    def _on_request(self, conn: Client) -> None:
        data = self._receive(conn)
        if data:
            self._take(conn, data)
        elif data is not None:
            self._drop(conn)

    @staticmethod
    def _receive(conn: Client) -> bytes | None:
        """What has arrived: nothing from a client that is gone, None where it is still to come."""
        try:
            data: bytes = conn.sock.receive_now(RECEIVE_BYTES)
            return data
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _take(self, conn: Client, data: bytes) -> None:
        """Add to a request that is held, and pass it on once it is whole."""
        before = conn.incoming.arrival
        try:
            arrival = conn.incoming.feed(data)
        except ParseException as error:
            self._release(conn)
            self.handle_error(None, conn.sock, conn.client, error)
            self._linger(conn)
            return
        if arrival not in self.WAIT_S:
            self._release(conn)
            self.enqueue_req(conn)
        elif arrival is not before:
            conn.deadline = time.monotonic() + self.WAIT_S[arrival]
            if arrival is Arrival.BODY and conn.incoming.expects_continue:
                conn.sock.sendall(CONTINUE)

    def enqueue_req(self, conn: Client) -> None:
        """Give a thread the request, all of whose bytes the parser finds in its buffer but those of a large body."""
        conn.init()
        conn.parser.unreader.unread(bytes(conn.incoming.data))
        whole = conn.sock.request_is_whole = conn.incoming.arrival is Arrival.WHOLE
        conn.sock.pace = Pace()
        conn.incoming = Incoming()
        self._large_bodies += not whole
        future = (self.tpool if whole else self.uploads).submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    # ------------------------------------------------------------ in a thread

    def handle_request(self, req: Any, conn: Client) -> bool:
        """Answer; the body of a whole request has a length, and nobody is asked for a large one that is not read."""
        if req._expected_100_continue:
            req._expected_100_continue = False  # gunicorn would ask for the body at once
            conn.sock.owes_continue = not conn.sock.request_is_whole
        if not conn.sock.request_is_whole:
            req.force_close()  # its body may be left unread, and then nobody knows where the next request begins
        elif isinstance(req.body.reader, ChunkedReader):
            body = req.body.read()
            req.body = Body(LengthReader(IterUnreader([body]), len(body)))
            req.headers = [field for field in req.headers if field[0] != "TRANSFER-ENCODING"]
            req.headers.append(("CONTENT-LENGTH", str(len(body))))
        if self._large_bodies:  # a worker that is replaced after many requests would break off an upload of hours
            self.nr = min(self.nr, self.max_requests - 2)
        return bool(super().handle_request(req, conn))

    # ------------------------------------------------------------ sending answers

    def finish_request(self, conn: Client, done: "Future[bool]") -> None:
        """Send what the thread left, then go on or close."""
        conn.keep = not done.cancelled() and done.exception() is None and bool(done.result())
        self._large_bodies -= not conn.sock.request_is_whole
        if conn.sock.fileno() < 0:  # closed after an answer that broke off
            self.nr_conns -= 1
            return
        conn.sock.pace = Pace()
        self._on_answer(conn)

    def _on_answer(self, conn: Client) -> None:
        try:
            all_sent = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if not all_sent:
            if conn not in self._held:
                self._hold(conn, EVENT_WRITE, self._on_answer, None)
            conn.since = conn.sock.pace.last
            return
        self._release(conn)
        if conn.keep:
            self._hold(conn, EVENT_READ, self._on_request, self.cfg.keepalive)
            if data := conn.parser.unreader.take_buffered():
                self._take(conn, data)
        else:
            self._linger(conn)

    def _linger(self, conn: Client) -> None:
        """Let the client read the answer: closing while it sends would take the answer away (RFC 9112, 9.6)."""
        try:
            conn.sock.flush()
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        conn.incoming = Incoming()
        self._hold(conn, EVENT_READ, self._on_late_bytes, LINGER_S if self.alive else STOPPING_LINGER_S)

    def _on_late_bytes(self, conn: Client) -> None:
        data = self._receive(conn)
        if data is None:
            return
        conn.lingered_bytes += len(data)
        if not data or conn.lingered_bytes > LINGER_BYTES:
            self._drop(conn)
