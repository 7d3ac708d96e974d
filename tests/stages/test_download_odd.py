"""What a site sends may be odd in any way: a recording that is there is fetched, and the rest is told in a sentence."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from yt_dlp.extractor.generic import GenericIE

from pipeline.stages.addresses import split_url
from pipeline.stages.download import Download, DownloadLimits, download
from pipeline.stages.errors import StageError
from pipeline.stages.video_lists import read_list
from pipeline.stages.ytdlp import load_extractors
from pipeline.stages.ytdlp_downloaders import described, fetched_tracks
from pipeline.stages.ytdlp_manifests import MAX_DEPTH, check_xml
from tests.loopback_hostile import Hostile, Send, misbehaving

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=60_000_000, socket_timeout_s=3, max_lookup_s=20)
BROKE = "did not answer or the connection broke"
ODD = "could not be read|is not read"
SOUND = bytes(4000)
PIECES = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n{tags}#EXTINF:3,\n/a.ts\n#EXT-X-ENDLIST\n"
CAPTIONED = (
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="en",LANGUAGE="en",URI="/captions.m3u8"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s",CODECS="mp4a.40.2"\n/sound.m3u8\n'
)
TIMELINE = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S"><Period>'
    '<AdaptationSet mimeType="audio/mp4"><Representation id="a" bandwidth="1"><SegmentTemplate media="$Time$">'
    '<SegmentTimeline><S d="1" r="{repeats}"/></SegmentTimeline>'
    "</SegmentTemplate></Representation></AdaptationSet></Period></MPD>"
)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    load_extractors()  # what it takes is no cost of a page


@pytest.fixture
def site() -> Iterator[Hostile]:
    with misbehaving() as site:
        yield site


def fetch(url: str, site: Hostile, tmp_path: Path, limits: DownloadLimits = LIMITS) -> Download:
    folder = tmp_path / "download"
    folder.mkdir(exist_ok=True)
    return download(url, folder=folder, limits=limits, private_origins=[site.origin])


def refused(url: str, site: Hostile, tmp_path: Path, match: str, *, permanent: bool) -> None:
    with pytest.raises(StageError, match=match) as caught:
        fetch(url, site, tmp_path)
    assert caught.value.permanent is permanent


def playlist(path: str, text: str, site: Hostile) -> str:
    return site.answer(path, text.encode(), "Content-Type: application/vnd.apple.mpegurl")


# ---------------------------------------------------------------- lists of pieces, and pages


@pytest.mark.parametrize("repeats", ["abc", "9" * 5000], ids=["word", "digits"])
def test_a_number_of_repeats_that_is_none_is_told(repeats: str, site: Hostile, tmp_path: Path) -> None:
    site.answer("/a.mpd", TIMELINE.format(repeats=repeats).encode(), "Content-Type: application/dash+xml")
    refused(site.origin + "/a.mpd", site, tmp_path, ODD, permanent=True)


@pytest.mark.parametrize("encoding", ["euc-jp", "no-such-encoding"])
def test_a_page_that_names_another_encoding_is_read_as_a_page(encoding: str, site: Hostile, tmp_path: Path) -> None:
    site.answer("/a.mp3", SOUND, "Content-Type: audio/mpeg")
    page = f'<?xml version="1.0" encoding="{encoding}"?><html><title>A</title><video src="/a.mp3"><br></video></html>'
    url = site.answer("/a.html", page.encode(), "Content-Type: text/html")
    assert fetch(url, site, tmp_path).title == "A"


def test_xml_that_is_none_or_too_deep_is_left_before_it_is_kept() -> None:
    check_xml("<a><b/><b/></a>")
    for text in ("<a>" * (MAX_DEPTH + 1), "<p>a" * 100 + "</a>"):
        with pytest.raises(SyntaxError):  # as the reader of XML calls it
            check_xml(text)


def test_xml_that_is_none_is_told_where_an_extractor_does_not_look(
    site: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GenericIE, "_real_extract", lambda *_: check_xml("<p>a</a>"))
    refused(site.origin + "/a", site, tmp_path, ODD, permanent=False)


def test_an_odd_number_of_a_piece_is_told(site: Hostile, tmp_path: Path) -> None:
    site.answer("/key", b"k" * 16)
    site.answer("/a.ts", SOUND)
    tags = '#EXT-X-MEDIA-SEQUENCE:99999999999999999999999\n#EXT-X-KEY:METHOD=AES-128,URI="/key"\n'
    refused(playlist("/a.m3u8", PIECES.format(tags=tags), site), site, tmp_path, ODD, permanent=False)


def test_a_list_of_pieces_that_takes_long_to_read_ends_as_a_page_does(site: Hostile, tmp_path: Path) -> None:
    url = playlist("/a.m3u8", PIECES.format(tags="#EXT-X-KEY:" + "A" * 300_000 + "\n"), site)
    before = time.monotonic()
    with pytest.raises(StageError, match="took too long") as caught:
        fetch(url, site, tmp_path, replace(LIMITS, max_lookup_s=1))
    assert not caught.value.permanent
    assert time.monotonic() - before < 5


@pytest.mark.parametrize("pieces", [1, 2])
def test_captions_in_pieces_are_fetched(pieces: int, site: Hostile, tmp_path: Path) -> None:
    vtt = b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00.000 --> 00:01.000\nhello there\n\n"
    site.answer("/a.vtt", vtt)
    site.answer("/a.ts", SOUND)
    playlist("/sound.m3u8", PIECES.format(tags=""), site)
    more = "#EXTINF:3,\n/a.vtt\n" * pieces
    playlist("/captions.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n{more}#EXT-X-ENDLIST\n", site)
    found = fetch(playlist("/a.m3u8", CAPTIONED, site), site, tmp_path)
    assert found.captions_error is None
    assert found.captions_path is not None
    assert "hello there" in found.captions_path.read_text()


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("head", "content"),
    [
        ("Transfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"zz\r\nhello\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"1" * 20 + b"\r\nhello\r\n0\r\n\r\n"),
        ("Content-Length: 9000", SOUND),
        ("Content-Length: -5", SOUND),
        ("Content-Encoding: gzip", SOUND),
    ],
    ids=["negative chunk", "chunk", "huge chunk", "length", "negative length", "packing"],
)
def test_an_answer_that_is_cut_or_garbled_counts_as_a_broken_connection(
    head: str, content: bytes, site: Hostile, tmp_path: Path
) -> None:
    site.answer("/a.mp3", content, head)
    refused(site.page("/a.html", "a.mp3"), site, tmp_path, BROKE, permanent=False)


def test_no_words_of_an_answer_without_a_head_are_told(site: Hostile, tmp_path: Path) -> None:
    site.answers["/a.mp3"] = lambda send: send(b"\0\x1b[2J" + SOUND)
    refused(site.page("/a.html", "a.mp3"), site, tmp_path, f"^The site {BROKE}", permanent=False)


def test_a_chunk_of_negative_length_is_not_read_at_once(site: Hostile, tmp_path: Path) -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
    sent: list[int] = []

    def answer(send: Send) -> None:
        send(start)
        for _ in range(40):
            send(bytes(10**6))
            sent.append(10**6)

    site.answers["/a.mp3"] = answer
    refused(site.page("/a.html", "a.mp3"), site, tmp_path, BROKE, permanent=False)
    assert sum(sent) < 3 * 20 * 10**6  # hung up, each of three times


def test_what_comes_with_a_redirect_is_read_no_further_than_a_page(site: Hostile, tmp_path: Path) -> None:
    site.answer("/a.mp3", bytes(30_000_000), "Location: /b.mp3", status="302 Found")
    site.answer("/b.mp3", SOUND)
    refused(site.page("/a.html", "a.mp3"), site, tmp_path, "larger than 20 MB", permanent=True)


def test_a_redirect_to_ftp_is_refused_for_good(site: Hostile, tmp_path: Path) -> None:
    site.answer("/a.mp3", b"", "Location: ftp://127.0.0.1/a", status="302 Found")
    refused(site.page("/a.html", "a.mp3"), site, tmp_path, "FTP", permanent=True)


# ---------------------------------------------------------------- words


def test_a_title_is_stored_without_what_cannot_be_stored(site: Hostile, tmp_path: Path) -> None:
    site.answer("/a.mp3", SOUND, "Content-Type: audio/mpeg")
    named = {"@context": "http://schema.org", "@type": "AudioObject", "contentUrl": f"{site.origin}/a.mp3"}
    described_so = json.dumps({**named, "name": "One\0\ud800 \x1b[2Jtalk\u202e"})
    page = f'<html><title>A</title><script type="application/ld+json">{described_so}</script></html>'
    url = site.answer("/a.html", page.encode(), "Content-Type: text/html")
    assert fetch(url, site, tmp_path).title == "One [2Jtalk"


def test_an_error_tells_no_character_that_cannot_be_written() -> None:
    error = StageError("The site says “\ud800\0\x1b[2J\u202eno”.\nTwo lines.")
    assert error.message == "The site says “[2Jno”.\nTwo lines."


def test_an_address_that_cannot_be_written_is_none() -> None:
    for url in ("http://example.org/\ud800", "http://example.org/\x7f"):
        with pytest.raises(StageError):
            split_url(url)


def test_one_odd_entry_leaves_the_others_of_a_list(site: Hostile) -> None:
    items = ("<link>http://[</link>", "<link>javascript:1</link>", "<link>/a.mp3</link>")
    feed = f"<rss><channel><title>A</title>{''.join(f'<item>{one}</item>' for one in items)}</channel></rss>"
    found = read_list(site.answer("/a.xml", feed.encode()), private_origins=[site.origin])
    assert [one.url for one in found.entries if one.identity] == [f"{site.origin}/a.mp3"]


def test_what_is_no_description_of_a_format_or_track_is_left_out() -> None:
    assert described({"url": "a"}) == described("ab") == described(None) == []
    assert described([1, None, {"url": "a"}]) == [{"url": "a"}]
    assert fetched_tracks({"en": None, "de": "x", "fr": [{"url": "http://a/b.vtt"}, 3]}) == {
        "fr": [{"url": "http://a/b.vtt"}]
    }
