"""Turns at a site: one download at a time, a pause, a rest after a refusal, first come first served."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from redis import Redis
from rq import Retry, SimpleWorker
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from pipeline import claims, jobs, pacing, recovery
from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from pipeline.pacing import Turn, asking, call_next, end_rest, free, site_of, take
from pipeline.queues import enqueue, fetch_job, get_queue
from pipeline.stages.errors import SiteRefusesError, StageError
from tests.factories import Factory
from tests.pipeline.conftest import Downloader, vtt

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


def scheduled() -> dict[str, float]:
    """Jobs that wait for a later moment, with the seconds until then."""
    registry, now = get_queue("download").scheduled_job_registry, timezone.now()
    return {name: (registry.get_scheduled_time(name) - now).total_seconds() for name in registry.get_job_ids()}


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
        ("https://WWW.Example.org/a", "example.org"),
        ("http://127.0.0.1:8799/a.html", "127.0.0.1:8799"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_all_hosts_of_a_site_are_one(url: str, site: str, settings: Any) -> None:
    settings.DEMO_SITE_ORIGIN = "http://127.0.0.1:8799"
    assert site_of(url) == site


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
    turns = [taken(video) for video in videos]
    assert not DownloadSite.objects.exists()
    with asking(turns[0]):
        pass
    with pytest.raises(SiteRefusesError), asking(turns[1]):
        raise REFUSAL
    assert take(videos[0]) is None, "a site that refuses rests, wherever it is"


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


# ---------------------------------------------------------------- who is next


def test_whoever_frees_a_site_calls_the_one_that_waits_longest(factory: Factory, redis: Redis, pause: None) -> None:
    first, second, third = waiting(factory, 3)
    turn = taken(first)
    first.enter(VideoState.FETCHING)
    with asking(turn):
        pass
    assert list(scheduled()) == [f"fetch_video-{second.pk}"]
    assert 58 < scheduled()[f"fetch_video-{second.pk}"] <= 91
    DownloadSite.objects.update(free_at=timezone.now())
    assert take(third) is None, "the second is called"
    assert take(second) is not None


def test_a_called_video_that_does_not_come_holds_nobody_up(factory: Factory, redis: Redis) -> None:
    first, second = waiting(factory, 2)
    free(taken(first))
    call_next("youtube.com")
    DownloadSite.objects.update(called=first.pk, called_until=timezone.now())
    assert take(second) is not None


def test_a_video_in_its_own_pause_is_not_called(factory: Factory, redis: Redis) -> None:
    first, second = waiting(factory, 2)
    free(taken(first))
    Video.objects.filter(pk=first.pk).update(waits_until=timezone.now() + timedelta(minutes=5))
    call_next("youtube.com")
    assert the_site().called == second.pk


def work() -> None:
    queue = get_queue("download")
    SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(burst=True)


def test_a_thousand_that_wait_cost_one_job(factory: Factory, redis: Redis, django_assert_max_num_queries: Any) -> None:
    videos = waiting(factory, 12)
    with django_assert_max_num_queries(20):
        assert recovery.resume() == 1
    assert get_queue("download").job_ids == [f"fetch_video-{videos[0].pk}"]
    assert recovery.resume() == 0


def test_a_whole_list_is_fetched_in_its_order(
    factory: Factory, redis: Redis, site: Downloader, next_jobs: list[Any]
) -> None:
    videos = waiting(factory, 5)
    site(captions=vtt())
    Video.objects.update(url="")
    for video in videos:
        Video.objects.filter(pk=video.pk).update(url=f"https://www.youtube.com/watch?v={video.extractor_id}")
    for video in reversed(videos):
        enqueue("fetch_video", video.pk)
    taken(videos[0])  # held elsewhere while all jobs come once
    work()
    assert get_queue("download").job_ids == []
    assert scheduled() == {}
    pacing.let_go(videos[0].pk)
    recovery.resume()
    work()
    assert [pk for _, pk in next_jobs] == [video.pk for video in videos]


def test_a_job_of_a_resting_site_is_put_off_once_and_burns_no_try(
    factory: Factory, redis: Redis, site: Downloader
) -> None:
    videos = waiting(factory, 3)
    site(error=REFUSAL)
    for video in videos:
        enqueue("fetch_video", video.pk)
    work()
    assert get_queue("download").job_ids == []
    ((name, seconds),) = scheduled().items()
    assert 3500 < seconds <= 3601
    job = fetch_job(name)
    assert job is not None
    assert job.get_status() == JobStatus.SCHEDULED
    assert job.retries_left == 3
    assert the_site().refusals == 1
    assert set(Video.objects.values_list("state", "attempts")) == {(VideoState.QUEUED, 0)}


def test_a_rest_can_be_ended(factory: Factory, redis: Redis, site: Downloader, next_jobs: list[Any]) -> None:
    videos = waiting(factory, 2, url="")
    site(error=REFUSAL)
    enqueue("fetch_video", videos[0].pk)
    work()
    assert scheduled()
    assert end_rest("youtube.com")
    assert not end_rest("youtube.com")
    assert scheduled() == {} or min(scheduled().values()) <= 0
    assert len(get_queue("download").job_ids) == 1
    site(captions=vtt())
    work()
    assert Video.objects.filter(state=VideoState.SEGMENTED).count() == 2
    assert the_site().refusals == 0


# ---------------------------------------------------------------- crashes


def test_the_site_of_a_dead_worker_is_freed_with_its_video(factory: Factory) -> None:
    first, second = waiting(factory, 2)
    taken(first)
    assert first.claim(VideoState.QUEUED)
    first.refresh_from_db()
    claims.give_back(first)
    assert take(second) is not None


@pytest.mark.parametrize("gone", [True, False])
def test_a_holder_that_never_claimed_its_video_is_found(gone: bool, factory: Factory, redis: Redis) -> None:
    first, second = waiting(factory, 2)
    taken(first)
    if gone:
        first.delete()
    assert recovery.resume() == 0, "it was taken a moment ago"
    DownloadSite.objects.update(held_until=timezone.now() + pacing.LEASE - 2 * pacing.CLAIM_GRACE)
    assert recovery.resume() == 1
    assert get_queue("download").job_ids == [f"fetch_video-{second.pk if gone else first.pk}"]


def test_a_lost_queue_is_made_up_for(factory: Factory, redis: Redis, pause: None) -> None:
    first, second = waiting(factory, 2)
    free(taken(first))
    call_next("youtube.com")
    assert scheduled()
    redis.flushall()
    assert recovery.resume() == 1
    assert list(scheduled()) == [f"fetch_video-{first.pk}"]
    assert second.pk != first.pk


def test_videos_that_name_no_site_yet_are_found(factory: Factory, redis: Redis) -> None:
    video = factory.make_video(state=VideoState.QUEUED)
    assert recovery.resume() == 1
    video.refresh_from_db()
    assert video.site == "youtube.com"
