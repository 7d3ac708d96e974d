"""Pasting addresses."""

from typing import Any

import pytest
from django.test import Client

from pipeline.models import Video
from pipeline.queues import QueueUnavailable
from tests.factories import Factory

ADDRESS = "/videos/add/"
ONE, OTHER = "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://youtu.be/jNQXAC9IVRw"


def _send(client: Client, urls: str, **fields: str) -> Any:
    return client.post(ADDRESS, {"urls": urls, "split": "train", "policy": "recommended", **fields})


def test_it_adds_and_queues_each_line(admin_client: Client, queued: list[Any]) -> None:
    response = _send(admin_client, f"{ONE}\n\n  {OTHER}  \n", split="test", policy="seed-2019")
    assert (response.status_code, response["Location"]) == (302, "/videos/")
    videos = list(Video.objects.all())
    assert [(video.split, video.policy, video.submitted_url) for video in videos] == [
        ("test", "seed-2019", ONE),
        ("test", "seed-2019", OTHER),
    ]
    assert queued == [("fetch_video", video.pk) for video in videos]
    assert "2 videos added." in admin_client.get("/videos/").content.decode()


def test_refused_lines_name_the_existing_video_and_stay(
    factory: Factory, admin_client: Client, queued: list[Any]
) -> None:
    factory.make_video(title="An older interview", split="test", extractor_id="dQw4w9WgXcQ")
    response = _send(admin_client, f"https://youtu.be/dQw4w9WgXcQ?t=3\n{OTHER}\nnonsense")
    assert response.status_code == 422
    page = response.content.decode()
    assert "An older interview" in page
    assert "2 not added" in page
    assert response.context["urls_form"]["urls"].value() == "https://youtu.be/dQw4w9WgXcQ?t=3\nnonsense"
    assert Video.objects.count() == 2
    assert len(queued) == 1


def test_an_address_of_another_host_is_refused(admin_client: Client, queued: list[Any]) -> None:
    response = _send(admin_client, "http://169.254.169.254/latest/meta-data")
    assert response.status_code == 422
    assert not Video.objects.exists()
    assert not queued


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"urls": "  \n "}, "Paste at least one address."),
        ({"urls": ONE, "split": "both"}, "Select a valid choice"),
        ({"urls": ONE, "policy": "mine"}, "Select a valid choice"),
        ({"urls": "\n".join([ONE] * 501)}, "paste at most 500 at once"),
    ],
)
def test_it_explains_bad_input(fields: dict[str, str], sentence: str, admin_client: Client) -> None:
    response = _send(admin_client, **fields)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Video.objects.exists()


def test_it_says_when_the_queue_is_away(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(job: str, *pks: int) -> None:
        raise QueueUnavailable

    monkeypatch.setattr("pipeline.intake.enqueue_on_commit", away)
    assert _send(admin_client, ONE).status_code == 302
    assert Video.objects.count() == 1
    assert "queue server cannot be reached" in admin_client.get("/videos/").content.decode()
