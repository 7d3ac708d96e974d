"""Trying a failed video again."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pipeline.choices import VideoState
from pipeline.queues import QueueUnavailable
from tests.factories import Factory


def test_it_queues_the_video_and_returns_to_the_page(factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    video = factory.make_video(state=VideoState.FAILED, error_message="No network.")
    response = admin_client.post(reverse("retry_video", args=[video.pk]), {"next": "/videos/?state=failed"})
    assert response["Location"] == "/videos/?state=failed"
    video.refresh_from_db()
    assert (video.state, video.error_message) == ("queued", "")
    assert queued == [("fetch_video", video.pk)]


def test_it_leaves_other_videos_alone(factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    video = factory.make_video()
    admin_client.post(reverse("retry_video", args=[video.pk]))
    video.refresh_from_db()
    assert video.state == "ready"
    assert not queued
    assert "nothing to start" in admin_client.get("/videos/").content.decode()


@pytest.mark.parametrize("there", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_it_never_sends_anyone_elsewhere(there: str, factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    video = factory.make_video(state=VideoState.FAILED)
    response = admin_client.post(reverse("retry_video", args=[video.pk]), {"next": there})
    assert response["Location"] == "/videos/"


def test_it_says_when_the_queue_is_away(
    factory: Factory, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(job: str, *pks: int) -> None:
        raise QueueUnavailable

    monkeypatch.setattr("pipeline.intake.enqueue_on_commit", away)
    video = factory.make_video(state=VideoState.FAILED)
    response = admin_client.post(reverse("retry_video", args=[video.pk]), follow=True)
    assert "queue server cannot be reached" in response.content.decode()
