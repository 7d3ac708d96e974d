"""Lists of pieces are weighed before they are unfolded: few bytes can name more pieces than fit into memory."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.stages.download import Download, DownloadLimits, download
from pipeline.stages.errors import StageError
from pipeline.stages.video_lists import read_list
from pipeline.stages.ytdlp import load_extractors
from pipeline.stages.ytdlp_limits import MAX_FRAGMENTS
from pipeline.stages.ytdlp_manifests import FRAGMENT_BYTES
from tests.loopback_hostile import Hostile, misbehaving

LIMITS = DownloadLimits(max_duration_s=4 * 3600, max_bytes=10_000_000, socket_timeout_s=3)
MPD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="{duration}">{periods}</MPD>'
ISM = (
    '<SmoothStreamingMedia Duration="1"><StreamIndex Type="audio" Url="a">{inside}</StreamIndex></SmoothStreamingMedia>'
)
QUALITY = '<QualityLevel FourCC="AACL" Bitrate="1"/>'
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    load_extractors()  # what it takes is no cost of a page


@pytest.fixture
def site() -> Iterator[Hostile]:
    with misbehaving() as site:
        yield site


def mpd(inside: str, *, duration: str = "PT3S", periods: int = 1, sets: int = 1, representation: str = "a") -> str:
    one = f'<Representation id="{representation}" bandwidth="1">{inside}</Representation>'
    adaptation = f'<AdaptationSet mimeType="audio/mp4" codecs="mp4a.40.2">{one}</AdaptationSet>'
    return MPD.format(duration=duration, periods=f"<Period>{adaptation * sets}</Period>" * periods)


def template(media: str = "$Number$", inside: str = "", more: str = "") -> str:
    return f'<SegmentTemplate media="{media}" timescale="1" {more}>{inside}</SegmentTemplate>'


def timeline(entry: str) -> str:
    return template("$Time$", f"<SegmentTimeline>{entry}</SegmentTimeline>")


def listed(number: int) -> str:
    return "<SegmentList>" + '<SegmentURL media="a"/>' * number + "</SegmentList>"


BOMBS = {
    "repeats": mpd(timeline('<S d="1" r="999999999"/>')),
    "repeats of a list": mpd(
        '<SegmentList><SegmentTimeline><S d="1" r="999999999"/></SegmentTimeline><SegmentURL media="a"/></SegmentList>'
    ),
    "short pieces": mpd(template(more='duration="0.0000001"'), duration="PT4H"),
    "long duration": mpd(template(more='duration="1"'), duration="PT99999999999H"),
    "infinite number": mpd(template(more='duration="1e-320"'), duration="PT4H"),
    "periods": mpd(timeline('<S d="1" r="29000"/>'), periods=40),
    "sets": mpd(timeline('<S d="1" r="29000"/>'), sets=40),
    "sets of inherited pieces": mpd("", sets=400).replace("<Period>", f"<Period>{listed(3000)}"),
    "sets of inherited times": mpd("", sets=400).replace("<Period>", "<Period>" + timeline('<S d="1"/>' * 3000)),
    "representations": mpd("<BaseURL>a</BaseURL>", sets=9000),
    "long names": mpd(
        template("$Number$" + "$RepresentationID$" * 300, more='duration="1"'),
        duration="PT4H",
        representation="a" * 300,
    ),
    "long address": mpd(template("$Number$" + "a" * 8000, more='duration="1"'), duration="PT4H", sets=9),
    "longer address": mpd(template("$Number$" + "a" * 9000, more='duration="1"')),
    "width": mpd(template("$Number%0999999999d$", more='duration="1"')),
    "width behind another name": mpd(template("$x%(Number)0999999999d$", more='duration="1"')),
    "precision": mpd(template("$Number%.999999999d$", more='duration="1"')),
    "width in a name": mpd(template("$x$RepresentationID$", more='duration="1"'), representation="%(Number)0999999d$"),
    "base addresses": mpd("<BaseURL>" + "a" * 8000 + "</BaseURL>", sets=4000),
    "entities": BOMB + mpd(template(more='duration="1"')),
}  # fmt: skip


def fetch(site: Hostile, tmp_path: Path, *, ending: str = "mpd", content: str) -> Download:
    kinds = {"mpd": "application/dash+xml", "m3u8": "application/x-mpegurl"}
    site.answer(f"/a.{ending}", content.encode(), f"Content-Type: {kinds[ending]}")
    folder = tmp_path / "download"
    folder.mkdir(exist_ok=True)
    return download(site.page("/a.html", f"a.{ending}"), folder=folder, limits=LIMITS, private_origins=[site.origin])


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_mpd_that_names_millions_of_pieces_is_refused(name: str, site: Hostile, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(StageError) as caught:
            fetch(site, tmp_path, content=BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 300_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.permanent or name == "infinite number"
    assert site.requests == ["/a.html", "/a.mpd"]


def test_four_hours_in_pieces_of_a_second_are_fetched(site: Hostile, tmp_path: Path) -> None:
    def answer(send: object) -> None:
        assert callable(send)
        send(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    site.answers["*"] = answer
    document = mpd(timeline('<S d="1" r="14399"/>'), duration="PT4H", sets=30)
    for number in range(30):
        document = document.replace('"a" bandwidth="1"', f'"a{number}" bandwidth="{number}000"', 1)
    with pytest.raises(StageError, match="403"):  # of the first piece
        fetch(site, tmp_path, content=document)
    assert "/0" in site.requests


def test_a_recording_in_pieces_comes_together(site: Hostile, tmp_path: Path) -> None:
    for number in range(3):
        site.answer(f"/{number}", bytes([65 + number]) * 10)
    found = fetch(site, tmp_path, content=mpd(timeline('<S t="0" d="1" r="2"/>')))
    assert found.audio_path.read_bytes() == b"A" * 10 + b"B" * 10 + b"C" * 10


def test_a_piece_takes_what_is_reckoned_for_it() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    pieces = [{"path": f"segment-{number}.m4s", "duration": number / 3} for number in range(2000)]
    taken = (tracemalloc.get_traced_memory()[0] - before) / len(pieces)
    tracemalloc.stop()
    assert taken < FRAGMENT_BYTES


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("ism", ISM.format(inside=f'{QUALITY}<c t="0" d="1" r="999999999"/>')),
        ("ism", ISM.format(inside=QUALITY * 3000 + '<c t="0" d="1" r="9000"/>')),
        ("f4m", '<manifest xmlns="http://ns.adobe.com/f4m/1.0"><media url="a" bitrate="1"/></manifest>'),
    ],
)
def test_manifests_of_other_kinds_are_not_unfolded(ending: str, content: str, site: Hostile, tmp_path: Path) -> None:
    url = site.answer(f"/a.{ending}", content.encode(), "Content-Type: text/xml")
    with pytest.raises(StageError, match=f"protocol {ending}") as caught:
        download(url, folder=tmp_path, limits=LIMITS, private_origins=[site.origin])
    assert caught.value.permanent


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + "#EXTINF:1,\na\n" * (MAX_FRAGMENTS + 1) + "#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + "a\n" * (MAX_FRAGMENTS + 1),
        "#EXTM3U\n" + "a\n" * 6000,
        "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * 6000,
        "#EXTM3U\n" + '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="c"\n' * 6000,
    ],
    ids=["pieces", "bare pieces", "lines", "renditions", "media"],
)
def test_a_playlist_with_too_many_lines_is_refused(content: str, site: Hostile, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="more pieces") as caught:
        fetch(site, tmp_path, ending="m3u8", content=content)
    assert caught.value.permanent


@pytest.mark.parametrize("content", [f"{BOMB}<rss><channel><item><title>&b;</title></item></channel></rss>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_of_a_feed_are_not_read(content: str, encoding: str, site: Hostile) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{content}'
    url = site.answer("/feed.xml", text.encode(encoding), f"Content-Type: application/rss+xml; charset={encoding}")
    with pytest.raises(StageError, match="entities|No list|could not be read"):
        read_list(url, private_origins=[site.origin])
