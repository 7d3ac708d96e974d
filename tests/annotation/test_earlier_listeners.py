"""The migration that makes imported listeners of the people of earlier tables."""

import io
import uuid
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import summaries, truth
from annotation.importing import import_votes
from annotation.models import Campaign, ImportedListener, Slot, Vote
from annotation.people import standing_votes
from crossmodal.demo.listeners import listeners as simulated_listeners
from tests.factories import Factory

migration = import_module("annotation.migrations.0003_listeners_of_earlier_tables")
TABLE = """VideoId,segment,sentiment analysis,ana,admin,bo,text
7,0,positive,positive,neutral,positive,we went home happy
7,1,neutral,positive,neutral,negative,the train was there
"""


def earlier_person(name: str) -> User:
    """As an import of an earlier version made people."""
    user = User.objects.create(username=name, is_active=False)
    user.set_unusable_password()
    user.save()
    user.groups.add(Group.objects.get_or_create(name="annotator")[0])
    return user


def earlier_import(factory: Factory, campaign: Campaign, people: dict[User, str], n_tasks: int = 2) -> None:
    """As an earlier version stored a table: votes of each person with the origin that is given, on every row."""
    for number in range(n_tasks):
        task = factory.make_task(campaign, imported_key=f"7/{number}#1", imported_video="7", imported_text=f"{number}")
        for slot, (person, origin) in enumerate(people.items(), start=1):
            Slot.objects.create(task=task, slot=slot, annotator=person, filled=True)
            client_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{task.pk}/{person.pk}")
            columns: dict[str, Any] = {"origin": origin, "condition": "unknown", "client_id": client_id}
            Vote.objects.create(task=task, annotator=person, label="neutral", **columns)
    truth.rebuild(campaign)


def figures(campaign: Campaign) -> Any:
    votes = standing_votes(campaign)
    summary = summaries.summarise(campaign, votes)
    return sorted((vote.task, vote.name, vote.label, vote.origin) for vote in votes), summary.states, summary.truths


def migrate() -> None:
    migration.make_listeners(apps, None)


def test_a_person_of_earlier_tables_becomes_a_listener_of_each_campaign(factory: Factory) -> None:
    ana = earlier_person("ana")
    campaigns = [factory.make_campaign(name=name) for name in "AB"]
    for campaign in campaigns:
        earlier_import(factory, campaign, {ana: "imported"})
    before = [figures(campaign) for campaign in campaigns]
    migrate()
    assert [figures(campaign) for campaign in campaigns] == before
    listeners = ImportedListener.objects.filter(account=None).order_by("campaign").values_list("name", "campaign")
    assert list(listeners) == [("ana", campaign.pk) for campaign in campaigns]
    for listener in ImportedListener.objects.select_related("user"):
        assert listener.user.username == f"imported:{listener.campaign_id}/ana"
        assert not listener.user.has_usable_password()
        assert (listener.user.is_active, listener.user.groups.count(), listener.user.votes.count()) == (False, 0, 2)
        assert listener.user.slots.filter(filled=True).count() == 2
    assert not User.objects.filter(username="ana").exists()


def test_votes_that_were_credited_to_an_account_go_to_a_linked_listener(factory: Factory) -> None:
    admin = factory.make_user("admin", role="admin")
    campaign = factory.make_campaign(name="A")
    earlier_import(factory, campaign, {admin: "imported"})
    own = factory.make_vote(factory.make_task(campaign), "positive", annotator=admin)
    before = figures(campaign)
    migrate()
    assert figures(campaign) == before
    listener = ImportedListener.objects.get()
    assert (listener.name, listener.account, listener.linked_by) == ("admin", admin, None)
    assert listener.linked_at is not None
    assert list(admin.votes.all()) == [own]
    assert admin.slots.get().task == own.task
    assert (listener.user.votes.count(), listener.user.slots.count()) == (2, 2)


def test_what_was_no_import_s_stays(factory: Factory) -> None:
    simulated = simulated_listeners()[0]
    signed_in = earlier_person("was here")
    User.objects.filter(pk=signed_in.pk).update(last_login=timezone.now())
    deactivated = factory.make_user("old", is_active=False)
    campaign = factory.make_campaign(name="A")
    earlier_import(factory, campaign, {simulated: "simulated", signed_in: "listened", deactivated: "listened"})
    migrate()
    assert not ImportedListener.objects.exists()


def test_votes_taken_back_and_cast_anew_stay_with_the_account(factory: Factory) -> None:
    ana = factory.make_user("ana")
    campaign = factory.make_campaign(name="A")
    earlier_import(factory, campaign, {ana: "simulated"}, n_tasks=1)
    vote = Vote.objects.get()
    Vote.objects.create(task=vote.task, annotator=ana, retracts=vote, origin="simulated", client_id=uuid.uuid4())
    Vote.objects.create(task=vote.task, annotator=ana, label="positive", client_id=uuid.uuid4())
    before = figures(campaign)
    migrate()
    assert figures(campaign) == before
    assert ana.slots.count() == 1
    assert [v.label for v in Vote.objects.standing().filter(annotator=ana)] == ["positive"]


def test_the_table_of_an_earlier_version_adds_nothing(factory: Factory) -> None:
    import_votes(io.StringIO(TABLE), split="train", campaign_name="A")
    for listener in ImportedListener.objects.select_related("user"):  # back to what an earlier version stored
        listener.user.username = listener.name
        listener.user.save()
    ImportedListener.objects.all().delete()
    User.objects.filter(username="admin").update(password="pbkdf2$x", is_active=True)
    migrate()
    assert set(ImportedListener.objects.values_list("name", "account__username")) == {
        ("ana", None),
        ("admin", "admin"),
        ("bo", None),
    }
    report = import_votes(io.StringIO(TABLE), split="train", campaign_name="A")
    assert (report.new_rows, report.new_votes, report.notes) == (0, 0, ())


def test_the_number_of_statements_does_not_grow_with_the_votes(factory: Factory) -> None:
    statements = []
    for name, n_tasks in (("A", 2), ("B", 20)):
        campaign = factory.make_campaign(name=name)
        people = {earlier_person(f"ana {name}"): "imported", factory.make_user(f"bo-{name}"): "imported"}
        earlier_import(factory, campaign, people, n_tasks)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            migrate()
        statements.append(len(captured))
        Vote.objects.filter(annotator__imported_listener=None).delete()
    assert statements[0] == statements[1]


@pytest.mark.django_db(transaction=True)
def test_it_runs_from_the_tables_of_an_earlier_version(factory: Factory) -> None:
    executor = MigrationExecutor(connection)
    try:
        executor.migrate([("annotation", "0001_first_tables")])
        old = executor.loader.project_state([("annotation", "0001_first_tables")]).apps
        campaign = old.get_model("annotation", "Campaign").objects.create(name="A", split="train")
        task = old.get_model("annotation", "Task").objects.create(
            campaign=campaign, position=0, imported_key="7/0#1", imported_video="7"
        )
        ana = earlier_person("ana")
        old.get_model("annotation", "Vote").objects.create(
            task=task, annotator_id=ana.pk, label="neutral", origin="imported", client_id=uuid.uuid4()
        )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert ImportedListener.objects.get().user_id == ana.pk
    assert [(vote.name, vote.label) for vote in standing_votes(Campaign.objects.get())] == [("ana", "neutral")]
