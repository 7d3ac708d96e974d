"""What the home page tells: where everything stands, and what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse

from annotation.models import Campaign, Task, TaskState
from crossmodal.roles import ANNOTATOR
from pipeline.choices import RUNNING_STATES, WAITING_STATES, Policy, RunState, Split, VideoState
from pipeline.downloads import download_hint
from pipeline.labels import LABELS
from pipeline.models import Segment, TextLabel, TrainingRun, Video

STEPS_SHOWN = 4
NO_TRAIN_VIDEOS = "There are no training videos yet."
NO_TEST_VIDEOS = "There are no test videos yet; a model is judged on them."


@dataclass(frozen=True)
class NextStep:
    """One sentence that says what is missing, and the link that leads there."""

    text: str
    action: str
    url: str


# What a video can be, as the overview sums it up, with the states behind it.
VIDEO_COLUMNS: dict[str, list[str]] = {
    "ready": [VideoState.READY],
    "in_work": [*WAITING_STATES, *RUNNING_STATES],
    "stored": [VideoState.STORED],
    "captions_wait": [VideoState.CAPTIONS_WAIT],
    "no_captions": [VideoState.NO_CAPTIONS],
    "failed": [VideoState.FAILED],
}


@dataclass(frozen=True)
class Overview:
    """Counts over the whole installation."""

    videos: dict[str, dict[str, Any]]  # split → column → count, and "duration_s"
    segments: int
    kept: int
    labels: tuple[tuple[str, int, float], ...]  # class, segments, share of the largest class
    runs_done: int
    runs_unfinished: int
    latest_run: TrainingRun | None
    test_predictions: int
    campaigns: int
    tasks: int
    awaiting_votes: int
    settled: int
    no_majority: int
    annotators: int

    @property
    def is_empty(self) -> bool:
        return not self.n_videos and not self.campaigns

    def count(self, column: str) -> int:
        return sum(row[column] for row in self.videos.values())

    @property
    def n_videos(self) -> int:
        return sum(self.count(column) for column in VIDEO_COLUMNS)

    @property
    def duration_s(self) -> float:
        return float(sum(row["duration_s"] for row in self.videos.values()))

    @property
    def split_names(self) -> list[str]:
        return [str(Split(split).label) for split in self.videos]

    @property
    def video_rows(self) -> list[tuple[str, list[int]]]:
        """A state with its count in each split: what is ready, and what there is of the rest."""
        return [
            (column.replace("_", " ").capitalize(), [row[column] for row in self.videos.values()])
            for column in VIDEO_COLUMNS
            if column == "ready" or self.count(column)
        ]

    @property
    def durations_s(self) -> list[float]:
        return [row["duration_s"] for row in self.videos.values()]

    @property
    def labelled(self) -> int:
        return sum(n for _, n, _ in self.labels)


def _videos() -> dict[str, dict[str, Any]]:
    counts: dict[str, Any] = {name: Count("pk", filter=Q(state__in=states)) for name, states in VIDEO_COLUMNS.items()}
    rows = Video.objects.order_by().values("split").annotate(duration_s=Sum("duration_s", default=0.0), **counts)
    empty = dict.fromkeys(VIDEO_COLUMNS, 0) | {"duration_s": 0.0}
    return dict.fromkeys(Split.values, empty) | {row["split"]: dict(row) for row in rows}


def overview(policy: str = Policy.RECOMMENDED) -> Overview:
    """Seven queries, however much is stored."""
    segments = Segment.objects.aggregate(all=Count("pk"), kept=Count("pk", filter=Q(exclusion="")))
    by_label = {
        row["label"]: row["n"]
        for row in TextLabel.objects.filter(policy=policy, label__in=LABELS).values("label").annotate(n=Count("pk"))
    }
    runs = TrainingRun.objects.aggregate(
        done=Count("pk", filter=Q(state=RunState.DONE)),
        unfinished=Count("pk", filter=Q(state__in=[RunState.QUEUED, RunState.RUNNING])),
    )
    latest_run = (
        TrainingRun.objects.filter(state=RunState.DONE)
        .annotate(n_test=Count("predictions", filter=Q(predictions__segment__video__split=Split.TEST)))
        .first()
    )
    tasks = Task.objects.aggregate(
        tasks=Count("pk"),
        campaigns=Count("campaign", distinct=True),
        awaiting_votes=Count("pk", filter=Q(state=TaskState.OPEN)),
        settled=Count("pk", filter=Q(state__in=[TaskState.MAJORITY, TaskState.ADJUDICATED])),
        no_majority=Count("pk", filter=Q(state=TaskState.NO_MAJORITY)),
    )
    most = max(by_label.values(), default=0)
    return Overview(
        videos=_videos(),
        segments=segments["all"],
        kept=segments["kept"],
        labels=tuple((label, by_label.get(label, 0), by_label.get(label, 0) / most if most else 0) for label in LABELS),
        runs_done=runs["done"],
        runs_unfinished=runs["unfinished"],
        latest_run=latest_run,
        test_predictions=latest_run.n_test if latest_run else 0,
        annotators=User.objects.filter(groups__name=ANNOTATOR, is_active=True).count(),
        **tasks,
    )


def next_steps(state: Overview) -> list[NextStep]:
    """The first few things that are missing, in the order in which the work goes."""
    return [step for _, step in zip(range(STEPS_SHOWN), _steps(state), strict=False)]


def _steps(state: Overview) -> Iterator[NextStep]:
    train, test = state.videos[Split.TRAIN], state.videos[Split.TEST]
    videos = reverse("list_videos")
    if hint := download_hint():
        yield NextStep(hint, "See downloads", reverse("check_downloads"))
    if failed := state.count("failed"):
        yield NextStep(f"{_n(failed, 'video')} could not be processed.", "See why", videos)
    if no_captions := state.count("no_captions"):
        yield NextStep(f"{_n(no_captions, 'video')} came without English captions.", "Add them", videos)
    if captions_wait := state.count("captions_wait"):
        text = f"{_n(captions_wait, 'video')} without captions so far; the site keeps them back for a while."
        yield NextStep(text, "See videos", f"{videos}?state={VideoState.CAPTIONS_WAIT}")
    if stored := state.count("stored"):
        yield NextStep(f"{_n(stored, 'video')} imported, not fetched yet.", "See videos", videos)
    for row, text in ((train, NO_TRAIN_VIDEOS), (test, NO_TEST_VIDEOS)):
        if not sum(row[column] for column in VIDEO_COLUMNS):
            yield NextStep(text, "Add videos", reverse("list_videos") + "?add=urls#add")
    if train["ready"] and not state.runs_done and not state.runs_unfinished:
        yield NextStep("No audio model is trained yet.", "Start training", reverse("start_run"))
    if state.latest_run and test["ready"] and not state.test_predictions:
        url = reverse("show_run", args=[state.latest_run.pk])
        yield NextStep("The latest model has not predicted the test videos yet.", "Predict them", url)
    if state.labelled and not state.campaigns:
        yield NextStep("Nobody listens to the segments yet.", "Draw a campaign", reverse("create_campaign"))
    if state.awaiting_votes and not state.annotators:
        yield NextStep("There are segments to hear but no annotators.", "Add people", reverse("list_people"))
    if state.no_majority:
        text = f"{_n(state.no_majority, 'segment')} got three different votes."
        yield NextStep(text, "Decide", reverse("list_campaigns"))
    if state.awaiting_votes and state.annotators:
        text = f"{_n(state.awaiting_votes, 'segment')} still to be heard by three people."
        yield NextStep(text, "See campaigns", reverse("list_campaigns"))


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def campaigns_for(annotator: User) -> QuerySet[Campaign]:
    """Open campaigns where this person voted (``n_mine`` segments) or may still hear some (``n_left``)."""
    listeners = Task.objects.filter(slots__annotator__imported_listener__account=annotator)
    mine = Task.objects.filter(slots__annotator=annotator, slots__filled=True) | listeners
    skipped = Task.objects.filter(skips__annotator=annotator)
    left = Q(tasks__state=TaskState.OPEN, tasks__segment__isnull=False)
    return (
        Campaign.objects.filter(is_open=True)
        .annotate(
            n_mine=Count("tasks", filter=Q(tasks__in=mine)),
            n_left=Count("tasks", filter=left & ~Q(tasks__in=mine) & ~Q(tasks__in=skipped)),
        )
        .filter(Q(n_mine__gt=0) | Q(n_left__gt=0))
        .order_by("pk")
    )
