"""Removing a video, after asking."""

from django.test import Client
from django.urls import reverse

from pipeline.models import Video
from tests.factories import Factory


def test_it_asks_and_says_what_goes(factory: Factory, admin_client: Client) -> None:
    video = factory.make_segment().video
    response = admin_client.get(reverse("remove_video", args=[video.pk]), {"next": "/videos/?page=2"})
    page = response.content.decode()
    assert "Remove this video?" in page
    assert "1 segment with" in page
    assert 'href="/videos/?page=2"' in page
    assert Video.objects.filter(pk=video.pk).exists()


def test_it_removes(factory: Factory, admin_client: Client) -> None:
    video = factory.make_segment().video
    response = admin_client.post(reverse("remove_video", args=[video.pk]), {"next": "/videos/?page=2"})
    assert response["Location"] == "/videos/?page=2"
    assert not Video.objects.filter(pk=video.pk).exists()
    assert f"“{video.title}” removed." in admin_client.get("/videos/").content.decode()


def test_it_keeps_what_people_listen_to(factory: Factory, admin_client: Client) -> None:
    video = factory.make_segment().video
    factory.make_task(segment=video.segments.get())
    response = admin_client.post(reverse("remove_video", args=[video.pk]))
    assert response.status_code == 409
    assert "annotation campaign" in response.content.decode()
    assert Video.objects.filter(pk=video.pk).exists()
