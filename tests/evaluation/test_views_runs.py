"""Pages on one run: what holds for both, on confidence and on doubtful labels."""

import pytest
from django.test import Client

from tests.evaluation.test_views_show_evaluation import sentences
from tests.factories import Factory

pytestmark = pytest.mark.django_db
PAGES = ("/evaluation/runs/{}/", "/evaluation/runs/{}/label-noise/", "/evaluation/runs/{}/label-noise.csv")


@pytest.mark.parametrize("page", PAGES[:2])
def test_a_run_trained_before_such_scores_existed_says_what_to_do(
    admin_client: Client, factory: Factory, page: str
) -> None:
    response = admin_client.get(page.format(factory.make_run().pk))
    assert response.status_code == 200
    assert "was trained before these figures were kept. Train again to get them." in sentences(response)


@pytest.mark.parametrize("page", PAGES[:2])
@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_a_run_that_is_not_done_says_so(admin_client: Client, factory: Factory, page: str, state: str) -> None:
    run = factory.make_run(state=state)
    response = admin_client.get(page.format(run.pk))
    assert f"Run {run.pk} is not done" in sentences(response)
    assert f'href="/training/{run.pk}/"' in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_they_reject_post(admin_client: Client, factory: Factory, page: str) -> None:
    assert admin_client.post(page.format(factory.make_run().pk)).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_they_send_the_anonymous_to_the_login(client: Client, factory: Factory, page: str) -> None:
    response = client.get(page.format(factory.make_run().pk))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", PAGES)
def test_they_are_closed_to_annotators(annotator_client: Client, factory: Factory, page: str) -> None:
    assert annotator_client.get(page.format(factory.make_run().pk)).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_does_not_exist_is_not_found(admin_client: Client, page: str) -> None:
    assert admin_client.get(page.format(99)).status_code == 404


@pytest.mark.parametrize("state", ["done", "failed"])
def test_the_page_of_a_run_leads_here_when_it_is_done(admin_client: Client, factory: Factory, state: str) -> None:
    run = factory.make_run(state=state)
    body = admin_client.get(f"/training/{run.pk}/").content.decode()
    for page in PAGES[:2]:
        assert (f'href="{page.format(run.pk)}"' in body) is (state == "done")
