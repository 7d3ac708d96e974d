"""Lists of YouTube, as yt-dlp 2026.10 describes them before it looks up any video."""

from typing import Any

import pytest

from pipeline.stages.video_lists import ListedVideo, build_list

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
