"""Vote tables into a campaign: tasks without audio, their votes, and the people who cast them."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from annotation import truth
from annotation.accounts import people_of
from annotation.errors import AnnotationError
from annotation.labelwords import UnknownWord
from annotation.listeners import Listener
from annotation.matching import tasks_of
from annotation.models import (
    MAX_VOTES_PER_TASK,
    VOTES_PER_TASK,
    Campaign,
    Condition,
    Slot,
    Task,
    TaskState,
    Vote,
    VoteOrigin,
)
from annotation.sampling import create_campaign
from annotation.votetable import VoteTable, read_table
from pipeline.choices import Policy

OCCASIONAL = ("without_video", "unread", "notes")
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
        cells = "1 cell is" if len(unknown) == 1 else f"{len(unknown)} cells are"
        super().__init__(f"{cells} not a class, so nothing was imported. {hint}\n{lines}")
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
    without_video: int = 0
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        if not self.votes:
            return f"The table has no votes; {self.new_rows} of its {self.rows} segments were added."
        if not self.new_votes:
            return f"All {self.votes} votes of the table were there already; nothing was added."
        return (
            f"{self.new_votes} votes on {self.rows} segments were added: {self.majority} with a majority, "
            f"{self.no_majority} without, {self.awaiting} with votes missing."
        )

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the command; its last three keys are there only where there is something to say."""
        words = [
            {"row": word.row, "column": word.column, "word": word.word, "suggestion": word.suggestion}
            for word in self.suggestions
        ]
        document = {**asdict(self), "suggestions": words}
        return {name: value for name, value in document.items() if value or name not in OCCASIONAL}


def import_votes(
    lines: Iterable[str],
    *,
    split: str,
    campaign_name: str,
    accept_suggestions: bool = False,
    user: User | None = None,
    votes_per_task: int | None = None,
) -> ImportReport:
    """Import a vote table; all of it or nothing. The same table again adds nothing.

    A new campaign takes as many votes per segment as the row with most has, unless it is said.
    """
    table = read_table(lines, accept_suggestions=accept_suggestions)
    if table.unknown and not (accept_suggestions and all(word.suggestion for word in table.unknown)):
        raise UnknownWordsError(table.unknown)
    with transaction.atomic():
        campaign = _campaign(table, split, campaign_name, user, votes_per_task)
        tasks, new_rows = tasks_of(campaign, table)
        people, notes_on_people = people_of(table.listeners, campaign)
        new_votes = _votes(campaign, table, tasks, people)
        truth.rebuild(campaign)
    states = list(campaign.tasks.filter(pk__in=[task.pk for task in tasks.values()]).values_list("state", flat=True))
    without_video = sum(not row.video for row in table.rows)
    notes = (*table.notes, *notes_on_people)
    if without_video:
        notes = (*notes, _without_video(without_video, len(table.rows)))
    return ImportReport(
        campaign=campaign.name,
        rows=len(table.rows),
        votes=sum(1 for row in table.rows for label in row.votes if label),
        new_rows=new_rows,
        new_votes=new_votes,
        annotators=tuple(dict.fromkeys(listener.name for listener in table.listeners)),
        majority=states.count(TaskState.MAJORITY),
        no_majority=states.count(TaskState.NO_MAJORITY),
        awaiting=states.count(TaskState.OPEN),
        suggestions=table.unknown,
        without_video=without_video,
        unread=table.unread,
        notes=notes,
    )


def _without_video(n: int, rows: int) -> str:
    if n == rows:
        return "No row names a video, so intervals over videos cannot be given for this table."
    return f"{n} of {rows} rows name no video; intervals over videos take them as one video."


def _campaign(table: VoteTable, split: str, name: str, user: User | None, votes_per_task: int | None) -> Campaign:
    """The campaign of that name, locked; a new one is closed, as nothing in it can be heard."""
    needed = max(sum(1 for label in row.votes if label) for row in table.rows)
    if needed > MAX_VOTES_PER_TASK:
        raise AnnotationError(
            f"A row of the table has {needed} votes; a campaign takes at most {MAX_VOTES_PER_TASK} per segment. Import "
            "a table with fewer annotators' columns."
        )
    if not Campaign.objects.filter(name=name).exists():
        create_campaign(
            name=name,
            split=split,
            policy=Policy.SEED_2019,
            sampling={"method": "vote-table"},
            votes_per_task=votes_per_task or needed or VOTES_PER_TASK,
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


def _votes(campaign: Campaign, table: VoteTable, tasks: dict[str, Task], people: dict[Listener, User]) -> int:
    """Add the votes that are not there yet, each in a filled slot; returns how many."""
    standing = Vote.objects.standing().filter(task__campaign=campaign)
    there = {(task, person): label for task, person, label in standing.values_list("task_id", "annotator_id", "label")}
    made = set(Vote.objects.filter(task__campaign=campaign).values_list("client_id", flat=True))
    places = _Places(campaign)
    votes: list[Vote] = []
    for row in table.rows:
        task = tasks[row.key]
        for listener, label in zip(table.listeners, row.votes, strict=True):
            person = people[listener]
            earlier = there.get((task.pk, person.pk))
            if not label or label == earlier:
                continue
            if earlier is not None:
                raise AnnotationError(
                    f"{row.where} ({row.key}): “{listener.name}” voted {earlier} before, {label} in this table. Votes "
                    "are never changed; import into a campaign of its own."
                )
            client_id = uuid.uuid5(VOTE_NAMESPACE, f"{campaign.pk}/{row.key}/{person.username}")
            if client_id in made:
                raise AnnotationError(
                    f"{row.where} ({row.key}): “{listener.name}” took that vote back; import into a campaign of its "
                    "own."
                )
            if not places.fill(task, person):
                raise AnnotationError(f"{row.where} ({row.key}) already has {campaign.votes_per_task} votes.")
            votes.append(
                Vote(
                    task=task,
                    annotator=person,
                    label=label,
                    origin=VoteOrigin.SIMULATED if listener.simulated else VoteOrigin.IMPORTED,
                    condition=Condition.UNKNOWN,
                    client_id=client_id,
                )
            )
    places.save()
    Vote.objects.bulk_create(votes)
    return len(votes)


class _Places:
    """The slots of a campaign's tasks, filled one after the other."""

    def __init__(self, campaign: Campaign) -> None:
        self.per_task = campaign.votes_per_task
        self.used: dict[int, set[int]] = {}
        self.held: dict[tuple[int, int], int] = {}
        self.new: list[Slot] = []
        self.filled: list[int] = []
        slots = Slot.objects.filter(task__campaign=campaign)
        for pk, task, number, person in slots.values_list("pk", "task_id", "slot", "annotator_id"):
            self.used.setdefault(task, set()).add(number)
            self.held[task, person] = pk

    def fill(self, task: Task, person: User) -> bool:
        """Fill a place, the person's own where they hold one; False where there is none left."""
        if (own := self.held.get((task.pk, person.pk))) is not None:
            self.filled.append(own)
            return True
        used = self.used.setdefault(task.pk, set())
        number = next(n for n in range(1, len(used) + 2) if n not in used)
        if number > self.per_task:
            return False
        used.add(number)
        self.new.append(Slot(task=task, slot=number, annotator=person, filled=True))
        return True

    def save(self) -> None:
        Slot.objects.filter(pk__in=self.filled).update(filled=True)
        Slot.objects.bulk_create(self.new)
