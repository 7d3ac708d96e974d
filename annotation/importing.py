"""Vote tables into a campaign: tasks without audio, their votes, and the people who cast them."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction

from annotation import truth
from annotation.errors import AnnotationError
from annotation.models import VOTES_PER_TASK, Campaign, Condition, Slot, Task, TaskState, Vote, VoteOrigin
from annotation.sampling import create_campaign
from annotation.votetable import Listener, TableRow, UnknownWord, VoteTable, read_table
from crossmodal.roles import ANNOTATOR
from pipeline.choices import Policy

# Votes of a table get ids derived from campaign, row and listener, so that a second import finds them.
VOTE_NAMESPACE = uuid.UUID("6c1f6c0e-5b0b-4b8e-9a53-2d6f0d6f7f19")


class UnknownWordsError(AnnotationError):
    """Cells that should hold a class and do not; nothing was imported."""

    def __init__(self, unknown: tuple[UnknownWord, ...]) -> None:
        lines = "\n".join(f"  {word}" for word in unknown)
        hint = (
            "Correct the table, or accept the suggested readings."
            if all(word.suggestion for word in unknown)
            else "Correct the table: not every word has a suggested reading."
        )
        super().__init__(f"{len(unknown)} cells are not a class, so nothing was imported. {hint}\n{lines}")
        self.unknown = unknown


@dataclass(frozen=True)
class ImportReport:
    """What an import did; ``rows`` and ``votes`` count the table's, ``new_*`` what was not there before."""

    campaign: str
    rows: int
    votes: int
    new_rows: int
    new_votes: int
    annotators: tuple[str, ...]
    majority: int
    no_majority: int
    awaiting: int
    suggestions: tuple[UnknownWord, ...] = field(default=())

    def sentence(self) -> str:
        if not self.new_votes:
            return f"All {self.votes} votes of the table were there already; nothing was added."
        return (
            f"{self.new_votes} votes on {self.rows} segments were added: {self.majority} with a majority, "
            f"{self.no_majority} without, {self.awaiting} with votes missing."
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def import_votes(
    lines: Iterable[str],
    *,
    split: str,
    campaign_name: str,
    accept_suggestions: bool = False,
    user: User | None = None,
) -> ImportReport:
    """Import a vote table; all of it or nothing. The same table again adds nothing."""
    table = read_table(lines, accept_suggestions=accept_suggestions)
    if table.unknown and not (accept_suggestions and all(word.suggestion for word in table.unknown)):
        raise UnknownWordsError(table.unknown)
    with transaction.atomic():
        campaign = _campaign(table, split, campaign_name, user)
        tasks, new_rows = _tasks(campaign, table)
        people = {listener: _person(listener) for listener in table.listeners}
        new_votes = _votes(campaign, table, tasks, people)
        truth.rebuild(campaign)
    states = list(campaign.tasks.filter(imported_key__in=tasks).values_list("state", flat=True))
    return ImportReport(
        campaign=campaign.name,
        rows=len(table.rows),
        votes=sum(1 for row in table.rows for label in row.votes if label),
        new_rows=new_rows,
        new_votes=new_votes,
        annotators=tuple(listener.name for listener in table.listeners),
        majority=states.count(TaskState.MAJORITY),
        no_majority=states.count(TaskState.NO_MAJORITY),
        awaiting=states.count(TaskState.OPEN),
        suggestions=table.unknown,
    )


def _campaign(table: VoteTable, split: str, name: str, user: User | None) -> Campaign:
    """The campaign of that name, locked; a new one is closed, as nothing in it can be heard."""
    needed = max(sum(1 for label in row.votes if label) for row in table.rows)
    if not Campaign.objects.filter(name=name).exists():
        create_campaign(
            name=name,
            split=split,
            policy=Policy.SEED_2019,
            sampling={"method": "vote-table"},
            votes_per_task=needed or VOTES_PER_TASK,
            is_open=False,
            created_by=user,
        )
    campaign = Campaign.objects.select_for_update(no_key=True).get(name=name)
    if campaign.split != split:
        raise AnnotationError(
            f"The campaign “{name}” belongs to the split “{campaign.split}”; "
            "import into that split, or into another campaign."
        )
    if needed > campaign.votes_per_task:
        raise AnnotationError(
            f"The campaign “{name}” takes {campaign.votes_per_task} votes per segment, the table has up to {needed}; "
            "import it into a campaign of its own."
        )
    return campaign


def _tasks(campaign: Campaign, table: VoteTable) -> tuple[dict[str, Task], int]:
    """The task of each row by its key, and how many of them are new."""
    keys = [row.key for row in table.rows]
    there = {task.imported_key: task for task in campaign.tasks.filter(imported_key__in=keys)}
    last = campaign.tasks.order_by("-position").values_list("position", flat=True).first()
    first_free = 0 if last is None else last + 1
    new: list[Task] = []
    for row in table.rows:
        task = there.get(row.key)
        if task is None:
            new.append(_new_task(campaign, row, first_free + len(new)))
        elif (task.imported_text, task.imported_label) != (row.text, row.predicted):
            raise AnnotationError(
                f"Row {row.number} ({row.key}) is in this campaign already, with another text or predicted label. "
                "Import the table into a campaign of its own."
            )
    Task.objects.bulk_create(new)
    return {**there, **{task.imported_key: task for task in new}}, len(new)


def _new_task(campaign: Campaign, row: TableRow, position: int) -> Task:
    # Without a video each row is its own group: nothing says which rows belong together.
    return Task(
        campaign=campaign,
        position=position,
        imported_key=row.key,
        imported_video=row.video or row.key,
        imported_text=row.text,
        imported_label=row.predicted,
    )


def _person(listener: Listener) -> User:
    """The listener's account; a new one cannot sign in until an admin says so."""
    name = "_".join(listener.name.split())
    person, created = User.objects.get_or_create(username=name, defaults={"is_active": False})
    if created:
        person.set_unusable_password()
        person.save(update_fields=["password"])
        person.groups.add(Group.objects.get_or_create(name=ANNOTATOR)[0])
    return person


def _votes(campaign: Campaign, table: VoteTable, tasks: dict[str, Task], people: dict[Listener, User]) -> int:
    """Add the votes that are not there yet, each in a filled slot; returns how many."""
    there = {vote.client_id: vote for vote in Vote.objects.filter(task__campaign=campaign)}
    used: dict[int, list[int]] = {task.pk: [] for task in tasks.values()}
    for task_pk, number in Slot.objects.filter(task__campaign=campaign).values_list("task_id", "slot"):
        used.setdefault(task_pk, []).append(number)
    votes: list[Vote] = []
    slots: list[Slot] = []
    for row in table.rows:
        task = tasks[row.key]
        for listener, label in zip(table.listeners, row.votes, strict=True):
            if not label:
                continue
            person = people[listener]
            client_id = uuid.uuid5(VOTE_NAMESPACE, f"{campaign.pk}/{row.key}/{person.username}")
            earlier = there.get(client_id)
            if earlier is not None and earlier.label != label:
                raise AnnotationError(
                    f"Row {row.number} ({row.key}): “{listener.name}” voted {earlier.label} in an earlier import, "
                    f"{label} in this table. Votes are never changed; import into a campaign of its own."
                )
            if earlier is not None:
                continue
            number = next(n for n in range(1, len(used[task.pk]) + 2) if n not in used[task.pk])
            if number > campaign.votes_per_task:
                raise AnnotationError(f"Row {row.number} ({row.key}) already has {campaign.votes_per_task} votes.")
            used[task.pk].append(number)
            origin = VoteOrigin.SIMULATED if listener.simulated else VoteOrigin.IMPORTED
            slots.append(Slot(task=task, slot=number, annotator=person, filled=True))
            votes.append(
                Vote(
                    task=task,
                    annotator=person,
                    label=label,
                    origin=origin,
                    condition=Condition.UNKNOWN,
                    client_id=client_id,
                )
            )
    Slot.objects.bulk_create(slots)
    Vote.objects.bulk_create(votes)
    return len(votes)
