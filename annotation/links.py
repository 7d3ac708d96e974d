"""Whose votes a listener's are: an admin links an imported listener to an account, and takes that back."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.errors import AnnotationError
from annotation.models import ImportedListener, Slot, Task, Vote
from crossmodal.user_names import is_no_account

# Of segments that both voted on, so many are named.
MAX_NAMED = 5


def _locked(pk: int) -> ImportedListener:
    listeners = ImportedListener.objects.select_related("campaign", "user", "account")
    return listeners.select_for_update(of=("self",), no_key=True).get(pk=pk)


@transaction.atomic
def link(listener: ImportedListener, account: User, admin: User) -> ImportedListener:
    """Count the listener's votes as the account's; raises AnnotationError where both voted on a segment.

    Votes stay as they are. Places that the account holds on segments which the listener voted on are given back.
    """
    listener = _locked(listener.pk)
    if is_no_account(account):
        raise AnnotationError(f"“{account.username}” is no account of a person; link to one who can sign in.")
    if listener.account == account:
        return listener
    if listener.account is not None:
        raise AnnotationError(f"“{listener}” is linked to “{listener.account.username}”; unlink it first.")
    voted = Vote.objects.standing().filter(annotator=listener.user).order_by().values("task")
    # Whoever votes on one of them at this moment has to wait, and then sees the link.
    list(Task.objects.filter(pk__in=voted).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    _refuse_both(listener, account)
    Slot.objects.filter(task__in=voted, annotator=account, filled=False).delete()
    return _note(listener, account, admin, f"Linked to the account “{account.username}”.")


def _refuse_both(listener: ImportedListener, account: User) -> None:
    """Raise AnnotationError where the two voted on the same segments: one person has one vote on each."""
    standing = Vote.objects.standing().order_by()
    both = (
        Task.objects.filter(campaign=listener.campaign)
        .filter(pk__in=standing.filter(annotator=listener.user).values("task"))
        .filter(pk__in=standing.of_person(account.pk).values("task"))
    )
    numbers = [position + 1 for position in both.order_by("position").values_list("position", flat=True)]
    if not numbers:
        return
    named = ", ".join(str(number) for number in numbers[:MAX_NAMED])
    more = f" and {len(numbers) - MAX_NAMED} more" if len(numbers) > MAX_NAMED else ""
    segments = f"segment {named}" if len(numbers) == 1 else f"segments {named}{more}"
    raise AnnotationError(
        f"“{listener}” and the account “{account.username}” both voted on {segments} of the campaign "
        f"“{listener.campaign}”, so they stay two people: one person has one vote on a segment."
    )


@transaction.atomic
def unlink(listener: ImportedListener, admin: User) -> ImportedListener:
    """Count the listener as a person of their own again."""
    listener = _locked(listener.pk)
    if listener.account is None:
        return listener
    return _note(listener, None, admin, f"Unlinked from the account “{listener.account.username}”.")


def _note(listener: ImportedListener, account: User | None, admin: User, sentence: str) -> ImportedListener:
    """Store the change with who made it and when, and add it to the history that the admin site shows."""
    listener.account, listener.linked_by, listener.linked_at = account, admin, timezone.now()
    listener.save(update_fields=["account", "linked_by", "linked_at"])
    LogEntry.objects.log_actions(admin.pk, [listener], CHANGE, sentence, single_object=True)
    return listener
