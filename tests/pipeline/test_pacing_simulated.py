"""Random histories of downloads, kills, clock jumps and lost queues: every video comes to an end."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from rq import Retry

from pipeline import caption_fetching, claims, fetching, intake, jobs, pacing, recovery
from pipeline.caption_fetching import captions_wait
from pipeline.choices import VideoState
from pipeline.endings import End
from pipeline.models import DownloadSite, Video
from pipeline.queues import RETRY_PAUSES_S, job_id
from pipeline.stages.download import Captions
from pipeline.stages.errors import CaptionsTokenError, LockedRecordingError, SiteRefusesError, StageError
from tests.factories import Factory

pytestmark = pytest.mark.django_db
ENDED = (VideoState.SEGMENTED, VideoState.FAILED, VideoState.NO_CAPTIONS)
SITES = ("youtube.com", "vimeo.com", "127.0.0.1:1")
# Workers that run at once; deeper nesting is more than one history needs.
WORKERS = 3
STEPS = 80
# A site rests for a day at most, and captions wait for one; what happened before may have begun both anew.
LONGEST = timedelta(days=3)


class Killed(BaseException):  # noqa: N818 - as kill -9, it is no error of the program
    """The process is gone; whatever it would still do does not happen."""


class World:
    """The queue, the clock and the workers of one history; the database is real."""

    def __init__(self, seed: int, factory: Factory) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.factory = factory
        self.now = timezone.now()
        self.waiting: dict[str, tuple[datetime, int]] = {}
        self.running: list[str] = []
        self.calm = False
        self.killed: Any = None

    # ------------------------------------------------------------ the queue

    def is_alive(self, name: str, *, running: bool = False) -> bool:
        return name in self.running or (not running and name in self.waiting)

    def enqueue_at(self, job: str, *pks: int, when: datetime, patient: bool = False) -> bool:
        self.maybe_die(0.03)
        name = job_id(job, *pks)
        if name in self.running:
            return False
        before = self.waiting.get(name)
        if before and before[0] <= when:
            return False
        self.waiting[name] = (when, len(RETRY_PAUSES_S))
        return True

    def enqueue(self, job: str, *pks: int, patient: bool = False) -> bool:
        return not self.is_alive(job_id(job, *pks)) and self.enqueue_at(job, *pks, when=self.now)

    # ------------------------------------------------------------ workers

    def maybe_die(self, probability: float) -> None:
        if self.running and not self.calm and not self.killed and self.random.random() < probability:
            self.killed = (list(Video.objects.values()), list(DownloadSite.objects.values()), dict(self.waiting))
            raise Killed

    def bury(self, name: str) -> None:
        """Undo what ran between the kill and here, as it would not have run."""
        videos, sites, self.waiting = self.killed
        self.killed = None
        tables: list[tuple[Any, list[Any]]] = [(Video, videos), (DownloadSite, sites)]
        for model, rows in tables:
            model.objects.all().delete()
            model.objects.bulk_create([model(**row) for row in rows])
        if self.random.random() < 0.5:  # the worker outlives its process; else the machine is gone
            recovery.give_back("fetch_video", int(name.rpartition("-")[2]))

    def run_due(self) -> bool:
        due = [name for name, (when, _) in self.waiting.items() if when <= self.now and name.startswith("fetch")]
        if not due or len(self.running) >= WORKERS:
            return False
        name = self.random.choice(due)
        _, retries = self.waiting.pop(name)
        self.running.append(name)
        pauses = None
        try:
            again = jobs.fetch_video(int(name.rpartition("-")[2]))
            pauses = again.intervals[0] if isinstance(again, Retry) else None
        except StageError:
            pauses = RETRY_PAUSES_S[-retries] if retries else None
            retries -= 1
        except RuntimeError:  # a fault of ours; the video has failed
            pass
        except Killed:
            self.running.remove(name)
            if self.running:
                raise  # the whole machine is gone
            self.bury(name)
            return True
        self.running.remove(name)
        if pauses is not None:
            self.waiting[name] = (self.now + timedelta(seconds=pauses), max(0, retries))
        return True

    def fetch(self, video: Video, turn: Any = None) -> None:
        """Stands for `fetching.fetch`."""
        if video.audio and video.captions:
            claims.finish(video, VideoState.SEGMENTED)
            return
        if video.audio:
            found = caption_fetching.ask_for_captions(video, Path(), turn)
            if found:
                claims.finish(video, VideoState.SEGMENTED, captions="c", captions_asks=0)
            return
        with pacing.asking(turn):
            self.look_at_holders(turn)
            self.meanwhile()
            self.maybe_die(0.1)
            kept_back = self.outcome()
        self.maybe_die(0.05)
        if kept_back:
            claims.finish(video, **captions_wait(video, kept_back), audio="a")
        else:
            claims.finish(video, VideoState.SEGMENTED, audio="a", captions="c")

    def look_at_holders(self, turn: Any) -> None:
        site = DownloadSite.objects.filter(name=turn.site).first()
        assert turn.token is None or (site and site.holder == turn.video), "two downloads of one site at once"

    def download_captions(self, *args: Any, **kwargs: Any) -> Captions:
        self.meanwhile()
        self.maybe_die(0.1)
        if kept_back := self.outcome():
            return Captions(None, "", kept_back)
        return Captions(Path("c"), "manual")

    def outcome(self) -> StageError | None:
        chance = self.random.random()
        if self.calm or chance < 0.4:
            return None
        if chance < 0.55:
            raise SiteRefusesError("The site wants a pause.")
        if chance < 0.6:
            raise LockedRecordingError("The challenge was not solved.")
        if chance < 0.75:
            raise StageError("The connection broke.", permanent=False)
        if chance < 0.8:
            raise StageError("The video is private.")
        if chance < 0.82:
            raise RuntimeError
        return CaptionsTokenError("A token is wanted.")

    def meanwhile(self) -> None:
        for _ in range(self.random.randrange(3)):
            if not self.calm:
                self.step()

    # ------------------------------------------------------------ what happens

    def submit(self) -> None:
        site = self.random.choice(SITES)
        video = self.factory.make_video(state=VideoState.QUEUED, state_since=self.now)
        scheme = "http" if site.startswith("127") else "https"
        Video.objects.filter(pk=video.pk).update(site=site, url=f"{scheme}://{site}/watch?v={video.pk:011d}")
        if site == SITES[-1] or self.random.random() < 0.5:  # of many that are submitted at once only the first is
            self.enqueue("fetch_video", video.pk)

    def any_video(self) -> Video | None:
        videos = list(Video.objects.all())
        return self.random.choice(videos) if videos else None

    def remove(self) -> None:
        if video := self.any_video():
            video.delete()

    def retry(self) -> None:
        if video := self.any_video():
            intake.retry(video)

    def upload_captions(self) -> None:
        video = self.any_video()
        states = [VideoState.NO_CAPTIONS, VideoState.CAPTIONS_WAIT]
        if video and video.enter(VideoState.QUEUED, only_from=states, captions="c", attempts=0, waits_until=None):
            self.enqueue("fetch_video", video.pk)

    def lose_queue(self) -> None:
        self.waiting.clear()

    def end_rest(self) -> None:
        pacing.end_rest(self.random.choice(SITES))

    def jump(self) -> None:
        self.now += timedelta(seconds=self.random.choice([-7 * 86400, -3600, 3600, 86400, 7 * 86400]))

    def resume(self) -> None:
        recovery.resume()

    def step(self) -> None:
        self.now += timedelta(seconds=self.random.choice([0.1, 1, 10, 100]))
        happenings: list[tuple[int, Callable[[], object]]] = [
            (20, self.run_due),
            (5, self.submit),
            (3, self.resume),
            (1, self.remove),
            (1, self.retry),
            (1, self.upload_captions),
            (1, self.lose_queue),
            (1, self.end_rest),
            (1, self.jump),
        ]
        weights = [weight for weight, _ in happenings]
        self.random.choices([happening for _, happening in happenings], weights)[0]()

    def come_to_rest(self) -> None:
        """Nothing fails any more: workers look about once a minute, as they do, and run what is due."""
        self.calm = True
        latest = self.now + LONGEST
        while self.now < latest:
            recovery.resume()
            while self.run_due():
                self.now += timedelta(seconds=1)
            if not Video.objects.exclude(state__in=ENDED).exists():
                return
            self.now += self.until_something_is_due()
        left = [f"{video.pk} {video.state} {video.site} {video.waits_until}" for video in self.unfinished()]
        pytest.fail(f"stuck: {left}, {list(DownloadSite.objects.values())}, {self.waiting}, {self.now}")

    def until_something_is_due(self) -> timedelta:
        moments = [when for name, (when, _) in self.waiting.items() if name.startswith("fetch")]
        moments += [video.waits_until for video in self.unfinished() if video.waits_until]
        moments += [rest for site in DownloadSite.objects.all() if (rest := site.rests_until) and rest > self.now]
        return max(timedelta(seconds=60), min(moments, default=self.now) - self.now)

    def unfinished(self) -> list[Video]:
        return list(Video.objects.exclude(state__in=ENDED))


@pytest.fixture
def world(request: Any, factory: Factory, monkeypatch: pytest.MonkeyPatch, settings: Any) -> World:
    settings.DOWNLOAD_PRIVATE_ORIGINS = ["http://127.0.0.1:1"]
    world = World(request.param, factory)
    monkeypatch.setattr(timezone, "now", lambda: world.now)
    for module in (recovery, pacing, intake):
        for name in ("is_alive", "enqueue", "enqueue_at"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, getattr(world, name))
    monkeypatch.setattr(intake, "enqueue_on_commit", world.enqueue)
    monkeypatch.setattr(recovery, "how_it_ended", lambda name: world.random.choice(list(End)))
    monkeypatch.setattr(recovery, "cancel", lambda *job: None)
    monkeypatch.setattr(fetching, "fetch", world.fetch)
    monkeypatch.setattr(caption_fetching, "download_captions", world.download_captions)
    current = SimpleNamespace(retries_left=0)
    for module in (pacing, claims):
        monkeypatch.setattr(module, "get_current_job", lambda: current if world.running else None)
    return world


@pytest.mark.parametrize("world", range(25), indirect=True)
def test_every_video_comes_to_an_end(world: World) -> None:
    for _ in range(STEPS):
        world.step()
    world.come_to_rest()
