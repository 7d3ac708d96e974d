"""`add_video`."""

import json

import pytest

from pipeline.models import Video
from tests.factories import Factory
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db
URL = "https://www.youtube.com/watch?v=i4b-_bNsajY"


def test_it_takes_addresses_and_says_how_many(command: Command) -> None:
    status, out, _ = command("add_video", URL, "https://vimeo.com/76979871", "--split", "test")
    assert (status, out) == (0, "Queued: 2 videos.\n")
    assert {video.split for video in Video.objects.all()} == {"test"}


def test_it_names_what_it_refuses_and_takes_the_rest(command: Command, factory: Factory) -> None:
    factory.make_video(extractor_id="i4b-_bNsajY", title="The first")
    status, out, _ = command("add_video", "https://youtu.be/i4b-_bNsajY", "https://vimeo.com/1", "--split", "train")
    assert status == 0
    assert "Queued: 1 video." in out
    assert "already in the train split as “The first”" in out


def test_it_fails_when_it_takes_nothing(command: Command) -> None:
    status, out, err = command("add_video", "https://evil.example/", "--split", "train")
    assert status == 1
    assert "not among the sites" in out
    assert "Nothing was taken" in err


def test_json_is_one_document(command: Command) -> None:
    status, out, _ = command("add_video", URL, "nonsense", "--split", "train", "--format", "json")
    document = json.loads(out)
    assert status == 0
    assert document["created"][0]["url"] == URL
    assert document["refused"][0]["text"] == "nonsense"


def test_without_a_queue_server_it_stores_and_says_so(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import intake
    from pipeline.queues import QueueUnavailable

    def fail(*job: object) -> None:
        raise QueueUnavailable

    monkeypatch.setattr(intake, "enqueue_on_commit", fail)
    status, out, err = command("add_video", URL, "--split", "train")
    assert status == 0
    assert "make run" in err
    assert Video.objects.get().state == "queued"
