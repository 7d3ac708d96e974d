import pytest
from django.urls import reverse

from annotation import truth
from annotation.models import Adjudication, Skip, Slot, Task, Vote

MODELS = ["campaign", "task", "slot", "skip", "vote", "adjudication"]
READ_ONLY = MODELS[1:]


@pytest.fixture
def rows(factory, admin):
    task = factory.make_task()
    votes = [factory.make_vote(task, label) for label in ("positive", "neutral", "negative")]
    truth.settle(task)
    truth.adjudicate(task, admin, "neutral")
    Skip.objects.create(task=task, annotator=admin)
    return {
        "campaign": task.campaign,
        "task": task,
        "slot": Slot.objects.first(),
        "skip": Skip.objects.get(),
        "vote": votes[0],
        "adjudication": Adjudication.objects.get(),
    }


@pytest.mark.parametrize("model", MODELS)
def test_admins_see_every_model(admin_client, rows, model):
    assert admin_client.get(reverse(f"admin:annotation_{model}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:annotation_{model}_change", args=[rows[model].pk])).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_annotators_see_none(annotator_client, rows, model):
    assert annotator_client.get(reverse(f"admin:annotation_{model}_changelist")).status_code == 302


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_the_room_writes_is_not_changed_by_hand(admin_client, rows, model):
    assert admin_client.get(reverse(f"admin:annotation_{model}_add")).status_code == 403
    pk = rows[model].pk
    assert (
        admin_client.post(reverse(f"admin:annotation_{model}_change", args=[pk]), {"label": "neutral"}).status_code
        == 403
    )
    assert admin_client.post(reverse(f"admin:annotation_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert type(rows[model]).objects.filter(pk=pk).exists()


def test_a_campaign_with_votes_cannot_be_deleted(admin_client, rows):
    campaign = rows["campaign"]
    admin_client.post(reverse("admin:annotation_campaign_delete", args=[campaign.pk]), {"post": "yes"})
    assert Task.objects.filter(campaign=campaign).exists()
    assert Vote.objects.count() == 3
