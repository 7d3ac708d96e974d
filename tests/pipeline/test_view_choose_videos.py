"""Choosing videos from a list: its address, the reading, the table, and adding what was chosen."""

from typing import Any

import pytest
from django.test import Client
from redis import Redis

from pipeline import listing
from pipeline.models import Video
from pipeline.queues import QueueUnavailable
from tests.factories import Factory
from tests.feeds import add_feed, add_talks
from tests.loopback import Site

ADDRESS, FOUND, READ, ADD = "/videos/lists/", "/videos/lists/found/", "/videos/lists/read/", "/videos/lists/add/"
ID = "i4b-_bNsajY"


def read(client: Client, url: str, **fields: Any) -> Any:
    """The chooser, once the list is read."""
    response = client.post(READ, {"url": url, "split": "test", "policy": "seed-2019", **fields})
    assert response.status_code == 302, response.content.decode()
    return client.get(response["Location"])


def add(client: Client, url: str, videos: list[str], **fields: Any) -> Any:
    return client.post(
        ADD, {"url": url, "first": 1, "videos": videos, "split": "test", "policy": "seed-2019", **fields}
    )


def test_the_list_is_shown_with_its_videos_and_nothing_is_added(
    admin_client: Client, worker: None, feeds: Site, queued: list[Any]
) -> None:
    response = read(admin_client, add_talks(feeds, 3))
    page = response.content.decode()
    assert "Talks &amp; more" in page
    assert [row.entry.title for row in response.context["rows"]] == ["Talk 1", "Talk 2", "Talk 3"]
    assert "1 min 5 s" in page
    assert response.context["chosen_form"]["split"].value() == "test"
    assert "checked" not in page.partition("<tbody>")[2]
    assert not Video.objects.exists()
    assert not queued


def test_what_cannot_be_added_is_disabled_and_says_why(
    admin_client: Client, worker: None, feeds: Site, factory: Factory
) -> None:
    video = factory.make_video(extractor_id=ID, split="train")
    url = add_feed(
        feeds,
        ("<b>Bold</b>", f"{feeds.origin}/a.wav"),
        ("Known", f"https://youtu.be/{ID}"),
        ("Bad", "http://10.0.0.1/a.mp3"),
        ("More", "https://www.youtube.com/@somebody"),
    )
    response = read(admin_client, url)
    page = response.content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>Bold" not in page
    assert page.count("disabled") == 3
    assert f'<a href="/videos/{video.pk}/">In train</a>' in page
    assert "10.0.0.1 is not among the sites" in page
    assert "This is a channel of its own." in page
    assert "/videos/lists/?url=https%3A%2F%2Fwww.youtube.com%2F%40somebody%2Fvideos" in page
    assert "1 can be added, 1 is here already, 2 cannot be added." in " ".join(page.split())


def test_all_that_can_be_added_are_ticked_by_a_plain_link(admin_client: Client, worker: None, feeds: Site) -> None:
    response = read(admin_client, add_feed(feeds, ("A", "/a.wav"), ("B", "/b.wav"), ("Bad", "javascript:x")))
    query = response.wsgi_request.META["QUERY_STRING"]
    page = admin_client.get(f"{ADDRESS}?{query}&all=1").content.decode()
    assert page.partition("<tbody>")[2].count("checked") == 2
    assert "2 of 2 chosen" in page


def test_the_number_of_queries_does_not_grow_with_the_list(
    admin_client: Client, worker: None, feeds: Site, django_assert_num_queries: Any
) -> None:
    for number in (2, 150):
        url = add_talks(feeds, number, path=f"/{number}.xml")
        there = read(admin_client, url).wsgi_request.get_full_path()
        with django_assert_num_queries(4):  # session, person, role, videos
            admin_client.get(there)


def test_a_long_list_has_pages(
    admin_client: Client, worker: None, feeds: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = add_talks(feeds, 203)
    page = read(admin_client, url)
    assert "Entries 1–200 of 203" in page.content.decode()
    assert "From number 201" in page.content.decode()
    page = read(admin_client, url, first=201)
    assert [row.entry.number for row in page.context["rows"]] == [201, 202, 203]
    assert "From number 1<" in page.content.decode()
    assert "No videos" in read(admin_client, url, first=400).content.decode()


def test_while_it_is_read_the_page_asks_again(
    admin_client: Client, redis: Redis, feeds: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = add_talks(feeds, 3)
    response = read(admin_client, url)
    page = response.content.decode()
    assert f'hx-get="{FOUND}?' in page
    assert "No worker is running, so the list waits" in page
    monkeypatch.setattr(listing, "has_worker", lambda: True)
    assert '<noscript><meta http-equiv="refresh"' in page
    there = FOUND + "?" + response.wsgi_request.META["QUERY_STRING"]
    assert "Waits for a worker" in admin_client.get(there).content.decode()
    listing.carry_out(listing._key(url, 1))
    page = admin_client.get(there).content.decode()
    assert "hx-get" not in page
    assert "Talk 3" in page
    assert "<html" not in page


def test_a_list_that_is_not_read_yet_has_a_button(admin_client: Client, redis: Redis, feeds: Site) -> None:
    page = admin_client.get(ADDRESS, {"url": add_talks(feeds, 3)}).content.decode()
    assert "Read the list" in page
    assert not feeds.requests
    assert not redis.keys("*")


def test_a_failure_is_shown(admin_client: Client, worker: None, feeds: Site) -> None:
    page = read(admin_client, f"{feeds.origin}/missing.xml").content.decode()
    assert "nothing at this address" in page
    assert "Read it again" in page


def test_it_reads_again_when_asked(admin_client: Client, worker: None, feeds: Site) -> None:
    url = add_talks(feeds, 1)
    read(admin_client, url)
    add_talks(feeds, 2)
    assert len(read(admin_client, url).context["rows"]) == 1
    assert len(read(admin_client, url, again="1").context["rows"]) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": ""}, "Paste the address of a list."),
        ({"url": "nonsense"}, "is not a web address"),
        ({"url": "http://169.254.169.254/"}, "not among the sites"),
        ({"url": "https://example.org/feed.rss"}, "not among the sites"),
        ({"url": "https://www.youtube.com/@x", "first": "5001"}, "read from number 1 to 5000"),
        ({"url": "https://www.youtube.com/@x", "split": "both"}, "Select a valid choice"),
    ],
)
def test_it_explains_bad_addresses(fields: dict[str, str], sentence: str, admin_client: Client, redis: Redis) -> None:
    response = admin_client.post(READ, fields)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not redis.keys("*")


@pytest.mark.parametrize(
    "query", ["", "?url=nonsense", "?url=http://10.0.0.1/", "?first=x", "?url=%00&first=-1", "?url=" + "x" * 600]
)
def test_an_odd_address_of_the_page_is_no_error(query: str, admin_client: Client, redis: Redis) -> None:
    for address in (ADDRESS, FOUND):
        assert admin_client.get(address + query).status_code == 200


def test_without_a_queue_server_it_says_so(admin_client: Client, settings: Any, tmp_path: Any, feeds: Site) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    url = add_talks(feeds, 1)
    response = admin_client.post(READ, {"url": url})
    assert response.status_code == 422
    assert "queue server cannot be reached" in response.content.decode()
    assert "queue server cannot be reached" in admin_client.get(ADDRESS, {"url": url}).content.decode()


# ---------------------------------------------------------------- adding


def test_it_adds_what_was_chosen(admin_client: Client, worker: None, feeds: Site, queued: list[Any]) -> None:
    url = add_talks(feeds, 3)
    read(admin_client, url)
    response = add(admin_client, url, [f"{feeds.origin}/talk1.wav", f"{feeds.origin}/talk3.wav"])
    assert (response.status_code, response["Location"]) == (302, "/videos/")
    videos = list(Video.objects.all())
    assert [(video.title, video.split, video.policy) for video in videos] == [
        ("Talk 1", "test", "seed-2019"),
        ("Talk 3", "test", "seed-2019"),
    ]
    assert queued == [("fetch_video", video.pk) for video in videos]
    page = admin_client.get("/videos/").content.decode()
    assert "2 videos added." in page
    assert "Go on choosing from “Talks &amp; more”" in page


def test_titles_are_not_taken_as_markup(admin_client: Client, worker: None, feeds: Site, queued: list[Any]) -> None:
    url = add_feed(feeds, ("<script>alert(1)</script>", f"{feeds.origin}/a.wav"))
    read(admin_client, url)
    add(admin_client, url, [f"{feeds.origin}/a.wav"])
    assert "<script>alert(1)" not in admin_client.get("/videos/").content.decode()


def test_what_came_meanwhile_is_refused_by_name_and_the_rest_is_added(
    admin_client: Client, worker: None, feeds: Site, factory: Factory, queued: list[Any]
) -> None:
    url = add_feed(feeds, ("A", f"https://youtu.be/{ID}"), ("B", f"{feeds.origin}/b.wav"))
    read(admin_client, url)
    factory.make_video(extractor_id=ID, title="The first", split="train")
    response = add(admin_client, url, [f"https://www.youtube.com/watch?v={ID}", f"{feeds.origin}/b.wav"])
    page = response.content.decode()
    assert response.status_code == 422
    assert "already in the train split as “The first”" in page
    assert "1 video added." in page
    assert len(queued) == 1


@pytest.mark.parametrize(
    "video", ["http://169.254.169.254/a.mp3", "javascript:alert(1)", "https://www.youtube.com/@somebody", "nonsense"]
)
def test_what_the_form_did_not_offer_is_refused(
    video: str, admin_client: Client, worker: None, feeds: Site, queued: list[Any]
) -> None:
    response = add(admin_client, add_talks(feeds, 1), [video])
    assert response.status_code == 422
    assert "1 not added" in response.content.decode()
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    ("videos", "fields", "sentence"),
    [
        ([], {}, "Choose at least one video."),
        (["https://youtu.be/" + ID] * 201, {}, "choose at most 200 at once"),
        (["https://youtu.be/" + ID], {"split": "both"}, "Select a valid choice"),
    ],
)
def test_it_explains_a_bad_choice(
    videos: list[str], fields: dict[str, str], sentence: str, admin_client: Client, worker: None, feeds: Site
) -> None:
    url = add_talks(feeds, 2)
    read(admin_client, url)
    response = add(admin_client, url, videos, **fields)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Video.objects.exists()


def test_without_a_queue_server_what_was_chosen_is_stored(
    admin_client: Client, settings: Any, tmp_path: Any, feeds: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*job: Any) -> None:
        raise QueueUnavailable

    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    monkeypatch.setattr("pipeline.intake.enqueue_on_commit", away)
    assert add(admin_client, add_talks(feeds, 1), [f"{feeds.origin}/talk1.wav"]).status_code == 302
    assert Video.objects.count() == 1
    assert "queue server cannot be reached" in admin_client.get("/videos/").content.decode()
