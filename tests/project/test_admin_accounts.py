"""Accounts in the admin site follow the rules of the people pages."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from crossmodal import people
from crossmodal.roles import ADMIN, is_admin
from tests.factories import Factory


def fields_of(client: Client, url: str) -> dict[str, Any]:
    """What the page's form sends when nothing is changed in it."""
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "password"}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    for name in ("last_login", "date_joined"):
        if moment := values.pop(name, None):
            values |= {f"{name}_0": f"{moment:%Y-%m-%d}", f"{name}_1": f"{moment:%H:%M:%S}"}
    return values


def change(client: Client, user: User, *without: str, **fields: Any) -> Any:
    url = reverse("admin:auth_user_change", args=[user.pk])
    data = {name: value for name, value in (fields_of(client, url) | fields).items() if name not in without}
    return client.post(url, data, follow=True)


@pytest.mark.parametrize("without", ["is_active", "groups"])
def test_nobody_takes_the_admin_s_rights_from_themselves(without: str, admin_client: Client, admin: User) -> None:
    response = change(admin_client, admin, without)
    admin = User.objects.get(pk=admin.pk)
    assert admin.is_active
    assert is_admin(admin)
    page = response.content.decode()
    assert "Nothing was changed" in page
    assert "was changed successfully" not in page


def test_an_admin_takes_another_s_rights(admin_client: Client, factory: Factory) -> None:
    other = factory.make_user("bob", role="admin")
    assert "was changed successfully" in change(admin_client, other, "is_active").content.decode()
    assert not User.objects.get(pk=other.pk).is_active


def test_nobody_deletes_their_own_account(admin_client: Client, admin: User) -> None:
    admin_client.post(reverse("admin:auth_user_delete", args=[admin.pk]), {"post": "yes"})
    actions = {"action": "delete_selected", "_selected_action": [admin.pk], "post": "yes"}
    admin_client.post(reverse("admin:auth_user_changelist"), actions)
    assert User.objects.filter(pk=admin.pk).exists()


@pytest.mark.parametrize("how", ["delete", "rename", "delete many"])
def test_the_group_of_admins_stays(how: str, admin_client: Client, admin: User) -> None:
    group = Group.objects.get(name=ADMIN)
    if how == "delete":
        admin_client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    elif how == "rename":
        admin_client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "bosses"})
    else:
        actions = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
        admin_client.post(reverse("admin:auth_group_changelist"), actions)
    assert people.active_admins().get() == admin


@pytest.mark.parametrize("name", ["ANN", "Ann", "\uff41nn"])
def test_a_name_that_differs_in_case_alone_is_refused(
    name: str, admin_client: Client, annotator: User, factory: Factory
) -> None:
    data = {"username": name, "usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
    page = admin_client.post(reverse("admin:auth_user_add"), data).content.decode()
    assert "already an account named ann" in page or "already exists" in page
    other = factory.make_user("bob")
    assert "already an account named ann" in change(admin_client, other, username=name).content.decode()
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "ann", "bob"}


def test_an_account_keeps_its_own_name_and_may_change_its_letters(admin_client: Client, annotator: User) -> None:
    change(admin_client, annotator, username="Ann")
    assert User.objects.get(pk=annotator.pk).username == "Ann"


def test_a_new_account_can_be_added(admin_client: Client) -> None:
    data = {"username": "dora", "usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
    admin_client.post(reverse("admin:auth_user_add"), data)
    assert User.objects.get(username="dora").check_password("correct horse")


def test_an_account_that_is_active_again_starts_without_sessions(
    admin_client: Client, annotator_client: Client, annotator: User
) -> None:
    change(admin_client, annotator, "is_active")
    change(admin_client, User.objects.get(pk=annotator.pk), is_active="on")
    assert User.objects.get(pk=annotator.pk).is_active
    assert annotator_client.get(reverse("home")).status_code == 302
