"""One request of a client as its bytes arrive: whether it is whole, without reading more of it than was sent."""

import re
from enum import Enum, auto

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine

# A page's address with its query; gunicorn's own limit is 4094.
MAX_LINE_BYTES = 4094
# Browsers send some 20 fields, proxies add about 10.
MAX_FIELDS = 64
# Cookies are the longest: a session and a form's token are 150 bytes; other programs on the same host name add theirs.
MAX_FIELD_BYTES = 8190
MAX_HEAD_BYTES = 32 * 1024
# What anybody may send: a sign-in, a password, a vote. It is kept in memory, and no thread waits for it.
SMALL_BODY_BYTES = 64 * 1024
# Each chunk costs some bytes more; a body in very many chunks counts as a large one.
MAX_CHUNKED_BYTES = 2 * SMALL_BODY_BYTES

LINE_FEED_ALONE = re.compile(rb"(?<!\r)\n")
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*([0-9]+)[ \t]*(?=\r\n)", re.IGNORECASE)
CODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
EXPECTATION = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
CHUNK_SIZE = re.compile(rb"0*([0-9a-f]*)", re.IGNORECASE)


class Arrival(Enum):
    """How far a request has arrived."""

    NOTHING = auto()
    HEAD = auto()  # a part of it
    BODY = auto()  # the head, and a part of a small body
    WHOLE = auto()  # also what can never become a request: the parser says what is wrong
    LARGE = auto()  # the head, and a body too large to be waited for


class Incoming:
    """The bytes received since the last request, and how far the next one has arrived."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.arrival = Arrival.NOTHING
        self.expects_continue = False
        self._whole_bytes = 0
        self._chunks: _Chunks | None = None

    def feed(self, more: bytes) -> Arrival:
        """Add bytes. Raises LimitRequestLine or LimitRequestHeaders."""
        known = len(self.data)
        self.data += more
        if self.arrival in (Arrival.NOTHING, Arrival.HEAD):
            end = self.data.find(b"\r\n\r\n", max(0, known - 3))
            # The next request may begin with bytes of any kind behind a head that has ended.
            if LINE_FEED_ALONE.search(self.data, max(0, known - 1), end if end >= 0 else len(self.data)):
                return self._become(Arrival.WHOLE)
            if end < 0:
                self._check_head()
                return self._become(Arrival.HEAD)
            self._begin_body(end + 4)
        if self.arrival is Arrival.BODY:
            self._look_at_body()
        return self.arrival

    def _become(self, arrival: Arrival) -> Arrival:
        self.arrival = arrival
        return arrival

    def _check_head(self) -> None:
        size = len(self.data)
        if size > MAX_LINE_BYTES + 2 and b"\n" not in self.data[2 : MAX_LINE_BYTES + 4]:
            raise LimitRequestLine(size, MAX_LINE_BYTES)
        if size > MAX_HEAD_BYTES:
            raise LimitRequestHeaders(f"more than {MAX_HEAD_BYTES} bytes")

    def _begin_body(self, head_bytes: int) -> None:
        """Read what the head says of the body; where it contradicts itself, the parser will refuse it."""
        head = bytes(self.data[:head_bytes])
        lengths, coded = LENGTH.findall(head), CODING.search(head)
        self._whole_bytes = head_bytes
        self.arrival = Arrival.BODY
        if coded and not lengths:
            self._chunks = _Chunks(head_bytes)
        elif len(lengths) == 1 and not coded:
            digits = lengths[0]
            if len(digits) > len(str(SMALL_BODY_BYTES)) or int(digits) > SMALL_BODY_BYTES:
                self.arrival = Arrival.LARGE
            else:
                self._whole_bytes += int(digits)
        self.expects_continue = b" HTTP/1.1\r\n" in head and EXPECTATION.search(head) is not None

    def _look_at_body(self) -> None:
        if self._chunks is not None:
            self.arrival = self._chunks.follow(self.data)
        elif len(self.data) >= self._whole_bytes:
            self.arrival = Arrival.WHOLE


class _Chunks:
    """A chunked body (RFC 9112, 7.1), followed only to see where it ends."""

    def __init__(self, start: int) -> None:
        self._start = self._at = start
        self._body_bytes = 0

    def follow(self, data: bytearray) -> Arrival:
        while (line_end := data.find(b"\r\n", self._at)) >= 0:
            match = CHUNK_SIZE.match(data, self._at, line_end)
            digits = match[1] if match else b""
            if len(digits) > len(f"{SMALL_BODY_BYTES:x}"):
                return Arrival.LARGE
            size = int(digits or b"0", 16)
            if size == 0:  # a blank line ends it, at once or after trailers
                if data.find(b"\r\n\r\n", line_end) >= 0:
                    return Arrival.WHOLE
                break
            self._body_bytes += size
            if self._body_bytes > SMALL_BODY_BYTES:
                return Arrival.LARGE
            self._at = line_end + 2 + size + 2
        too_many = len(data) - self._start > MAX_CHUNKED_BYTES
        return Arrival.LARGE if too_many else Arrival.BODY
