"""Work that nobody does is found; work that somebody does is left alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis
from rq.utils import utcformat

from pipeline import claims, jobs, queues, recovery
from pipeline.cancelling import how_it_ended
from pipeline.choices import RunState, VideoState
from pipeline.endings import MAX_DEATHS, MAX_INTERRUPTIONS, End
from pipeline.liveness import process_space
from pipeline.models import TrainingRun, Video
from pipeline.queues import enqueue, enqueue_at, fetch_job, get_queue
from pipeline.stages.errors import SiteRefusesError
from pipeline.workers import PipelineWorker
from tests.factories import Factory
from tests.pipeline.test_queues import hold

WAITING = [
    (VideoState.QUEUED, "fetch_video", "download"),
    (VideoState.SEGMENTED, "label_video", "compute"),
    (VideoState.LABELLED, "extract_features", "compute"),
]
RUNNING = [
    (VideoState.FETCHING, VideoState.QUEUED, "fetch_video"),
    (VideoState.LABELLING, VideoState.SEGMENTED, "label_video"),
    (VideoState.EXTRACTING, VideoState.LABELLED, "extract_features"),
]


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "UNSEEN_GRACE_S", 0.01)


def living_worker(redis: Redis) -> PipelineWorker:
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.register_birth()
    return worker


@pytest.mark.parametrize(("state", "job", "queue"), WAITING)
def test_it_queues_what_waits(state: str, job: str, queue: str, factory: Factory, redis: Redis) -> None:
    video = factory.make_video(state=state)
    assert recovery.resume() == 1
    assert get_queue(queue).job_ids == [f"{job}-{video.pk}"]
    assert recovery.resume() == 0


def test_what_needs_its_site_no_more_does_not_wait_for_its_rest(factory: Factory, redis: Redis) -> None:
    video = factory.make_video(state=VideoState.QUEUED, audio="a.wav", captions="c.vtt")
    enqueue_at("fetch_video", video.pk, when=timezone.now() + timedelta(hours=8))
    assert recovery.resume() == 1
    assert get_queue("download").job_ids == [f"fetch_video-{video.pk}"]


@pytest.mark.parametrize("wait_s", [60, 300])
def test_a_pause_between_two_tries_is_kept(wait_s: int, factory: Factory, redis: Redis) -> None:
    until = timezone.now() + timedelta(seconds=wait_s)
    video = factory.make_video(state=VideoState.SEGMENTED, waits_until=until)
    enqueue_at("label_video", video.pk, when=until)
    assert recovery.resume() == 0
    assert get_queue("compute").job_ids == []


@pytest.mark.parametrize("state", ["stored", "no-captions", "ready", "failed"])
def test_it_leaves_settled_videos_alone(state: str, factory: Factory, redis: Redis) -> None:
    factory.make_video(state=state)
    assert recovery.resume() == 0


@pytest.mark.parametrize(("running", "waiting", "job"), RUNNING)
@pytest.mark.parametrize("record", ["none", "dead worker", "scheduled"])
def test_it_takes_up_what_a_dead_worker_held(
    record: str, running: str, waiting: str, job: str, factory: Factory, redis: Redis
) -> None:
    video = factory.make_video(state=running, attempts=1)
    if record != "none":
        enqueue(job, video.pk)
        found = fetch_job(f"{job}-{video.pk}")
        assert found is not None
        if record == "dead worker":
            hold(found, "gone")
        else:
            queue = get_queue(found.origin)
            queue.remove(found)
            with redis.pipeline() as pipeline:
                found.retry(queue, pipeline)
                pipeline.execute()

    recovery.resume()

    video.refresh_from_db()
    assert (video.state, video.attempts, video.deaths, video.interruptions) == (waiting, 0, 0, 1)
    assert "stopped in the middle" in video.error_message
    assert queues.is_alive(f"{job}-{video.pk}")


def test_it_leaves_the_work_of_a_living_worker_alone(factory: Factory, redis: Redis) -> None:
    video = factory.make_video(state=VideoState.LABELLING, attempts=1)
    enqueue("label_video", video.pk)
    job = fetch_job(f"label_video-{video.pk}")
    assert job is not None
    hold(job, living_worker(redis).name)
    assert recovery.resume() == 0
    video.refresh_from_db()
    assert video.state == VideoState.LABELLING


def test_a_video_that_killed_its_worker_three_times_fails(factory: Factory) -> None:
    video = factory.make_video(state=VideoState.EXTRACTING, deaths=MAX_DEATHS - 1)
    recovery.give_back("extract_features", video.pk, end=End.DIED)
    video.refresh_from_db()
    assert video.state == VideoState.FAILED
    assert "died 3 times" in video.error_message
    assert not video.error_permanent


def test_what_takes_the_whole_installation_down_each_time_fails_too(factory: Factory, redis: Redis) -> None:
    video = factory.make_video(state=VideoState.EXTRACTING, interruptions=MAX_INTERRUPTIONS - 1)
    assert recovery.resume() == 0
    video.refresh_from_db()
    assert (video.state, video.error_permanent) == (VideoState.FAILED, False)
    assert "went down 10 times" in video.error_message


def test_a_queue_server_that_alone_went_down_counts_nothing(factory: Factory, redis: Redis) -> None:
    video = factory.make_video(state=VideoState.EXTRACTING, interruptions=MAX_INTERRUPTIONS - 1)
    assert recovery.resume(lost=End.STOPPED) == 1
    video.refresh_from_db()
    assert (video.state, video.interruptions) == (VideoState.LABELLED, MAX_INTERRUPTIONS - 1)


def test_site_pauses_are_no_deaths(factory: Factory) -> None:
    video = factory.make_video(state=VideoState.QUEUED)
    for _ in range(2):
        assert video.claim(VideoState.QUEUED)
        claims.carry_out(Video.objects.get(), _refused)
    assert video.claim(VideoState.QUEUED)
    recovery.give_back("fetch_video", video.pk, end=End.DIED)
    video.refresh_from_db()
    assert (video.state, video.deaths, video.attempts) == (VideoState.QUEUED, 1, 0)
    assert video.error_message == "The worker died once at this point; this is tried again."


def _refused(row: object) -> None:
    raise SiteRefusesError("The site asks for a pause.", rest_s=60)


def test_a_run_that_died_twice_begins_its_next_training_from_nothing(
    videos: list[Video], run: TrainingRun, redis: Redis
) -> None:
    for _ in range(MAX_DEATHS - 1):
        TrainingRun.objects.update(state=RunState.RUNNING)
        recovery.give_back("train", run.pk, end=End.DIED)
    run.refresh_from_db()
    assert (run.state, run.deaths) == (RunState.QUEUED, MAX_DEATHS - 1)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert (run.state, run.deaths, run.interruptions) == (RunState.DONE, 0, 0)


def test_another_job_that_has_gone_on_with_the_video_keeps_it(factory: Factory) -> None:
    """The process that fetched it ended badly after it had saved."""
    video = factory.make_video(state=VideoState.LABELLING)
    recovery.give_back("fetch_video", video.pk, end=End.DIED)
    video.refresh_from_db()
    assert (video.state, video.deaths) == (VideoState.LABELLING, 0)


BOOT, OTHER_BOOT = process_space().split(" ")[1], "another-boot"


@pytest.mark.parametrize(
    ("fields", "witness", "end"),
    [
        ({}, {}, End.UNKNOWN),
        ({"stop_requested": "1"}, {}, End.STOPPED),
        ({"stop_requested": ""}, {}, End.DIED),
        ({"stop_requested": ""}, {"born": 10}, End.UNKNOWN),
        ({"stop_requested": ""}, {"boot": OTHER_BOOT}, End.UNKNOWN),
        ({"stop_requested": ""}, {"seen": 0}, End.UNKNOWN),
        ({"stop_requested": ""}, {"dead": True}, End.UNKNOWN),
    ],
    ids=["nothing known", "stopped", "another lived on", "born later", "another machine", "unseen since", "dead too"],
)
def test_who_lived_on_tells_a_death_from_an_end_of_everything(
    fields: dict[str, str], witness: dict[str, Any], end: End, redis: Any
) -> None:
    seen = datetime.now(UTC) - timedelta(minutes=5)
    if fields:
        record = {"process_space": f"here {BOOT} gone", "last_heartbeat": utcformat(seen), **fields}
        redis.hset("rq:job:train-1", mapping=record)
    moments = {
        "birth": seen + timedelta(seconds=witness.get("born", -60)),
        "last_heartbeat": seen + timedelta(seconds=witness.get("seen", 60)),
    }
    redis.sadd("rq:workers", "rq:worker:w")
    redis.hset(
        "rq:worker:w",
        mapping={
            "pid": "1",
            "process_space": f"elsewhere {witness.get('boot', BOOT)} x",
            **{name: utcformat(moment) for name, moment in moments.items()},
            **({"death": utcformat(seen)} if witness.get("dead") else {}),
        },
    )
    assert how_it_ended("train-1") == end


def test_training_runs_are_taken_up_too(factory: Factory, redis: Redis) -> None:
    waiting = factory.make_run(state=RunState.QUEUED)
    dead = factory.make_run(state=RunState.RUNNING, attempts=1)
    hopeless = factory.make_run(state=RunState.RUNNING, interruptions=MAX_INTERRUPTIONS - 1)
    factory.make_run(state=RunState.DONE)

    assert recovery.resume() == 2

    assert sorted(get_queue("compute").job_ids) == [f"train-{waiting.pk}", f"train-{dead.pk}"]
    dead.refresh_from_db()
    hopeless.refresh_from_db()
    assert (dead.state, hopeless.state) == (RunState.QUEUED, RunState.FAILED)
    assert hopeless.finished_at


@pytest.mark.parametrize(("running", "waiting", "job"), RUNNING)
def test_the_row_of_a_killed_job_goes_back_at_once(running: str, waiting: str, job: str, factory: Factory) -> None:
    video = factory.make_video(state=running, attempts=1)
    recovery.give_back(job, video.pk)
    video.refresh_from_db()
    assert video.state == waiting


def test_giving_back_touches_nothing_that_moved_on(factory: Factory) -> None:
    video, run = factory.make_video(state=VideoState.READY), factory.make_run(state=RunState.DONE)
    recovery.give_back("fetch_video", video.pk)
    recovery.give_back("train", run.pk)
    recovery.give_back("train", 999)
    recovery.give_back("predict_video", run.pk, video.pk)
    assert Video.objects.get().state == VideoState.READY
    assert TrainingRun.objects.get().state == RunState.DONE


def test_a_row_that_moves_during_the_look_is_not_put_back(
    factory: Factory, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = factory.make_video(state=VideoState.LABELLING, attempts=1)

    def finish_meanwhile(*args: Any, **options: Any) -> bool:
        Video.objects.get(pk=video.pk).enter(VideoState.READY)
        return False

    monkeypatch.setattr(recovery, "is_alive", finish_meanwhile)
    assert recovery.resume() == 0
    video.refresh_from_db()
    assert video.state == VideoState.READY
