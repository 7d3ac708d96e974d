"""How far the demonstration is, read from the tables that its steps fill."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q

from annotation.models import Campaign, TaskState
from crossmodal.demo import corpus
from crossmodal.demo.scripts import all_scripts
from crossmodal.demo.site import page_url
from crossmodal.models import Demonstration
from pipeline.choices import RunState, Split, VideoState
from pipeline.models import Prediction, Segment, TrainingRun, Video, VideoQuerySet

CAMPAIGNS: dict[str, str] = {
    Split.TRAIN: "Demonstration, train (simulated votes)",
    Split.TEST: "Demonstration, test (simulated votes)",
}
# How many of its four stages a video has behind it.
STAGES_DONE: dict[str, int] = {
    VideoState.SEGMENTED: 1,
    VideoState.LABELLING: 1,
    VideoState.LABELLED: 2,
    VideoState.EXTRACTING: 2,
    VideoState.READY: 3,
}
STAGES = 3
# Share of the whole time that each step takes, in per cent, as measured.
WEIGHTS = (15, 65, 8, 4, 8)


@dataclass(frozen=True)
class StepProgress:
    """One step: ``done`` of ``total`` in units of its own, which only the bar shows."""

    name: str
    done: int
    total: int
    detail: str = ""
    waits_for_jobs: bool = False

    @property
    def finished(self) -> bool:
        return bool(self.total) and self.done >= self.total


@dataclass(frozen=True)
class DemoProgress:
    """The demonstration as a whole."""

    started: bool = False
    finished: bool = False
    error: str = ""
    steps: tuple[StepProgress, ...] = ()
    run_pk: int | None = None
    campaign_pks: dict[str, int] = field(default_factory=dict)

    @property
    def current(self) -> StepProgress | None:
        return next((step for step in self.steps if not step.finished), None)

    @property
    def percent(self) -> int:
        shares = (min(1.0, step.done / step.total) if step.total else 0.0 for step in self.steps)
        return round(sum(weight * share for weight, share in zip(WEIGHTS, shares, strict=False)))


def demo_videos() -> VideoQuerySet:
    return Video.objects.filter(submitted_url__in=[page_url(script) for script in all_scripts()])


def progress() -> DemoProgress:
    """Eight queries at most, one where the demonstration was never started."""
    row = Demonstration.objects.select_related("run").first()
    if row is None:
        return DemoProgress()
    campaigns = list(
        Campaign.objects.filter(name__in=CAMPAIGNS.values()).annotate(
            n_tasks=Count("tasks"), n_open=Count("tasks", filter=Q(tasks__state=TaskState.OPEN))
        )
    )
    return DemoProgress(
        started=True,
        finished=row.finished_at is not None,
        error=row.error_message,
        steps=(_recording(), _preparing(), _training(row.run), _predicting(row.run), _voting(campaigns)),
        run_pk=row.run_id,
        campaign_pks={campaign.split: campaign.pk for campaign in campaigns},
    )


def _recording() -> StepProgress:
    """Once all videos are stored, the recordings are not needed any more."""
    scripts = all_scripts()
    done = sum((corpus.folder() / corpus.timeline_name(script)).exists() for script in scripts)
    if done < len(scripts) and demo_videos().count() == len(scripts):
        done = len(scripts)
    return StepProgress("Speak and record the interviews", done, len(scripts), f"{done} of {len(scripts)} recorded")


def _preparing() -> StepProgress:
    states = list(demo_videos().values_list("state", flat=True))
    n = len(all_scripts())
    ready = states.count(VideoState.READY)
    return StepProgress(
        "Fetch them, cut and label what is said, measure how it sounds",
        sum(STAGES_DONE.get(state, 0) for state in states),
        STAGES * n,
        f"{ready} of {n} ready",
        waits_for_jobs=len(states) == n and ready < n,
    )


def _training(run: TrainingRun | None) -> StepProgress:
    name = "Train an audio model on the text labels"
    if run is None:
        return StepProgress(name, 0, 100)
    waits = run.state in (RunState.QUEUED, RunState.RUNNING)
    done = 100 if run.state == RunState.DONE else min(99, run.progress_percent or 0)
    return StepProgress(name, done, 100, run.progress_what if waits else "", waits_for_jobs=waits)


def _predicting(run: TrainingRun | None) -> StepProgress:
    test = demo_videos().in_split(Split.TEST)
    total = Segment.objects.kept().filter(video__in=test).count()
    done = Prediction.objects.filter(run=run, segment__video__in=test).count() if run else 0
    name = "Let the model predict the test interviews"
    return StepProgress(name, done, total, f"{done} of {total} segments", waits_for_jobs=0 < done < total)


def _voting(campaigns: Sequence[Campaign]) -> StepProgress:
    total = sum(campaign.n_tasks for campaign in campaigns)  # type: ignore[attr-defined]
    done = total - sum(campaign.n_open for campaign in campaigns)  # type: ignore[attr-defined]
    if len(campaigns) < len(CAMPAIGNS):
        total = max(total, 1) * len(CAMPAIGNS)
    name = "Let three simulated listeners vote"
    return StepProgress(name, done, total, f"{done} of {total} segments" if campaigns else "")
