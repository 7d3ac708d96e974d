"""Importing a dataset.csv."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from pipeline.models import Video
from tests.factories import Factory

ADDRESS = "/videos/import/"
HEADER = "Id,URL,Title,Audio,Captions,Polarity,Pickle\n"
ROW = '7,https://www.youtube.com/watch?v=dQw4w9WgXcQ,"One, two ""three""",audio/7.wav,subtitles/7.srt,p.csv,p.p\n'


def _send(client: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("dataset.csv", content, content_type="text/csv")
    return client.post(ADDRESS, {"file": file, "split": "train", "policy": "recommended", **fields})


def test_it_adds_and_fetches_the_rows(admin_client: Client, queued: list[Any]) -> None:
    response = _send(admin_client, (HEADER + ROW).encode("utf-8-sig"), fetch="on")
    assert response.status_code == 302
    video = Video.objects.get()
    assert (video.title, video.dataset_id, video.split, video.state) == ('One, two "three"', "7", "train", "queued")
    assert queued == [("fetch_video", video.pk)]


def test_it_can_list_without_fetching(admin_client: Client, queued: list[Any]) -> None:
    _send(admin_client, (HEADER + ROW).encode())
    assert Video.objects.get().state == "stored"
    assert not queued
    assert ">Fetch</button>" in admin_client.get("/videos/").content.decode()


def test_refused_rows_are_shown_with_the_existing_video(
    factory: Factory, admin_client: Client, queued: list[Any]
) -> None:
    factory.make_video(title="An older interview", extractor_id="dQw4w9WgXcQ")
    response = _send(admin_client, (HEADER + ROW).encode(), fetch="on")
    assert response.status_code == 422
    page = response.content.decode()
    assert "1 not added" in page
    assert "An older interview" in page
    assert response.context["way"] == "dataset"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "not a CSV file in UTF-8"),
        (b"Name,Age\nAda,36\n", "has no column"),
        (HEADER.encode() + b"\0", "not a CSV file in the 2019 format"),
        ((HEADER + ROW).replace(",", ";").encode(), "separated by semicolons"),
        (f"{HEADER.strip()},url\n".encode(), "more than one column url"),
        (b"URL" + b"x" * (5 * 1024**2), "at most 5.0\xa0MB are accepted"),
    ],
)
def test_it_explains_bad_input(content: bytes, sentence: str, admin_client: Client) -> None:
    response = _send(admin_client, content)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Video.objects.exists()


def test_a_column_that_is_not_read_is_named(admin_client: Client, queued: list[Any]) -> None:
    content = HEADER.replace("Pickle", "Pickle,Channel") + ROW.strip() + ",Some\n"
    _send(admin_client, content.encode(), fetch="on")
    assert "The column “Channel” is not read." in admin_client.get("/videos/").content.decode()


@pytest.mark.shared_data
def test_the_2019_corpus_comes_in(shared_data: Path, admin_client: Client, queued: list[Any]) -> None:
    content = (shared_data / "seed2019" / "dataset_train.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    response = _send(admin_client, content, fetch="on")
    added = Video.objects.count()
    refused = len(response.context["refused"]) if response.status_code == 422 else 0
    assert added > 100
    assert added + refused == len(rows)
    assert len(queued) == added


def test_a_row_with_a_list_is_refused_with_the_way_to_its_videos(admin_client: Client, queued: list[Any]) -> None:
    row = "1,https://www.youtube.com/playlist?list=PLabcdefghijk,Talks,,,,"
    page = _send(admin_client, f"{HEADER}{row}\n".encode()).content.decode()
    assert "is a playlist, not one video" in page
    assert "/videos/lists/?url=https%3A%2F%2Fwww.youtube.com%2Fplaylist%3Flist%3DPLabcdefghijk" in page
