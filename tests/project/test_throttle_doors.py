"""Every page that looks at a password, and those that shall look at none."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories import Factory
from tests.project.sign_in import (
    PASSWORD,
    page_of,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("clock")


def change_password(client: Client, old: str) -> Any:
    data = {"old_password": old, "new_password1": "a longer pass phrase", "new_password2": "a longer pass phrase"}
    return client.post(reverse("password_change"), data)


def test_the_old_password_cannot_be_guessed_at_a_session_left_open(annotator_client, hashed, clock):
    assert [change_password(annotator_client, f"wrong {n}").status_code for n in range(10)] == [200] * 10
    hashed.clear()
    response = change_password(annotator_client, PASSWORD)
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert "this password was not looked at. Wait 1 minute, then try again." in page_of(response)
    assert hashed == []
    clock.wait(60)
    assert change_password(annotator_client, PASSWORD).status_code == 302


def test_a_huge_old_password_is_refused_unhashed(annotator_client, hashed):
    assert "No password has more than" in page_of(change_password(annotator_client, "x" * 5000))
    assert hashed == []


def test_guesses_at_a_session_left_open_keep_nobody_from_signing_in(annotator_client, annotator):
    for n in range(12):
        change_password(annotator_client, f"wrong {n}")
    assert sign_in(Client(), "ann").status_code == 302


@pytest.mark.parametrize("who", ["nobody", "annotator", "admin"])
@pytest.mark.parametrize("url", ["/admin/login/", "/admin/password_change/", "/admin/", "/admin/auth/user/"])
def test_the_admin_site_looks_at_no_password(factory: Factory, hashed: list[str], who: str, url: str) -> None:
    admin = factory.make_user("ada", role="admin")
    client = Client()
    if who == "annotator":
        client.force_login(factory.make_user("ann"))
    elif who == "admin":
        client.force_login(admin)
    hashed.clear()
    fields = {"username": "ada", "password": PASSWORD, "old_password": PASSWORD, "next": "/admin/"}
    fields |= {"new_password1": "a longer pass phrase", "new_password2": "a longer pass phrase"}
    assert client.post(url, fields).status_code in (200, 302, 403)
    assert hashed == []
    assert client.session.get("_auth_user_id") == (None if who == "nobody" else client.session["_auth_user_id"])


def test_the_admin_site_sends_to_the_pages_that_ask_for_passwords(client, annotator_client, admin_client, admin):
    response = client.get("/admin/login/?next=/admin/")
    assert response.url.startswith(reverse("login"))
    assert annotator_client.get("/admin/login/").status_code == 403
    assert admin_client.get("/admin/login/").url == reverse("admin:index")
    assert admin_client.get("/admin/password_change/").url == reverse("password_change")


def test_an_admin_whom_the_admin_site_does_not_take_is_not_sent_in_circles(admin_client, admin):
    User.objects.filter(pk=admin.pk).update(is_staff=False)
    assert admin_client.get("/admin/login/").status_code == 403


@pytest.mark.parametrize("token", ["guess", "0", "%C3%A9t%C3%A9", "%C3%A9/", "%C3%A9%0A", "x" * 5000])
def test_no_token_opens_the_figures_of_the_queues(client, db, token):
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Basic YWRhOmFkYQ=="}):
        for page in (f"stats.json/{token}", f"statsXjson/{token}", "stats.json/"):
            # Refused, or sent to where people sign in.
            assert client.get(f"/admin/queues/{page}", headers=headers).status_code in (302, 401, 404)
