"""Lists of YouTube, as yt-dlp 2026.10 describes them before it looks up any video."""

from typing import Any

import pytest

from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.list_entries import ListedVideo
from pipeline.stages.video_lists import ListLimits, VideoList, build_list, read_list
from tests.youtube.lists import Entry
from tests.youtube.lists import VideoList as YoutubeList
from tests.youtube.site import Tube

CHANNEL = "UCgardeners0000000000000"
URL = "https://www.youtube.com/playlist?list=PLabcdefghijk"


def entry(video: str = "i4b-_bNsajY", **changes: Any) -> dict[str, Any]:
    """An entry as the extractor of YouTube's tabs gives it."""
    return {
        "_type": "url",
        "ie_key": "Youtube",
        "id": video,
        "url": f"https://www.youtube.com/watch?v={video}",
        "title": "An interview",
        "description": None,
        "duration": 754,
        "channel": "Somebody",
        "availability": None,
        "live_status": None,
        **changes,
    }


def listed(**changes: Any) -> ListedVideo:
    (video,) = build_list(URL, {"_type": "playlist", "title": "Interviews"}, ((1, entry(**changes)),)).entries
    return video


def test_a_video_of_a_playlist() -> None:
    video = listed()
    assert (video.title, video.duration_s, video.captions, video.problem) == ("An interview", 754.0, "", "")
    assert (video.identity.extractor, video.identity.extractor_id) == ("youtube", "i4b-_bNsajY")


@pytest.mark.parametrize("url", ["https://www.youtube.com/shorts/i4b-_bNsajY", "i4b-_bNsajY"])
def test_shorts_and_bare_ids_are_videos(url: str) -> None:
    assert listed(url=url).url == "https://www.youtube.com/watch?v=i4b-_bNsajY"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": "[Private video]", "duration": None}, "private or has been deleted"),
        ({"title": "[Deleted video]", "duration": None}, "private or has been deleted"),
        ({"availability": "private"}, "private or has been deleted"),
        ({"live_status": "is_live"}, "live broadcast"),
        ({"live_status": "is_upcoming"}, "live broadcast"),
    ],
)
def test_what_nobody_can_fetch_is_told(changes: dict[str, Any], problem: str) -> None:
    video = listed(**changes)
    assert video.identity is None
    assert problem in video.problem


@pytest.mark.parametrize("changes", [{"live_status": "was_live"}, {"availability": "unlisted"}, {"duration": None}])
def test_past_broadcasts_and_unlisted_videos_can_be_chosen(changes: dict[str, Any]) -> None:
    video = listed(**changes)
    assert video.identity
    assert not video.note


def test_videos_for_members_carry_a_note() -> None:
    video = listed(availability="subscriber_only")
    assert video.identity
    assert "members" in video.note


def test_playlists_of_a_channel_are_lists_of_their_own() -> None:
    other = "https://www.youtube.com/playlist?list=PLanother"
    video = listed(ie_key="YoutubeTab", url=other, title="More")
    assert (video.identity, video.list_url) == (None, other)
    assert "a playlist of its own" in video.problem


def test_the_tabs_of_a_channel_without_videos_are_lists_of_their_own() -> None:
    tab = {"_type": "playlist", "title": "Somebody - Live", "webpage_url": "https://www.youtube.com/@x/streams"}
    (video,) = build_list("https://www.youtube.com/@x/videos", {"_type": "playlist"}, ((1, tab),)).entries
    assert (video.identity, video.list_url) == (None, "https://www.youtube.com/@x/streams")


def test_a_playlist_inside_itself_is_not_followed() -> None:
    video = listed(ie_key="YoutubeTab", url=URL)
    assert (video.identity, video.list_url) == (None, "")
    assert "back to the list itself" in video.problem


def test_the_total_is_what_the_site_says_or_where_the_list_ended() -> None:
    entries = ((1, entry()), (2, entry("jNQXAC9IVRw")))
    said = build_list(URL, {"playlist_count": 250}, entries, more=True)
    assert (said.total, said.next) == (250, 3)
    assert build_list(URL, {}, entries, more=True).total is None
    assert build_list(URL, {"playlist_count": 250}, entries).total == 2


def test_files_of_one_archive_item_have_addresses_of_their_own() -> None:
    info = {"_type": "playlist", "extractor": "archive.org", "webpage_url": "https://archive.org/details/gd1977"}
    files = [{"id": f"gd1977/disc 1/0{n}.flac", "title": f"Part {n}", "duration": 60.5} for n in (1, 2)]
    found = build_list("https://archive.org/details/gd1977", info, tuple(enumerate(files, start=1)))
    assert [video.url for video in found.entries] == [
        "https://archive.org/details/gd1977/disc%201/01.flac",
        "https://archive.org/details/gd1977/disc%201/02.flac",
    ]
    assert all(video.identity for video in found.entries)


# ---------------------------------------------------------------- through yt-dlp, from the YouTube on loopback


def read(tube: Tube, url: str, **options: Any) -> VideoList:
    return read_list(url, options=DownloadOptions(proxy=tube.proxy, request_pause_s=0), **options)


def entries(count: int, start: int = 0) -> list[Entry]:
    return [Entry(f"listed{number:05d}", f"Talk {number}", 60 + number) for number in range(start, start + count)]


def test_a_playlist_is_read_a_stretch_at_a_time(tube: Tube) -> None:
    there = tube.add_list(YoutubeList("PLgardeners01", "Talks of gardeners", entries(250)))
    found = read(tube, there.address)
    assert (found.title, found.total, found.first, found.last) == ("Talks of gardeners", 250, 1, 200)
    assert (found.entries[0].title, found.entries[0].duration_s) == ("Talk 0", 60.0)
    assert found.next == 201
    rest = read(tube, there.address, first=found.next)
    assert [video.number for video in rest.entries] == list(range(201, 251))
    assert (rest.next, rest.total) == (None, 250)


def test_no_video_of_a_list_is_opened(tube: Tube) -> None:
    read(tube, tube.add_list(YoutubeList("PLgardeners01", "Talks", entries(3))).address)
    assert not [path for path in tube.paths() if path.endswith("/player") or path == "/watch"]


@pytest.mark.parametrize("path", ["/@gardeners", "/@gardeners/videos", "/@gardeners/featured", f"/channel/{CHANNEL}"])
def test_a_channel_shows_its_videos(path: str, tube: Tube) -> None:
    tube.add_list(
        YoutubeList(
            CHANNEL, "Gardeners", entries(40), handle="@gardeners", shorts=[Entry("short000001", "Short", note="short")]
        )
    )
    found = read(tube, f"https://www.youtube.com{path}")
    assert [video.title for video in found.entries] == [f"Talk {n}" for n in range(40)]
    assert all(video.identity for video in found.entries)
    shorts = read(tube, "https://www.youtube.com/@gardeners/shorts")
    assert [video.url for video in shorts.entries] == ["https://www.youtube.com/watch?v=short000001"]


def test_a_channel_without_videos_shows_what_tabs_it_has(tube: Tube) -> None:
    tube.add_list(
        YoutubeList(
            CHANNEL,
            "Gardeners",
            handle="@gardeners",
            shorts=[Entry("short000001", "Short", note="short")],
            broadcasts=[Entry("stream00001", "Broadcast", 3600)],
        )
    )
    found = read(tube, "https://www.youtube.com/@gardeners")
    assert {video.list_url for video in found.entries} == {
        "https://www.youtube.com/@gardeners/streams",
        "https://www.youtube.com/@gardeners/shorts",
    }
    with pytest.raises(StageError, match="no such tab"):
        read(tube, "https://www.youtube.com/@gardeners/playlists")


def test_what_cannot_be_fetched_is_told_where_the_list_tells(tube: Tube) -> None:
    notes = ["", "private", "deleted", "live", "upcoming", "members"]
    listed_there = [Entry(f"listed{n:05d}", f"Talk {n}", 60, note) for n, note in enumerate(notes)]
    found = read(tube, tube.add_list(YoutubeList("PLgardeners01", "Talks", listed_there)).address)
    told = {video.number: video.problem or video.note for video in found.entries}
    assert told == {
        1: "",
        2: "It is private or has been deleted.",
        3: "It is private or has been deleted.",
        4: "This is a live broadcast; submit it when it is over.",
        5: "This is a live broadcast; submit it when it is over.",
        6: "Open to members or signed-in people only.",
    }


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/playlist?list=PLnobody00001", "no such playlist"),
        ("/@nobody", "nothing at this address"),
        ("/c/nobody", "nothing at this address"),
    ],
)
def test_a_list_that_is_not_there_is_told(path: str, sentence: str, tube: Tube) -> None:
    with pytest.raises(StageError, match=sentence) as caught:
        read(tube, f"https://www.youtube.com{path}")
    assert caught.value.permanent


def test_a_list_that_breaks_off_shows_what_came_and_says_so(tube: Tube) -> None:
    there = tube.add_list(YoutubeList("PLgardeners01", "Talks", entries(250), further_status=429))
    found = read(tube, there.address)
    assert (found.last, found.next, found.total) == (100, 101, 250)
    assert "pause" in found.problems[0]
    assert "The entries after number 100 are not shown." in found.problems[0]


def test_a_long_channel_ends_where_the_limits_do(tube: Tube) -> None:
    tube.add_list(YoutubeList(CHANNEL, "Gardeners", entries(600), handle="@gardeners"))
    limits = ListLimits(requests=4)
    found = read(tube, "https://www.youtube.com/@gardeners", limits=limits)
    assert len([one for one in tube.asked if one.host == "www.youtube.com"]) == 4
    assert found.next == found.last + 1
    assert "Reading stopped after 4 requests" in found.problems[0]
    with pytest.raises(StageError, match="cannot be read as far as its entry 500"):
        read(tube, "https://www.youtube.com/@gardeners", first=500, limits=limits)
