"""A campaign's votes as a table in the 2019 form, which `importing` reads back."""

import csv
from collections import defaultdict
from typing import Protocol

from annotation.models import Campaign, Task, Vote, VoteOrigin
from annotation.votetable import SIMULATED_SUFFIX, segment_of_key
from pipeline.models import TextLabel


class Writable(Protocol):
    """A text file, or an HTTP response."""

    def write(self, text: str, /) -> object: ...


def _identity(task: Task) -> tuple[str, str, str]:
    """Video, segment and text of a task, whether its segment is stored or came with a table."""
    if task.segment is None:
        return task.imported_video, segment_of_key(task.imported_key), task.imported_text
    video = task.segment.video
    # A pk could be taken for one of the dataset's own ids, so it says what it is.
    return video.dataset_id or f"video-{video.pk}", str(task.segment.position), task.segment.text


def write_votes(campaign: Campaign, file: Writable) -> None:
    """Write the standing votes: a row per task, a column per annotator, simulated ones marked in the heading."""
    predicted = dict(
        TextLabel.objects.filter(segment__tasks__campaign=campaign, policy=campaign.policy).values_list(
            "segment_id", "label"
        )
    )
    votes: dict[int, dict[str, str]] = defaultdict(dict)
    listeners: dict[str, None] = {}
    rows = Vote.objects.standing().filter(task__campaign=campaign).order_by("annotator_id", "pk")
    for task_pk, name, label, origin in rows.values_list("task_id", "annotator__username", "label", "origin"):
        heading = name + SIMULATED_SUFFIX if origin == VoteOrigin.SIMULATED else name
        listeners[heading] = None
        votes[task_pk][heading] = label
    writer = csv.writer(file)
    writer.writerow(["VideoId", "segment", "sentiment analysis", *listeners, "text"])
    for task in campaign.tasks.select_related("segment__video").order_by("position"):
        video, segment, text = _identity(task)
        label = task.imported_label or predicted.get(task.segment_id or 0, "")
        writer.writerow([video, segment, label, *(votes[task.pk].get(name, "") for name in listeners), text])
