"""Lists are told from single videos by their addresses."""

import pytest

from pipeline.stages.download import identify
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import ListAddressError, find_list, list_beside

ID = "i4b-_bNsajY"
CHANNEL_ID = "UCBR8-60-B28hp2BmDPdntcQ"
YOUTUBE = "https://www.youtube.com"


@pytest.mark.parametrize(
    "url",
    [
        f"{YOUTUBE}/playlist?list=PLabcdefghijk",
        "http://youtube.com/playlist?list=PLabcdefghijk&si=xyz",
        "https://m.youtube.com/playlist?list=PLabcdefghijk&playnext=1",
        "https://music.youtube.com/playlist?list=PLabcdefghijk",
        f"{YOUTUBE}/watch?list=PLabcdefghijk",
        f"{YOUTUBE}/watch?v={ID}&list=PLabcdefghijk&index=3&t=10s",
        f"https://youtu.be/{ID}?list=PLabcdefghijk",
        f"{YOUTUBE}/embed/videoseries?list=PLabcdefghijk",
        f"https://www.youtube-nocookie.com/embed/{ID}?list=PLabcdefghijk",
        f"{YOUTUBE}/feeds/videos.xml?playlist_id=PLabcdefghijk",
        " HTTPS://WWW.YOUTUBE.COM/playlist?list=PLabcdefghijk#top ",
    ],
)
def test_all_spellings_of_a_playlist_are_one(url: str) -> None:
    found = find_list(url)
    assert (found.url, found.kind) == (f"{YOUTUBE}/playlist?list=PLabcdefghijk", "playlist")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("@somebody", "@somebody/videos"),
        ("@somebody/", "@somebody/videos"),
        ("@somebody?si=abc", "@somebody/videos"),
        ("@somebody/featured", "@somebody/videos"),
        ("@somebody/about", "@somebody/videos"),
        ("@somebody/videos?view=0&sort=p", "@somebody/videos"),
        ("@somebody/streams", "@somebody/streams"),
        ("@somebody/shorts", "@somebody/shorts"),
        ("@somebody/playlists", "@somebody/playlists"),
        ("@somebody/search?query=an+interview", "@somebody/search?query=an%20interview"),
        ("@имя", "@%D0%B8%D0%BC%D1%8F/videos"),
        (f"channel/{CHANNEL_ID}", f"channel/{CHANNEL_ID}/videos"),
        (f"channel/{CHANNEL_ID}/videos", f"channel/{CHANNEL_ID}/videos"),
        ("c/Somebody", "c/Somebody/videos"),
        ("user/somebody/playlists", "user/somebody/playlists"),
        ("somebody", "somebody/videos"),
        ("somebody/videos", "somebody/videos"),
        (f"feeds/videos.xml?channel_id={CHANNEL_ID}", f"channel/{CHANNEL_ID}/videos"),
    ],
)
def test_a_channel_stands_for_its_videos_unless_another_tab_is_named(path: str, expected: str) -> None:
    for host in (YOUTUBE, "https://m.youtube.com", "http://youtube.com"):
        found = find_list(f"{host}/{path}")
        assert (found.url, found.kind) == (f"{YOUTUBE}/{expected}", "channel")


@pytest.mark.parametrize(
    "url",
    [
        f"{YOUTUBE}/results?search_query=interview",
        f"{YOUTUBE}/hashtag/interview",
        "https://vimeo.com/showcase/3253534",
        "https://vimeo.com/channels/tributes",
        "https://www.dailymotion.com/playlist/xv4bw",
        "https://www.ted.com/playlists/171/the_most_popular_talks_of_all",
        "https://example.org/talks.rss",
        "https://example.org/talks/feed/",
        "https://example.org/podcast.xml?page=2",
    ],
)
def test_other_lists_and_feeds_keep_their_address(url: str) -> None:
    assert find_list(url).url == url


@pytest.mark.parametrize(
    "url",
    [
        f"{YOUTUBE}/",
        f"{YOUTUBE}/watch?v={ID}",
        f"{YOUTUBE}/shorts/{ID}",
        f"{YOUTUBE}/live/{ID}",
        f"{YOUTUBE}/clip/UgytZKpehg-hEMBSn3F4AaABCQ",
        f"{YOUTUBE}/embed/{ID}",
        f"{YOUTUBE}/post/Ugabc",
        f"{YOUTUBE}/channel",
        f"{YOUTUBE}/playlist",
        f"{YOUTUBE}/feeds/videos.xml",
        "https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2F%40somebody",
        f"{YOUTUBE}/watch?v={ID}&list=",
        f"https://youtu.be/{ID}",
        "https://vimeo.com/76979871",
        "https://archive.org/details/Cops1922",
        "https://example.org/talk.html",
    ],
)
def test_other_addresses_name_no_list(url: str) -> None:
    assert find_list(url) is None


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://example.org/feed.rss", "https://u:p@example.org/feed.rss"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(StageError, match="address"):
        find_list(url)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"{YOUTUBE}/playlist?list=PLabcdefghijk", "playlist"),
        (f"{YOUTUBE}/@somebody", "channel"),
        ("https://vimeo.com/showcase/3253534", "list of videos"),
    ],
)
def test_where_one_video_is_wanted_the_way_to_the_list_is_told(url: str, kind: str) -> None:
    with pytest.raises(ListAddressError, match=f"is a {kind}, not one video; choose from its videos") as caught:
        identify(url)
    assert "add_video --list" in caught.value.message
    assert caught.value.list_address == find_list(url)


def test_a_list_beside_a_video_is_offered_and_the_video_stays_the_video() -> None:
    url = f"{YOUTUBE}/watch?v={ID}&list=PLabcdefghijk"
    assert identify(url).extractor_id == ID
    assert list_beside(url).url == f"{YOUTUBE}/playlist?list=PLabcdefghijk"
    assert list_beside(f"{YOUTUBE}/watch?v={ID}") is None


@pytest.mark.parametrize("name", ["WL", "LL", f"RD{ID}", "RDMM", "TLGGabcdef"])
def test_lists_made_for_one_viewer_are_not_offered_beside_a_video(name: str) -> None:
    assert list_beside(f"{YOUTUBE}/watch?v={ID}&list={name}") is None


def test_a_mix_keeps_the_video_that_it_grows_from() -> None:
    assert find_list(f"https://youtu.be/{ID}?list=RD{ID}").url == f"{YOUTUBE}/watch?v={ID}&list=RD{ID}"
