"""A client's socket that lets no thread wait long: what it does not take yet is kept, and slow senders are given up."""

import errno
import os
import select
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, Any

# Without a byte for so long, a client counts as gone. Nginx waits 60 s.
STALL_S = 30.0
# On average over each window. A modem of 1990 sends 1.7 kB/s; speech is streamed with 8 kB/s at the least.
LEAST_BYTES_PER_S = 1024
WINDOW_S = 60.0
# Answers in memory per client; the largest partial answer of a recording has as many.
MAX_HELD_BYTES = 1024**2
# At one go, so that the others have their turn.
MAX_SENT_AT_ONCE_BYTES = 1024**2
# Of an answer, so much waits in the kernel besides what is under way. Left alone, it takes 4 MB at once, and then
# nothing shows for minutes whether a listener with 64 kbit/s still hears. It asks for more when half of this is left:
# one half in STALL_S, 2.2 kB/s, is the least rate for answers.
KERNEL_BYTES = 128 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class SlowClientError(ConnectionResetError):
    """The client was too slow; to the server it is gone."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The client was too slow.")


class Pace:
    """Whether a client goes on fast enough: without a long stall, and with a least rate on average."""

    def __init__(self) -> None:
        self.last = self._since = time.monotonic()
        self._bytes = 0

    def moved(self, count: int) -> None:
        self.last = time.monotonic()
        self._bytes += count

    def is_too_slow(self) -> bool:
        now = time.monotonic()
        if now - self.last >= STALL_S:
            return True
        if now - self._since < WINDOW_S:
            return False
        slow = self._bytes < LEAST_BYTES_PER_S * (now - self._since)
        self._since, self._bytes = now, 0
        return slow


@dataclass
class FilePart:
    """Bytes of an open file that are still to be sent."""

    descriptor: int
    offset: int
    count: int


class ClientSocket(socket.socket):
    """Never blocks in the kernel: ``recv`` waits at the client's pace, ``sendall`` and ``sendfile`` keep the rest.

    One thread uses it at a time: the one that answers, or the one that waits for all clients.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        super().setblocking(False)
        if self.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_BYTES)
        self.request_is_whole = True
        self.owes_continue = False
        self.pace = Pace()
        self._timeout_s: float | None = None
        self._parts: deque[memoryview | FilePart] = deque()
        self._held_bytes = 0

    # The server asks for blocking sockets and timeouts; both are kept apart from the descriptor's own state.

    def setblocking(self, flag: bool) -> None:
        self._timeout_s = None if flag else 0.0

    def settimeout(self, value: float | None) -> None:
        self._timeout_s = value

    def gettimeout(self) -> float | None:
        return self._timeout_s

    def close(self) -> None:
        for part in self._parts:
            if isinstance(part, FilePart):
                os.close(part.descriptor)
        self._parts.clear()
        super().close()

    # ------------------------------------------------------------ receiving

    def receive_now(self, size: int) -> bytes:
        """What has arrived. Raises BlockingIOError when nothing has."""
        return super().recv(size)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Wait for more of a large body; the client is asked for it first if it wants to be."""
        if self.request_is_whole:
            raise SlowClientError  # nothing more belongs to it
        if self.owes_continue:
            self.owes_continue = False
            self.sendall(CONTINUE)
        wait_s = STALL_S if self._timeout_s is None else self._timeout_s
        try:
            data = super().recv(size, flags)
        except BlockingIOError:
            self._wait(select.POLLIN, wait_s)
            data = super().recv(size, flags)
        self.pace.moved(len(data))
        if self.pace.is_too_slow():
            raise SlowClientError
        return data

    def _wait(self, event: int, wait_s: float) -> None:
        poll = select.poll()
        poll.register(self.fileno(), event)
        if not poll.poll(wait_s * 1000):
            raise SlowClientError

    # ------------------------------------------------------------ sending

    def send(self, data: Any, flags: int = 0) -> int:
        self.sendall(data, flags)
        return len(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        if data:
            if not self._parts:
                self.pace = Pace()
            self._parts.append(memoryview(data))
            self._held_bytes += len(data)
            self.flush()
        while self._held_bytes > MAX_HELD_BYTES and not self.flush():
            self._wait(select.POLLOUT, STALL_S)
            if self.pace.is_too_slow():
                raise SlowClientError

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:  # type: ignore[override]
        size = os.fstat(file.fileno()).st_size - offset if count is None else count
        self._parts.append(FilePart(os.dup(file.fileno()), offset, size))
        self.pace = Pace()
        self.flush()
        return size

    def flush(self) -> bool:
        """Send what the client takes now; True when nothing is left. Raises OSError when it is gone."""
        sent_bytes = 0
        while self._parts and sent_bytes < MAX_SENT_AT_ONCE_BYTES:
            part = self._parts[0]
            try:
                sent = self._send_file(part) if isinstance(part, FilePart) else super().send(part)
            except BlockingIOError:
                return False
            self.pace.moved(sent)
            sent_bytes += sent
            self._forget(part, sent)
        return not self._parts

    def _send_file(self, part: FilePart) -> int:
        sent = os.sendfile(self.fileno(), part.descriptor, part.offset, min(part.count, MAX_SENT_AT_ONCE_BYTES))
        if not sent and part.count:
            raise ConnectionResetError(errno.ECONNRESET, "The file has become shorter while it was sent.")
        return sent

    def _forget(self, part: memoryview | FilePart, sent: int) -> None:
        if isinstance(part, FilePart):
            part.offset += sent
            part.count -= sent
            if not part.count:
                os.close(part.descriptor)
                self._parts.popleft()
            return
        self._held_bytes -= sent
        if sent == len(part):
            self._parts.popleft()
        else:
            self._parts[0] = part[sent:]
