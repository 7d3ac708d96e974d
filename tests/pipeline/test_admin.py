"""The admin site of the pipeline's models."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pipeline.models import DownloadSite
from tests.factories import Factory

MODELS = ["video", "segment", "textlabel", "trainingrun", "prediction"]


def _fill(factory: Factory, count: int) -> None:
    for _ in range(count):
        segment = factory.make_segment()
        factory.make_prediction(factory.make_run(), segment)


@pytest.mark.parametrize("model", MODELS)
def test_each_list_is_shown_and_searched(model: str, factory: Factory, admin_client: Client) -> None:
    _fill(factory, 2)
    address = reverse(f"admin:pipeline_{model}_changelist")
    assert admin_client.get(address).status_code == 200
    assert admin_client.get(address, {"q": "sentence"}).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_the_queries_of_a_list_do_not_grow(
    model: str, factory: Factory, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    _fill(factory, 12)
    with django_assert_max_num_queries(9):
        admin_client.get(reverse(f"admin:pipeline_{model}_changelist"))


@pytest.mark.parametrize("model", MODELS)
def test_each_row_can_be_looked_at(model: str, factory: Factory, admin_client: Client) -> None:
    segment = factory.make_segment()
    prediction = factory.make_prediction(factory.make_run(), segment)
    rows = {
        "video": segment.video,
        "segment": segment,
        "textlabel": segment.text_labels.get(policy="recommended"),
        "trainingrun": prediction.run,
        "prediction": prediction,
    }
    response = admin_client.get(reverse(f"admin:pipeline_{model}_change", args=[rows[model].pk]))
    assert response.status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_by_hand(model: str, admin_client: Client) -> None:
    assert admin_client.get(reverse(f"admin:pipeline_{model}_add")).status_code == 403


def test_what_a_job_found_out_cannot_be_changed(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(title="Before")
    address = reverse("admin:pipeline_video_change", args=[video.pk])
    form = admin_client.get(address).context["adminform"].form
    assert set(form.fields) == {"split", "dataset_id", "title", "policy"}


def test_sites_are_shown(admin_client: Client, db: None) -> None:
    site = DownloadSite.objects.create(name="youtube.com")
    assert "youtube.com" in admin_client.get(reverse("admin:pipeline_downloadsite_changelist")).content.decode()
    assert admin_client.get(reverse("admin:pipeline_downloadsite_change", args=[site.pk])).status_code == 200
    assert admin_client.get(reverse("admin:pipeline_downloadsite_add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_annotators_stay_outside(model: str, annotator_client: Client) -> None:
    response = annotator_client.get(reverse(f"admin:pipeline_{model}_changelist"))
    assert response.status_code == 302
    assert "/admin/login/" in response["Location"]
