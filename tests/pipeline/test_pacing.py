"""Turns at a site: one download at a time, a pause, a rest after a refusal, first come first served."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from rq import Retry

from pipeline import jobs, pacing
from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from pipeline.pacing import Turn, asking, free, site_of, take
from pipeline.stages.errors import LockedRecordingError, SiteRefusesError, StageError
from tests.factories import Factory
from tests.pipeline.conftest import Downloader

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_pause")]
REFUSAL = SiteRefusesError("The site wants a pause.")


def waiting(factory: Factory, number: int = 1, site: str = "youtube.com", **columns: Any) -> list[Video]:
    made = []
    for _ in range(number):
        video = factory.make_video(state=VideoState.QUEUED, **columns)
        Video.objects.filter(pk=video.pk).update(site=site, url=f"https://{site}/watch?v={video.pk:011d}")
        made.append(Video.objects.get(pk=video.pk))
    return made


def taken(video: Video) -> Turn:
    turn = take(video)
    assert turn is not None
    return turn


def the_site(name: str = "youtube.com") -> DownloadSite:
    return DownloadSite.objects.get(name=name)


@pytest.fixture
def pause(settings: Any, no_pause: None) -> None:
    settings.DOWNLOAD_PAUSE_S = {"": 60, "vimeo.com": 200}


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.youtube.com/watch?v=i4b-_bNsajY", "youtube.com"),
        ("https://youtu.be/i4b-_bNsajY", "youtube.com"),
        ("https://m.youtube.com/watch?v=i4b-_bNsajY", "youtube.com"),
        ("https://www.youtube-nocookie.com/embed/i4b-_bNsajY", "youtube.com"),
        ("https://vimeo.com/76979871", "vimeo.com"),
        ("https://player.vimeo.com/video/76979871", "vimeo.com"),
        ("https://www.ted.com/talks/a", "ted.com"),
        ("https://notyoutube.com/a", "notyoutube.com"),
        ("https://ia800.us.archive.org/a", "archive.org"),
        ("https://WWW.Example.org/a", "example.org"),
        ("http://127.0.0.1:8799/a.html", "127.0.0.1:8799"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_all_hosts_of_a_site_are_one(url: str, site: str, settings: Any) -> None:
    settings.DEMO_SITE_ORIGIN = "http://127.0.0.1:8799"
    assert site_of(url) == site


def test_sites_are_named_anew_when_the_settings_name_them_otherwise(factory: Factory, settings: Any) -> None:
    settings.DOWNLOAD_ALLOWED_HOSTS = ["ia1.example.org", "ia2.example.org"]
    videos = [
        factory.make_video(state=VideoState.QUEUED, url=f"https://ia{n % 2 + 1}.example.org/{n}") for n in range(4)
    ]
    pacing.name_sites()
    assert {video.site for video in Video.objects.all()} == {"ia1.example.org", "ia2.example.org"}
    settings.DOWNLOAD_ALLOWED_HOSTS = ["example.org"]
    pacing.name_sites()
    assert {video.site for video in Video.objects.all()} == {"example.org"}
    assert len(videos) == 4


# ---------------------------------------------------------------- turns


def test_one_video_of_a_site_at_a_time(factory: Factory) -> None:
    first, second = waiting(factory, 2)
    (other,) = waiting(factory, site="vimeo.com")
    turn = taken(first)
    assert take(second) is None
    taken(other)
    free(turn)
    assert take(second) is not None


def test_a_pause_comes_between_two_downloads(factory: Factory, pause: None) -> None:
    first, second = waiting(factory, 2)
    free(taken(first))
    assert take(second) is None
    until_s = (the_site().free_at - timezone.now()).total_seconds()
    assert 59 < until_s <= 90
    DownloadSite.objects.update(free_at=timezone.now())
    assert take(second) is not None


def test_a_site_may_have_a_pause_of_its_own_with_jitter(factory: Factory, pause: None) -> None:
    pauses = set()
    for video in waiting(factory, 5, "vimeo.com"):
        DownloadSite.objects.update(free_at=timezone.now())
        free(taken(video))
        pauses.add(round((the_site("vimeo.com").free_at - timezone.now()).total_seconds(), 1))
    assert len(pauses) > 1
    assert all(199 < one <= 300 for one in pauses)


def test_sites_of_this_machine_are_shared(factory: Factory, settings: Any, pause: None) -> None:
    settings.DOWNLOAD_PRIVATE_ORIGINS = ["http://127.0.0.1:1"]
    videos = [
        factory.make_video(state=VideoState.QUEUED, extractor="generic", url=f"http://127.0.0.1:1/{n}") for n in (1, 2)
    ]
    turns = [taken(video) for video in (*videos, videos[0])]
    assert not DownloadSite.objects.exists()
    with asking(turns[0]):
        pass
    with pytest.raises(SiteRefusesError), asking(turns[1]):
        raise REFUSAL
    assert take(videos[0]) is None, "a site that refuses rests, wherever it is"
    with asking(turns[2]):
        pass
    assert take(videos[0]) is None, "what was under way does not end the rest"


def test_a_worker_that_was_given_up_for_dead_frees_nothing(factory: Factory) -> None:
    first, second = waiting(factory, 2)
    turn = taken(first)
    pacing.let_go(first.pk)
    taken(second)
    free(turn)
    assert the_site().holder == second.pk


def test_a_lease_ends_at_the_latest_after_its_time(factory: Factory) -> None:
    first, second = waiting(factory, 2)
    taken(first)
    DownloadSite.objects.update(held_until=timezone.now())
    assert take(second) is not None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_turn(factory: Factory) -> None:
    videos = waiting(factory, 8)
    ready, turns = threading.Barrier(len(videos)), []

    def run(video: Video) -> None:
        try:
            ready.wait()
            turns.append(take(video))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[video]) for video in videos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == len(videos)
    assert sum(turn is not None for turn in turns) == 1


# ---------------------------------------------------------------- rests


def refuse(video: Video) -> None:
    DownloadSite.objects.update(rests_until=None, free_at=timezone.now())
    with pytest.raises(SiteRefusesError), asking(taken(video)):
        raise REFUSAL


def test_a_rest_lasts_an_hour_and_doubles_up_to_a_day(factory: Factory) -> None:
    (video,) = waiting(factory)
    hours = []
    for _ in range(7):
        refuse(video)
        rests_until = the_site().rests_until
        assert rests_until is not None
        hours.append(round((rests_until - timezone.now()).total_seconds() / 3600, 2))
    assert hours == [1, 2, 4, 8, 16, 24, 24]
    assert the_site().reason == REFUSAL.message


def test_a_success_ends_the_growth(factory: Factory) -> None:
    (video,) = waiting(factory)
    refuse(video)
    DownloadSite.objects.update(rests_until=timezone.now(), free_at=timezone.now())
    with asking(taken(video)):
        pass
    assert (the_site().refusals, the_site().reason, the_site().rests_until) == (0, "", None)


@pytest.mark.parametrize("error", [StageError("Private."), StageError("Network.", permanent=False), KeyError("x")])
def test_another_failure_rests_nothing_and_frees_the_site(error: Exception, factory: Factory) -> None:
    (video,) = waiting(factory)
    with pytest.raises(type(error)), asking(taken(video)):
        raise error
    assert (the_site().holder, the_site().rests_until, the_site().refusals) == (None, None, 0)


LOCKED = LockedRecordingError("The challenge was not solved.")


def test_a_recording_that_cannot_be_unlocked_rests_the_site_when_the_next_one_cannot_either(
    factory: Factory,
) -> None:
    for minutes in (0, 10, 20):
        DownloadSite.objects.update(rests_until=None)
        with pytest.raises(LockedRecordingError), asking(taken(waiting(factory)[0])):
            raise LOCKED
        rests_until = the_site().rests_until or timezone.now()
        assert round((rests_until - timezone.now()).total_seconds() / 60) == minutes
    assert (the_site().reason, the_site().holder) == (LOCKED.message, None)


def test_one_odd_video_holds_nobody_up(factory: Factory) -> None:
    for _ in range(3):
        DownloadSite.objects.update(called=None)
        with pytest.raises(LockedRecordingError), asking(taken(waiting(factory)[0])):
            raise LOCKED
        assert the_site().rests_until is None
        with asking(taken(waiting(factory)[0])):
            pass


def test_a_recording_that_is_never_unlocked_uses_up_its_tries(online: Video, site: Downloader) -> None:
    site(error=LOCKED)
    for number in range(1, 4):
        with pytest.raises(LockedRecordingError):
            jobs.fetch_video(online.pk)
        online.refresh_from_db()
        assert (online.state, online.attempts) == (VideoState.QUEUED, number)
        pacing.end_rest("youtube.com")
    jobs.fetch_video(online.pk)
    online.refresh_from_db()
    assert (online.state, online.error_permanent) == (VideoState.FAILED, False)
    assert "challenge was not solved" in online.error_message


@pytest.mark.parametrize("column", ["free_at", "rests_until"])
def test_a_clock_that_was_set_back_or_a_pause_that_was_too_long_holds_nobody_up(column: str, factory: Factory) -> None:
    (video,) = waiting(factory)
    DownloadSite.objects.create(name="youtube.com", **{column: timezone.now() + timedelta(days=30)})
    assert take(video) is None
    pacing.forget_impossible_waits()
    assert take(video) is not None


def test_a_refused_video_waits_without_losing_a_try(online: Video, site: Downloader) -> None:
    site(error=StageError("The site did not answer.", permanent=False))
    with pytest.raises(StageError):
        jobs.fetch_video(online.pk)
    site(error=REFUSAL)
    for _ in range(9):
        DownloadSite.objects.update(rests_until=None)
        again = jobs.fetch_video(online.pk)
        video = Video.objects.get()
        assert (video.state, video.attempts, video.error_message) == (VideoState.QUEUED, 1, REFUSAL.message)
        assert isinstance(again, Retry)
    assert the_site().refusals == 9


def test_nothing_is_asked_of_a_resting_site(online: Video, site: Downloader, uploaded: Video, next_jobs: Any) -> None:
    DownloadSite.objects.create(name="youtube.com", rests_until=timezone.now() + timedelta(minutes=20))
    site(error=AssertionError("the site is asked"))
    again = jobs.fetch_video(online.pk)
    assert isinstance(again, Retry)
    assert 1100 < again.intervals[0] <= 1201
    online.refresh_from_db()
    assert (online.state, online.attempts) == (VideoState.QUEUED, 0)
    jobs.fetch_video(uploaded.pk)
    uploaded.refresh_from_db()
    assert uploaded.state == VideoState.SEGMENTED, "uploads go on"
