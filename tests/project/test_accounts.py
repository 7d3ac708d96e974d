from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.urls import reverse

from crossmodal.views import home

PASSWORD = "correct horse battery"


def sign_in(client, name, password, **kwargs):
    return client.post(reverse("login"), {"username": name, "password": password}, **kwargs)


def test_it_signs_in_and_goes_where_the_visitor_wanted(client, annotator):
    page = client.get(reverse("home"))
    assert page.url == f"{reverse('login')}?next=/"
    response = client.post(reverse("login"), {"username": "ann", "password": PASSWORD, "next": reverse("annotate")})
    assert response.url == reverse("annotate")


def test_it_never_redirects_to_another_site_after_signing_in(client, annotator):
    response = client.post(
        reverse("login"), {"username": "ann", "password": PASSWORD, "next": "https://elsewhere.example/"}
    )
    assert response.url == reverse("home")


def test_a_signed_in_visitor_is_sent_home_from_the_sign_in_page(annotator_client):
    assert annotator_client.get(reverse("login")).url == reverse("home")


def test_the_sign_in_page_shows_one_sentence_for_a_wrong_password_and_for_an_unknown_name(client, annotator):
    wrong = sign_in(client, "ann", "wrong")
    unknown = sign_in(client, "nobody", "wrong")
    sentence = "The name and the password do not match an active account."
    assert sentence in wrong.content.decode()
    assert sentence in unknown.content.decode()


def test_an_inactive_account_cannot_sign_in(client, annotator):
    User.objects.filter(pk=annotator.pk).update(is_active=False)
    assert sign_in(client, "ann", PASSWORD).status_code == 200
    assert "_auth_user_id" not in client.session


def test_signing_out_takes_a_post(annotator_client):
    assert annotator_client.get(reverse("logout")).status_code == 405
    assert annotator_client.post(reverse("logout")).url == reverse("login")
    assert "_auth_user_id" not in annotator_client.session


def test_it_changes_the_password_and_keeps_the_visitor_signed_in(annotator_client, annotator):
    data = {"old_password": PASSWORD, "new_password1": "a longer pass phrase", "new_password2": "a longer pass phrase"}
    response = annotator_client.post(reverse("password_change"), data)
    assert response.url == reverse("password_change_done")
    assert "Password changed" in annotator_client.get(response.url).content.decode()
    annotator.refresh_from_db()
    assert annotator.check_password("a longer pass phrase")


def test_it_refuses_a_short_password_and_a_wrong_old_one(annotator_client, annotator):
    data = {"old_password": "wrong", "new_password1": "short", "new_password2": "short"}
    page = annotator_client.post(reverse("password_change"), data).content.decode()
    assert "at least 10 characters" in page
    assert "old password was entered incorrectly" in page
    annotator.refresh_from_db()
    assert annotator.check_password(PASSWORD)


@pytest.mark.parametrize("name", ["password_change", "password_change_done"])
def test_changing_a_password_needs_a_sign_in(client, db, name):
    assert client.get(reverse(name)).url.startswith(reverse("login"))


def test_the_health_check_answers_ok_to_anybody(client, db, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get(reverse("healthz"))
    assert (response.status_code, response.content, response["Content-Type"]) == (
        200,
        b"ok",
        "text/plain; charset=utf-8",
    )
    assert client.post(reverse("healthz")).status_code == 405


def test_the_health_check_fails_without_details_when_the_database_does(client, db, monkeypatch):
    def refuse(*args, **kwargs):
        raise DatabaseError("could not connect to db.internal as secret-user")

    monkeypatch.setattr(home, "connection", SimpleNamespace(cursor=refuse))
    response = client.get(reverse("healthz"))
    assert (response.status_code, response.content) == (503, b"the database does not answer")
