"""Vote tables into a campaign: tasks without audio, their votes, and the people who cast them."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from annotation import truth
from annotation.accounts import TablePeople
from annotation.errors import AnnotationError
from annotation.labelwords import UnknownWord
from annotation.listeners import Listener
from annotation.matching import tasks_of
from annotation.models import (
    MAX_VOTES_PER_TASK,
    VOTES_PER_TASK,
    Campaign,
    Condition,
    ImportedListener,
    Slot,
    Task,
    TaskState,
    Vote,
    VoteOrigin,
)
from annotation.people import StandingVote, standing_votes
from annotation.sampling import create_campaign
from annotation.votetable import TableRow, VoteTable, read_table
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
        new_votes, notes_on_people = _votes(campaign, table, tasks)
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


@dataclass(frozen=True)
class _NewVote:
    """A vote of the table that is not there yet."""

    row: TableRow
    column: Listener
    label: str
    client_id: uuid.UUID


def _votes(campaign: Campaign, table: VoteTable, tasks: dict[str, Task]) -> tuple[int, tuple[str, ...]]:
    """Add the votes that are not there yet, each in a filled place; returns how many, and notes on their people."""
    # Whoever votes at this moment has to wait: one person has one vote on a task.
    list(campaign.tasks.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    standing = standing_votes(campaign)
    people = TablePeople(campaign, standing)
    new = list(_new_votes(campaign, table, tasks, people, standing))
    voting = {vote.column for vote in new}
    listeners = {column: people.credited(column) for column in table.listeners if column in voting}
    places = _Places(campaign)
    taken: set[tuple[int, int]] = set()
    votes: list[Vote] = []
    for vote in new:
        task, listener = tasks[vote.row.key], listeners[vote.column]
        where = f"{vote.row.where} ({vote.row.key})"
        if (task.pk, listener.person) in taken:
            raise AnnotationError(
                f"{where} has two votes of one person: “{vote.column.name}” and another of its columns are one here. "
                "Leave one of the votes out, or unlink one of the two on the People page."
            )
        taken.add((task.pk, listener.person))
        if not places.fill(task, listener):
            raise AnnotationError(f"{where} already has {campaign.votes_per_task} votes.")
        origin = VoteOrigin.SIMULATED if vote.column.simulated else VoteOrigin.IMPORTED
        votes.append(
            Vote(
                task=task,
                annotator=listener.user,
                label=vote.label,
                origin=origin,
                condition=Condition.UNKNOWN,
                client_id=vote.client_id,
            )
        )
    places.save()
    Vote.objects.bulk_create(votes)
    return len(votes), tuple(people.notes)


def _new_votes(
    campaign: Campaign, table: VoteTable, tasks: dict[str, Task], people: TablePeople, standing: list[StandingVote]
) -> Iterator[_NewVote]:
    """The table's votes that are not there yet; AnnotationError where one is there and differs."""
    there = {(vote.task, vote.person): vote.label for vote in standing}
    made = set(Vote.objects.filter(task__campaign=campaign).values_list("client_id", flat=True))
    columns = [(column, people.persons_of(column)) for column in table.listeners]
    for row in table.rows:
        task_pk = tasks[row.key].pk
        for (column, persons), label in zip(columns, row.votes, strict=True):
            earlier = {there[task_pk, person] for person in persons if (task_pk, person) in there}
            if not label or label in earlier:
                continue
            if earlier:
                before = " and ".join(sorted(earlier))
                raise AnnotationError(
                    f"{row.where} ({row.key}): “{column.name}” voted {before} before, {label} in this table. Votes are "
                    "never changed; import into a campaign of its own."
                )
            client_id = uuid.uuid5(VOTE_NAMESPACE, f"{campaign.pk}/{row.key}/{column.username}")
            if client_id in made:
                raise AnnotationError(
                    f"{row.where} ({row.key}): “{column.name}” took that vote back; import into a campaign of its own."
                )
            yield _NewVote(row, column, label, client_id)


class _Places:
    """The places of a campaign's tasks, filled one after the other."""

    def __init__(self, campaign: Campaign) -> None:
        self.per_task = campaign.votes_per_task
        self.used: dict[int, set[int]] = {}
        # Held by a lease alone: the holder's row, by task and holder.
        self.held: dict[int, dict[int, int]] = {}
        self.new: list[Slot] = []
        self.taken_over: list[Slot] = []
        slots = Slot.objects.filter(task__campaign=campaign).select_for_update(of=("self",), no_key=True)
        for pk, task, number, person, filled in slots.values_list("pk", "task_id", "slot", "annotator_id", "filled"):
            self.used.setdefault(task, set()).add(number)
            if not filled:
                self.held.setdefault(task, {})[person] = pk

    def fill(self, task: Task, listener: ImportedListener) -> bool:
        """Fill a place; False where all are filled. One that the person holds is taken first, another's lease last."""
        used, held = self.used.setdefault(task.pk, set()), self.held.get(task.pk, {})
        number = next(n for n in range(1, len(used) + 2) if n not in used)
        if listener.person not in held and number <= self.per_task:
            used.add(number)
            self.new.append(Slot(task=task, slot=number, annotator=listener.user, filled=True))
            return True
        if not held:
            return False
        pk = held.pop(listener.person if listener.person in held else min(held))
        self.taken_over.append(Slot(pk=pk, annotator=listener.user, filled=True))
        return True

    def save(self) -> None:
        Slot.objects.bulk_update(self.taken_over, ["annotator", "filled"], batch_size=500)
        Slot.objects.bulk_create(self.new)
