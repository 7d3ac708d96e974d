"""The list of videos and its table."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pipeline.choices import VideoState
from tests.factories import Factory

LIST, TABLE = "/videos/", "/videos/table/"


def test_it_says_what_to_do_when_there_is_nothing(admin_client: Client) -> None:
    page = admin_client.get(LIST).content.decode()
    assert "No videos yet" in page
    assert re.search(r'<details class="add" id="add" open>', page)


def test_it_shows_state_duration_captions_segments_and_labels(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(title="A nurse", duration_s=3725, captions_kind="automatic")
    for label in ("positive", "positive", "negative"):
        factory.make_segment(video, label=label)
    factory.make_segment(video, label=None, exclusion="shorter than 2 s")
    response = admin_client.get(LIST)
    row = response.context["videos"][0]
    assert (row.n_kept, row.n_rejected) == (3, 1)
    assert (row.n_positive, row.n_neutral, row.n_negative) == (2, 0, 1)
    page = response.content.decode()
    for words in ("A nurse", "Ready", "1 h 2 min", "Automatic"):
        assert words in page


def test_labels_are_counted_under_the_policy_of_each_video(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(policy="seed-2019")
    segment = factory.make_segment(video, label=None)
    factory.make_text_label(segment, "positive", policy="recommended")
    factory.make_text_label(segment, "negative", policy="seed-2019")
    row = admin_client.get(LIST).context["videos"][0]
    assert (row.n_positive, row.n_negative) == (0, 1)


def test_errors_stand_in_words_beside_a_retry_button(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(state=VideoState.FAILED, error_message="This video is private.")
    page = admin_client.get(LIST).content.decode()
    assert "This video is private." in page
    assert f'action="{reverse("retry_video", args=[video.pk])}"' in page


def test_a_title_cannot_bring_markup_along(factory: Factory, admin_client: Client) -> None:
    factory.make_video(title="<script>alert(1)</script>")
    assert "<script>alert" not in admin_client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"split": "test"}, {"Done test"}),
        ({"state": "ready"}, {"Done test", "Done train"}),
        ({"state": "unfinished"}, {"Queued"}),
        ({"state": "no-captions"}, {"Silent"}),
        ({"state": "failed"}, set()),
        ({"q": "done", "split": "train"}, {"Done train"}),
        ({"q": "silent-id"}, {"Silent"}),
        ({"state": "nonsense", "split": "nonsense", "page": "x"}, {"Done test", "Done train", "Queued", "Silent"}),
    ],
)
def test_it_filters(query: dict[str, str], titles: set[str], factory: Factory, admin_client: Client) -> None:
    factory.make_video(title="Done train")
    factory.make_video(title="Done test", split="test")
    factory.make_video(title="Queued", state=VideoState.QUEUED)
    factory.make_video(title="Silent", state=VideoState.NO_CAPTIONS, url="https://www.youtube.com/watch?v=silent-id")
    response = admin_client.get(LIST, query)
    assert {video.title for video in response.context["videos"]} == titles
    if not titles:
        assert "No video matches" in response.content.decode()


def test_it_shows_fifty_at_once(factory: Factory, admin_client: Client) -> None:
    for _ in range(51):
        factory.make_video()
    assert len(admin_client.get(LIST).context["videos"]) == 50
    second = admin_client.get(LIST, {"page": "2", "split": "train"})
    assert len(second.context["videos"]) == 1
    assert 'href="/videos/?page=1&amp;split=train"' in second.content.decode()


def test_it_polls_only_while_something_is_unfinished(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(
        state=VideoState.FETCHING, progress_what="Downloading", progress_done=43, progress_total=100
    )
    page = admin_client.get(TABLE, {"split": "train"}).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert 'hx-get="/videos/table/?split=train&amp;page=1"' in page
    assert "Downloading, 43 %" in page
    video.enter(VideoState.READY)
    assert "hx-trigger" not in admin_client.get(TABLE).content.decode()


def test_the_table_alone_has_no_page_around_it(factory: Factory, admin_client: Client) -> None:
    factory.make_video()
    page = admin_client.get(TABLE).content.decode()
    assert page.lstrip().startswith('<div id="videos-table"')
    assert "<html" not in page


@pytest.mark.parametrize("address", [LIST, TABLE])
def test_its_queries_do_not_grow(
    address: str, factory: Factory, admin_client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(12):
        factory.make_segment(factory.make_video())
    # session, user, groups; counts per state; number, keys and rows of the page, their segments and labels;
    # sites that rest
    with django_assert_num_queries(10):
        admin_client.get(address)


@pytest.mark.parametrize("way", ["urls", "dataset", "upload"])
def test_a_link_opens_the_form_it_names(admin_client: Client, way: str) -> None:
    page = admin_client.get(reverse("list_videos"), {"add": way}).content.decode()
    assert re.search(rf'id="way-{way}"\s+checked', page)
    assert re.search(r'<details class="add" id="add"\s+open', page)
