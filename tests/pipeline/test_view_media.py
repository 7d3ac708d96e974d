"""Recordings by byte ranges, waveforms, and clips of exactly one segment."""

import io
import wave
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.urls import reverse

from pipeline.models import Video
from pipeline.views.media import MAX_RANGE_BYTES, UnsatisfiableRangeError, parse_range
from tests.factories import Factory
from tests.pipeline.page_fixtures import give_audio


@pytest.fixture
def video(factory: Factory) -> Video:
    return factory.make_video()


def _audio(client: Client, video: Video, **headers: str) -> Any:
    return client.get(reverse("video_audio", args=[video.pk]), headers=headers)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-", (0, 1000)),
        ("bytes=0-99", (0, 100)),
        ("bytes=900-5000", (900, 1000)),
        ("bytes=-100", (900, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=999-999", (999, 1000)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("items=0-5", None),
        ("bytes=a-b", None),
        ("bytes=--5", None),
        ("bytes=1-2-3", None),
        ("bytes=+1-2", None),
        ("bytes=1_0-20", None),
        ("bytes=\u0661-\u0662", None),
        ("bytes=1e3-", None),
        ("bytes=0x10-", None),
        ("bytes=,", None),
        ("bytes", None),
        ("Bytes=0-9", (0, 10)),
        (f"bytes={'0' * 5000}9-{'9' * 5000}", (9, 1000)),
        (f"bytes=-{'9' * 5000}", (0, 1000)),
        (f"bytes=5-{'0' * 5000}4", None),
    ],
)
def test_ranges_are_read_as_rfc_9110_says(header: str, span: tuple[int, int] | None) -> None:
    assert parse_range(header, 1000) == span


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", f"bytes={'9' * 5000}-"])
def test_ranges_outside_the_file_are_not_satisfiable(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, 1000)


def test_a_long_range_is_answered_in_part() -> None:
    assert parse_range("bytes=10-", 10**9) == (10, 10 + MAX_RANGE_BYTES)


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_the_whole_recording_comes_without_a_range(form: str, video: Video, admin_client: Client) -> None:
    content = give_audio(video, form=form)
    response = _audio(admin_client, video)
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == content
    assert (response["Content-Type"], response["Accept-Ranges"]) == (f"audio/{form.lower()}", "bytes")
    assert response["Content-Length"] == str(len(content))
    assert "private" in response["Cache-Control"]


def test_a_part_comes_with_a_range(video: Video, admin_client: Client) -> None:
    content = give_audio(video)
    response = _audio(admin_client, video, range="bytes=100-299")
    assert response.status_code == 206
    assert b"".join(response.streaming_content) == content[100:300]
    assert response["Content-Range"] == f"bytes 100-299/{len(content)}"
    assert response["Content-Length"] == "200"


def test_a_range_outside_is_answered_with_416(video: Video, admin_client: Client) -> None:
    content = give_audio(video)
    response = _audio(admin_client, video, range=f"bytes={len(content)}-")
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(content)}")


@pytest.mark.parametrize(
    ("digits", "status"), [("9" * 5000 + "-", 416), ("0-" + "9" * 5000, 206), ("-" + "9" * 5000, 206)]
)
def test_numbers_of_thousands_of_digits_are_no_fault_of_ours(
    digits: str, status: int, video: Video, admin_client: Client
) -> None:
    give_audio(video)
    assert _audio(admin_client, video, range=f"bytes={digits.format('9' * 5000)}").status_code == status


def test_a_range_of_an_older_file_brings_the_whole_new_one(video: Video, admin_client: Client) -> None:
    give_audio(video)
    tag = _audio(admin_client, video)["ETag"]
    assert _audio(admin_client, video, range="bytes=0-9", if_range=tag).status_code == 206
    assert _audio(admin_client, video, range="bytes=0-9", if_range='"older"').status_code == 200


def test_object_storage_is_asked_for_its_own_address(
    video: Video, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_audio(video)

    def no_path(self: FileSystemStorage, name: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr(FileSystemStorage, "path", no_path)
    monkeypatch.setattr(FileSystemStorage, "url", lambda self, name: f"https://files.example/{name}?signed")
    response = _audio(admin_client, video)
    assert (response.status_code, response["Location"]) == (302, f"https://files.example/{video.audio.name}?signed")
    page = admin_client.get(reverse("show_video", args=[video.pk]))
    assert "media-src 'self' blob: https://files.example" in page["Content-Security-Policy"]


def test_the_waveform_comes_as_stored(video: Video, admin_client: Client) -> None:
    give_audio(video, duration_s=10)
    response: Any = admin_client.get(reverse("video_peaks", args=[video.pk]))
    assert response["Content-Type"] == "application/json"
    assert b"".join(response.streaming_content).startswith(b'{"duration_ms": 10000, "peaks": [[')


@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 2500), (4000, 7000), (9001, 9999)])
def test_a_clip_is_exactly_as_long_as_its_segment(
    start_ms: int, end_ms: int, factory: Factory, video: Video, admin_client: Client
) -> None:
    give_audio(video, duration_s=10)
    segment = factory.make_segment(video, start_ms=start_ms, end_ms=end_ms)
    response = admin_client.get(reverse("segment_clip", args=[segment.pk]))
    assert response["Content-Type"] == "audio/wav"
    assert "private" in response["Cache-Control"]
    with wave.open(io.BytesIO(response.content)) as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (16000, 1, 2)
        assert clip.getnframes() == 16 * (end_ms - start_ms)


def test_a_clip_behind_the_end_of_the_recording_is_not_found(
    factory: Factory, video: Video, admin_client: Client
) -> None:
    give_audio(video, duration_s=10)
    segment = factory.make_segment(video, start_ms=20_000, end_ms=23_000)
    assert admin_client.get(reverse("segment_clip", args=[segment.pk])).status_code == 404


@pytest.mark.parametrize("name", ["video_audio", "video_peaks"])
def test_a_video_without_sound_has_none_to_give(name: str, video: Video, admin_client: Client) -> None:
    assert admin_client.get(reverse(name, args=[video.pk])).status_code == 404


def test_a_segment_without_sound_has_no_clip(factory: Factory, admin_client: Client) -> None:
    assert admin_client.get(reverse("segment_clip", args=[factory.make_segment().pk])).status_code == 404
