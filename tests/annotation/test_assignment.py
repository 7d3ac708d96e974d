import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation import assignment, truth
from annotation.assignment import LEASE, release, renew, skip, submit, undo
from annotation.errors import AnnotationError, LeaseLost
from annotation.models import Skip, Slot, Task, Vote, VoteOrigin


@pytest.fixture
def people(factory):
    return [factory.make_user(f"listener{i}") for i in range(4)]


def claim(*arguments: Any) -> Any:
    """A slot or None, as the test at hand expects."""
    return assignment.claim(*arguments)


def vote(slot, person, label="neutral", **columns):
    return submit(slot, person, label, uuid.uuid4(), **columns)


# ---------------------------------------------------------------- claim


def test_a_claim_gives_a_slot_with_a_lease(make_audible_campaign, annotator):
    now = timezone.now()
    slot = claim(make_audible_campaign(1), annotator, now)
    assert (slot.annotator, slot.filled, slot.lease_ends) == (annotator, False, now + LEASE)


def test_a_second_claim_gives_the_same_slot_back(make_audible_campaign, annotator):
    campaign = make_audible_campaign(5)
    assert claim(campaign, annotator) == claim(campaign, annotator)
    assert Slot.objects.count() == 1


def test_a_second_claim_prolongs_the_lease(make_audible_campaign, annotator):
    campaign, now = make_audible_campaign(1), timezone.now()
    claim(campaign, annotator, now)
    later = now + timedelta(minutes=5)
    assert claim(campaign, annotator, later).lease_ends == later + LEASE


def test_three_people_hear_a_task_and_a_fourth_does_not(make_audible_campaign, people):
    campaign = make_audible_campaign(1)
    assert [claim(campaign, person) is not None for person in people] == [True, True, True, False]


def test_nobody_gets_a_task_twice(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1)
    vote(claim(campaign, annotator), annotator)
    assert claim(campaign, annotator) is None


def test_a_lease_that_ended_is_taken_over(make_audible_campaign, people):
    campaign, now = make_audible_campaign(1), timezone.now()
    held = [claim(campaign, person, now) for person in people[:3]]
    assert claim(campaign, people[3], now + LEASE - timedelta(seconds=1)) is None
    taken = claim(campaign, people[3], now + LEASE + timedelta(seconds=1))
    assert taken.pk in {slot.pk for slot in held}
    assert Slot.objects.count() == 3


def test_a_lease_that_ended_is_still_its_holders_while_nobody_takes_it(make_audible_campaign, annotator):
    campaign, now = make_audible_campaign(3), timezone.now()
    slot = claim(campaign, annotator, now - 2 * LEASE)
    assert claim(campaign, annotator, now) == slot
    assert vote(slot, annotator).label == "neutral"


def test_a_filled_slot_is_never_taken_over(make_audible_campaign, people):
    campaign, now = make_audible_campaign(1), timezone.now()
    for person in people[:3]:
        vote(claim(campaign, person, now - 2 * LEASE), person)
    assert claim(campaign, people[3], now) is None


def test_tasks_with_most_votes_come_first(make_audible_campaign, people, factory):
    campaign = make_audible_campaign(20)
    begun = list(campaign.tasks.all())[13]
    factory.make_vote(begun, annotator=people[0])
    assert all(claim(campaign, person).task == begun for person in people[1:3])


def test_people_hear_tasks_in_orders_of_their_own(make_audible_campaign, people):
    campaign = make_audible_campaign(12)

    def order(person):
        return [task.pk for task in assignment.available(campaign, person, timezone.now())]

    orders = [order(person) for person in people]
    assert len({tuple(one) for one in orders}) == len(people)
    assert all(sorted(one) == sorted(orders[0]) for one in orders)
    assert orders[0] == order(people[0])
    assert orders[0] != sorted(orders[0])


def test_imported_rows_are_never_offered(factory, annotator):
    campaign = factory.make_campaign()
    factory.make_task(campaign, imported_key="0/0#1", imported_text="words")
    assert claim(campaign, annotator) is None


def test_segments_without_sound_are_never_offered(factory, annotator):
    assert claim(factory.make_task().campaign, annotator) is None


def test_a_closed_campaign_offers_nothing(make_audible_campaign, annotator):
    assert claim(make_audible_campaign(1, is_open=False), annotator) is None


def test_settled_tasks_are_not_offered(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1)
    campaign.tasks.update(state="no-majority")
    assert claim(campaign, annotator) is None


def test_the_database_refuses_a_fourth_use_of_a_number_and_a_second_slot_of_a_person(make_audible_campaign, people):
    task = make_audible_campaign(1).tasks.get()
    Slot.objects.create(task=task, slot=1, annotator=people[0])
    for number, person in ((1, people[1]), (2, people[0])):
        with pytest.raises(IntegrityError), transaction.atomic():
            Slot.objects.create(task=task, slot=number, annotator=person)


def test_a_claim_looks_further_where_another_was_faster(make_audible_campaign, people, monkeypatch):
    """Another person fills the last place of the first candidate between looking and taking."""
    campaign = make_audible_campaign(2)
    take = assignment._take
    lost: list[Task] = []

    def slow_take(task, *args):
        if not lost:
            lost.append(task)
            for number, other in enumerate(people[1:], start=1):
                Slot.objects.create(
                    task=task, slot=number, annotator=other, lease_ends=timezone.now() + timedelta(hours=1)
                )
        return take(task, *args)

    monkeypatch.setattr(assignment, "_take", slow_take)
    slot = claim(campaign, people[0])
    assert slot is not None
    assert slot.task != lost[0]


def test_an_ended_lease_is_looked_at_again_in_the_moment_of_taking_it(make_audible_campaign, people, monkeypatch):
    """Its holder comes back, or a third person takes it, between looking and taking."""
    campaign, now = make_audible_campaign(1, votes_per_task=1), timezone.now()
    claim(campaign, people[0], now - 2 * LEASE)

    class Meanwhile:
        @staticmethod
        def atomic():
            Slot.objects.update(annotator=people[1], lease_ends=now + LEASE)
            return transaction.atomic()

    monkeypatch.setattr(assignment, "transaction", Meanwhile)
    assert claim(campaign, people[2], now) is None
    assert Slot.objects.get().annotator == people[1]


# ---------------------------------------------------------------- renew, release


def test_renewing_prolongs_only_ones_own_lease(make_audible_campaign, people):
    campaign, now = make_audible_campaign(1), timezone.now()
    slot = claim(campaign, people[0], now)
    assert not renew(slot, people[1])
    assert renew(slot, people[0], now + timedelta(minutes=1))
    slot.refresh_from_db()
    assert slot.lease_ends == now + timedelta(minutes=1) + LEASE


def test_releasing_frees_the_place_for_another(make_audible_campaign, people):
    campaign = make_audible_campaign(1, votes_per_task=1)
    slot = claim(campaign, people[0])
    assert not release(slot, people[1])
    assert claim(campaign, people[1]) is None
    assert release(slot, people[0])
    assert claim(campaign, people[1]) is not None


# ---------------------------------------------------------------- submit


def test_a_vote_keeps_what_was_measured_and_what_was_shown(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1, show_text=True)
    made = vote(claim(campaign, annotator), annotator, "negative", time_spent_ms=4200, heard_share=0.75)
    made.refresh_from_db()
    assert (made.label, made.time_spent_ms, made.heard_share) == ("negative", 4200, 0.75)
    assert (made.origin, made.condition) == ("listened", "audio+text")
    assert Slot.objects.get().filled


def test_the_third_vote_makes_the_truth(make_audible_campaign, people):
    campaign = make_audible_campaign(1)
    for person, label in zip(people, ["positive", "negative", "positive"], strict=False):
        vote(claim(campaign, person), person, label)
    task = campaign.tasks.get()
    assert (task.state, task.truth) == ("majority", "positive")


def test_three_different_votes_make_no_truth(make_audible_campaign, people):
    campaign = make_audible_campaign(1)
    for person, label in zip(people, ["positive", "negative", "neutral"], strict=False):
        vote(claim(campaign, person), person, label)
    task = campaign.tasks.get()
    assert (task.state, task.truth) == ("no-majority", "")


def test_a_repeated_submission_counts_once(make_audible_campaign, annotator):
    slot, client_id = claim(make_audible_campaign(1), annotator), uuid.uuid4()
    first = submit(slot, annotator, "positive", client_id)
    assert submit(slot, annotator, "positive", client_id) == first
    assert Vote.objects.count() == 1


def test_a_second_vote_in_a_filled_slot_is_refused(make_audible_campaign, annotator):
    slot = claim(make_audible_campaign(1), annotator)
    vote(slot, annotator)
    with pytest.raises(LeaseLost):
        vote(slot, annotator, "positive")
    assert Vote.objects.get().label == "neutral"


def test_a_lost_lease_is_refused_with_a_sentence(make_audible_campaign, people):
    campaign, now = make_audible_campaign(1, votes_per_task=1), timezone.now()
    slot = claim(campaign, people[0], now - 2 * LEASE)
    assert claim(campaign, people[1], now) == slot
    with pytest.raises(LeaseLost, match=r"ran out .* nothing was counted"):
        vote(slot, people[0])
    assert not Vote.objects.exists()
    assert not Slot.objects.get().filled


def test_nobody_votes_in_anothers_slot(make_audible_campaign, people):
    slot = claim(make_audible_campaign(1), people[0])
    with pytest.raises(LeaseLost):
        vote(slot, people[1])


def test_an_unknown_label_is_refused(make_audible_campaign, annotator):
    slot = claim(make_audible_campaign(1), annotator)
    with pytest.raises(AnnotationError, match="“angry” is not a class"):
        vote(slot, annotator, "angry")
    assert not Slot.objects.get().filled


def test_anothers_submission_id_is_refused(make_audible_campaign, people):
    campaign, client_id = make_audible_campaign(1), uuid.uuid4()
    submit(claim(campaign, people[0]), people[0], "positive", client_id)
    with pytest.raises(AnnotationError, match="belongs to another vote"):
        submit(claim(campaign, people[1]), people[1], "positive", client_id)
    assert Vote.objects.count() == 1


def test_a_closed_campaign_takes_no_votes(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1)
    slot = claim(campaign, annotator)
    campaign.is_open = False
    campaign.save()
    with pytest.raises(AnnotationError, match="closed"):
        vote(slot, annotator)
    assert not Vote.objects.exists()


def test_a_simulated_vote_says_so_and_claims_no_listening(make_audible_campaign, annotator):
    made = vote(claim(make_audible_campaign(1), annotator), annotator, origin=VoteOrigin.SIMULATED)
    assert (made.origin, made.condition) == ("simulated", "unknown")


# ---------------------------------------------------------------- undo


def test_undo_retracts_by_adding_a_row(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1)
    made = vote(claim(campaign, annotator), annotator, "positive")
    assert undo(campaign, annotator) == made
    made.refresh_from_db()
    assert made.label == "positive"
    assert list(Vote.objects.values_list("label", "retracts")) == [("positive", None), ("", made.pk)]
    assert not Vote.objects.standing().exists()


def test_undo_puts_the_same_segment_before_the_person_again(make_audible_campaign, annotator):
    campaign = make_audible_campaign(4)
    first = claim(campaign, annotator)
    vote(first, annotator)
    second = claim(campaign, annotator)
    assert second != first
    undo(campaign, annotator)
    assert claim(campaign, annotator) == first
    assert not Slot.objects.filter(pk=second.pk).exists()  # what was before them is free for others
    vote(first, annotator, "negative")
    assert [v.label for v in Vote.objects.standing()] == ["negative"]


def test_undo_twice_goes_back_two_votes(make_audible_campaign, annotator):
    campaign = make_audible_campaign(3)
    slots = []
    for _ in range(2):
        slots.append(claim(campaign, annotator))
        vote(slots[-1], annotator)
    undo(campaign, annotator)
    undo(campaign, annotator)
    assert claim(campaign, annotator) == slots[0]
    assert not Vote.objects.standing().exists()


def test_undo_takes_the_truth_away_again(make_audible_campaign, people):
    campaign = make_audible_campaign(1)
    for person in people[:3]:
        vote(claim(campaign, person), person, "positive")
    undo(campaign, people[2])
    task = campaign.tasks.get()
    assert (task.state, task.truth) == ("open", "")


def test_undo_without_a_vote_does_nothing(make_audible_campaign, people):
    campaign = make_audible_campaign(1)
    vote(claim(campaign, people[0]), people[0])
    assert undo(campaign, people[1]) is None
    assert Vote.objects.count() == 1


def test_an_imported_vote_is_not_undone(factory, annotator):
    task = factory.make_task()
    factory.make_vote(task, annotator=annotator, origin="imported")
    assert undo(task.campaign, annotator) is None


def test_a_decided_segments_vote_stays(make_audible_campaign, people, admin):
    campaign = make_audible_campaign(1)
    for person, label in zip(people, ["positive", "negative", "neutral"], strict=False):
        vote(claim(campaign, person), person, label)
    truth.adjudicate(campaign.tasks.get(), admin, "negative")
    with pytest.raises(AnnotationError, match="already decided"):
        undo(campaign, people[0])
    assert Vote.objects.standing().count() == 3


def test_a_closed_campaign_undoes_nothing(make_audible_campaign, annotator):
    campaign = make_audible_campaign(1)
    vote(claim(campaign, annotator), annotator)
    campaign.is_open = False
    with pytest.raises(AnnotationError, match="closed"):
        undo(campaign, annotator)


# ---------------------------------------------------------------- skip


def test_a_skipped_task_never_comes_back_to_the_person(make_audible_campaign, people):
    campaign = make_audible_campaign(1, votes_per_task=1)
    skip(claim(campaign, people[0]), people[0])
    assert claim(campaign, people[0]) is None
    assert claim(campaign, people[1]) is not None
    assert Skip.objects.get().annotator == people[0]


def test_nobody_skips_anothers_task(make_audible_campaign, people):
    slot = claim(make_audible_campaign(1), people[0])
    with pytest.raises(LeaseLost):
        skip(slot, people[1])
    assert Slot.objects.count() == 1
    assert not Skip.objects.exists()


def test_a_vote_cannot_be_skipped_away(make_audible_campaign, annotator):
    slot = claim(make_audible_campaign(1), annotator)
    vote(slot, annotator)
    with pytest.raises(LeaseLost):
        skip(slot, annotator)
    assert Vote.objects.standing().count() == 1
