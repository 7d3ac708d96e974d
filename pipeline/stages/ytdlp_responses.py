"""Answers of a site, read piece by piece: what is too large or too slow is refused while it comes."""

import http.client
import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from yt_dlp.networking._urllib import UrllibResponseAdapter, handle_response_read_exceptions

from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_limits import (
    MAX_PAGE_BYTES,
    MEGABYTE,
    Flow,
    Meter,
    RefusedError,
    TooLargeError,
    megabytes,
)

BLOCK_BYTES: Final = 64 * 1024
# Browsers stop at 256 kB as well. Python's own limit is 100 lines of 64 kB each, and none for a proxy's answer.
MAX_HEADER_BYTES: Final = 256 * 1024
# Servers use one encoding; two are a mistake of theirs that browsers forgive.
MAX_ENCODINGS: Final = 2
# What is asked for. Brotli is left out, since its library unpacks a whole answer at once.
ENCODINGS: Final = ("gzip", "deflate")
PAGE_TOO_LARGE: Final = f"A page or answer of the site is larger than {megabytes(MAX_PAGE_BYTES)}; it is not read."


class MeteredResponse(http.client.HTTPResponse):
    """Python's own reader of an HTTP answer, on a network that is counted from the status line to the last trailer."""

    def __init__(self, *args: Any, meter: Meter, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wire = _Wire(self.fp.detach(), meter)
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        super().begin()
        self._wire.begin_body()

    def read(self, amt: int | None = None) -> bytes:
        """Read in pieces also where all is wanted: nothing is set aside for a length that a server only claims."""
        if amt is not None:
            return self._read(amt)
        parts = []
        size = 0
        while part := self._read(BLOCK_BYTES):
            parts.append(part)
            size += len(part)
            if size > MAX_PAGE_BYTES:  # what comes with a redirect is read at once, and thrown away
                raise RefusedError(TooLargeError(PAGE_TOO_LARGE))
        if self.length:
            raise http.client.IncompleteRead(b"".join(parts), self.length)
        return b"".join(parts)

    def _read(self, amt: int) -> bytes:
        try:
            return super().read(amt)
        except ValueError as error:  # a chunk whose length is negative, or has more digits than Python reads
            raise http.client.IncompleteRead(b"") from error


class _Wire(io.RawIOBase):
    """What a socket receives, counted."""

    def __init__(self, raw: Any, meter: Meter) -> None:
        self._raw = raw
        self._meter = meter
        self._flow: Flow = meter.flow()
        self._left = MAX_HEADER_BYTES
        self._refusal = StageError("The site's answer has too many or too long headers; it is not read.")

    def begin_body(self) -> None:
        """Headers are over. Pieces and trailers around the content may take as much again as the content."""
        self._left = 2 * self._meter.allowance.stream_bytes + MEGABYTE
        self._refusal = TooLargeError(self._meter.allowance.too_large)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._flow.check(0)
        number: int | None = self._raw.readinto(buffer)
        self._flow.check(number or 0)
        self._left -= number or 0
        if self._left < 0:
            raise RefusedError(self._refusal)
        return number

    def readall(self) -> bytes:
        """Nothing here asks for all at once but a chunk whose length is said to be -1."""
        raise http.client.IncompleteRead(b"")

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(UrllibResponseAdapter):  # type: ignore[misc]
    """yt-dlp's answer, decoded as it is read and never beyond what is allowed."""

    def __init__(self, plain: UrllibResponseAdapter, meter: Meter) -> None:
        super().__init__(plain.fp)
        self._plain = plain  # closes the connection when it is collected
        self._meter = meter
        self._taken = 0
        self._ask = BLOCK_BYTES
        self._rest = b""
        self._blocks = self._decoded()

    def read(self, amt: int | None = None) -> bytes:
        parts: list[bytes] = []
        wanted = amt if amt is not None and amt >= 0 else None
        self._ask = min(wanted or BLOCK_BYTES, BLOCK_BYTES)  # more would make who shows the progress wait
        while wanted is None or wanted > 0:
            block = self._rest or self._next()
            if not block:
                break
            part, self._rest = (block, b"") if wanted is None else (block[:wanted], block[wanted:])
            parts.append(part)
            wanted = None if wanted is None else wanted - len(part)
            self._count(len(part), read_at_once=amt is None)
        return b"".join(parts)

    def _count(self, number: int, *, read_at_once: bool) -> None:
        self._taken += number
        self._meter.count_bytes(number)
        if read_at_once and self._taken > MAX_PAGE_BYTES:
            raise RefusedError(TooLargeError(PAGE_TOO_LARGE))
        if self._taken > self._meter.allowance.stream_bytes:
            pages = self._meter.allowance.stream_bytes == MAX_PAGE_BYTES
            raise RefusedError(TooLargeError(PAGE_TOO_LARGE if pages else self._meter.allowance.too_large))

    def _next(self) -> bytes:
        try:
            block = next(self._blocks, b"")
        except Exception as error:
            handle_response_read_exceptions(error)
            raise
        if not block:
            self.close()
        return block

    def _decoded(self) -> Iterator[bytes]:
        blocks = self._plain_blocks()
        names = [name.strip().lower() for name in (self.get_header("Content-Encoding") or "").split(",")]
        names = [name for name in names if name and name != "identity"]
        if len(names) > MAX_ENCODINGS:
            raise RefusedError(StageError("The site's answer is packed several times over; it is not read."))
        for name in reversed(names):
            if name in ENCODINGS:
                blocks = unpacked(blocks, name, self._check_size)
            elif name == "br":
                raise RefusedError(StageError("The site's answer is packed in a way that was not asked for (br)."))
        return blocks

    def _plain_blocks(self) -> Iterator[bytes]:
        while block := self._plain.read(self._ask):
            yield block

    def _check_size(self, size: int) -> None:
        """Stop also what unpacks to something that unpacks to little."""
        if size > max(self._meter.allowance.stream_bytes, MAX_PAGE_BYTES) + BLOCK_BYTES:
            raise RefusedError(TooLargeError(PAGE_TOO_LARGE))


def unpacked(blocks: Iterator[bytes], encoding: str, check_size: Callable[[int], None]) -> Iterator[bytes]:
    """Yield what packed blocks hold, in blocks of a limited size; what follows the packed content is left unread.

    Parameters
    ----------
    encoding : str
        "gzip", or "deflate" with or without its header (servers send both; RFC 9110, 8.4.1.2).
    check_size : callable
        Called with the bytes unpacked so far.

    Raises
    ------
    EOFError
        The packed content breaks off.
    zlib.error
        It is not packed so.
    """
    engine: Any = None
    size = 0
    for block in blocks:
        if engine is None:
            engine = zlib.decompressobj(_window(block, encoding))
        data = block
        while True:
            part = engine.decompress(data, BLOCK_BYTES)
            data = engine.unconsumed_tail
            if part:
                size += len(part)
                check_size(size)
                yield part
            if engine.eof:
                return
            if not part and not data:
                break
    if engine is not None:
        raise EOFError("the packed answer breaks off")


def _window(first: bytes, encoding: str) -> int:
    if encoding == "gzip":
        return zlib.MAX_WBITS | 16
    with_header = len(first) > 1 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0
    return zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS
