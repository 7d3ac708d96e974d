"""Uploaded recordings are kept as long as they can be tried again, and go with their rows."""

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from pipeline import fetching, intake, jobs
from pipeline.choices import VideoState
from pipeline.claims import UPLOAD_ANOTHER
from pipeline.models import Video
from pipeline.stages.errors import StageError
from tests.pipeline.conftest import stored_files
from tests.pipeline.uploads import captions, recording, upload


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_can_never_be_used_is_removed_at_once_and_may_come_again(
    admin_client: Client, next_jobs: list[Any], queued: list[Any]
) -> None:
    video = upload(recording(b"no sound at all"), None)
    jobs.fetch_video(video.pk)

    video = Video.objects.get(pk=video.pk)
    assert (video.state, video.error_permanent, bool(video.source)) == (VideoState.FAILED, True, False)
    assert video.error_message.endswith(UPLOAD_ANOTHER)
    assert stored_files() == set()
    assert not video.can_retry
    assert f"/videos/{video.pk}/retry/" not in admin_client.get("/videos/").content.decode()
    page = admin_client.post(f"/videos/{video.pk}/retry/", follow=True).content.decode()
    assert "Nothing of “A talk” is left to try again" in page
    assert not intake.retry(video)

    again = upload(recording(b"no sound at all"), None)
    assert list(Video.objects.all()) == [again]
    assert bool(again.source)


def test_an_upload_that_may_be_tried_again_is_kept(
    uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise StageError("Not now.", permanent=False)

    monkeypatch.setattr("pipeline.fetching.audio.decode", fail)
    for _ in range(4):
        Video.objects.filter(pk=uploaded.pk).update(waits_until=None)
        with suppress(StageError):  # the last try is told by the row alone
            jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert (video.state, video.can_retry, bool(video.source)) == (VideoState.FAILED, True, True)
    assert intake.retry(video)


@pytest.mark.django_db(transaction=True)
def test_a_video_removed_while_it_is_processed_leaves_no_file(
    uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = fetching.audio.decode

    def decode_late(*args: Any, **options: Any) -> Any:
        recording = really(*args, **options)
        intake.remove(Video.objects.get(pk=uploaded.pk))
        return recording

    monkeypatch.setattr("pipeline.fetching.audio.decode", decode_late)
    jobs.fetch_video(uploaded.pk)
    assert not Video.objects.exists()
    assert stored_files() == set()


@pytest.mark.django_db(transaction=True)
def test_removing_counts_the_files_that_a_job_has_stored_since(uploaded: Video, next_jobs: list[Any]) -> None:
    asked_for = Video.objects.get(pk=uploaded.pk)
    jobs.fetch_video(uploaded.pk)
    assert len(stored_files() - {Path(asked_for.source.path).name}) == 3
    intake.remove(asked_for)
    assert stored_files() == set()


def test_captions_that_come_too_late_leave_no_file(uploaded: Video, next_jobs: list[Any]) -> None:
    before = stored_files()
    with pytest.raises(StageError, match="not waiting for captions"):
        intake.attach_captions(uploaded, captions())
    assert stored_files() == before


@pytest.mark.django_db(transaction=True)
def test_the_admin_site_removes_files_with_their_rows(uploaded: Video, factory: Any, admin_client: Client) -> None:
    run = factory.make_run()
    run.artifact.save("model.skops", io.BytesIO(b"model"))
    User = type(factory.make_user("root"))
    User.objects.filter(username="ada").update(is_superuser=True)
    admin_client.post(f"/admin/pipeline/video/{uploaded.pk}/delete/", {"post": "yes"})
    admin_client.post(
        "/admin/pipeline/trainingrun/",
        {"action": "delete_selected", "_selected_action": [run.pk], "post": "yes"},
    )
    assert not Video.objects.exists()
    assert stored_files() == set()
    assert default_storage.listdir("trainingrun")[1] == []
