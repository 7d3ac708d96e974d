"""Listeners of vote tables are people of their own kind: no heading credits votes to an account."""

import io
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from annotation.accounts import imported_username
from annotation.errors import AnnotationError
from annotation.exporting import write_votes
from annotation.importing import ImportReport, import_votes
from annotation.models import Campaign, ImportedListener, Slot, Vote
from annotation.people import standing_votes
from crossmodal.demo.listeners import listeners as simulated_listeners
from tests.factories import Factory

pytestmark = pytest.mark.django_db


def table_of(heading: str, *labels: str) -> str:
    rows = "".join(f"7,{number},neutral,{label},text {number}\n" for number, label in enumerate(labels))
    return f'VideoId,segment,sentiment analysis,"{heading}",text\n{rows}'


def load(table: str, name: str = "Round", **options: Any) -> ImportReport:
    return import_votes(io.StringIO(table, newline=""), split="train", campaign_name=name, **options)


def exported(campaign: Campaign) -> str:
    file = io.StringIO(newline="")
    write_votes(campaign, file)
    return file.getvalue()


def credited_accounts() -> list[str]:
    """Accounts that have votes of tables."""
    votes = Vote.objects.exclude(origin="listened").filter(annotator__imported_listener=None)
    return list(votes.values_list("annotator__username", flat=True).distinct())


def test_a_listener_cannot_sign_in_and_has_no_role() -> None:
    load(table_of("ana", "positive"))
    listener = ImportedListener.objects.select_related("user").get()
    assert (listener.name, listener.account, listener.campaign.name) == ("ana", None, "Round")
    assert not listener.user.is_active
    assert not listener.user.has_usable_password()
    assert not listener.user.groups.exists()


HEADINGS = [
    "admin",
    " admin ",
    "\u200badmin",
    "\uff41dmin",
    "annotator: admin (person)",
    "annotator: admin (simulated)",
    "admin (simulated)",
    "ADMIN",
    "annotator: ADMIN (person)",
    "\u0430dmin",
    "imported:1/admin",
    "annotator: imported:1/admin (person)",
    "admin (imported)",
    "annotator: admin (imported)",
    "Rater  A",
    "listener-1-simulated",
    "listener-1-simulated (simulated)",
    "annotator: listener-1-simulated (simulated)",
]


@pytest.mark.parametrize("heading", HEADINGS)
def test_no_heading_credits_an_account(heading: str, factory: Factory) -> None:
    factory.make_user("admin", role="admin")
    factory.make_user("Rater_A")
    simulated_listeners()
    assert load(table_of(heading, "positive", "negative")).new_votes == 2
    assert credited_accounts() == []
    listener = ImportedListener.objects.get()
    assert listener.user.votes.count() == 2
    assert load(table_of(heading, "positive", "negative")).new_votes == 0


def test_an_account_s_votes_in_the_campaign_are_not_joined_by_those_of_a_table(factory: Factory) -> None:
    campaign = factory.make_campaign(name="Round")
    admin = factory.make_user("admin", role="both")
    segment = factory.make_segment(factory.make_video(dataset_id="7"), position=0, text="text 0")
    factory.make_vote(factory.make_task(campaign, segment), "positive", annotator=admin)
    report = load(table_of("admin", "positive", "negative"))
    assert report.new_votes == 1  # the first is the account's own, as an export writes it
    assert credited_accounts() == []
    assert admin.votes.count() == 1
    with pytest.raises(AnnotationError, match="“admin” voted positive before, neutral in this table"):
        load(table_of("admin", "neutral"))


@pytest.mark.parametrize(("heading", "like"), [("ana", "the same name"), ("Ana", "a like name")])
def test_an_account_of_the_name_is_told_and_nothing_else_is_done_with_it(
    heading: str, like: str, factory: Factory
) -> None:
    ana = factory.make_user("ana")
    report = load(table_of(heading, "positive"))
    assert report.notes == (
        f"The votes of “{heading}” count for no account. There is an account of {like}, “ana”; link it on the People "
        "page if it is the same person.",
    )
    assert not ana.votes.exists()
    assert load(table_of(heading, "positive")).notes == ()


def test_the_same_name_in_another_campaign_is_another_listener() -> None:
    load(table_of("ana", "positive"))
    load(table_of("ana", "positive"), name="Another study")
    assert ImportedListener.objects.filter(name="ana").values("user").distinct().count() == 2


def test_new_votes_of_a_linked_listener_are_told(factory: Factory) -> None:
    load(table_of("ana", "positive"))
    account = factory.make_user("ann.k")
    ImportedListener.objects.update(account=account, linked_at="2026-01-01T00:00Z")
    report = load(table_of("ana", "positive", "neutral"))
    assert report.new_votes == 1
    assert report.notes == ("“ana” is linked to the account “ann.k”; new votes count as this person’s.",)
    assert credited_accounts() == []


def test_two_columns_of_one_person_are_refused_where_both_vote(factory: Factory) -> None:
    two = "VideoId,segment,sentiment analysis,ana,bo,text\n7,0,neutral,positive,,one\n7,1,neutral,,positive,two\n"
    load(two, votes_per_task=3)
    ImportedListener.objects.update(account=factory.make_user("ann"), linked_at="2026-01-01T00:00Z")
    assert load(two).new_votes == 0
    both = two + "8,0,neutral,positive,positive,three\n"
    with pytest.raises(AnnotationError, match=r"Row 4 \(8/0#1\) has two votes of one person: “bo” and another"):
        load(both)
    with pytest.raises(AnnotationError, match="“ana” voted positive before, negative in this table"):
        load(two.replace("7,1,neutral,,", "7,1,neutral,negative,"))


def test_a_listener_called_as_an_account_of_the_campaign_comes_back_as_a_person_of_their_own(factory: Factory) -> None:
    load(table_of("ana", "positive", "neutral"), votes_per_task=3)
    campaign = Campaign.objects.get()
    task = campaign.tasks.get(position=0)
    factory.make_vote(task, "negative", annotator=factory.make_user("ana"))
    assert {vote.name for vote in standing_votes(campaign)} == {"ana", "ana (imported)"}
    table = exported(campaign)
    assert load(table).new_votes == 0
    assert load(table_of("ana", "positive", "neutral")).new_votes == 0
    load(table, name="Elsewhere")
    assert exported(Campaign.objects.get(name="Elsewhere")) == table
    more = table + "9,0,neutral,,positive,more\n"
    assert load(more).new_votes == 1
    assert Vote.objects.get(task__imported_text="more").annotator.imported_listener.name == "ana"


def test_a_place_that_an_account_holds_stays_theirs(factory: Factory) -> None:
    task = factory.make_task(
        segment=factory.make_segment(factory.make_video(dataset_id="7"), position=0, text="text 0")
    )
    held = Slot.objects.create(task=task, slot=2, annotator=factory.make_user("ana"))
    load(table_of("ana", "positive"), name=task.campaign.name)
    held.refresh_from_db()
    assert (held.filled, held.annotator.username) == (False, "ana")
    assert list(task.slots.filter(filled=True).values_list("slot", flat=True)) == [1]


def test_a_place_that_the_linked_account_holds_is_taken_over(factory: Factory) -> None:
    task = factory.make_task(
        segment=factory.make_segment(factory.make_video(dataset_id="7"), position=1, text="text 1")
    )
    load(table_of("ana", "positive"), name=task.campaign.name)
    account = factory.make_user("ann")
    ImportedListener.objects.update(account=account, linked_at="2026-01-01T00:00Z")
    held = Slot.objects.create(task=task, slot=2, annotator=account)
    load(table_of("ana", "positive", "neutral"), name=task.campaign.name)
    held.refresh_from_db()
    assert (held.filled, held.annotator) == (True, ImportedListener.objects.get().user)
    assert task.slots.count() == 1


def test_votes_of_a_table_take_the_last_place_from_a_lease(factory: Factory) -> None:
    campaign = factory.make_campaign(votes_per_task=1)
    segment = factory.make_segment(factory.make_video(dataset_id="7"), position=0, text="text 0")
    task = factory.make_task(campaign, segment)
    Slot.objects.create(task=task, slot=1, annotator=factory.make_user("bo"))
    load(table_of("ana", "positive"), name=campaign.name)
    assert task.slots.get().annotator == ImportedListener.objects.get().user


@pytest.mark.parametrize("length", [1, 140, 150])
def test_user_names_of_listeners_fit_and_differ(length: int) -> None:
    first, second = imported_username(123456, "a" * length), imported_username(123456, "a" * (length - 1) + "b")
    assert len(first) <= 150
    assert first != second


def test_a_listener_whose_user_row_was_changed_by_hand_is_not_let_in() -> None:
    load(table_of("ana", "positive"))
    user = ImportedListener.objects.get().user
    user.set_password("correct horse battery")
    user.is_active = user.is_staff = user.is_superuser = True
    user.save()
    assert authenticate(username=user.username, password="correct horse battery") is None
    assert not User.objects.filter(username="ana").exists()
