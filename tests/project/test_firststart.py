"""What a start prepares when it is missing."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.test import Client

from crossmodal import firststart, roles
from tests.factories import Factory


@pytest.mark.django_db
def test_the_first_start_makes_an_admin_who_can_sign_in() -> None:
    login = firststart.make_first_admin()
    assert login is not None
    name, password = login
    assert name == "admin"
    assert len(password) == firststart.PASSWORD_LENGTH
    assert Client().login(username=name, password=password)
    user = User.objects.get()
    assert roles.is_admin(user)
    assert user.is_staff
    assert password not in user.password


@pytest.mark.django_db
def test_both_groups_are_there_afterwards() -> None:
    firststart.make_first_admin()
    assert set(Group.objects.values_list("name", flat=True)) == {"admin", "annotator"}


@pytest.mark.django_db
def test_passwords_differ() -> None:
    first = firststart.make_first_admin()
    User.objects.all().delete()
    assert first != firststart.make_first_admin()


def test_later_starts_make_none(factory: Factory) -> None:
    factory.make_user("ada", role="admin")
    assert firststart.make_first_admin() is None
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_superuser_is_admin_enough() -> None:
    User.objects.create_superuser("root", password="correct horse battery")
    assert firststart.make_first_admin() is None


def test_an_admin_who_was_shut_out_does_not_count(factory: Factory) -> None:
    factory.make_user("ada", role="admin", is_active=False)
    assert firststart.make_first_admin() is not None


def test_a_name_that_is_taken_is_not_taken_over(factory: Factory) -> None:
    person = factory.make_user("admin", role="annotator")
    login = firststart.make_first_admin()
    assert login is not None
    assert login[0] == "admin-2"
    assert not roles.is_admin(User.objects.get(pk=person.pk))


def test_static_files_are_collected_when_they_changed(settings: Any, tmp_path: Path) -> None:
    own = tmp_path / "static"
    own.mkdir()
    (own / "page.css").write_text("a {}")
    settings.STATICFILES_DIRS = [own]
    settings.STATIC_ROOT = tmp_path / "collected"
    assert firststart.collect_static_files() is True
    assert firststart.collect_static_files() is False
    (own / "page.css").write_text("a { color: red }")
    assert firststart.collect_static_files() is True
    assert (tmp_path / "collected" / "page.css").read_text() == "a { color: red }"
    (own / "page.css").unlink()
    assert firststart.collect_static_files() is True
    assert not (tmp_path / "collected" / "page.css").exists()


def test_everything_under_static_can_be_collected_for_production(settings: Any, tmp_path: Path) -> None:
    """Each file that a style sheet or module names exists, and modules import each other under hashed names."""
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "crossmodal.storage.StaticStorage"}}
    firststart.collect_static_files()
    manifest = (tmp_path / "collected" / "staticfiles.json").read_text()
    for path in (Path(django_settings.BASE_DIR) / "static").rglob("*.js"):
        assert path.relative_to(Path(django_settings.BASE_DIR) / "static").as_posix() in manifest
