"""Who voted: accounts and imported listeners, of which linked ones count as one person."""

from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet

from annotation.models import Campaign, Slot, Vote

IMPORTED_MARK = "imported"
# Leaves room for the mark within the length of a name.
MARKED_CHARACTERS = 130


class StandingVote(NamedTuple):
    """A vote with the person it counts for, and the name that tells this person from the others of the campaign."""

    task: int
    person: int
    name: str
    label: str
    origin: str


def standing_votes(campaign: Campaign) -> list[StandingVote]:
    """The votes of a campaign that count, in their order. One query."""
    columns = ("task_id", "person", "listener_name", "account_name", "annotator__username", "label", "origin")
    rows = Vote.objects.standing().filter(task__campaign=campaign).with_person().order_by("pk").values_list(*columns)
    accounts: dict[int, str] = {}
    listeners: dict[int, str] = {}
    votes: list[tuple[int, int, str, str]] = []
    for task, person, listener, account, username, label, origin in rows:
        if listener is not None and account is None:
            listeners[person] = listener
        else:
            accounts[person] = account or username
        votes.append((task, person, label, origin))
    names = accounts | distinct_names(listeners, accounts)
    return [StandingVote(task, person, names[person], label, origin) for task, person, label, origin in votes]


def distinct_names(listeners: Mapping[int, str], accounts: Mapping[int, str]) -> dict[int, str]:
    """Names of imported listeners, marked where an account of the same campaign is called so."""
    taken = {*accounts.values()}
    names = {person: name for person, name in listeners.items() if name not in taken}
    taken.update(listeners.values())
    for person in sorted(listeners.keys() - names.keys()):
        base = listeners[person][:MARKED_CHARACTERS].rstrip()
        marks = (IMPORTED_MARK if number == 1 else f"{IMPORTED_MARK} {number}" for number in count(1))
        names[person] = next(name for mark in marks if (name := f"{base} ({mark})") not in taken)
        taken.add(names[person])
    return names


def places_as_another(account: User) -> QuerySet[Slot]:
    """Places that are filled by votes of the imported listeners who are this account's person."""
    return Slot.objects.filter(annotator__imported_listener__account=account)
