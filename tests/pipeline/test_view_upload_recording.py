"""Uploading a recording with captions."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from pipeline.models import Video
from tests.pipeline.page_fixtures import SRT

ADDRESS = "/videos/upload/"


def _send(client: Client, *, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    data = {
        "recording": SimpleUploadedFile("Session 4.mp3", b"sound", content_type="audio/mpeg"),
        "captions": SimpleUploadedFile("words.srt", SRT),
        "split": "test",
        "policy": "recommended",
        **fields,
    }
    return client.post(ADDRESS, data, headers=headers)


def test_it_stores_recording_and_captions(admin_client: Client, queued: list[Any]) -> None:
    assert _send(admin_client)["Location"] == "/videos/"
    video = Video.objects.get()
    assert (video.title, video.split, video.extractor, video.captions_kind) == (
        "Session 4",
        "test",
        "upload",
        "uploaded",
    )
    assert video.source.read() == b"sound"
    assert video.captions.read() == SRT
    assert queued == [("fetch_video", video.pk)]


def test_captions_may_come_later_and_the_title_is_free(admin_client: Client, queued: list[Any]) -> None:
    _send(admin_client, captions="", title="A pilot")
    video = Video.objects.get()
    assert (video.title, video.captions_kind) == ("A pilot", "")


def test_the_script_is_told_where_to_go(admin_client: Client, queued: list[Any]) -> None:
    response = _send(admin_client, headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (200, "/videos/")


def test_the_same_recording_twice_is_refused(admin_client: Client, queued: list[Any]) -> None:
    _send(admin_client)
    response = _send(admin_client, title="Again")
    assert response.status_code == 422
    assert "already in the test split as “Session 4”" in response.content.decode()
    assert Video.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"recording": ""}, "Choose an audio or video file."),
        ({"recording": SimpleUploadedFile("a.mp3", b"")}, "The recording is empty"),
        ({"captions": SimpleUploadedFile("a.docx", b"x")}, "Captions must be an SRT, VTT or json3 file."),
        ({"split": "none"}, "Select a valid choice"),
    ],
)
def test_it_explains_bad_input(fields: dict[str, Any], sentence: str, admin_client: Client) -> None:
    response = _send(admin_client, **fields)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Video.objects.exists()


def test_unreadable_captions_are_refused_at_once(admin_client: Client, queued: list[Any]) -> None:
    response = _send(admin_client, captions=SimpleUploadedFile("words.srt", b"no captions at all"))
    assert response.status_code == 422
    assert not Video.objects.exists()
    assert not queued


def test_it_refuses_a_file_that_is_too_large(admin_client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    response = _send(admin_client, recording=SimpleUploadedFile("long.wav", b"x" * 1025))
    assert response.status_code == 422
    assert "at most 1.0\xa0KB are accepted" in response.content.decode()
