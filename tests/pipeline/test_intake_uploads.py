"""Uploaded recordings and captions."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from redis import Redis

from pipeline.choices import VideoState
from pipeline.intake import (
    attach_captions,
)
from pipeline.models import Video
from pipeline.queues import QueueUnavailable, get_queue
from pipeline.stages.errors import StageError
from tests.factories import Factory
from tests.pipeline.conftest import vtt
from tests.pipeline.uploads import captions, recording, upload

pytestmark = pytest.mark.django_db


def test_an_upload_is_stored_under_names_made_here(redis: Redis, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        video = upload(recording(name="../../evil.mp3"), captions(name="x.VTT"), title="  ")
    video.refresh_from_db()
    assert (video.state, video.extractor, video.captions_kind, video.title) == (
        VideoState.QUEUED,
        "upload",
        "uploaded",
        "evil",
    )
    assert video.source.read() == b"some sound"
    assert Path(str(video.source.name)).parent == Path("video")
    assert "evil" not in str(video.source.name)
    assert str(video.captions.name).endswith(".vtt")
    assert get_queue("download").job_ids == [f"fetch_video-{video.pk}"]


def test_the_same_file_again_is_refused_in_either_split() -> None:
    video = upload(recording(), None)
    for split in ("train", "test"):
        with pytest.raises(StageError, match=f"“A talk” \\(#{video.pk}\\)"):
            upload(recording(name="other name.mp3"), None, split=split)
    assert Video.objects.count() == 1
    assert len(default_storage.listdir("video")[1]) == 1


def test_an_upload_with_a_file_that_is_no_captions_is_refused_at_once() -> None:
    with pytest.raises(StageError, match="captions"):
        upload(recording(), captions("This is a letter to my aunt."))
    assert not Video.objects.exists()
    assert not default_storage.exists("video")


def test_an_upload_is_stored_when_the_queue_is_unreachable(unreachable: None) -> None:
    with pytest.raises(QueueUnavailable):
        upload(recording(), captions())
    assert Video.objects.get().state == VideoState.QUEUED


def test_captions_can_be_given_to_a_video_without(
    factory: Factory, redis: Redis, django_capture_on_commit_callbacks: Any
) -> None:
    video = factory.make_video(state=VideoState.NO_CAPTIONS, error_message="There are none.")
    with django_capture_on_commit_callbacks(execute=True):
        attach_captions(video, captions())
    video = Video.objects.get()
    assert (video.state, video.captions_kind, video.error_message) == (VideoState.QUEUED, "uploaded", "")
    assert video.captions.read().decode() == vtt()
    assert get_queue("download").job_ids == [f"fetch_video-{video.pk}"]


@pytest.mark.parametrize("state", ["queued", "fetching", "ready", "failed"])
def test_captions_are_not_taken_for_other_videos(state: str, factory: Factory) -> None:
    video = factory.make_video(state=state)
    with pytest.raises(StageError, match="not waiting for captions"):
        attach_captions(video, captions())
    assert Video.objects.get().state == state
    assert default_storage.listdir("video")[1] == []


def test_captions_that_cannot_be_read_leave_the_video_as_it_is(factory: Factory) -> None:
    video = factory.make_video(state=VideoState.NO_CAPTIONS)
    with pytest.raises(StageError):
        attach_captions(video, captions("nothing"))
    assert Video.objects.get().state == VideoState.NO_CAPTIONS
