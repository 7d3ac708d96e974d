"""A site cannot exhaust this machine by what it answers, nor hold a worker by how slowly it does."""

import errno
import resource
import shutil
import signal
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from yt_dlp.extractor.generic import GenericIE

from pipeline.stages import ytdlp_limits
from pipeline.stages.download import Download, DownloadLimits, download
from pipeline.stages.errors import StageError
from pipeline.stages.video_lists import ListLimits, read_list
from pipeline.stages.ytdlp import load_extractors
from pipeline.stages.ytdlp_limits import MAX_CAPTIONS_BYTES, MAX_PAGE_BYTES, MEGABYTE
from pipeline.stages.ytdlp_responses import unpacked
from tests.loopback_hostile import Hostile, misbehaving, packed
from tests.stages.test_download import VTT

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=3_000_000, socket_timeout_s=3, patience_s=0.4, max_lookup_s=20)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
HTML = b"<html><title>A</title>"
SLOW = "too slowly"


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    load_extractors()  # what it takes is no cost of a page


@pytest.fixture
def site() -> Iterator[Hostile]:
    with misbehaving() as site:
        site.answer("/talk.wav", b"RIFF" + bytes(20_000), "Content-Type: audio/wav")
        yield site


def fetch(url: str, site: Hostile, tmp_path: Path, limits: DownloadLimits = LIMITS) -> Download:
    folder = tmp_path / "download"
    folder.mkdir(exist_ok=True)
    return download(url, folder=folder, limits=limits, private_origins=[site.origin])


def refused(url: str, site: Hostile, tmp_path: Path, match: str, *, permanent: bool, **limits: Any) -> float:
    """How many seconds it took until the download was refused."""
    before = time.monotonic()
    with pytest.raises(StageError, match=match) as caught:
        fetch(url, site, tmp_path, replace(LIMITS, **limits))
    assert caught.value.permanent is permanent
    return time.monotonic() - before


# ---------------------------------------------------------------- bytes

PACKED = {
    "gzip": ("gzip", "gzip"),
    "deflate": ("deflate", "deflate"),
    "raw deflate": ("raw deflate", "deflate"),
    "twice": ("gzip", "gzip, gzip"),
    "odd spelling": ("gzip", " GZIP ,identity"),
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("status", ["200 OK", "403 No"])
def test_a_packed_page_is_unpacked_no_further_than_allowed(
    name: str, status: str, site: Hostile, tmp_path: Path
) -> None:
    packing, header = PACKED[name]
    content = packed(HTML, 100, packing)
    content = _gzip(content) if name == "twice" else content
    url = site.answer("/a.html", content, f"Content-Encoding: {header}", status=status)
    tracemalloc.start()
    try:
        refused(url, site, tmp_path, "larger than 20 MB", permanent=True)
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_PAGE_BYTES
    finally:
        tracemalloc.stop()


def _gzip(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(content) + packer.flush()


def test_what_unpacks_to_much_that_unpacks_to_nothing_is_stopped() -> None:
    sizes: list[int] = []

    def check(size: int) -> None:
        sizes.append(size)
        if size > MEGABYTE:
            raise StageError("enough")

    outer = unpacked(iter([packed(b"", 4)]), "gzip", check)
    with pytest.raises((StageError, zlib.error)):
        list(unpacked(outer, "gzip", check))
    assert max(sizes) < 2 * MEGABYTE


@pytest.mark.parametrize(("encoding", "text"), [("br", "not asked for"), ("gzip, gzip, gzip", "several times")])
def test_other_packings_are_refused(encoding: str, text: str, site: Hostile, tmp_path: Path) -> None:
    url = site.answer("/a.html", b"abc", f"Content-Encoding: {encoding}")
    refused(url, site, tmp_path, text, permanent=True)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate"])
def test_packed_pages_are_read_and_broken_ones_told(encoding: str, site: Hostile, tmp_path: Path) -> None:
    window = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS, "raw deflate": -zlib.MAX_WBITS}[encoding]
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    content = packer.compress(HTML + b'<audio src="talk.wav"></audio>') + packer.flush()
    name = f"Content-Encoding: {encoding.removeprefix('raw ')}"
    assert fetch(site.answer("/a.html", content + b"junk", name), site, tmp_path).title == "A"
    with pytest.raises(StageError) as caught:
        fetch(site.answer("/b.html", content[:-12], name), site, tmp_path)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n",
        b"Content-Length: 99999999999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["unknown", "claimed", "chunked"],
)
@pytest.mark.parametrize("status", [b"200 OK", b"404 Gone", b"302 Found\r\nLocation: /b.html"])
def test_a_page_without_end_is_refused(head: bytes, status: bytes, site: Hostile, tmp_path: Path) -> None:
    block = b"A" * MEGABYTE
    if b"chunked" in head:
        block = b"100000\r\n" + block + b"\r\n"
    url = site.flood("/a.html", b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\n" + head, block, 80)
    tracemalloc.start()
    try:
        expected = "nothing at this" if b"404" in status else "larger than|before it names"
        refused(url, site, tmp_path, expected, permanent=True)
        assert tracemalloc.get_traced_memory()[1] < 5 * MAX_PAGE_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("known", [True, False])
def test_captions_without_end_leave_the_recording(known: bool, site: Hostile, tmp_path: Path) -> None:
    length = b"Content-Length: 2000000\r\n" if known else b""
    site.flood("/talk.vtt", OK + length + b"\r\nWEBVTT\n\n", b"A" * MEGABYTE, 40)
    found = fetch(
        site.page("/a.html", "talk.wav", "talk.vtt"),
        site,
        tmp_path,
        replace(LIMITS, max_bytes=1_000_000 if known else 100 * MEGABYTE),
    )
    assert found.audio_path.is_file()
    assert found.captions_path is None
    assert found.captions_error is not None
    assert (found.captions_error.permanent, "25 MB" in found.captions_error.message) == (True, True)
    assert sum(path.stat().st_size for path in (tmp_path / "download").iterdir()) < MAX_CAPTIONS_BYTES + MEGABYTE


@pytest.mark.parametrize("head", [b"", b"Content-Length: 1000\r\n", b"Content-Encoding: gzip\r\n"])
def test_a_recording_whose_length_is_unknown_or_wrong_is_bounded(head: bytes, site: Hostile, tmp_path: Path) -> None:
    content = packed(b"", 20) if b"gzip" in head else bytes(20 * MEGABYTE)
    site.flood("/big.wav", b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + head + b"\r\n", content, 1)
    if b"Length" in head:
        assert fetch(site.page("/a.html", "big.wav"), site, tmp_path).audio_path.stat().st_size == 1000
    else:
        refused(site.page("/a.html", "big.wav"), site, tmp_path, "larger than", permanent=True)


def test_a_key_and_a_piece_are_no_recordings(site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n"
    site.answer("/a.m3u8", head + b'#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF:3,\ntalk.wav\n#EXT-X-ENDLIST\n')
    site.flood("/key", OK + b"\r\n", bytes(MEGABYTE), 40)
    large = {"max_bytes": 200 * MEGABYTE}
    refused(site.page("/a.html", "a.m3u8"), site, tmp_path, "larger than 20 MB", permanent=True, **large)
    monkeypatch.setattr(ytdlp_limits, "MAX_FRAGMENT_BYTES", 2 * MEGABYTE)
    site.answer("/b.m3u8", head + b"#EXTINF:3,\npiece\n#EXT-X-ENDLIST\n")
    site.flood("/piece", OK + b"\r\n", bytes(MEGABYTE), 40)
    shutil.rmtree(tmp_path / "download")  # as each job has a folder of its own
    refused(site.page("/b.html", "b.m3u8"), site, tmp_path, "piece of the recording is larger", permanent=True, **large)


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"a" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 60_000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"", b"a" * 60_000),
    ],
    ids=["lines", "line", "continue", "status"],
)
def test_headers_without_end_are_refused(start: bytes, block: bytes, site: Hostile, tmp_path: Path) -> None:
    with pytest.raises(StageError):
        fetch(site.flood("/a.html", start, block, 1000), site, tmp_path)


def test_trailers_without_end_are_refused(site: Hostile, tmp_path: Path) -> None:
    start = OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n"
    url = site.flood("/a.html", start, (b"X: " + b"a" * 1000 + b"\r\n") * 1000, 100)
    refused(url, site, tmp_path, "larger than|before it names", permanent=True)


@pytest.mark.parametrize("kind", ["redirect", "refresh"])
def test_pages_that_lead_on_for_ever_are_given_up(
    kind: str, site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ytdlp_limits, "MAX_LOOKUP_REQUESTS", 12)
    monkeypatch.setattr("pipeline.stages.ytdlp_limits.time.monotonic", _steps(0.001))

    def answer(send: Any) -> None:
        number = len(site.requests)
        if kind == "redirect":
            send(f"HTTP/1.1 302 Found\r\nLocation: /{number}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            send(OK + f'\r\n<html><meta http-equiv="refresh" content="0; url=/{number}">'.encode())

    site.answers["*"] = answer
    with pytest.raises(StageError):
        fetch(site.origin + "/a.html", site, tmp_path)
    assert len(site.requests) < 30


def _steps(step_s: float) -> Any:
    """A clock that hardly goes on, so that the number of requests decides."""
    now = [time.monotonic()]

    def monotonic() -> float:
        now[0] += step_s
        return now[0]

    return monotonic


# ---------------------------------------------------------------- time

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "status": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "header line": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "page": (OK + b"\r\n" + HTML, b"a"),
    "page of a claimed length": (OK + b"Content-Length: 99999\r\n\r\n" + HTML, b"a"),
    "packed page": (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00", b"\0"),
    "chunks": (CHUNKED, b"1\r\na\r\n"),
    "size of a chunk": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"a: b\r\n"),
    "body of a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /b.html\r\n\r\n", b"a"),
    "body of an error": (b"HTTP/1.1 403 No\r\n\r\n", b"a"),
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_page_that_drips_is_not_waited_for(name: str, site: Hostile, tmp_path: Path) -> None:
    url = site.drip("/a.html", *DRIPS[name])
    assert refused(url, site, tmp_path, SLOW, permanent=False) < 3


@pytest.mark.parametrize("head", [b"", b"Content-Length: 2000000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_recording_that_drips_is_not_waited_for(head: bytes, site: Hostile, tmp_path: Path) -> None:
    drop = b"1\r\nA\r\n" if b"chunked" in head else b"A"
    site.drip("/slow.wav", b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + head + b"\r\n", drop)
    page = site.page("/a.html", "slow.wav")
    assert refused(page, site, tmp_path, "slowly", permanent=False) < 3


def test_pieces_that_drip_one_after_the_other_are_not_waited_for(site: Hostile, tmp_path: Path) -> None:
    pieces = "".join(f"#EXTINF:1,\n{number}.ts\n" for number in range(100))
    site.answer("/a.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{pieces}#EXT-X-ENDLIST\n".encode())

    def answer(send: Any) -> None:
        site.over.wait(0.15)
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA")

    site.answers["*"] = answer
    assert refused(site.page("/a.html", "a.m3u8"), site, tmp_path, SLOW, permanent=False) < 3


def test_captions_that_drip_leave_the_recording(site: Hostile, tmp_path: Path) -> None:
    site.drip("/talk.vtt", OK + b"\r\n" + VTT.encode(), b"\n")
    found = fetch(site.page("/a.html", "talk.wav", "talk.vtt"), site, tmp_path)
    assert found.audio_path.is_file()
    assert found.captions_error is not None
    assert not found.captions_error.permanent


def test_all_that_comes_before_a_recording_has_one_time_together(site: Hostile, tmp_path: Path) -> None:
    def answer(send: Any) -> None:
        site.over.wait(0.1)
        send(OK + f'\r\n<html><meta http-equiv="refresh" content="0; url=/{len(site.requests)}">'.encode())

    site.answers["*"] = answer
    assert refused(site.origin + "/a", site, tmp_path, "Looking", permanent=False, max_lookup_s=0.8) < 3
    assert 2 < len(site.requests) < 12


def test_a_recording_has_a_time_as_well(site: Hostile, tmp_path: Path) -> None:
    site.drip("/slow.wav", OK + b"\r\n", b"A" * 500)
    page = site.page("/a.html", "slow.wav")
    assert refused(page, site, tmp_path, "did not come within", permanent=False, max_fetch_s=0.6) < 3


def busy(*_: Any) -> Any:
    """Work that ends in its own time: a clock that runs out, should nobody ring."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with suppress(Exception):  # as extractors do
            sum(range(10_000))
    return {}


def test_work_that_sends_nothing_ends_as_well(site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GenericIE, "_real_extract", busy)
    assert refused(site.origin + "/a", site, tmp_path, "Looking", permanent=False, max_lookup_s=0.3) < 3


def test_a_search_in_a_hostile_page_ends(site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    page = "a" * 34 + "b"
    monkeypatch.setattr(GenericIE, "_real_extract", lambda *_: re.match(r"(a|a)+$", page))
    assert refused(site.origin + "/a", site, tmp_path, "Looking", permanent=False, max_lookup_s=0.3) < 3


def test_the_time_limit_of_a_job_stays_in_force(site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GenericIE, "_real_extract", busy)
    handler = signal.getsignal(signal.SIGALRM)
    with UnixSignalDeathPenalty(5, JobTimeoutException):
        job_handler = signal.getsignal(signal.SIGALRM)
        refused(site.origin + "/a", site, tmp_path, "Looking", permanent=False, max_lookup_s=0.2)
        assert signal.getsignal(signal.SIGALRM) == job_handler != handler
        assert 1 < signal.getitimer(signal.ITIMER_REAL)[0] < 5


def test_the_time_limit_of_a_job_ends_an_extraction_that_would_swallow_it(
    site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GenericIE, "_real_extract", busy)
    began = time.monotonic()
    with pytest.raises(JobTimeoutException), UnixSignalDeathPenalty(1, JobTimeoutException):
        fetch(site.origin + "/a", site, tmp_path)
    assert time.monotonic() - began < 3


def test_a_thread_that_can_have_no_alarm_is_bounded_on_the_network(site: Hostile, tmp_path: Path) -> None:
    url = site.drip("/a.html", OK + b"\r\n" + HTML, b"a" * 1000)
    told: list[StageError] = []

    def look() -> None:
        try:
            fetch(url, site, tmp_path, replace(LIMITS, max_lookup_s=0.5))
        except StageError as error:
            told.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(5)
    assert [one.permanent for one in told] == [False]


def test_a_list_keeps_to_the_same_limits(site: Hostile) -> None:
    limits = ListLimits(socket_timeout_s=3, patience_s=0.4)
    slow = site.drip("/slow.xml", OK + b"\r\n<rss>", b"a")
    large = site.answer("/packed.xml", packed(HTML, 30), "Content-Encoding: gzip")
    with pytest.raises(StageError, match="slowly"):
        read_list(slow, limits=limits, private_origins=[site.origin])
    with pytest.raises(StageError, match="20 MB"):
        read_list(large, limits=limits, private_origins=[site.origin])


# ---------------------------------------------------------------- what this machine has too little of


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (OSError(errno.EFBIG, "File too large"), "larger than this machine lets"),
    ],
)
def test_a_shortage_of_this_machine_is_told(
    error: Exception, sentence: str, site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(GenericIE, "_real_extract", fail)
    refused(site.origin + "/a", site, tmp_path, sentence, permanent=False)


def test_a_file_that_grows_too_large_is_told(site: Hostile, tmp_path: Path) -> None:
    site.answer("/big.wav", bytes(2_000_000), "Content-Type: audio/wav")
    page = site.page("/a.html", "big.wav")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        refused(page, site, tmp_path, "larger than this machine lets", permanent=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_page_that_yt_dlp_stumbles_over_is_told(site: Hostile, tmp_path: Path) -> None:
    site.answer("/a.mpd", b'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="audio/mp4">'
                b'<Representation id="a"><SegmentTemplate media="$Number$" timescale="x"/></Representation>'
                b"</AdaptationSet></Period></MPD>", "Content-Type: application/dash+xml")  # fmt: skip
    refused(site.page("/a.html", "a.mpd"), site, tmp_path, "not read|could not be read", permanent=False)
