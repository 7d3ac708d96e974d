"""An imported listener that is linked to an account counts as one person with it."""

import io
import uuid
from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from annotation import assignment, links, summaries
from annotation.errors import AnnotationError, LeaseLost
from annotation.exporting import write_votes
from annotation.importing import import_votes
from annotation.models import Campaign, ImportedListener, Slot, Vote
from annotation.people import standing_votes
from crossmodal.demo.listeners import listeners as simulated_listeners
from crossmodal.overview import campaigns_for
from tests.annotation.conftest import claimed
from tests.factories import Factory


@pytest.fixture
def campaign(make_audible_campaign: Callable[..., Campaign]) -> Campaign:
    """Three segments, of which a table has votes of “Anna” on the first two."""
    campaign = make_audible_campaign(3)
    video = campaign.tasks.all()[0].segment.video
    rows = [f"video-{video.pk},{n},neutral,{label},This is sentence number {n}.\n" for n, label in enumerate(LABELS)]
    table = "VideoId,segment,sentiment analysis,Anna,text\n" + "".join(rows)
    import_votes(io.StringIO(table, newline=""), split="train", campaign_name=campaign.name)
    return campaign


LABELS = ("positive", "negative")


@pytest.fixture
def anna(campaign: Campaign) -> ImportedListener:
    return campaign.imported_listeners.get()


def test_a_linked_account_is_offered_what_the_listener_did_not_judge(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User
) -> None:
    now = timezone.now()
    assert assignment.available(campaign, annotator, now).count() == 3
    links.link(anna, annotator, admin)
    assert [task.position for task in assignment.available(campaign, annotator, now)] == [2]
    assert claimed(campaign, annotator).task.position == 2
    assert summaries.votes_of(campaign, annotator) == 2
    assert summaries.for_listener(annotator)[0].n_done == 2
    (shown,) = campaigns_for(annotator)
    assert (shown.n_mine, shown.n_left) == (2, 1)
    links.unlink(anna, admin)
    assert assignment.available(campaign, annotator, now).count() == 2  # the third is before them


def test_both_count_as_one_person_in_figures_and_exports(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User, factory: Factory
) -> None:
    factory.make_vote(campaign.tasks.get(position=2), "neutral", annotator=annotator)
    before = [(vote.task, vote.label) for vote in standing_votes(campaign)]
    assert {vote.name for vote in standing_votes(campaign)} == {"Anna", "ann"}
    rows = list(Vote.objects.order_by("pk").values())
    links.link(anna, annotator, admin)
    assert list(Vote.objects.order_by("pk").values()) == rows  # votes are not rewritten
    votes = standing_votes(campaign)
    assert {(vote.person, vote.name) for vote in votes} == {(annotator.pk, "ann")}
    assert [(vote.task, vote.label) for vote in votes] == before
    (one,) = summaries.summarise(campaign, votes).annotators
    assert (one.name, one.votes, one.imported) == ("ann", 3, 2)
    file = io.StringIO(newline="")
    write_votes(campaign, file)
    assert file.getvalue().splitlines()[0] == "VideoId,segment,sentiment analysis,ann,text"
    again = import_votes(io.StringIO(file.getvalue(), newline=""), split="train", campaign_name=campaign.name)
    assert again.new_votes == 0


def test_a_link_is_refused_where_both_voted_and_names_the_segments(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User, factory: Factory
) -> None:
    for position in (0, 1):
        factory.make_vote(campaign.tasks.get(position=position), annotator=annotator)
    with pytest.raises(AnnotationError, match=f"both voted on segments 1, 2 of the campaign “{campaign.name}”, so"):
        links.link(anna, annotator, admin)
    anna.refresh_from_db()
    assert (anna.account, anna.linked_by) == (None, None)


def test_two_listeners_who_voted_on_one_segment_are_not_linked_to_one_account(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User, factory: Factory
) -> None:
    other = factory.make_user("imported:1/other", role="", is_active=False)
    listener = ImportedListener.objects.create(user=other, campaign=campaign, name="other")
    factory.make_vote(campaign.tasks.get(position=1), annotator=other)
    links.link(anna, annotator, admin)
    with pytest.raises(AnnotationError, match="both voted on segment 2 of the campaign"):
        links.link(listener, annotator, admin)


def test_a_vote_that_was_taken_back_does_not_hinder_a_link(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User, factory: Factory
) -> None:
    vote = factory.make_vote(campaign.tasks.get(position=0), annotator=annotator)
    assignment.undo(campaign, annotator)
    assert Vote.objects.filter(retracts=vote).exists()
    links.link(anna, annotator, admin)
    assert not Slot.objects.filter(annotator=annotator).exists()  # the segment is not before them any more


def test_a_vote_under_way_while_the_link_is_made_is_not_counted(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User
) -> None:
    links.link(anna, annotator, admin)
    task = campaign.tasks.get(position=0)
    slot = Slot.objects.create(  # claimed at the same moment as the link was made
        task=task, slot=2, annotator=annotator, lease_ends=timezone.now() + assignment.LEASE
    )
    with pytest.raises(LeaseLost, match="came with an imported table"):
        assignment.submit(slot, annotator, "neutral", uuid.uuid4())
    assert not annotator.votes.exists()
    assert claimed(campaign, annotator).task.position == 2


def test_who_linked_and_unlinked_is_kept(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User, factory: Factory
) -> None:
    linked = links.link(anna, annotator, admin)
    assert (linked.account, linked.linked_by) == (annotator, admin)
    assert linked.linked_at is not None
    other = factory.make_user("bob", role="admin")
    unlinked = links.unlink(anna, other)
    assert (unlinked.account, unlinked.linked_by) == (None, other)
    history = LogEntry.objects.order_by("pk").values_list("user__username", "change_message")
    assert list(history) == [
        ("ada", "Linked to the account “ann”."),
        ("bob", "Unlinked from the account “ann”."),
    ]


def test_a_listener_is_linked_to_one_account_at_a_time(
    campaign: Campaign, anna: ImportedListener, annotator: User, admin: User, factory: Factory
) -> None:
    links.link(anna, annotator, admin)
    links.link(anna, annotator, admin)  # pressed twice
    with pytest.raises(AnnotationError, match="“Anna” is linked to “ann”; unlink it first"):
        links.link(anna, factory.make_user("bo"), admin)
    assert LogEntry.objects.count() == 1


def test_a_listener_is_not_linked_to_another_listener(campaign: Campaign, anna: ImportedListener, admin: User) -> None:
    for other in (anna.user, simulated_listeners()[0]):
        with pytest.raises(AnnotationError, match="is no account of a person"):
            links.link(anna, other, admin)
