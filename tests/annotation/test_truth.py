import pytest

from annotation import truth
from annotation.errors import AnnotationError
from annotation.models import Adjudication, Task, Vote


@pytest.fixture
def split_task(factory):
    """A task with three different votes."""
    task = factory.make_task()
    for label in ("positive", "neutral", "negative"):
        factory.make_vote(task, label)
    return truth.settle(task)


@pytest.mark.parametrize(
    ("labels", "state", "label"),
    [
        ([], "open", ""),
        (["positive", "positive"], "open", ""),
        (["positive", "neutral", "positive"], "majority", "positive"),
        (["positive", "neutral", "negative"], "no-majority", ""),
    ],
)
def test_truth_follows_the_votes(factory, labels, state, label):
    task = factory.make_task()
    for one in labels:
        factory.make_vote(task, one)
    truth.settle(task)
    task.refresh_from_db()
    assert (task.state, task.truth) == (state, label)


def test_retracted_votes_do_not_count(factory):
    task = factory.make_task()
    votes = [factory.make_vote(task, "positive") for _ in range(3)]
    truth.settle(task)
    Vote.objects.create(
        task=task, annotator=votes[0].annotator, retracts=votes[0], client_id="00000000-0000-4000-8000-000000000001"
    )
    assert (truth.settle(task).state, task.truth) == ("open", "")


def test_an_admin_decides_where_listeners_did_not_agree(split_task, admin):
    truth.adjudicate(split_task, admin, "negative", "a sigh")
    split_task.refresh_from_db()
    assert (split_task.state, split_task.truth) == ("adjudicated", "negative")


def test_a_later_decision_replaces_the_earlier_one(split_task, admin):
    truth.adjudicate(split_task, admin, "negative")
    truth.adjudicate(split_task, admin, "neutral")
    split_task.refresh_from_db()
    assert split_task.truth == "neutral"
    assert Adjudication.objects.count() == 1


def test_a_majority_is_not_overruled(factory, admin):
    task = factory.make_task()
    for _ in range(3):
        factory.make_vote(task, "positive")
    truth.settle(task)
    with pytest.raises(AnnotationError, match="did not agree"):
        truth.adjudicate(task, admin, "negative")
    assert not Adjudication.objects.exists()


def test_a_decision_is_one_of_the_classes(split_task, admin):
    with pytest.raises(AnnotationError, match="“angry” is not a class"):
        truth.adjudicate(split_task, admin, "angry")


def test_rebuilding_mends_what_is_wrong_and_leaves_the_rest(factory, split_task, admin):
    campaign = split_task.campaign
    truth.adjudicate(split_task, admin, "negative")
    agreed, opened = factory.make_task(campaign), factory.make_task(campaign)
    for _ in range(3):
        factory.make_vote(agreed, "positive")
    truth.settle(agreed)
    before = list(campaign.tasks.values_list("pk", "state", "truth"))
    assert truth.rebuild(campaign) == 0
    Task.objects.filter(pk__in=[agreed.pk, opened.pk, split_task.pk]).update(state="majority", truth="neutral")
    assert truth.rebuild(campaign) == 3
    assert list(campaign.tasks.values_list("pk", "state", "truth")) == before


def test_rebuilding_takes_the_same_number_of_queries_for_any_number_of_tasks(factory, django_assert_num_queries):
    campaign = factory.make_campaign()
    for _ in range(5):
        factory.make_vote(factory.make_task(campaign))
    with django_assert_num_queries(5):  # tasks, votes, decisions, and a savepoint around them
        truth.rebuild(campaign)
