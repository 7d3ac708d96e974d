"""When a request counts as whole; what becomes of it is gunicorn's to say, which is asked here for comparison."""

from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException

from crossmodal.incoming import MAX_HEAD_BYTES, SMALL_BODY_BYTES, Arrival, Incoming


def request(*fields: bytes, method: bytes = b"POST", body: bytes = b"") -> bytes:
    return b"\r\n".join([method + b" / HTTP/1.1", b"Host: localhost", *fields, b"", body])


WHOLE = {
    "no body": request(method=b"GET"),
    "no field": b"GET / HTTP/1.0\r\n\r\n",
    "blank line before": b"\r\n" + request(method=b"GET"),
    "length": request(b"Content-Length: 3", body=b"abc"),
    "length with zeros": request(b"Content-Length: 0000000000003", body=b"abc"),
    "length without blank": request(b"content-length:3", body=b"abc"),
    "chunks": request(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
    "chunk size with zeros": request(b"Transfer-Encoding: chunked", body=b"00000000000000000003\r\nabc\r\n0\r\n\r\n"),
    "chunk extension": request(b"Transfer-Encoding: chunked", body=b"3;a=b\r\nabc\r\n0\r\n\r\n"),
    "end inside a chunk": request(b"Transfer-Encoding: chunked", body=b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    "trailers": request(b"Transfer-Encoding: chunked", body=b"1\r\na\r\n0\r\nX: 1\r\nY: 2\r\n\r\n"),
}


def parsed(data: bytes) -> bytes:
    """The body as gunicorn reads it; it must not ask for one byte more."""

    def source() -> Iterator[bytes]:
        yield data
        pytest.fail("gunicorn waits for more")

    return bytes(next(get_parser(Config(), source(), ("127.0.0.1", 1))).body.read())


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE.keys())
def test_a_request_is_whole_with_its_last_byte_and_not_before(data: bytes) -> None:
    incoming = Incoming()
    seen = [incoming.feed(data[at : at + 1]) for at in range(len(data))]
    assert seen[-1] is Arrival.WHOLE
    assert set(seen[:-1]) <= {Arrival.HEAD, Arrival.BODY}
    assert Incoming().feed(data) is Arrival.WHOLE
    parsed(data)


BROKEN = {
    "two lengths": request(b"Content-Length: 3", b"Content-Length: 4", body=b""),
    "length and chunks": request(b"Content-Length: 3", b"Transfer-Encoding: chunked"),
    "negative length": request(b"Content-Length: -1"),
    "length with a sign": request(b"Content-Length: +3"),
    "length in words": request(b"Content-Length: three"),
    "list of lengths": request(b"Content-Length: 3, 3"),
    "length in hexadecimal": request(b"Content-Length: 0x3"),
    "unknown coding and length": request(b"Transfer-Encoding: x", b"Content-Length: 3"),
    "blank before the colon": request(b"Content-Length : 3"),
    "folded length": request(b"Content-Length:", b" 3"),
    "line feeds alone": b"POST / HTTP/1.1\nHost: localhost\nContent-Length: 3\n\n",
    "no line": b"\r\n\r\n",
    "length too long to read": request(b"Content-Length: " + b"9" * 5000),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_what_contradicts_itself_goes_to_the_parser_at_once_which_refuses_it(data: bytes) -> None:
    assert Incoming().feed(data) in (Arrival.WHOLE, Arrival.LARGE)
    with pytest.raises(ParseException):
        parsed(data)


@pytest.mark.parametrize(
    "data",
    [
        request(b"Content-Length: %d" % (SMALL_BODY_BYTES + 1)),
        request(b"Content-Length: " + b"9" * 30),
        request(b"Transfer-Encoding: chunked", body=b"%x\r\n" % (SMALL_BODY_BYTES + 1)),
        request(b"Transfer-Encoding: chunked", body=b"f" * 16 + b"\r\n"),
        request(b"Transfer-Encoding: chunked", body=b"1\r\na\r\n" * (2 * SMALL_BODY_BYTES // 6 + 1)),
    ],
    ids=["length", "many digits", "chunk", "huge chunk", "very many chunks"],
)
def test_a_large_body_is_not_waited_for(data: bytes) -> None:
    assert Incoming().feed(data) is Arrival.LARGE


def test_small_chunks_are_counted_until_they_are_too_many() -> None:
    incoming, chunk = Incoming(), b"3e8\r\n" + b"a" * 1000 + b"\r\n"
    arrival = incoming.feed(request(b"Transfer-Encoding: chunked"))
    sent = 0
    while arrival is Arrival.BODY:
        arrival, sent = incoming.feed(chunk), sent + 1000
    assert arrival is Arrival.LARGE
    assert SMALL_BODY_BYTES < sent <= SMALL_BODY_BYTES + 1000


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"GET /" + b"a" * 5000, LimitRequestLine),
        (b"\r\nGET /" + b"a" * 5000, LimitRequestLine),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEAD_BYTES // 6), LimitRequestHeaders),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * MAX_HEAD_BYTES, LimitRequestHeaders),
    ],
    ids=["line", "line after a blank one", "many fields", "long field"],
)
def test_a_head_without_end_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        Incoming().feed(data)


def test_bytes_of_the_next_request_do_not_matter() -> None:
    first = request(b"Content-Length: 3", body=b"abc")
    incoming = Incoming()
    assert incoming.feed(first + b"\n\nGET") is Arrival.WHOLE
    assert bytes(incoming.data) == first + b"\n\nGET"


@pytest.mark.parametrize(
    ("version", "expected"), [(b"1.1", True), (b"1.0", False)], ids=["HTTP/1.1", "HTTP/1.0 knows no expectation"]
)
def test_a_client_that_waits_to_be_asked_is_known(version: bytes, expected: Any) -> None:
    incoming = Incoming()
    incoming.feed(b"POST / HTTP/%s\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n" % version)
    assert incoming.expects_continue is expected
