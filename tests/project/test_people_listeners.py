"""Imported listeners on the People page: seen, linked and unlinked by admins, and never made to sign in."""

import html
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.importing import import_votes
from annotation.models import ImportedListener
from crossmodal import people
from crossmodal.demo.listeners import listeners as simulated_listeners
from crossmodal.roles import ADMIN, RoleBackend
from tests.factories import Factory

TABLE = "VideoId,segment,sentiment analysis,Anna,text\n7,0,neutral,positive,one\n7,1,neutral,negative,two\n"
NAMES = ["link_listener", "unlink_listener"]


@pytest.fixture
def anna(db: None) -> ImportedListener:
    import_votes(io.StringIO(TABLE), split="train", campaign_name="Study", votes_per_task=3)
    return ImportedListener.objects.select_related("user").get()


def link(client: Client, listener: ImportedListener, account: str) -> str:
    """Post the form; returns the page that is shown then."""
    url = reverse("link_listener", args=[listener.pk])
    return html.unescape(client.post(url, {"account": account}, follow=True).content.decode())


@pytest.mark.parametrize("name", NAMES)
def test_only_admins_link(name: str, client: Client, annotator_client: Client, anna: ImportedListener) -> None:
    url = reverse(name, args=[anna.pk])
    assert client.post(url, {"account": "ann"}).url.startswith(reverse("login"))
    assert annotator_client.post(url, {"account": "ann"}).status_code == 403
    anna.refresh_from_db()
    assert anna.linked_at is None


@pytest.mark.parametrize("name", NAMES)
def test_links_are_posted(name: str, admin_client: Client, anna: ImportedListener) -> None:
    assert admin_client.get(reverse(name, args=[anna.pk])).status_code == 405
    assert admin_client.put(reverse(name, args=[anna.pk])).status_code == 405
    assert admin_client.post(reverse(name, args=[anna.pk + 1]), {"account": "ada"}).status_code == 404


def test_an_admin_links_and_unlinks(admin_client: Client, annotator: User, anna: ImportedListener) -> None:
    page = link(admin_client, anna, "ann")
    assert "The votes of “Anna” now count as those of ann." in page
    assert "linked by ada" in page
    assert "+ 2 imported" in page
    page = admin_client.post(reverse("unlink_listener", args=[anna.pk]), follow=True).content.decode()
    assert "none; unlinked by ada" in page
    assert "+ 2 imported" not in page


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ("", "Nothing was changed: write the name of the account."),
        ("nobody", "There is no account named “nobody”"),
        ("ANN", "There is no account named “ANN”"),
        ("imported:1/Anna", "There is no account named “imported:1/Anna”"),
        ("listener-1-simulated", "There is no account named “listener-1-simulated”"),
    ],
)
def test_what_is_no_account_is_not_linked(
    account: str, sentence: str, admin_client: Client, annotator: User, anna: ImportedListener
) -> None:
    simulated_listeners()
    assert sentence in link(admin_client, anna, account)
    anna.refresh_from_db()
    assert anna.account is None


def test_a_refused_link_names_the_segments(
    admin_client: Client, annotator: User, anna: ImportedListener, factory: Factory
) -> None:
    factory.make_vote(anna.campaign.tasks.get(position=1), annotator=annotator)
    assert "both voted on segment 2 of the campaign “Study”" in link(admin_client, anna, "ann")


def test_who_is_no_admin_any_more_links_nothing(anna: ImportedListener, annotator: User, factory: Factory) -> None:
    former = factory.make_user("bob", role="admin", is_active=False)
    with pytest.raises(people.RefusedError):
        people.link_listener(anna, "ann", former)
    with pytest.raises(people.RefusedError):
        people.unlink_listener(anna, former)


def test_listeners_stand_apart_from_accounts(admin_client: Client, anna: ImportedListener) -> None:
    context = admin_client.get(reverse("list_people")).context
    assert [row["user"].username for row in context["people"]] == ["ada"]
    assert [(listener.name, listener.n_votes) for listener in context["listeners"]] == [("Anna", 2)]


def test_the_list_takes_a_fixed_number_of_queries(
    admin_client: Client, annotator: User, django_assert_num_queries: Any
) -> None:
    for name in ("A", "B", "C"):
        import_votes(io.StringIO(TABLE), split="train", campaign_name=name)
    ImportedListener.objects.update(account=annotator, linked_at="2026-01-01T00:00Z")
    with django_assert_num_queries(7):  # session, user, roles, people, their groups, listeners, their votes
        admin_client.get(reverse("list_people"))


def state_of(user: User) -> dict[str, Any]:
    row = User.objects.get(pk=user.pk)
    columns = ("username", "password", "is_active", "is_staff", "is_superuser", "last_login")
    return {name: getattr(row, name) for name in columns} | {"groups": list(row.groups.all())}


@pytest.fixture(params=["imported", "simulated"])
def listener_user(request: Any, anna: ImportedListener) -> User:
    return anna.user if request.param == "imported" else simulated_listeners()[0]


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "reset-password", "change-role"])
def test_the_people_page_changes_no_listener(action: str, admin_client: Client, listener_user: User) -> None:
    before = state_of(listener_user)
    url = reverse("update_person", args=[listener_user.pk])
    page = admin_client.post(url, {"action": action, "role": "admin"}, follow=True).content.decode()
    assert "is a listener who never signs in, and stays as it is." in page
    assert state_of(listener_user) == before


def test_no_rule_of_accounts_changes_a_listener(admin: User, listener_user: User) -> None:
    before = state_of(listener_user)
    for change in (
        lambda: people.reset_password(listener_user),
        lambda: people.set_active(listener_user, True, admin),
        lambda: people.change_role(listener_user, people.Role.ADMIN, admin),
    ):
        with pytest.raises(people.RefusedError, match="never signs in"):
            change()
    assert state_of(listener_user) == before


def test_the_admin_site_shows_listeners_and_changes_none(admin_client: Client, listener_user: User) -> None:
    before = state_of(listener_user)
    change = reverse("admin:auth_user_change", args=[listener_user.pk])
    password = reverse("admin:auth_user_password_change", args=[listener_user.pk])
    delete = reverse("admin:auth_user_delete", args=[listener_user.pk])
    group = Group.objects.get(name=ADMIN)
    assert admin_client.get(change).status_code == 200
    data = {"username": "anna", "is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": [group.pk]}
    assert admin_client.post(change, data).status_code == 403
    new = {"password1": "correct horse 9", "password2": "correct horse 9", "usable_password": "true"}
    assert admin_client.post(password, new).status_code == 403
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    actions = {"action": "delete_selected", "_selected_action": [listener_user.pk], "post": "yes"}
    admin_client.post(reverse("admin:auth_user_changelist"), actions)
    assert state_of(listener_user) == before


def test_listeners_are_looked_at_in_the_admin_site(admin_client: Client, anna: ImportedListener) -> None:
    assert "Anna" in admin_client.get(reverse("admin:annotation_importedlistener_changelist")).content.decode()
    url = reverse("admin:annotation_importedlistener_change", args=[anna.pk])
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"name": "admin"}).status_code == 403
    assert admin_client.get(reverse("admin:annotation_importedlistener_history", args=[anna.pk])).status_code == 200


def test_an_account_with_a_link_is_not_deleted(admin_client: Client, annotator: User, anna: ImportedListener) -> None:
    link(admin_client, anna, "ann")
    admin_client.post(reverse("admin:auth_user_delete", args=[annotator.pk]), {"post": "yes"})
    anna.refresh_from_db()
    assert anna.account == annotator


def test_a_deactivated_account_keeps_its_link_and_is_marked(
    admin_client: Client, annotator: User, anna: ImportedListener
) -> None:
    link(admin_client, anna, "ann")
    people.set_active(annotator, False, User.objects.get(username="ada"))
    listeners = admin_client.get(reverse("list_people")).content.decode().partition('id="listeners"')[2]
    assert '<span class="badge">inactive</span>' in listeners


RESERVED = [
    "imported:1/Anna",
    "imported\uff1a1/Anna",
    "IMPORTED:1/Anna",
    "Listener-1-Simulated",
    "listener-1-simulated",
]


@pytest.mark.parametrize("name", RESERVED)
def test_no_account_takes_a_listener_s_name(name: str, admin_client: Client, annotator: User) -> None:
    admin_client.post(reverse("add_person"), {"names": name, "role": "annotator"})
    new = {"username": name, "usable_password": "true", "password1": "correct horse 9", "password2": "correct horse 9"}
    admin_client.post(reverse("admin:auth_user_add"), new)
    url = reverse("admin:auth_user_change", args=[annotator.pk])
    admin_client.post(url, {"username": name, "date_joined_0": "2026-01-01", "date_joined_1": "10:00"})
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "ann"}


def test_createsuperuser_refuses_a_listener_s_name(anna: ImportedListener) -> None:
    for name in (anna.user.username, "imported:1/Anna", "imported:9/new"):
        with pytest.raises(CommandError):
            call_command("createsuperuser", "--noinput", "--username", name, "--email", "a@example.org")


def test_a_listener_made_admin_by_hand_neither_signs_in_nor_counts_as_one(
    client: Client, admin: User, listener_user: User
) -> None:
    listener_user.set_password("correct horse battery")
    listener_user.is_active = listener_user.is_staff = listener_user.is_superuser = True
    listener_user.save()
    listener_user.groups.add(Group.objects.get(name=ADMIN))
    data = {"username": listener_user.username, "password": "correct horse battery"}
    client.post(reverse("login"), data)
    assert client.get(reverse("list_people")).status_code == 302
    client.force_login(listener_user)
    assert client.get(reverse("list_people")).status_code == 302
    assert RoleBackend().get_user(listener_user.pk) is None
    assert list(people.active_admins()) == [admin]


def test_an_account_may_be_called_as_a_listener_of_a_table(admin_client: Client, anna: ImportedListener) -> None:
    admin_client.post(reverse("add_person"), {"names": "Anna", "role": "annotator"})
    assert not User.objects.get(username="Anna").votes.exists()
