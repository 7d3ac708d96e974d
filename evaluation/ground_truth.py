"""People's ground truth as rows: one task per segment, whichever campaign it was judged in."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation.models import Campaign, Task, TaskState, Vote, VoteOrigin
from pipeline.labels import LABELS
from pipeline.models import Prediction, TrainingRun, Video

SETTLED = (TaskState.MAJORITY, TaskState.ADJUDICATED)
COLUMNS = (
    "pk",
    "campaign_id",
    "segment_id",
    "state",
    "truth",
    "imported_key",
    "imported_video",
    "imported_text",
    "imported_label",
    "video",
    "simulated",
)


def tasks_of(split: str, campaign: Campaign | None) -> QuerySet[Task]:
    """Tasks of a split, newest campaign first, with their video and whether a simulated vote stands.

    A row of an imported table belongs to the video that bears its number in the 2019 dataset, where that is stored.
    """
    imported_from = Video.objects.filter(
        split=OuterRef("campaign__split"), dataset_id=OuterRef("imported_video")
    ).exclude(dataset_id="")
    simulated = Vote.objects.standing().filter(task=OuterRef("pk"), origin=VoteOrigin.SIMULATED)
    tasks = Task.objects.filter(campaign__split=split).order_by("-campaign_id", "position")
    if campaign is not None:
        tasks = tasks.filter(campaign=campaign)
    return tasks.annotate(
        video=Coalesce(F("segment__video_id"), Subquery(imported_from.values("pk")[:1])), simulated=Exists(simulated)
    )


def judged_once(tasks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One task per segment: of several campaigns' tasks the newest settled one, else the newest without majority.

    Rows of imported tables without a stored segment are the same where key, video and text are.
    """
    rank = {TaskState.MAJORITY: 0, TaskState.ADJUDICATED: 0, TaskState.NO_MAJORITY: 1, TaskState.OPEN: 2}
    chosen: dict[Any, dict[str, Any]] = {}
    for task in tasks:
        key = task["segment_id"] or (task["imported_key"], task["imported_video"], task["imported_text"])
        if key not in chosen or rank[task["state"]] < rank[chosen[key]["state"]]:
            chosen[key] = task
    return list(chosen.values())


def predicted_tasks(run: TrainingRun, split: str, campaign: Campaign | None = None) -> list[dict[str, Any]]:
    """Tasks judged once with what the run predicts for their segments.

    ``seen`` says that the final model predicted the segment and was trained on its video: no fair comparison.
    """
    predictions = Prediction.objects.filter(run=run, segment=OuterRef("segment"))
    trained_on = Prediction.objects.out_of_fold().filter(run=run, segment__video=OuterRef("segment__video"))
    columns = ("label", "fold", *(f"p_{label}" for label in LABELS))
    tasks = tasks_of(split, campaign).annotate(
        trained_on=Exists(trained_on),
        **{f"predicted_{column}": Subquery(predictions.values(column)[:1]) for column in columns},
    )
    rows = judged_once(tasks.values(*COLUMNS, "trained_on", *(f"predicted_{column}" for column in columns)))
    for row in rows:
        row["seen"] = row["predicted_fold"] is None and row["trained_on"]
    return rows
