"""A campaign's votes as a table in the 2019 form, which `importing` reads back."""

from collections import defaultdict

from annotation.listeners import exact_heading, plain_heading
from annotation.matching import names_of
from annotation.models import Campaign, Task, VoteOrigin
from annotation.people import standing_votes
from annotation.votecolumns import EXPORTED_END, EXPORTED_START, KNOWN_HEADINGS, plain
from annotation.votetable import clean_text, segment_of_key, whole_number
from pipeline.cell_names import same_heading
from pipeline.csv_writer import TableWriter, Writable
from pipeline.models import TextLabel

# A person's name and whether the votes are simulated.
Column = tuple[str, bool]


def _identity(task: Task) -> tuple[str, str, str]:
    """Video, segment and text of a task, whether its segment is stored or came with a table.

    Empty where the table named no video: a made-up name would come back as a video of its own.
    """
    if task.segment is not None:
        return names_of(task.segment.video)[0], str(task.segment.position), clean_text(task.segment.text)
    video = task.named_video
    segment = segment_of_key(task.imported_key, video) if video else ""
    return whole_number(video), segment, clean_text(task.imported_text)


def _headings(columns: list[Column]) -> list[str]:
    """A heading per column that is read back as the same person, and as nothing else."""
    headings: list[str] = []
    taken: set[str] = set()
    for name, simulated in columns:
        heading = plain_heading(name, simulated=simulated)
        if plain(heading) in KNOWN_HEADINGS or same_heading(heading) in taken:
            heading = exact_heading(name, simulated=simulated)
        taken.add(same_heading(heading))
        headings.append(heading)
    return headings


def write_votes(campaign: Campaign, file: Writable) -> None:
    """Write the standing votes: a row per task, a column per person, simulated ones marked in the heading."""
    predicted = dict(
        TextLabel.objects.filter(segment__tasks__campaign=campaign, policy=campaign.policy).values_list(
            "segment_id", "label"
        )
    )
    votes: dict[int, dict[Column, str]] = defaultdict(dict)
    people: dict[Column, int] = {}
    for vote in standing_votes(campaign):
        column = (vote.name, vote.origin == VoteOrigin.SIMULATED)
        people[column] = vote.person
        votes[vote.task][column] = vote.label
    columns = sorted(people, key=lambda column: (people[column], column[1]))
    writer = TableWriter(file)
    writer.write_row([*EXPORTED_START, *_headings(columns), *EXPORTED_END])
    for task in campaign.tasks.select_related("segment__video").order_by("position"):
        video, segment, text = _identity(task)
        label = task.imported_label or predicted.get(task.segment_id or 0, "")
        writer.write_row([video, segment, label, *(votes[task.pk].get(column, "") for column in columns), text])
