"""The demonstration, step by step, through the same doors as any other corpus.

Every step looks at the database for what is still missing, so that it can be repeated at any time and a stopped
demonstration goes on where it was.
"""

import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from annotation import sampling
from annotation.errors import AnnotationError
from annotation.models import Campaign
from crossmodal.demo import corpus, listeners, recording, turns
from crossmodal.demo.progress import CAMPAIGNS, DemoProgress, StepProgress, demo_videos, progress
from crossmodal.demo.scripts import Script, all_scripts
from crossmodal.demo.site import page_url
from crossmodal.demo.speech import SpeechError
from crossmodal.demo.timeline import Timeline
from crossmodal.models import Demonstration
from pipeline import intake
from pipeline.choices import Policy, RunState, Split, VideoState
from pipeline.queues import QueueUnavailable
from pipeline.recipes import RECOMMENDED, follow
from pipeline.stages.errors import StageError
from pipeline.stages.progress import ProgressCallback, ignore_progress

# A process that died in the middle of a step holds the others up no longer than this.
HOLD = timedelta(minutes=5)
SITE_TIMEOUT_S = 5
PER_CLASS: dict[str, int] = {Split.TRAIN: 12, Split.TEST: 12}
UNEXPECTED = "The demonstration stopped for a reason that only the server’s log tells. Try again."


class DemoError(Exception):
    """What hinders the demonstration, in a sentence."""


def start() -> DemoProgress:
    """Start the demonstration, or take up again what went wrong; a second call changes nothing.

    Raises QueueUnavailable where no job can be queued.
    """
    row, _ = Demonstration.objects.get_or_create(pk=Demonstration.ONLY_PK)
    if row.finished_at and not demo_videos().exists():
        Demonstration.objects.update(finished_at=None, run=None, started_at=timezone.now())
    elif row.error_message:
        _retry(row)
    turns.nudge()
    return progress()


def hurry(state: DemoProgress) -> str:
    """Have the next step taken as soon as it can be; returns why that is not possible, or nothing.

    Watching must not be needed: the job looks by itself, only less often.
    """
    if not state.started or state.finished or state.error:
        return ""
    waits = state.current is not None and state.current.waits_for_jobs
    quiet_for = turns.LOST_AFTER if waits else turns.PAUSE
    try:
        turns.nudge(quiet_for=quiet_for)
    except QueueUnavailable as error:
        return error.message
    return ""


def _retry(row: Demonstration) -> None:
    for video in demo_videos().filter(state__in=[VideoState.FAILED, VideoState.CAPTIONS_WAIT]):
        intake.retry(video)
    if row.run and row.run.state == RunState.FAILED:
        Demonstration.objects.update(run=None)
    Demonstration.objects.update(error_message="")


def advance(on_recording: ProgressCallback = ignore_progress) -> DemoProgress:
    """Do all that can be done now, in one process at a time; what hinders is stored and shown."""
    now = timezone.now()
    idle = Demonstration.objects.filter(finished_at=None, error_message="", held_until__lte=now)
    if idle.update(held_until=now + HOLD):
        message = UNEXPECTED
        try:
            _take_steps(on_recording)
            message = ""
        except (DemoError, StageError, AnnotationError, SpeechError) as error:
            message = str(error)
        finally:
            Demonstration.objects.update(held_until=timezone.now(), error_message=message)
    return progress()


def _take_steps(on_recording: ProgressCallback) -> None:
    """Act on the first step that is not finished, until one is left that only waiting finishes."""
    actions: list[Callable[[], None]] = [lambda: record(on_recording), prepare, train, predict, vote]
    for number, act in enumerate(actions):
        if not _step(number).finished:
            act()
            if not _step(number).finished:
                return
    Demonstration.objects.filter(finished_at=None).update(finished_at=timezone.now())


def _step(number: int) -> StepProgress:
    return progress().steps[number]


def record(on_recording: ProgressCallback = ignore_progress) -> None:
    try:
        corpus.record_all(on_recording)
    except OSError as error:
        raise DemoError(f"The interviews cannot be written to {corpus.folder()}: {error.strerror}.") from error


def prepare() -> None:
    """Submit the interviews' addresses like anybody's; then it is the pipeline's turn."""
    stored = {video.submitted_url: video for video in demo_videos()}
    missing = [script for script in all_scripts() if page_url(script) not in stored]
    if missing:
        _check_site()
    for split in Split.values:
        urls = [page_url(script) for script in missing if script.split == split]
        taken = intake.submit_urls(urls, split=split, policy=Policy.RECOMMENDED)
        if taken.refused:
            raise DemoError(f"{taken.refused[0].text} was refused: {taken.refused[0].reason}")
        if taken.problem:
            raise DemoError(taken.problem)
    for video in stored.values():
        if video.state in (VideoState.FAILED, VideoState.NO_CAPTIONS, VideoState.CAPTIONS_WAIT):
            reason = video.error_message or video.get_state_display()
            raise DemoError(f"The interview “{video}” could not be prepared: {reason}")


def _check_site() -> None:
    try:
        with urllib.request.urlopen(settings.DEMO_SITE_ORIGIN, timeout=SITE_TIMEOUT_S):  # noqa: S310 - our own origin
            return
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise DemoError(
            f"The demonstration’s site does not answer at {settings.DEMO_SITE_ORIGIN}. “make run” starts it; "
            "where the workers run apart, start “python manage.py demo_site” beside them."
        ) from error


def train() -> None:
    row = Demonstration.objects.select_related("run").get()
    if row.run is None:
        parameters = {"split": Split.TRAIN, "policy": Policy.RECOMMENDED, "seed": 0, **follow(RECOMMENDED, {})}
        run = intake.start_run(parameters)
        Demonstration.objects.update(run=run)
    elif row.run.state == RunState.FAILED:
        raise DemoError(f"Training failed: {row.run.error_message}")


def predict() -> None:
    row = Demonstration.objects.select_related("run").get()
    assert row.run is not None  # noqa: S101 - the step before made it
    intake.predict_all(row.run, Split.TEST)


def vote() -> None:
    """Draw both campaigns and let the simulated listeners vote on them."""
    timelines = {page_url(script): (script, timeline_of(script)) for script in all_scripts()}
    for split, name in CAMPAIGNS.items():
        campaign = Campaign.objects.filter(name=name).first() or sampling.sample_campaign(
            name=name,
            split=split,
            policy=Policy.RECOMMENDED,
            per_class=PER_CLASS[split],
            guidelines="Made by the demonstration: its votes are simulated, nobody listened.",
        )
        listeners.vote(campaign, timelines)
        # Nothing is left to hear in it, so that it need not stand in a real annotator's list.
        Campaign.objects.filter(pk=campaign.pk).update(is_open=False)


def timeline_of(script: Script) -> Timeline:
    """The stored timeline; on a machine that did not record the interview, the same one made again."""
    stored = corpus.timeline_of(script)
    return stored or recording.perform(script, corpus.fingerprint(script))[2]
