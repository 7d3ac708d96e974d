"""Who comes next at a site: first come first served, one job for a whole line, and no turn lost to a crash."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis
from rq import SimpleWorker
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from pipeline import claims, pacing, recovery
from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from pipeline.pacing import asking, call_next, end_rest, free, take
from pipeline.queues import enqueue, fetch_job, get_queue
from tests.factories import Factory
from tests.pipeline.conftest import Downloader, vtt
from tests.pipeline.test_pacing import REFUSAL, pause, taken, the_site, waiting

__all__ = ["pause"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_pause")]


def scheduled() -> dict[str, float]:
    """Jobs that wait for a later moment, with the seconds until then."""
    registry, now = get_queue("download").scheduled_job_registry, timezone.now()
    return {name: (registry.get_scheduled_time(name) - now).total_seconds() for name in registry.get_job_ids()}


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


def test_a_worker_that_lives_keeps_its_site(factory: Factory) -> None:
    first, second = waiting(factory, 2)
    taken(first)
    assert first.claim(VideoState.QUEUED)
    stale = Video.objects.get(pk=first.pk)
    Video.objects.filter(pk=first.pk).update(state_since=timezone.now())
    assert not claims.give_back(stale)
    assert take(second) is None


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
