"""Many people at once. Runs on SQLite in a file (as in production) and on PostgreSQL."""

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections

from annotation import assignment
from annotation.errors import AnnotationError
from annotation.models import Campaign, Slot, Task, Vote
from tests.annotation.conftest import claimed

LISTENERS = 8
TASKS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work, arguments):
    """Run `work` in a thread per argument, all let loose at the same moment; returns results, raises failures."""
    assert "memory" not in str(connection.settings_dict["NAME"]), "threads need a database in a file or on a server"
    gate = threading.Barrier(len(arguments))

    def run(argument):
        try:
            gate.wait(timeout=30)
            return work(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments, timeout=120))


@pytest.fixture
def listeners(factory):
    return [factory.make_user(f"listener{i}") for i in range(LISTENERS)]


def test_eight_people_claiming_at_once_never_hold_more_than_three_places(make_audible_campaign, listeners):
    campaign = make_audible_campaign(2)
    slots = at_once(lambda pk: assignment.claim(campaign, User.objects.get(pk=pk)), [one.pk for one in listeners])
    held = [slot for slot in slots if slot is not None]
    assert len(held) == 6  # two tasks, three places each: nobody goes away empty while one is free
    assert set(Counter(slot.task_id for slot in held).values()) == {3}
    assert len({slot.pk for slot in held}) == len(held)
    assert Slot.objects.count() == 6


def test_eight_people_voting_through_a_campaign_never_exceed_three_votes(make_audible_campaign, listeners):
    campaign = make_audible_campaign(TASKS)

    def listen(pk):
        person, votes = User.objects.get(pk=pk), 0
        while slot := assignment.claim(campaign, person):
            assignment.submit(slot, person, "positive", uuid.uuid4())
            votes += 1
        return votes

    given = at_once(listen, [one.pk for one in listeners])
    assert sum(given) == TASKS * 3
    votes = Counter(Vote.objects.standing().values_list("task_id", flat=True))
    assert dict(votes) == dict.fromkeys(campaign.tasks.values_list("pk", flat=True), 3)
    pairs = Vote.objects.standing().values_list("task_id", "annotator_id")
    assert len(set(pairs)) == len(pairs)
    # Two last votes at once must not both miss the other: every task is settled.
    assert set(Task.objects.values_list("state", "truth")) == {("majority", "positive")}


def test_one_ended_lease_is_taken_over_by_one_person(make_audible_campaign, listeners, annotator):
    campaign = make_audible_campaign(1, votes_per_task=1)
    old = claimed(campaign, annotator)
    Slot.objects.update(lease_ends="2020-01-01T00:00:00Z")
    slots = at_once(lambda pk: assignment.claim(campaign, User.objects.get(pk=pk)), [one.pk for one in listeners])
    winners = [slot for slot in slots if slot is not None]
    assert [slot.pk for slot in winners] == [old.pk]
    assert Slot.objects.get().annotator == winners[0].annotator


def test_the_same_submission_sent_eight_times_at_once_counts_once(make_audible_campaign, annotator):
    slot, client_id = claimed(make_audible_campaign(1), annotator), uuid.uuid4()
    votes = at_once(lambda _: assignment.submit(slot, annotator, "neutral", client_id).pk, range(8))
    assert len(set(votes)) == 1
    assert Vote.objects.count() == 1


def test_a_vote_and_a_takeover_at_once_leave_one_of_them(make_audible_campaign, listeners, annotator):
    """The old holder votes just when others reach for the ended lease: a vote stands or a new person holds."""
    campaign = make_audible_campaign(1, votes_per_task=1)
    slot = claimed(campaign, annotator)
    Slot.objects.update(lease_ends="2020-01-01T00:00:00Z")

    def act(pk):
        person = User.objects.get(pk=pk)
        if person == annotator:
            try:
                return assignment.submit(slot, person, "neutral", uuid.uuid4())
            except AnnotationError:
                return None
        return assignment.claim(campaign, person)

    outcomes = [one for one in at_once(act, [annotator.pk, *(one.pk for one in listeners)]) if one is not None]
    assert len(outcomes) == 1
    row = Slot.objects.get()
    assert row.filled == isinstance(outcomes[0], Vote)
    assert row.annotator == outcomes[0].annotator


def test_undo_pressed_eight_times_at_once_undoes_no_vote_twice(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1)
    assignment.submit(claimed(campaign, annotator), annotator, "neutral", uuid.uuid4())
    undone = at_once(lambda _: assignment.undo(Campaign.objects.get(pk=campaign.pk), annotator), range(8))
    assert len([vote for vote in undone if vote is not None]) == 1
    assert Vote.objects.filter(retracts__isnull=False).count() == 1
