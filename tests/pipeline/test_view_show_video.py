"""One video with its segments, its state and its fragments."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pipeline.choices import VideoState
from pipeline.models import Segment, Video
from tests.factories import Factory
from tests.pipeline.page_fixtures import give_audio


@pytest.fixture
def video(factory: Factory) -> Video:
    video = factory.make_video(title="A nurse", captions_notes=["Line 4: the time could not be read."])
    give_audio(video, duration_s=20)
    for label in ("positive", "neutral", "negative"):
        factory.make_segment(video, label=label)
    factory.make_segment(video, label=None, text="Hm.", exclusion="fewer than 4 words")
    weak = factory.make_segment(video, label=None, text="Rather nice.")
    weak.text_labels.create(policy="recommended", vader=0.1, textblob=0.2, pattern=0.15, mean=0.15, rejection="weak")
    return video


def _show(client: Client, video: Video, **query: Any) -> Any:
    return client.get(reverse("show_video", args=[video.pk]), query)


def test_it_shows_facts_segments_polarities_and_reasons(video: Video, admin_client: Client) -> None:
    page = _show(admin_client, video).content.decode()
    for words in ("A nurse", "Line 4: the time could not be read.", "This is sentence number 0.", "+0.50", "−0.50"):
        assert words in page
    for words in ("fewer than 4 words", "too weak", "+0.15", "0:04.0", "0:07.0"):
        assert words in page


def test_it_shows_who_speaks_apart_from_the_words(video: Video, factory: Factory, admin_client: Client) -> None:
    factory.make_segment(video, text="We missed <it>.", speaker="Sam <Green>")
    page = _show(admin_client, video).content.decode()
    assert '<span class="segment__speaker">Sam &lt;Green&gt;<span class="visually-hidden">:</span></span>' in page
    assert page.count("segment__speaker") == 1


def test_each_row_links_to_its_clip_without_scripts(video: Video, admin_client: Client) -> None:
    page = _show(admin_client, video).content.decode()
    for segment in video.segments.all():
        assert f'href="{reverse("segment_clip", args=[segment.pk])}"' in page


def test_the_policy_of_the_header_allows_only_the_players_own_style(video: Video, admin_client: Client) -> None:
    response = _show(admin_client, video)
    header = response["Content-Security-Policy"]
    nonce = re.search(r"style-src 'self' 'nonce-([^']+)'", header)
    assert nonce, header
    assert f'data-nonce="{nonce[1]}"' in response.content.decode()
    assert "unsafe" not in header


def test_the_map_holds_every_segment_in_its_lane(video: Video, admin_client: Client) -> None:
    found = re.search(r'<script id="segments-map"[^>]*>(.*?)</script>', _show(admin_client, video).content.decode())
    assert found
    segments = json.loads(found[1])
    assert [lane for _, _, _, lane in segments] == [0, 1, 2, 4, 3]
    assert [start for _, start, _, _ in segments] == [0, 4000, 8000, 12000, 16000]


@pytest.mark.parametrize(
    ("show", "positions"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("kept", [0, 1, 2, 4]),
        ("rejected", [3]),
        ("unlabelled", [4]),
        ("positive", [0]),
        ("neutral", [1]),
        ("negative", [2]),
        ("nonsense", [0, 1, 2, 3, 4]),
    ],
)
def test_it_filters_and_counts(show: str, positions: list[int], video: Video, admin_client: Client) -> None:
    response = admin_client.get(reverse("video_segments", args=[video.pk]), {"show": show})
    assert [segment.position for segment in response.context["page"]] == positions
    counts = {value: count for value, _, count in response.context["shows"]}
    assert counts == {"": 5, "kept": 4, "rejected": 1, "unlabelled": 1, "positive": 1, "neutral": 1, "negative": 1}


def test_a_segment_that_no_text_stage_has_seen_is_without_label(factory: Factory, admin_client: Client) -> None:
    segment = factory.make_segment(label=None)
    response = _show(admin_client, segment.video, show="unlabelled")
    assert list(response.context["page"]) == [segment]
    assert ("unlabelled", "Without label", 1) in response.context["shows"]


def test_the_labels_are_those_of_the_chosen_policy(factory: Factory, admin_client: Client) -> None:
    segment = factory.make_segment(label=None)
    factory.make_text_label(segment, "positive", policy="recommended")
    factory.make_text_label(segment, "negative", policy="seed-2019")
    for policy, label in (("recommended", "positive"), ("seed-2019", "negative")):
        rows = _show(admin_client, segment.video, policy=policy).context["page"]
        assert [one.label for one in rows[0].chosen_labels] == [label]


def test_the_prediction_is_that_of_the_chosen_run(video: Video, factory: Factory, admin_client: Client) -> None:
    segment = video.segments.all()[0]
    first, second, other = factory.make_run(), factory.make_run(), factory.make_run()
    factory.make_prediction(first, segment, "neutral", fold=2)
    factory.make_prediction(second, segment, "negative", p_negative=0.62)
    factory.make_prediction(other, factory.make_segment(), "positive")
    latest = _show(admin_client, video)
    assert [run.pk for run in latest.context["runs"]] == [second.pk, first.pk]
    assert "62 %" in latest.content.decode()
    chosen = _show(admin_client, video, run=first.pk)
    assert chosen.context["page"][0].chosen_predictions[0].label == "neutral"
    assert "Out of fold 3" in chosen.content.decode()


def test_it_turns_pages(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video()
    Segment.objects.bulk_create(
        Segment(video=video, position=n, start_ms=1000 * n, end_ms=1000 * n + 900, text="Words.", policy="recommended")
        for n in range(150)
    )
    assert len(_show(admin_client, video).context["page"]) == 100
    assert [row.position for row in _show(admin_client, video, page=2).context["page"]] == list(range(100, 150))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (VideoState.FETCHING, "as soon as the captions are read"),
        (VideoState.FAILED, "could not be prepared"),
        (VideoState.STORED, "Press Fetch"),
        (VideoState.NO_CAPTIONS, "Upload captions"),
        (VideoState.READY, "hold no segment"),
    ],
)
def test_a_video_without_segments_says_what_to_do(
    state: str, words: str, factory: Factory, admin_client: Client
) -> None:
    assert words in _show(admin_client, factory.make_video(state=state)).content.decode()


def test_the_state_polls_until_it_is_settled_and_tells_of_a_change(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(state=VideoState.LABELLING)
    address = reverse("video_state", args=[video.pk])
    same = admin_client.get(address, {"seen": "labelling"})
    assert 'hx-trigger="every 2s"' in same.content.decode()
    assert "HX-Trigger" not in same
    video.enter(VideoState.READY)
    changed = admin_client.get(address, {"seen": "labelling"})
    assert "hx-trigger" not in changed.content.decode()
    assert json.loads(changed["HX-Trigger"]) == {"crossmodal:changed": {"state": "ready"}}


def test_its_queries_do_not_grow(factory: Factory, admin_client: Client, django_assert_num_queries: Any) -> None:
    video = factory.make_video()
    runs = [factory.make_run(), factory.make_run()]
    for _ in range(30):
        segment = factory.make_segment(video)
        for run in runs:
            factory.make_prediction(run, segment)
    # session, user, groups, video, its segments and labels;
    # runs, counts, number of rows, rows, their labels and predictions; map
    with django_assert_num_queries(13):
        _show(admin_client, video)


def test_it_says_beside_the_labels_that_the_text_is_hardly_english(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video()
    for _ in range(3):
        factory.make_segment(video, text="Wir haben gestern mit der ganzen Familie gegessen und es war schön.")
    words = "This is hardly English"
    assert words in _show(admin_client, video).content.decode()
    assert words in admin_client.get(reverse("video_segments", args=[video.pk])).content.decode()
    assert words not in _show(admin_client, factory.make_video()).content.decode()
