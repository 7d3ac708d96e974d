"""Captions that a site keeps back: the recording is kept, and they are asked for again, alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from redis import Redis

from pipeline import fetching, intake, jobs, recovery
from pipeline.caption_fetching import CAPTIONS_PAUSES_S
from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from pipeline.queues import enqueue_at, fetch_job, get_queue
from pipeline.stages.errors import CaptionsTokenError, SiteRefusesError, StageError
from tests.factories import Factory
from tests.pipeline.conftest import Downloader, vtt

pytestmark = pytest.mark.django_db
KEPT_BACK = StageError("The site wants a pause before it hands out the captions (HTTP 429).", permanent=False)


@pytest.fixture
def waiting(online: Video, site: Downloader, next_jobs: list[Any]) -> Video:
    """A video whose recording came and whose captions did not."""
    site(kept_back=KEPT_BACK)
    jobs.fetch_video(online.pk)
    return Video.objects.get(pk=online.pk)


def due(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(waits_until=timezone.now())


def no_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*args: Any, **options: Any) -> None:
        raise AssertionError("the recording is fetched again")

    monkeypatch.setattr(fetching, "download", download)


def test_the_recording_is_kept_and_the_captions_wait(waiting: Video, next_jobs: list[Any]) -> None:
    assert waiting.state == VideoState.CAPTIONS_WAIT
    assert (waiting.title, waiting.attempts, waiting.captions_asks) == ("A talk", 0, 1)
    assert waiting.audio
    assert waiting.peaks
    assert not waiting.captions
    assert "HTTP 429" in waiting.error_message
    assert "can be uploaded" in waiting.error_message
    assert waiting.waits_until is not None
    assert waiting.waits_until > timezone.now() + timedelta(minutes=50)
    assert next_jobs == []


def test_the_captions_come_later_without_another_download(
    waiting: Video, site: Downloader, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    site(captions=vtt(), kind="automatic")
    no_recording(monkeypatch)
    jobs.fetch_video(waiting.pk)
    assert Video.objects.get().state == VideoState.CAPTIONS_WAIT, "they are asked for before their time"

    due(waiting)
    jobs.fetch_video(waiting.pk)

    video = Video.objects.get()
    assert (video.state, video.captions_kind, video.error_message) == (VideoState.SEGMENTED, "automatic", "")
    assert (video.audio.name, video.captions_asks, video.waits_until) == (waiting.audio.name, 0, None)
    assert video.segments.kept().count() == 3
    with video.captions.open() as file:
        assert file.read().decode() == vtt()
    assert next_jobs == [("label_video", video.pk)]


def test_the_pauses_grow_and_the_asking_ends_with_the_reason(waiting: Video) -> None:
    pauses = [CAPTIONS_PAUSES_S[0]]
    for _ in CAPTIONS_PAUSES_S[1:]:
        due(waiting)
        jobs.fetch_video(waiting.pk)
        video = Video.objects.get()
        assert video.state == VideoState.CAPTIONS_WAIT
        assert video.waits_until is not None
        pauses.append(round((video.waits_until - timezone.now()).total_seconds()))
    assert pauses == pytest.approx(list(CAPTIONS_PAUSES_S), abs=5)
    assert pauses == sorted(pauses)
    assert sum(pauses) > 3 * 24 * 3600

    due(waiting)
    jobs.fetch_video(waiting.pk)

    video = Video.objects.get()
    assert video.state == VideoState.NO_CAPTIONS
    assert "9 times" in video.error_message
    assert "HTTP 429" in video.error_message
    assert "upload a caption file" in video.error_message
    assert video.audio


def test_a_token_and_no_english_captions_are_different_states(
    factory: Factory, site: Downloader, next_jobs: list[Any]
) -> None:
    without, token = (factory.make_video(state=VideoState.QUEUED, captions_kind="") for _ in range(2))
    site()
    jobs.fetch_video(without.pk)
    site(kept_back=CaptionsTokenError("YouTube gives the captions only for a token."))
    jobs.fetch_video(token.pk)
    without.refresh_from_db()
    token.refresh_from_db()
    assert (without.state, token.state) == (VideoState.NO_CAPTIONS, VideoState.CAPTIONS_WAIT)
    assert "no English captions" in without.error_message
    assert "token" in token.error_message


def test_captions_that_are_gone_when_asked_again_are_none(waiting: Video, site: Downloader) -> None:
    site()
    due(waiting)
    jobs.fetch_video(waiting.pk)
    assert Video.objects.get().state == VideoState.NO_CAPTIONS


def test_captions_that_come_and_cannot_be_read_are_none(waiting: Video, site: Downloader) -> None:
    site(captions="nothing of the kind")
    due(waiting)
    jobs.fetch_video(waiting.pk)
    video = Video.objects.get()
    assert video.state == VideoState.NO_CAPTIONS
    assert "cannot be read" in video.error_message


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (StageError("The site did not answer.", permanent=False), VideoState.CAPTIONS_WAIT),
        (StageError("The video is private."), VideoState.NO_CAPTIONS),
    ],
)
def test_a_page_that_fails_while_captions_are_asked_for_costs_no_recording(
    error: StageError, state: str, waiting: Video, site: Downloader
) -> None:
    site(error=error)
    due(waiting)
    jobs.fetch_video(waiting.pk)
    video = Video.objects.get()
    assert (video.state, video.audio.name, video.captions_asks) == (state, waiting.audio.name, 2)
    assert error.message.rstrip(".") in video.error_message


def test_a_refusal_rests_the_site_and_is_no_ask(waiting: Video, site: Downloader) -> None:
    site(error=SiteRefusesError("The site wants a pause."))
    due(waiting)
    jobs.fetch_video(waiting.pk)
    video = Video.objects.get()
    assert (video.state, video.captions_asks, video.attempts) == (VideoState.CAPTIONS_WAIT, 1, 0)
    assert DownloadSite.objects.resting(timezone.now()).count() == 1


def test_captions_can_be_uploaded_meanwhile(
    waiting: Video, redis: Redis, site: Downloader, next_jobs: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    enqueue_at("fetch_video", waiting.pk, when=timezone.now() + timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        intake.attach_captions(waiting, SimpleUploadedFile("talk.vtt", vtt().encode()))
    assert get_queue("download").job_ids == [f"fetch_video-{waiting.pk}"], "it waits for the site"
    video = Video.objects.get()
    assert (video.state, video.captions_asks, video.waits_until) == (VideoState.QUEUED, 0, None)

    DownloadSite.objects.update(rests_until=timezone.now() + timedelta(hours=1))
    site(error=AssertionError("the site is asked"))
    jobs.fetch_video(waiting.pk)
    assert Video.objects.get().state == VideoState.SEGMENTED


def test_they_can_be_asked_for_at_once(waiting: Video, site: Downloader, next_jobs: list[Any], redis: Redis) -> None:
    assert intake.retry(waiting)
    assert Video.objects.get().state == VideoState.QUEUED
    site(captions=vtt())
    jobs.fetch_video(waiting.pk)
    assert Video.objects.get().state == VideoState.SEGMENTED


def test_asked_for_at_once_while_the_site_rests_they_can_still_be_uploaded(waiting: Video, site: Downloader) -> None:
    DownloadSite.objects.update(rests_until=timezone.now() + timedelta(hours=1))
    assert intake.retry(waiting)
    site(error=AssertionError("the site is asked"))
    jobs.fetch_video(waiting.pk)
    video = Video.objects.get()
    assert (video.state, video.captions_asks, video.waits_until) == (VideoState.CAPTIONS_WAIT, 1, None)
    assert "as soon as youtube.com is free" in video.error_message
    assert video.takes_captions
    assert list(Video.objects.in_line(timezone.now())) == [video]


def test_an_upload_never_asks_a_site(uploaded: Video, next_jobs: list[Any]) -> None:
    Video.objects.update(captions="", captions_kind="")
    jobs.fetch_video(uploaded.pk)
    assert Video.objects.get().state == VideoState.NO_CAPTIONS
    assert not DownloadSite.objects.exists()


def test_what_is_due_is_found_without_a_job(waiting: Video, redis: Redis) -> None:
    assert recovery.resume() == 0
    due(waiting)
    assert recovery.resume() == 1
    assert get_queue("download").job_ids == [f"fetch_video-{waiting.pk}"]
    assert recovery.resume() == 0


def test_a_worker_that_dies_while_asking_loses_nothing(
    waiting: Video, site: Downloader, next_jobs: list[Any], redis: Redis
) -> None:
    Video.objects.update(state=VideoState.FETCHING, attempts=1, waits_until=None)
    DownloadSite.objects.update(holder=waiting.pk, held_until=timezone.now() + timedelta(hours=3))
    assert recovery.resume() == 1
    assert fetch_job(f"fetch_video-{waiting.pk}") is not None
    site(captions=vtt())
    jobs.fetch_video(waiting.pk)
    video = Video.objects.get()
    assert (video.state, video.audio.name) == (VideoState.SEGMENTED, waiting.audio.name)


def test_removing_it_removes_its_recording(waiting: Video, django_capture_on_commit_callbacks: Any) -> None:
    name = str(waiting.audio.name)
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        intake.remove(waiting)
    assert not default_storage.exists(name)


def test_a_recording_of_an_upload_may_be_queued_with_captions_only(online: Video) -> None:
    online.audio.save("a.wav", ContentFile(b"x"))
    assert online.asks_site
    online.captions.save("a.vtt", ContentFile(b"x"))
    assert not online.asks_site
    assert not Video.objects.awaiting_site().exists()
