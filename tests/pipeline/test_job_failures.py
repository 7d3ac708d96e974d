"""What becomes of a video when a job fails, and when two of them hold it."""

from typing import Any

import pytest
from django.core.files.storage import default_storage
from rq.timeouts import JobTimeoutException

from pipeline import claims, jobs
from pipeline.choices import VideoState
from pipeline.models import Video
from pipeline.queues import MAX_TRIES
from pipeline.stages.errors import StageError
from tests.pipeline.conftest import Downloader, stored_files, vtt

pytestmark = pytest.mark.django_db


def test_a_permanent_failure_is_kept_and_not_tried_again(online: Video, site: Downloader) -> None:
    site(error=StageError("The video is private."))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_message, video.error_permanent) == (
        VideoState.FAILED,
        "The video is private.",
        True,
    )


def test_a_passing_failure_waits_with_its_reason_and_fails_at_the_last_try(online: Video, site: Downloader) -> None:
    site(error=StageError("The site asks for a pause.", permanent=False))
    for attempt in range(1, MAX_TRIES):
        with pytest.raises(StageError):
            jobs.fetch_video(online.pk)
        video = Video.objects.get(pk=online.pk)
        assert (video.state, video.attempts) == (VideoState.QUEUED, attempt)
        assert video.error_message == "The site asks for a pause."
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, False)


def test_the_last_try_promises_no_other(online: Video, site: Downloader) -> None:
    site(error=StageError("The site did not answer; it is tried again later.", permanent=False))
    Video.objects.update(attempts=MAX_TRIES - 1)
    jobs.fetch_video(online.pk)
    video = Video.objects.get()
    assert (video.state, video.error_message) == (VideoState.FAILED, "The site did not answer; it was tried 4 times.")


def test_a_success_after_a_failure_leaves_no_error(online: Video, site: Downloader, next_jobs: list[Any]) -> None:
    site(error=StageError("The site asks for a pause.", permanent=False))
    with pytest.raises(StageError):
        jobs.fetch_video(online.pk)
    site(captions=vtt())
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_message, video.attempts) == (VideoState.SEGMENTED, "", 0)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(KeyError("secret detail"), "on our side"), (JobTimeoutException("12 s"), "longer than is allowed")],
)
def test_a_fault_of_ours_is_one_plain_sentence(
    error: Exception, sentence: str, online: Video, site: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    site(error=error)
    with pytest.raises(type(error)):
        jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, False)
    assert sentence in video.error_message
    assert "secret" not in video.error_message
    assert "Traceback" in caplog.text


def test_a_broken_recording_fails_with_the_stage_s_sentence(uploaded: Video) -> None:
    with default_storage.open(str(uploaded.source.name), "wb") as file:
        file.write(b"this is no recording")
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert video.state == VideoState.FAILED
    assert "cannot be read as audio or video" in video.error_message


def test_the_result_of_a_worker_given_up_for_dead_is_dropped(
    online: Video, site: Downloader, next_jobs: list[Any]
) -> None:
    def another_worker_takes_over() -> None:
        video = Video.objects.get(pk=online.pk)
        assert claims.give_back(video)
        assert video.claim(VideoState.QUEUED)

    site(captions=vtt(), meanwhile=another_worker_takes_over)
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.attempts, video.segments.count()) == (VideoState.FETCHING, 1, 0)
    assert stored_files() == set()
    assert next_jobs == []


def test_a_video_removed_meanwhile_is_let_go(online: Video, site: Downloader, next_jobs: list[Any]) -> None:
    site(captions=vtt(), meanwhile=lambda: Video.objects.all().delete())
    jobs.fetch_video(online.pk)
    assert not Video.objects.exists()
    assert stored_files() == set()
    jobs.fetch_video(online.pk)


@pytest.mark.parametrize("state", ["stored", "fetching", "no-captions", "ready", "failed"])
def test_a_video_that_does_not_wait_is_not_touched(state: str, online: Video, site: Downloader) -> None:
    Video.objects.update(state=state)
    site(error=AssertionError("nothing is downloaded"))
    jobs.fetch_video(online.pk)
    assert Video.objects.get().state == state
