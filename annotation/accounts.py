"""Accounts of the people whose votes a table holds."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, User

from annotation.errors import AnnotationError
from annotation.listeners import Listener
from annotation.models import Campaign, Vote
from crossmodal.roles import ANNOTATOR


def people_of(listeners: Iterable[Listener], campaign: Campaign) -> tuple[dict[Listener, User], tuple[str, ...]]:
    """The account of each listener, made where there is none, and what an admin should know of them.

    A new account cannot sign in until an admin says so.
    """
    people: dict[Listener, User] = {}
    notes: dict[str, None] = {}
    for listener in listeners:
        person = _account(listener)
        if person is None:
            notes |= dict.fromkeys(_notes_on_new(listener, campaign))
            person = _new_account(listener.username)
        elif person.is_active and not Vote.objects.filter(task__campaign=campaign, annotator=person).exists():
            account = f"the account “{person.username}”, which was here before"
            notes[f"The votes of “{listener.name}” count for {account}."] = None
        people[listener] = person
    return people, tuple(notes)


def _account(listener: Listener) -> User | None:
    # Earlier versions took names into accounts without bringing their letters into one form.
    as_written = listener.name if listener.exact else "_".join(listener.name.split())
    found = {user.username: user for user in User.objects.filter(username__in=[as_written, listener.username])}
    return found.get(as_written) or found.get(listener.username)


def _notes_on_new(listener: Listener, campaign: Campaign) -> list[str]:
    """A note where an account differs in case alone; AnnotationError where its votes are in this campaign."""
    likes = list(User.objects.filter(username__iexact=listener.username).order_by("pk"))
    voted = Vote.objects.filter(task__campaign=campaign, annotator__in=likes).select_related("annotator").first()
    if voted is not None and not listener.exact:
        raise AnnotationError(
            f"“{listener.name}” differs in case alone from “{voted.annotator.username}”, whose votes are in this "
            "campaign; write the heading as the name is there, or another name."
        )
    return [f"“{listener.username}” is a new annotator beside the account “{like.username}”." for like in likes]


def _new_account(username: str) -> User:
    person = User(username=username, is_active=False)
    person.set_unusable_password()
    person.save()
    person.groups.add(Group.objects.get_or_create(name=ANNOTATOR)[0])
    return person
