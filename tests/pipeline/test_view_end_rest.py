"""Asking a resting site again, and what the pages say of rests and of captions that wait."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from pipeline.queues import get_queue
from tests.factories import Factory
from tests.pipeline.conftest import Command

URL = "/videos/sites/ask-again/"
REASON = "The site wants a pause; own cookies (DOWNLOAD_COOKIES) help."


@pytest.fixture
def resting(factory: Factory, settings: Any) -> DownloadSite:
    settings.TIME_ZONE = "Europe/Berlin"
    for _ in range(3):
        factory.make_video(state=VideoState.QUEUED, site="youtube.com", error_message=REASON)
    factory.make_video(site="youtube.com")
    until = timezone.now() + timedelta(hours=1)
    return DownloadSite.objects.create(name="youtube.com", rests_until=until, refusals=2, reason=REASON)


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def clock(moment: datetime | None) -> str:
    assert moment is not None
    return f"{timezone.localtime(moment):%H:%M %Z}"


@pytest.mark.parametrize("address", ["/videos/", "/videos/table/"])
def test_the_list_says_who_rests_until_when_and_why(
    address: str, resting: DownloadSite, admin_client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(10):
        response = admin_client.get(address)
    text = text_of(response)
    assert "youtube.com rests until" in text
    assert clock(resting.rests_until) in text
    assert "3 videos wait." in text
    assert REASON in text
    assert f'action="{URL}"' in response.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_sites(
    factory: Factory, admin_client: Client, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        DownloadSite.objects.create(name=f"site{number}.org", rests_until=timezone.now() + timedelta(hours=1))
        factory.make_video(state=VideoState.QUEUED, site=f"site{number}.org", url=f"https://site{number}.org/a")
    with django_assert_num_queries(10):
        text = text_of(admin_client.get("/videos/table/"))
    assert text.count("1 video waits.") == 5


def test_a_site_whose_rest_is_over_is_not_named(resting: DownloadSite, admin_client: Client) -> None:
    DownloadSite.objects.update(rests_until=timezone.now())
    assert "rests until" not in text_of(admin_client.get("/videos/"))


def test_the_video_s_page_says_why_it_waits(resting: DownloadSite, admin_client: Client) -> None:
    video = Video.objects.filter(state=VideoState.QUEUED).latest("pk")
    text = text_of(admin_client.get(reverse("show_video", args=[video.pk])))
    assert "youtube.com rests until" in text
    DownloadSite.objects.update(rests_until=None)
    text = text_of(admin_client.get(reverse("video_state", args=[video.pk])))
    assert "one after another; 2 before this one" in text


def test_an_admin_ends_a_rest(
    resting: DownloadSite, admin_client: Client, redis: Redis, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(URL, {"site": "youtube.com", "next": "/videos/?state=unfinished"}, follow=True)
    assert response.redirect_chain[0][0] == "/videos/?state=unfinished"
    assert "youtube.com is asked again" in text_of(response)
    resting.refresh_from_db()
    assert (resting.rests_until, resting.refusals) == (None, 2)
    first = Video.objects.filter(state=VideoState.QUEUED).earliest("pk")
    assert get_queue("download").job_ids == [f"fetch_video-{first.pk}"]


@pytest.mark.parametrize("site", ["vimeo.com", "", "<script>"])
def test_a_site_that_does_not_rest_is_told(site: str, admin_client: Client) -> None:
    response = admin_client.post(URL, {"site": site, "next": "https://evil.example/"}, follow=True)
    assert response.redirect_chain[0][0] == "/videos/"
    assert "does not rest" in text_of(response)


def test_it_rejects_get(admin_client: Client) -> None:
    assert admin_client.get(URL).status_code == 405


def test_it_asks_an_anonymous_visitor_to_sign_in(client: Client, db: None) -> None:
    assert client.post(URL).headers["Location"].startswith(reverse("login"))


def test_an_annotator_may_not(annotator_client: Client, resting: DownloadSite) -> None:
    assert annotator_client.post(URL, {"site": "youtube.com"}).status_code == 403
    resting.refresh_from_db()
    assert resting.rests_until is not None


def test_process_tells_of_rests(resting: DownloadSite, redis: Redis, command: Command) -> None:
    status, out, _ = command("process")
    assert status == 0
    assert f"youtube.com rests until {clock(resting.rests_until)}, 3 videos wait: {REASON}" in out.replace(
        f"{timezone.localtime(resting.rests_until):%Y-%m-%d} ", ""
    )
    _, out, _ = command("process", "--format", "json")
    assert '"site": "youtube.com"' in out
    assert '"waiting": 3' in out


# ---------------------------------------------------------------- captions that wait


@pytest.fixture
def waiting(factory: Factory) -> Video:
    return factory.make_video(
        state=VideoState.CAPTIONS_WAIT,
        captions_kind="",
        captions_asks=1,
        waits_until=timezone.now() + timedelta(hours=1),
        error_message="The site wants a pause before it hands out the captions (HTTP 429). The recording is kept.",
    )


def test_captions_that_wait_are_shown_with_what_can_be_done(waiting: Video, admin_client: Client) -> None:
    response = admin_client.get(reverse("show_video", args=[waiting.pk]))
    page, text = response.content.decode(), text_of(response)
    assert "Captions wait" in text
    assert "HTTP 429" in text
    assert f"asked for again at {clock(waiting.waits_until)}" in text.replace("tomorrow ", "")
    assert f'action="{reverse("upload_captions", args=[waiting.pk])}"' in page
    assert f'action="{reverse("retry_video", args=[waiting.pk])}"' in page
    assert "Ask now" in text
    assert "hold no segment" not in text
    assert "hx-trigger" not in page, "nothing moves for an hour"


def test_the_list_offers_them_by_state(waiting: Video, factory: Factory, admin_client: Client) -> None:
    factory.make_video()
    response = admin_client.get("/videos/", {"state": "captions-wait"})
    assert [video.pk for video in response.context["videos"]] == [waiting.pk]
    text = text_of(response)
    assert "Captions wait 1" in text
    assert "Upload captions" in text


def test_home_names_them(waiting: Video, admin_client: Client) -> None:
    text = text_of(admin_client.get(reverse("home")))
    assert "1 video without captions so far" in text
    assert "Captions wait" in text
