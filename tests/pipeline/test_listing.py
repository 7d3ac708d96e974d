"""Lists read by a worker and kept for the pages."""

import dataclasses
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as QueueServerGoneError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from pipeline import listing, pacing, queues
from pipeline.listing import NoQueueServerError, ask, look
from pipeline.models import DownloadSite
from pipeline.queues import get_queue
from pipeline.stages.errors import SiteRefusesError, StageError
from pipeline.stages.video_lists import VideoList
from tests.factories import Factory
from tests.feeds import add_feed, add_talks
from tests.loopback import Site

pytestmark = pytest.mark.django_db


def work() -> None:
    queue = get_queue("download")
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="ERROR")


def test_a_worker_reads_what_was_asked_for(redis: Redis, feeds: Site) -> None:
    url = add_talks(feeds, 3)
    assert look(url).state == "unread"
    ask(url)
    assert look(url).state == "waiting"
    work()
    found = look(url)
    assert (found.state, found.found) == ("done", listing.read_now(url))
    assert look(url, 2).state == "unread"


def test_what_was_read_is_kept_for_half_an_hour(redis: Redis, feeds: Site) -> None:
    ask(add_talks(feeds, 3))
    work()
    (key,) = redis.keys("crossmodal:list:*")
    assert 1700 < redis.ttl(key) <= 1800


def test_asking_twice_reads_once_unless_it_is_to_be_read_again(redis: Redis, feeds: Site) -> None:
    url = add_talks(feeds, 3)
    ask(url)
    ask(url)
    work()
    ask(url)
    work()
    assert feeds.requests == ["GET /feed.xml"]
    add_talks(feeds, 4)
    ask(url, again=True)
    work()
    assert look(url).found.total == 4


def test_it_is_read_before_the_downloads_that_wait(redis: Redis, feeds: Site) -> None:
    queue = get_queue("download")
    queue.enqueue_call("pipeline.jobs.fetch_video", args=(1,), job_id="fetch_video-1")
    ask(add_talks(feeds, 3))
    assert queue.job_ids[0].startswith("read_list-")


def test_a_failure_is_kept_as_a_sentence_and_can_be_tried_again(redis: Redis, feeds: Site) -> None:
    url = add_talks(feeds, 3)
    feeds.fail("/feed.xml", 503)
    ask(url)
    work()
    assert look(url).state == "failed"
    assert "HTTP 503" in look(url).problem
    feeds.failures.clear()
    ask(url)
    work()
    assert look(url).state == "done"


def test_a_fault_of_ours_is_told_and_left_to_the_log(
    redis: Redis, feeds: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> VideoList:
        raise ZeroDivisionError

    monkeypatch.setattr(listing, "read_list", fail)
    url = add_talks(feeds, 3)
    ask(url)
    work()
    assert look(url).problem == "Something went wrong on our side; the details are in the server's log."


def test_a_job_that_is_gone_is_told(redis: Redis, feeds: Site) -> None:
    url = add_talks(feeds, 3)
    ask(url)
    redis.delete(*redis.keys("rq:*"))
    assert look(url).state == "failed"
    assert "read the list again" in look(url).problem


def test_progress_is_seen_while_it_is_read(redis: Redis, feeds: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    url = add_talks(feeds, 3)
    seen: list[tuple[str, int]] = []
    plain = listing.read_list

    def watched(*args: Any, progress: Any, **options: Any) -> VideoList:
        def show(done: int, total: int) -> None:
            progress(done, total)
            seen.append((look(url).state, look(url).read))

        return plain(*args, progress=show, **options)

    monkeypatch.setattr(listing, "PROGRESS_INTERVAL_S", 0)
    monkeypatch.setattr(listing, "read_list", watched)
    ask(url)
    work()
    assert seen == [("reading", 1), ("reading", 2), ("reading", 3)]


def test_without_a_queue_server_a_sentence_says_what_to_do(settings: Any, tmp_path: Any, feeds: Site) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    for call in (ask, look):
        with pytest.raises(NoQueueServerError, match="make run"):
            call(add_talks(feeds, 1))


def test_a_queue_server_that_goes_while_the_page_looks_is_told_in_the_words_for_lists(
    redis: Redis, feeds: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = add_talks(feeds, 1)
    ask(url)

    def gone(*args: Any) -> None:
        raise QueueServerGoneError("gone")

    monkeypatch.setattr(queues, "fetch_job", gone)
    with pytest.raises(NoQueueServerError, match="no list can be read"):
        look(url)


@pytest.mark.parametrize("url", ["http://169.254.169.254/feed.xml", "http://127.0.0.1:1/feed.xml", "nonsense"])
def test_lists_that_may_not_be_opened_are_not_asked_for(url: str, redis: Redis) -> None:
    with pytest.raises(StageError, match="address|among the sites"):
        ask(url)
    assert not redis.keys("*")


def test_which_entries_are_here_takes_one_query(factory: Factory, feeds: Site, django_assert_num_queries: Any) -> None:
    video = factory.make_video(extractor_id="i4b-_bNsajY")
    factory.make_video(extractor="vimeo", extractor_id="i4b-_bNsajY")
    url = add_feed(feeds, *((f"T{n}", f"/{n}.wav") for n in range(50)), ("Known", "https://youtu.be/i4b-_bNsajY"))
    entries = listing.read_now(url).entries
    with django_assert_num_queries(1):
        here = listing.find_here(entries)
    assert here == {entries[-1].identity: video}


def test_what_is_kept_is_json_without_loss(feeds: Site) -> None:
    found = listing.read_now(add_feed(feeds, ("A", "/a.wav"), ("Bad", "javascript:x"), ("L", "https://youtube.com/@x")))
    assert listing._from_json(json.loads(json.dumps(dataclasses.asdict(found)))) == found


# ---------------------------------------------------------------- sites that refuse


def test_a_site_that_refuses_its_list_rests_for_its_videos_and_is_left_alone(feeds: Site) -> None:
    url = add_talks(feeds, 3)
    feeds.fail("/feed.xml", 429, times=1)
    with pytest.raises(SiteRefusesError):
        listing.read_now(url)
    site = DownloadSite.objects.get()
    assert (site.name, site.refusals) == (urlsplit(url).netloc, 1)
    with pytest.raises(StageError, match=f"{site.name} rests until .* read the list then") as caught:
        listing.read_now(url)
    assert not caught.value.permanent
    assert feeds.requests == ["GET /feed.xml"]
    pacing.end_rest(site.name)
    assert listing.read_now(url).total == 3


def test_a_site_that_refuses_further_pages_rests_and_what_came_is_shown(
    feeds: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = add_talks(feeds, 3)
    found = listing.read_now(url)
    broken_off = dataclasses.replace(found, stopped=SiteRefusesError("It wants a pause."))
    monkeypatch.setattr(listing, "read_list", lambda *args, **options: broken_off)
    assert listing.read_now(url) == found
    assert DownloadSite.objects.get().refusals == 1


def test_a_list_that_could_be_read_ends_no_rest_and_forgets_no_refusal(feeds: Site) -> None:
    url = add_talks(feeds, 3)
    DownloadSite.objects.create(name=urlsplit(url).netloc, refusals=2)
    listing.read_now(url)
    assert DownloadSite.objects.get().refusals == 2
