import html
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crossmodal import people, sessions
from crossmodal.demo.listeners import listeners
from crossmodal.roles import is_admin, is_annotator


def add(client, names, role="annotator"):
    return client.post(reverse("add_person"), {"names": names, "role": role})


def update(client, user, action, **data):
    return client.post(reverse("update_person", args=[user.pk]), {"action": action, **data})


def shown_messages(client):
    return [str(message) for message in client.get(reverse("list_people")).context["messages"]]


def passwords_in(response):
    return re.findall(r'class="passwords__one">([^<]+)<', response.content.decode())


@pytest.mark.parametrize(
    ("method", "name", "args"), [("get", "list_people", []), ("get", "add_person", []), ("post", "update_person", [1])]
)
def test_only_admins_see_people(client, annotator_client, method, name, args):
    url = reverse(name, args=args)
    assert getattr(client, method)(url).url.startswith(reverse("login"))
    assert getattr(annotator_client, method)(url).status_code == 403


def test_wrong_methods_are_refused(admin_client, annotator):
    assert admin_client.post(reverse("list_people")).status_code == 405
    assert admin_client.put(reverse("add_person")).status_code == 405
    assert admin_client.get(reverse("update_person", args=[annotator.pk])).status_code == 405


def test_it_lists_everybody_with_role_standing_votes_and_last_sign_in(admin_client, annotator, factory):
    factory.make_vote(factory.make_task(), annotator=annotator)
    undone = factory.make_vote(factory.make_task(), annotator=annotator)
    annotator.votes.create(task=undone.task, retracts=undone, client_id="7f6e4d0e-0000-4000-8000-000000000001")
    rows = {row["user"].username: row for row in admin_client.get(reverse("list_people")).context["people"]}
    assert rows["ann"]["role"] == people.Role.ANNOTATOR
    assert rows["ann"]["user"].n_votes == 1
    assert rows["ada"]["role"] == people.Role.ADMIN
    assert rows["ada"]["self"]


@pytest.mark.parametrize("name", ["list_people", "add_person", "home", "list_videos", "list_campaigns", "login"])
def test_no_cache_keeps_an_admin_s_pages(name, admin_client):
    assert "no-store" in admin_client.get(reverse(name))["Cache-Control"]


def test_the_list_takes_a_fixed_number_of_queries(admin_client, factory, django_assert_num_queries):
    for _ in range(12):
        factory.make_vote(factory.make_task())
    with django_assert_num_queries(5):  # session, user, roles, people, their groups
        admin_client.get(reverse("list_people"))


def test_it_adds_many_and_shows_each_password_once(admin_client):
    response = add(admin_client, "bea\ncarl, dora")
    passwords = passwords_in(response)
    assert len(set(passwords)) == 3
    assert "no-store" in response["Cache-Control"]
    for name, password in zip(["bea", "carl", "dora"], passwords, strict=True):
        user = User.objects.get(username=name)
        assert user.check_password(password)
        assert is_annotator(user)
        assert not user.is_staff
        assert password not in admin_client.get(reverse("list_people")).content.decode()


def test_a_new_admin_may_use_the_admin_site(admin_client):
    add(admin_client, "bea", role="admin")
    bea = User.objects.get(username="bea")
    assert bea.is_staff
    assert is_admin(bea)
    assert not is_annotator(bea)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("", "This field is required."),
        (",,", "Write at least one name."),
        ("bea\nBea", "Given more than once: Bea, bea."),
        ("ANN", "There is already an account named ann."),
        ("\uff41nn", "There is already an account named ann."),
        ("\uff41\uff4e\uff4e, bea", "There is already an account named ann."),
        ("bea, \uff22ea", "Given more than once: Bea, bea."),
        ("stra\u00dfe, STRASSE", "Given more than once: STRASSE, stra\u00dfe."),
        ("\ufdfa", "cannot be a name"),
        ("two words", "“two words” cannot be a name"),
        ("a" * 151, "is too long: at most 150 characters."),
        ("\n".join(f"n{i}" for i in range(201)), "201 names at once are too many"),
    ],
)
def test_it_refuses_bad_names_in_words_and_makes_nobody(admin_client, annotator, names, sentence):
    before = User.objects.count()
    response = add(admin_client, names)
    assert sentence in html.unescape(response.content.decode())
    assert User.objects.count() == before


def test_names_are_kept_in_the_form_in_which_they_are_looked_up(admin_client):
    add(admin_client, "\uff22\uff25\uff21\uff0c \ufb01ona")
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "BEA", "fiona"}


def test_it_refuses_an_unknown_role(admin_client):
    add(admin_client, "bea", role="superuser")
    assert not User.objects.filter(username="bea").exists()


def test_deactivating_signs_the_person_out_at_once_and_can_be_undone(admin_client, annotator_client, annotator):
    update(admin_client, annotator, "deactivate")
    assert annotator_client.get(reverse("home")).status_code == 302
    update(admin_client, annotator, "reactivate")
    annotator.refresh_from_db()
    assert annotator.is_active


def test_reactivating_revives_no_session(admin_client, annotator_client, annotator):
    elsewhere = Client()
    elsewhere.force_login(annotator)
    update(admin_client, annotator, "deactivate")
    update(admin_client, annotator, "reactivate")
    for old in (annotator_client, elsewhere):
        assert old.get(reverse("home")).status_code == 302
    assert admin_client.get(reverse("home")).status_code == 200
    annotator_client.force_login(annotator)
    assert annotator_client.get(reverse("home")).status_code != 302


def test_a_session_made_while_the_account_was_deactivated_ends_with_its_return(admin_client, annotator):
    update(admin_client, annotator, "deactivate")
    client = Client()
    client.force_login(annotator)  # a sign-in that was under way
    update(admin_client, annotator, "reactivate")
    assert client.get(reverse("home")).status_code == 302


def test_expired_sessions_are_cleared_and_others_stay(admin_client, annotator_client, annotator):
    Session.objects.filter(pk=annotator_client.session.session_key).update(expire_date=timezone.now())
    sessions.clear_expired()
    assert [session.pk for session in Session.objects.all()] == [admin_client.session.session_key]


def test_a_reset_password_is_shown_once_and_ends_the_old_sessions(admin_client, annotator_client, annotator):
    response = update(admin_client, annotator, "reset-password")
    (password,) = passwords_in(response)
    annotator.refresh_from_db()
    assert annotator.check_password(password)
    assert annotator_client.get(reverse("home")).status_code == 302


@pytest.mark.parametrize(("role", "groups"), [("admin", {"admin"}), ("both", {"admin", "annotator"})])
def test_it_changes_a_role(admin_client, annotator, role, groups):
    update(admin_client, annotator, "change-role", role=role)
    annotator.refresh_from_db()
    assert set(annotator.groups.values_list("name", flat=True)) == groups
    assert annotator.is_staff


def test_taking_the_admin_role_takes_the_admin_site_and_superuser_rights(admin_client, factory):
    other = factory.make_user("bob", role="admin", is_superuser=True)
    update(admin_client, other, "change-role", role="annotator")
    other = User.objects.get(pk=other.pk)
    assert not other.is_staff
    assert not is_admin(other)


@pytest.mark.parametrize("data", [{"action": "deactivate"}, {"action": "change-role", "role": "annotator"}])
def test_nobody_locks_themselves_out(admin_client, admin, data, factory):
    factory.make_user("bob", role="admin")
    admin_client.post(reverse("update_person", args=[admin.pk]), data)
    admin = User.objects.get(pk=admin.pk)
    assert admin.is_active
    assert is_admin(admin)
    assert "You cannot deactivate yourself or give up being an admin; ask another admin." in shown_messages(
        admin_client
    )


def test_the_last_active_admin_stays(admin, factory):
    inactive = factory.make_user("bob", role="admin", is_active=False)
    with pytest.raises(people.RefusedError, match="ada is the last active admin"):
        people.set_active(admin, False, actor=inactive)


def test_who_is_no_admin_any_more_changes_nothing(admin, annotator, factory):
    """The request was let in before another admin took the rights away."""
    former = factory.make_user("bob", role="admin", is_active=False)
    factory.make_user("cleo", role="admin")
    with pytest.raises(people.RefusedError, match="ask another one"):
        people.set_active(admin, False, actor=former)
    with pytest.raises(people.RefusedError, match="ask another one"):
        people.change_role(admin, people.Role.ANNOTATOR, actor=former)
    assert people.active_admins().filter(pk=admin.pk).exists()


def test_an_admin_may_become_an_annotator_as_well(admin_client, admin):
    update(admin_client, admin, "change-role", role="both")
    assert is_annotator(User.objects.get(pk=admin.pk))


def test_ones_own_password_is_not_reset_from_here(admin_client, admin):
    update(admin_client, admin, "reset-password")
    assert User.objects.get(pk=admin.pk).check_password("correct horse battery")


@pytest.mark.parametrize("data", [{}, {"action": "delete"}, {"action": "change-role"}])
def test_an_unknown_action_changes_nothing(admin_client, annotator, data):
    response = admin_client.post(reverse("update_person", args=[annotator.pk]), data)
    assert response.url == reverse("list_people")
    assert "Nothing was changed: choose what to do with the account." in shown_messages(admin_client)


def test_an_unknown_person_is_not_found(admin_client):
    assert update(admin_client, User(pk=99999), "deactivate").status_code == 404


def test_simulated_listeners_are_marked_and_stay_as_they_are(admin_client):
    listener = listeners()[0]
    page = admin_client.get(reverse("list_people")).content.decode()
    assert page.count("badge--simulated") == 3
    update(admin_client, listener, "reset-password")
    update(admin_client, listener, "reactivate")
    listener.refresh_from_db()
    assert not listener.is_active
    assert not listener.has_usable_password()


def test_generated_passwords_differ_and_avoid_confusable_letters():
    made = {people.make_password() for _ in range(100)}
    assert len(made) == 100
    assert not set("01lio") & set("".join(made))
