"""`add_video --list`."""

import json
from typing import Any

import pytest

from pipeline.models import Video
from tests.factories import Factory
from tests.feeds import add_feed, add_talks
from tests.loopback import Site
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db
ID = "i4b-_bNsajY"


def test_it_shows_the_list_and_adds_nothing(command: Command, feeds: Site, queued: list[Any]) -> None:
    status, out, _ = command("add_video", "--list", add_talks(feeds, 2))
    assert status == 0
    assert f"Talks & more ({feeds.origin}/feed.xml)" in out
    assert "    1      1:05                    Talk 1\n" in out
    assert "Entries 1 to 2 of 2: 2 can be added, 0 here already, 0 cannot be added." in out
    assert not Video.objects.exists()
    assert not queued


def test_what_cannot_be_added_has_its_reason(command: Command, feeds: Site, factory: Factory) -> None:
    factory.make_video(extractor_id=ID, split="test")
    url = add_feed(
        feeds,
        ("Known", f"https://youtu.be/{ID}"),
        ("Elsewhere", "http://169.254.169.254/a.mp3"),
        ("Too long", f"{feeds.origin}/a.mp3", "5:00:00"),
        ("Podcast", f"{feeds.origin}/other.rss"),
    )
    status, out, _ = command("add_video", "--list", url)
    assert status == 0
    assert "test   Known" in out
    assert "169.254.169.254 is not among the sites that may be fetched" in out
    assert "It lasts 300 minutes; at most 240 are fetched." in out
    assert "This is a feed of its own." in out
    assert "0 can be added, 1 here already, 3 cannot be added." in out


@pytest.mark.parametrize(
    ("wanted", "added"), [("all", [1, 2, 3, 4]), ("2", [2]), ("1,3-4", [1, 3, 4]), ("4, 1", [4, 1]), ("2-2,2", [2])]
)
def test_it_adds_what_is_asked_for(
    wanted: str, added: list[int], command: Command, feeds: Site, queued: list[Any]
) -> None:
    url = add_talks(feeds, 4)
    status, out, _ = command("add_video", "--list", url, "--submit", wanted, "--split", "test")
    assert status == 0
    assert f"Queued: {len(added)} video" in out
    assert [(video.title, video.split) for video in Video.objects.all()] == [(f"Talk {n}", "test") for n in added]
    assert len(queued) == len(added)


def test_all_leaves_out_what_is_here_and_numbers_name_it(command: Command, feeds: Site, queued: list[Any]) -> None:
    url = add_talks(feeds, 2)
    command("add_video", "--list", url, "--submit", "1", "--split", "train")
    status, out, _ = command("add_video", "--list", url, "--submit", "1-3", "--split", "train")
    assert status == 0
    assert "Queued: 1 video." in out
    assert "already in the train split as “Talk 1”" in out
    assert "No entry with this number is shown." in out
    status, out, _ = command("add_video", "--list", url, "--submit", "all", "--split", "train")
    assert (status, "Queued: 0 videos." in out) == (0, True)


def test_a_long_list_goes_on(command: Command, feeds: Site) -> None:
    url = add_talks(feeds, 5)
    _, out, _ = command("add_video", "--list", url, "--from", 2, "--count", 2)
    assert "Entries 2 to 3 of 5" in out
    assert "The list goes on: --from 4 shows the next entries." in out
    _, out, _ = command("add_video", "--list", url, "--from", 9)
    assert "There is no entry from number 9 on." in out


def test_json_is_one_document_also_when_adding(command: Command, feeds: Site, queued: list[Any]) -> None:
    url = add_talks(feeds, 2)
    status, out, _ = command("add_video", "--list", url, "--submit", "2", "--split", "train", "--format", "json")
    document = json.loads(out)
    assert (status, document["total"], document["next"]) == (0, 2, None)
    assert [(entry["number"], entry["duration_s"]) for entry in document["entries"]] == [(1, 65.0), (2, 125.0)]
    assert [video["title"] for video in document["created"]] == ["Talk 2"]
    _, out, _ = command("add_video", "--list", url, "--format", "json")
    entry = json.loads(out)["entries"][1]
    assert (entry["video"], entry["split"]) == (Video.objects.get().pk, "train")


@pytest.mark.parametrize(
    ("path", "sentence"), [("/missing.xml", "nothing at this address"), ("/empty.html", "No list of videos was found")]
)
def test_failures_are_one_sentence(path: str, sentence: str, command: Command, feeds: Site) -> None:
    feeds.pages["/empty.html"] = "<html><body>Nothing.</body></html>"
    status, _, err = command("add_video", "--list", feeds.origin + path)
    assert (status, len(err.strip().splitlines())) == (1, 1)
    assert sentence in err


@pytest.mark.parametrize("url", ["http://169.254.169.254/feed.xml", "https://example.org/feed.rss", "nonsense", ""])
def test_lists_of_other_sites_are_not_opened(url: str, command: Command) -> None:
    status, _, err = command("add_video", "--list", url) if url else command("add_video", "--list=https:///")
    assert status == 1
    assert "not among the sites" in err or "not a web address" in err


@pytest.mark.parametrize(
    "rest",
    [
        ["--submit", "1"],
        ["--submit", "0", "--split", "train"],
        ["--submit", "1-", "--split", "train"],
        ["--submit", "3-1", "--split", "train"],
        ["--submit", "1-9999", "--split", "train"],
        ["--submit", "", "--split", "train"],
        ["--submit", "²", "--split", "train"],
        ["--from", "0"],
        ["--count", "201"],
        ["https://youtu.be/i4b-_bNsajY", "--split", "train"],
    ],
)
def test_wrong_usage_reads_nothing(rest: list[str], command: Command, feeds: Site) -> None:
    status, _, err = command("add_video", "--list", add_talks(feeds, 2), *rest)
    assert status
    assert "Error" in err
    assert not feeds.requests


def test_where_one_video_is_wanted_a_list_is_named(command: Command) -> None:
    status, out, _ = command("add_video", "https://www.youtube.com/@somebody", "--split", "train")
    assert status == 1
    assert "is a channel, not one video; choose from its videos" in out
    assert "add_video --list" in out


def test_import_dataset_names_lists_and_takes_the_rest(command: Command, tmp_path: Any, queued: list[Any]) -> None:
    table = tmp_path / "dataset.csv"
    table.write_text(
        "Id,URL,Title,Audio,Captions,Polarity,Pickle\n"
        f"1,https://youtu.be/{ID}?list=PLabcdefghijk,A,,,,\n2,https://www.youtube.com/playlist?list=PLabcdefghijk,B,,,,\n"
    )
    status, out, _ = command("import_dataset", table, "--split", "train")
    assert status == 0
    assert "line 3: https://www.youtube.com/playlist?list=PLabcdefghijk" in out
    assert "is a playlist, not one video" in out
    assert Video.objects.get().extractor_id == ID
