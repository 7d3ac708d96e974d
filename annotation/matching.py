"""Rows of a vote table found again among the tasks of a campaign and the stored segments."""

import re
from collections.abc import Container, Iterable

from annotation.errors import AnnotationError
from annotation.models import Campaign, Task
from annotation.votetable import TableRow, VoteTable, canonical_key, clean_text, segment_number, whole_number
from pipeline.models import Segment, Video

# Stands before the primary key of a video that has no id in a dataset, since the bare number could be taken for one.
PK_PREFIX = "video-"
# More digits would not fit into a column of keys.
_PK_NAME = re.compile(rf"{PK_PREFIX}([0-9]{{1,18}})")


def names_of(video: Video) -> list[str]:
    """What a table may call a video; the first is what an export calls it."""
    names = [video.dataset_id] if video.dataset_id else []
    return [*names, f"{PK_PREFIX}{video.pk}"]


def tasks_of(campaign: Campaign, table: VoteTable) -> tuple[dict[str, Task], int]:
    """The task of each row by its key, made where there is none, and how many of them are new."""
    there = _by_key(campaign)
    segments = _stored_segments(campaign, [row for row in table.rows if row.key not in there])
    last = campaign.tasks.order_by("-position").values_list("position", flat=True).first()
    first_free = 0 if last is None else last + 1
    _check_spellings(table.rows, there)
    tasks: dict[str, Task] = {}
    new: list[Task] = []
    for row in table.rows:
        task = there.get(row.key)
        if task is None:
            if row.again:
                raise AnnotationError(
                    f"{row.where} is segment {row.segment} of the video {row.video} again, as {row.again.lower()} is; "
                    "leave one of them out, or correct its number."
                )
            task = _new_task(campaign, row, first_free + len(new), segments)
            new.append(task)
        else:
            _check_same(row, task)
        tasks[row.key] = task
    Task.objects.bulk_create(new)
    return tasks, len(new)


def _check_spellings(rows: Iterable[TableRow], there: Iterable[str]) -> None:
    """Raise AnnotationError where the campaign has the video with other zeros before it: a spreadsheet drops them."""
    names = {key.rpartition("/")[0] for key in there if "/" in key}
    spellings = {segment_number(name): name for name in names}
    for row in rows:
        known = spellings.get(segment_number(row.video)) if row.video and row.video not in names else None
        if known is not None:
            raise AnnotationError(
                f"{row.where} has the VideoId “{row.video}”, this campaign “{known}”; write it as it is there, or "
                "import the table into a campaign of its own."
            )


def _by_key(campaign: Campaign) -> dict[str, Task]:
    """The campaign's tasks by the keys that rows about them have."""
    found: dict[str, Task] = {}
    for task in campaign.tasks.select_related("segment__video").order_by("position"):
        if task.imported_key:
            found[_free(canonical_key(task.imported_key), found)] = task
        if task.segment is not None:
            for name in names_of(task.segment.video):
                found.setdefault(f"{whole_number(name)}/{task.segment.position}#1", task)
    return found


def _free(key: str, taken: Container[str]) -> str:
    """The key with the next number that is free: earlier versions took a segment in two rows as two."""
    base, _, number = key.rpartition("#")
    while key in taken:
        number = str(int(number) + 1)
        key = f"{base}#{number}"
    return key


def _stored_segments(campaign: Campaign, rows: Iterable[TableRow]) -> dict[tuple[str, str], Segment]:
    """Segments of the campaign's split that rows name, by video and number as the rows write them."""
    wanted = {(row.video, row.segment) for row in rows if row.video and row.segment.isdecimal()}
    if not wanted:
        return {}
    videos = Video.objects.filter(split=campaign.split)
    named = {video for video, _ in wanted}
    pks = {int(found[1]) for found in map(_PK_NAME.fullmatch, named) if found}
    names = {
        video.pk: name
        for query in (videos.filter(pk__in=pks), videos.filter(dataset_id__in=named))
        for video in query
        for name in names_of(video)
        if name in named
    }
    # Numbers of some digits more than any recording has segments would not fit into the column.
    numbers = {int(number) for _, number in wanted if len(number) < 10}
    taken = set(campaign.tasks.exclude(segment=None).values_list("segment_id", flat=True))
    segments = Segment.objects.filter(video__in=names, position__in=numbers).exclude(pk__in=taken)
    found = {(names[segment.video_id], str(segment.position)): segment for segment in segments}
    return {place: segment for place, segment in found.items() if place in wanted}


def _new_task(campaign: Campaign, row: TableRow, position: int, segments: dict[tuple[str, str], Segment]) -> Task:
    segment = segments.get((row.video, row.segment))
    # The same number in another corpus, or cut otherwise since, is another segment.
    same = segment is not None and clean_text(segment.text) == row.text
    return Task(
        campaign=campaign,
        segment=segment if same else None,
        position=position,
        imported_key=row.key,
        # Without a video nothing says which rows belong together.
        imported_video=row.video or row.key,
        imported_text=row.text,
        imported_label=row.predicted,
    )


def _check_same(row: TableRow, task: Task) -> None:
    text = task.imported_text if task.segment is None else task.segment.text
    label = row.predicted if task.segment is not None else task.imported_label
    if (clean_text(text), label) != (row.text, row.predicted):
        raise AnnotationError(
            f"{row.where} ({row.key}) is in this campaign already, with another text or predicted label. "
            "Import the table into a campaign of its own."
        )
