"""Exported vote tables come back: into the campaign they came from, and into an empty database."""

import csv
import io
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation import truth
from annotation.accounts import imported_username
from annotation.exporting import write_votes
from annotation.importing import import_votes
from annotation.models import Adjudication, Campaign, ImportedListener, Slot, Task, Vote
from annotation.people import standing_votes
from evaluation.reports import text_against_people
from pipeline.labels import LABELS
from pipeline.models import Segment, Video
from tests.factories import Factory

pytestmark = pytest.mark.django_db


def exported(campaign: Campaign) -> str:
    file = io.StringIO(newline="")
    write_votes(campaign, file)
    return file.getvalue()


def load(table: str, name: str, **options: Any) -> Any:
    return import_votes(io.StringIO(table, newline=""), split="train", campaign_name=name, **options)


def empty_database() -> None:
    for model in (Adjudication, Slot):
        model.objects.all().delete()
    Vote.objects.filter(retracts__isnull=False).delete()
    Vote.objects.all().delete()
    for other in (Task, Campaign, Segment, Video, User):
        other.objects.all().delete()


def figures() -> tuple[Any, ...]:
    """What is compared, in which groups (by what they hold, since primary keys differ), and how much is left out."""
    comparison = text_against_people("train", policy="seed-2019")
    held: dict[str, list[tuple[str, str]]] = {}
    for group, truth_, predicted in zip(comparison.groups, comparison.truth, comparison.predicted, strict=True):
        held.setdefault(group, []).append((truth_, predicted))
    counts = comparison.counts_as_dict()
    # A row without a predicted label may be a segment whose label was rejected; the table does not tell them apart.
    rest = counts.pop("abstained") + counts.pop("without_prediction")
    return sorted(map(sorted, held.values())), counts, rest


def votes_of(campaign: Campaign) -> list[tuple[Any, ...]]:
    positions = dict(campaign.tasks.values_list("pk", "position"))
    return sorted(
        (positions[vote.task], vote.name, vote.label, vote.origin == "simulated") for vote in standing_votes(campaign)
    )


# ---------------------------------------------------------------- random campaigns

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        'She said "no", twice.',
        "two\nlines",
        "\r\n",
        "a\r\nb",
        "=1+1",
        "'-1+1;＝2",
        "- a\n- b",
        "positive",
        "  blanks  ",
        "",
        "…",
        "a,b;c\td",
    ]
)
usernames = st.sampled_from(
    [
        "ana",
        "Rater_A",
        "text",
        "VideoId",
        "segment",
        "label",
        "majority",
        "bo (simulated)",
        "annotator: x (person)",
        "a b",
        "@ann",
        "-x (simulated)",
        "+1",
    ]
) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=12).map(
    User.normalize_username
).filter(lambda name: bool(name.strip()))


@dataclass
class PlannedTask:
    kind: str
    text: str
    predicted: str
    votes: dict[int, tuple[str, str]] = field(default_factory=dict)


planned_tasks = st.builds(
    PlannedTask,
    kind=st.sampled_from(["stored", "stored in a dataset", "imported", "imported without segment", "without video"]),
    text=texts,
    predicted=st.sampled_from(["", *LABELS]),
    votes=st.dictionaries(
        st.integers(0, 3), st.tuples(st.sampled_from(LABELS), st.sampled_from(["listened", "simulated"])), max_size=3
    ),
)


def make_person(campaign: Campaign, name: str, imported: bool) -> User:
    """An account, or an imported listener, who may be called as an account is."""
    if not imported:
        return User.objects.create(username=name)
    user = User.objects.create(username=imported_username(campaign.pk, name), is_active=False)
    ImportedListener.objects.create(user=user, campaign=campaign, name=name)
    return user


def make(planned: list[PlannedTask], names: list[tuple[str, bool]]) -> Campaign:
    """A campaign whose tasks are stored segments and rows of tables, as different people filled it."""
    factory = Factory()
    campaign = factory.make_campaign(name="Round", policy="seed-2019")
    people = [make_person(campaign, name, imported) for name, imported in names]
    stored, listed = factory.make_video(), factory.make_video(dataset_id="12")
    rows = []
    for number, plan in enumerate(planned):
        if plan.kind.startswith("stored"):
            video = stored if plan.kind == "stored" else listed
            segment = factory.make_segment(video, label=plan.predicted or None, text=plan.text)
            factory.make_task(campaign, segment)
        else:
            place = {"imported": ("7", f"{number}.0"), "imported without segment": ("8", "")}.get(plan.kind, ("", ""))
            rows.append([*place, plan.predicted, "", plan.text])
    if rows:
        file = io.StringIO(newline="")
        csv.writer(file).writerows([["VideoId", "segment", "sentiment analysis", "nobody", "text"], *rows])
        load(file.getvalue(), "Round")
    for task, plan in zip(campaign.tasks.order_by("position"), planned, strict=True):
        for person, (label, origin) in plan.votes.items():
            if person < len(people):
                slot = task.slots.count() + 1
                Slot.objects.create(task=task, slot=slot, annotator=people[person], filled=True)
                Vote.objects.create(
                    task=task, annotator=people[person], label=label, origin=origin, client_id=uuid.uuid4()
                )
    truth.rebuild(campaign)
    return campaign


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    planned=st.lists(planned_tasks, min_size=1, max_size=6),
    names=st.lists(st.tuples(usernames, st.booleans()), max_size=4, unique=True),
)
def test_an_export_adds_nothing_where_it_came_from_and_is_the_same_elsewhere(
    db: None, planned: list[PlannedTask], names: list[tuple[str, bool]]
) -> None:
    empty_database()
    # A row without a video, a text and a label is a blank row, which is no segment.
    planned = [plan for plan in planned if plan.kind != "without video" or plan.text.strip() or plan.predicted]
    planned.sort(key=lambda plan: not plan.kind.startswith("stored"))
    if not planned:
        return
    campaign = make(planned, names)
    table = exported(campaign)
    before = (votes_of(campaign), figures(), campaign.tasks.count(), User.objects.count())

    report = load(table, "Round")
    assert (report.new_rows, report.new_votes) == (0, 0)
    assert (votes_of(campaign), figures(), campaign.tasks.count(), User.objects.count()) == before
    assert exported(campaign) == table

    empty_database()
    load(table, "Round", votes_per_task=3)
    again = Campaign.objects.get()
    assert votes_of(again) == before[0]
    assert figures() == before[1]
    assert exported(again) == table
    assert load(table, "Round").new_votes == 0
