"""Captions for a video that has none."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from pipeline.choices import VideoState
from tests.factories import Factory
from tests.pipeline.page_fixtures import SRT


def _send(client: Client, pk: int, name: str = "words.srt", content: bytes = SRT) -> Any:
    return client.post(reverse("upload_captions", args=[pk]), {"captions": SimpleUploadedFile(name, content)})


def test_the_video_goes_on_with_them(factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    video = factory.make_video(state=VideoState.NO_CAPTIONS, captions_kind="")
    response = _send(admin_client, video.pk)
    assert response["Location"] == reverse("show_video", args=[video.pk])
    video.refresh_from_db()
    assert (video.state, video.captions_kind) == ("queued", "uploaded")
    assert video.captions.read() == SRT
    assert queued == [("fetch_video", video.pk)]


def test_a_video_with_captions_keeps_them(factory: Factory, admin_client: Client, queued: list[Any]) -> None:
    video = factory.make_video()
    response = _send(admin_client, video.pk)
    assert response.status_code == 302
    video.refresh_from_db()
    assert (video.state, video.captions_kind) == ("ready", "manual")
    assert not queued


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("words.pdf", SRT, "Captions must be an SRT, VTT or json3 file."),
        ("words.srt", b"", "The caption file is empty."),
        ("words.srt", b"no captions at all", ""),
    ],
)
def test_it_explains_bad_input(
    name: str, content: bytes, sentence: str, factory: Factory, admin_client: Client, queued: list[Any]
) -> None:
    video = factory.make_video(state=VideoState.NO_CAPTIONS, captions_kind="")
    response = _send(admin_client, video.pk, name, content)
    assert response.status_code == 422
    assert response.context["captions_form"].errors
    assert sentence in response.content.decode()
    video.refresh_from_db()
    assert video.state == "no-captions"
    assert not queued
