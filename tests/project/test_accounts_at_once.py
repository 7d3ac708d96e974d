"""Admins who change accounts at the same moment. Runs on SQLite in a file (as in production) and on PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse

from crossmodal import people
from tests.factories import Factory

pytestmark = pytest.mark.django_db(transaction=True)


def posted_at_once(posts: list[tuple[Client, str, dict[str, str]]]) -> list[int]:
    """Send every form from a thread of its own, all let loose at the same moment; returns the statuses."""
    gate = threading.Barrier(len(posts))

    def post(client: Client, url: str, data: dict[str, str]) -> int:
        client.raise_request_exception = False
        try:
            gate.wait(timeout=30)
            return client.post(url, data).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(post, *zip(*posts, strict=True), timeout=120))


@pytest.fixture
def admins(factory: Factory) -> list[User]:
    return [factory.make_user(name, role="admin") for name in ("ada", "bob", "cleo")]


@pytest.fixture
def clients(admins: list[User]) -> list[Client]:
    clients = []
    for admin in admins:
        clients.append(Client())
        clients[-1].force_login(admin)
    return clients


@pytest.mark.parametrize("names", [["racer"], ["RaCer2", "racer2", "RACER2"]])
def test_a_person_added_eight_times_at_once_is_there_once(names: list[str], clients: list[Client]) -> None:
    posts = [
        (clients[i % 3], reverse("add_person"), {"names": names[i % len(names)], "role": "annotator"}) for i in range(8)
    ]
    assert posted_at_once(posts) == [200] * 8
    assert User.objects.filter(username__iexact=names[0]).count() == 1


@pytest.mark.parametrize("data", [{"action": "deactivate"}, {"action": "change-role", "role": "annotator"}])
def test_admins_who_take_each_other_s_rights_away_at_once_leave_one(
    data: dict[str, str], admins: list[User], clients: list[Client]
) -> None:
    for _ in range(4):
        posts = [
            (client, reverse("update_person", args=[other.pk]), data)
            for client, admin in zip(clients, admins, strict=True)
            for other in admins
            if other != admin
        ]
        assert set(posted_at_once(posts)) <= {302, 403}  # changed or refused with a sentence; or no admin any more
        assert people.active_admins().count() == 1
        for admin, client in zip(admins, clients, strict=True):
            people.set_role(admin, people.Role.ADMIN)
            User.objects.filter(pk=admin.pk).update(is_active=True)
            client.force_login(admin)
