import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from crossmodal import overview


@pytest.mark.parametrize("name", ["400.html", "500.html", "403_csrf.html"])
def test_a_page_for_when_nothing_works_needs_no_context(name):
    html = get_template(name).render()
    assert "<h1>" in html
    assert 'href="/"' in html


def test_an_unexpected_error_shows_no_internals(admin_client, monkeypatch):
    def fail(*args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(overview, "overview", fail)
    admin_client.raise_request_exception = False
    response = admin_client.get(reverse("home"))
    page = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong" in page
    assert "secret" not in page
    assert "Traceback" not in page


def test_an_unknown_address_says_so_without_listing_others(admin_client):
    response = admin_client.get("/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert "urlpattern" not in response.content.decode().lower()


def test_a_forbidden_page_says_for_whom_it_is(annotator_client):
    response = annotator_client.get(reverse("list_people"))
    assert response.status_code == 403
    assert "This page is for admins." in response.content.decode()


def test_a_form_without_its_token_is_refused_in_words(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    response = client.post(reverse("add_person"), {"names": "eve"})
    assert response.status_code == 403
    assert "The form has expired" in response.content.decode()


def test_a_request_for_a_foreign_host_is_refused_in_words(client, db):
    response = client.get("/", headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert "elsewhere.example" not in response.content.decode()
