"""Lists read by yt-dlp from a site on loopback."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages import ytdlp_lists
from pipeline.stages.errors import StageError
from pipeline.stages.video_lists import MAX_POSITION, ListLimits, VideoList, read_list
from tests.feeds import add_feed, add_talks
from tests.loopback import Site, serving

LIMITS = ListLimits(requests=5, seconds=20, max_bytes=1_000_000, socket_timeout_s=3)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    with serving(folder) as site:
        yield site


def read(url: str, site: Site, **options: Any) -> VideoList:
    return read_list(url, **{"limits": LIMITS, "private_origins": [site.origin], **options})


def test_a_feed_is_read_in_one_request_and_none_of_its_videos_is_opened(site: Site) -> None:
    found = read(add_talks(site, 3), site)
    assert (found.title, found.total, found.next, found.problems) == ("Talks & more", 3, None, ())
    assert [(video.number, video.title, video.duration_s) for video in found.entries] == [
        (1, "Talk 1", 65.0),
        (2, "Talk 2", 125.0),
        (3, "Talk 3", 185.0),
    ]
    assert [video.identity.url for video in found.entries] == [f"{site.origin}/talk{n}.wav" for n in (1, 2, 3)]
    assert site.requests == ["GET /feed.xml"]


def test_a_long_list_comes_in_stretches(site: Site) -> None:
    url = add_talks(site, 7)
    numbers: list[int] = []
    first: int | None = 1
    while first:
        found = read(url, site, first=first, count=3)
        assert (found.first, found.total) == (first, 7)
        numbers += [video.number for video in found.entries]
        first = found.next
    assert numbers == [1, 2, 3, 4, 5, 6, 7]


def test_after_the_end_there_is_nothing(site: Site) -> None:
    found = read(add_talks(site, 2), site, first=9)
    assert (found.entries, found.next, found.total) == ((), None, 2)


def test_an_empty_feed_is_an_empty_list(site: Site) -> None:
    assert read(add_feed(site), site).entries == ()


def test_the_same_video_twice_is_shown_once_in_its_first_place(site: Site) -> None:
    one, other = f"{site.origin}/a.wav", f"{site.origin}/b.wav"
    found = read(add_feed(site, ("A", one), ("B", other), ("A again", f"{one}#t=3"), ("B", other)), site)
    assert [(video.number, video.title) for video in found.entries] == [(1, "A"), (2, "B")]
    assert found.repeated == 2


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("javascript:alert(1)", "not a web address"),
        ("file:///etc/passwd", "not a web address"),
        ("https://user:secret@example.org/a.mp3", "carries a user name"),
        (f"https://example.org/{'x' * 600}.mp3", "longer than 500"),
        ("https://www.youtube.com/", "not the address of one YouTube video"),
        ("https://www.youtube.com/@somebody", "a channel of its own"),
        ("https://vimeo.com/showcase/3253534", "a list of videos of its own"),
        ("/feed.xml", "back to the list itself"),
    ],
)
def test_what_is_no_single_video_is_shown_with_the_reason(address: str, problem: str, site: Site) -> None:
    (video,) = read(add_feed(site, ("One", address)), site).entries
    assert (video.title, video.identity) == ("One", None)
    assert problem in video.problem
    assert len(video.url) <= 500


def test_a_list_inside_a_list_keeps_its_address_to_be_read(site: Site) -> None:
    (video,) = read(add_feed(site, ("One", "https://m.youtube.com/@somebody")), site).entries
    assert video.list_url == "https://www.youtube.com/@somebody/videos"


def test_titles_are_one_line_without_control_characters(site: Site) -> None:
    (video,) = read(
        add_feed(site, ("<script>\n alert(1)</script> \u202egnp\u202c  \u009b31mred", "/a.wav")), site
    ).entries
    assert video.title == "<script> alert(1)</script> gnp 31mred"


def test_a_page_with_several_recordings_is_a_list_of_its_files(site: Site) -> None:
    site.pages["/two.html"] = (
        "<html><head><title>Two talks</title></head><body>"
        '<audio src="a.mp3"><track kind="captions" srclang="en" src="a.vtt"></audio><video src="b.mp4"></video>'
        "</body></html>"
    )
    first, second = read(f"{site.origin}/two.html", site).entries
    assert (first.url, second.url) == (f"{site.origin}/a.mp3", f"{site.origin}/b.mp4")
    assert (first.captions, second.captions) == ("manual", "")
    assert "captions beside it" in first.note


def test_one_video_is_a_list_of_one(site: Site) -> None:
    url = site.add_page("/one.html", "a.mp3", title="A talk")
    found = read(url, site)
    assert (found.title, found.total) == ("A talk", 1)
    assert [(video.title, video.url) for video in found.entries] == [("A talk", url)]


# ---------------------------------------------------------------- limits and failures


@pytest.fixture
def endless(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """A list whose every page, one request each, brings two entries and the next page."""
    site.pages["/page"] = "more"

    def open_endless(lister: Any, url: str) -> dict[str, Any]:
        def pages() -> Iterator[dict[str, Any]]:
            number = 0
            while True:
                lister.urlopen(f"{site.origin}/page").read()
                for _ in range(2):
                    number += 1
                    yield {"_type": "url", "url": f"{site.origin}/{number}.wav", "title": f"Talk {number}"}

        return {"_type": "playlist", "title": "Endless", "entries": pages()}

    monkeypatch.setattr(ytdlp_lists, "_open", open_endless)
    return f"{site.origin}/endless"


def test_an_endless_list_costs_no_more_requests_than_its_stretch(endless: str, site: Site) -> None:
    found = read(endless, site, count=4)
    assert (len(found.entries), found.next, found.total) == (4, 5, None)
    assert len(site.requests) == 3


def test_reading_stops_after_so_many_requests_and_says_so(endless: str, site: Site) -> None:
    found = read(endless, site)
    assert len(site.requests) == LIMITS.requests
    assert (len(found.entries), found.next) == (10, 11)
    assert found.problems == (
        "Reading stopped after 5 requests to the site. The entries after number 10 are not shown.",
    )


def test_nothing_within_the_limits_is_an_error(endless: str, site: Site) -> None:
    with pytest.raises(StageError, match="stopped after 5 requests .* as far as its entry 100") as caught:
        read(endless, site, first=100)
    assert not caught.value.permanent


def test_reading_stops_after_so_many_seconds(endless: str, site: Site) -> None:
    site.pages["/page"] = "x" * 10_000
    site.slow[""] = 0.2
    begun = time.monotonic()
    found = read(endless, site, limits=ListLimits(requests=1000, seconds=1, socket_timeout_s=3))
    assert time.monotonic() - begun < 6
    assert "Reading stopped after 1 seconds." in found.problems[0]


def test_a_list_without_end_does_not_fill_the_memory(site: Site) -> None:
    url = add_feed(site, ("x" * 2_000_000, "/a.wav"))
    with pytest.raises(StageError, match="larger than 1 MB"):
        read(url, site)


@pytest.mark.parametrize(("status", "sentence"), [(404, "nothing at this address"), (429, "pause"), (500, "HTTP 500")])
def test_errors_of_the_site_are_told_and_promise_no_new_try(status: int, sentence: str, site: Site) -> None:
    url = add_talks(site, 2)
    site.fail("/feed.xml", status)
    with pytest.raises(StageError, match=sentence) as caught:
        read(url, site)
    assert "it is tried again" not in caught.value.message


def test_a_page_without_any_list_says_so(site: Site) -> None:
    site.pages["/empty.html"] = "<html><body>Nothing here.</body></html>"
    with pytest.raises(StageError, match="No list of videos was found"):
        read(f"{site.origin}/empty.html", site)


def test_a_private_address_is_not_opened_whatever_leads_there(site: Site, tmp_path: Path) -> None:
    url = add_talks(site, 2)
    with pytest.raises(StageError, match="private network"):
        read_list(url, limits=LIMITS)
    assert not site.requests
    inner = tmp_path / "inner"
    inner.mkdir()
    with serving(inner) as other:
        add_talks(other, 2)
        site.redirects["/away.xml"] = f"{other.origin}/feed.xml"
        with pytest.raises(StageError, match="private network"):
            read(f"{site.origin}/away.xml", site)
        assert not other.requests


@pytest.mark.parametrize(("first", "count"), [(0, 5), (-3, 5), (MAX_POSITION + 1, 5), (1, 0), (1, 201)])
def test_positions_and_numbers_beyond_the_limits_are_refused(first: int, count: int, site: Site) -> None:
    with pytest.raises(StageError, match="read"):
        read(add_talks(site, 2), site, first=first, count=count)
    assert not site.requests
