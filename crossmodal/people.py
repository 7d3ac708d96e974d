"""Accounts and their roles: made by admins, never by the people themselves."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, models, transaction
from django.db.models import Count, Exists, Q

from annotation import links
from annotation.errors import AnnotationError
from annotation.models import ImportedListener, Vote
from crossmodal.roles import ADMIN, ANNOTATOR
from crossmodal.sessions import end_sessions
from crossmodal.user_names import SIMULATED, is_no_account, is_reserved, name_key

# Without 0/o and 1/l/i, so that a password can be read out or copied from paper.
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105
PASSWORD_GROUPS, PASSWORD_GROUP_LENGTH = 3, 5  # 31 ** 15 passwords: 74 bits


class Role(models.TextChoices):
    ANNOTATOR = "annotator", "Annotator"
    ADMIN = "admin", "Admin"
    BOTH = "both", "Admin and annotator"


GROUPS_OF: dict[str, frozenset[str]] = {
    Role.ANNOTATOR: frozenset({ANNOTATOR}),
    Role.ADMIN: frozenset({ADMIN}),
    Role.BOTH: frozenset({ADMIN, ANNOTATOR}),
}


@dataclass(frozen=True)
class NewPassword:
    """A password in clear, for the one page that shows it."""

    username: str
    password: str


class RefusedError(Exception):
    """A change of accounts that is not made, with the sentence that says why."""


class NameTakenError(RefusedError):
    """An account of that name is there already."""


def make_password() -> str:
    groups = (
        "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_GROUP_LENGTH)) for _ in range(PASSWORD_GROUPS)
    )
    return "-".join(groups)


def role_of(user: User) -> Role | None:
    """Role from the user's prefetched groups; None for an account without one (made in the admin site)."""
    names = frozenset(group.name for group in user.groups.all()) & {ADMIN, ANNOTATOR}
    if user.is_superuser:
        names |= {ADMIN}
    return next((Role(role) for role, groups in GROUPS_OF.items() if groups == names), None)


def set_role(user: User, role: str) -> None:
    """Put the user into the role's groups; admins may also use Django's admin site."""
    groups = [Group.objects.get_or_create(name=name)[0] for name in sorted(GROUPS_OF[role])]
    user.groups.remove(*Group.objects.filter(name__in=[ADMIN, ANNOTATOR]))
    user.groups.add(*groups)
    user.is_staff = ADMIN in GROUPS_OF[role]
    user.is_superuser = user.is_superuser and user.is_staff
    user.save(update_fields=["is_staff", "is_superuser"])


@contextmanager
def locked() -> Iterator[None]:
    """A transaction in which nobody else changes accounts: what is looked at stays as it was seen until the commit.

    Whoever makes accounts or takes rights away holds the row of the group of admins.
    """
    with transaction.atomic():
        group, _ = Group.objects.get_or_create(name=ADMIN)
        Group.objects.select_for_update(no_key=True).get(pk=group.pk)
        yield


def refuse_taken(names: Iterable[str], besides: int = 0) -> None:
    """Raise NameTakenError where a name, letters' case aside, is another's; asked while accounts are locked."""
    keys = {name_key(name): name for name in names}
    if reserved := sorted(name for name in keys.values() if is_reserved(name)):
        raise NameTakenError(f"{', '.join(reserved)} is kept for a listener that is no account; take another name.")
    others = User.objects.filter(imported_listener=None).exclude(pk=besides).values_list("username", flat=True)
    if taken := sorted(name for name in others if name_key(name) in keys):
        raise NameTakenError(f"There is already an account named {', '.join(taken)}.")


def add_people(names: Iterable[str], role: str) -> list[NewPassword]:
    """Make one account per name, all or none; returns the passwords, of which only hashes are kept.

    Raises NameTakenError.
    """
    made = [NewPassword(User.normalize_username(name), make_password()) for name in names]
    users = [User(username=new.username) for new in made]
    for user, new in zip(users, made, strict=True):
        user.set_password(new.password)  # takes a while, and so is done before anybody has to wait
    try:
        with locked():
            refuse_taken(new.username for new in made)
            for user in users:
                user.save(force_insert=True)
                set_role(user, role)
    except IntegrityError as error:  # an import makes accounts without the lock
        raise NameTakenError("One of these accounts was made by somebody else at this moment; try again.") from error
    return made


def refuse_no_account(user: User) -> None:
    """Raise RefusedError for a listener of a vote table or of the demonstration: nothing lets these sign in."""
    if is_no_account(user):
        raise RefusedError(f"{user.get_username()} is a listener who never signs in, and stays as it is.")


def reset_password(user: User) -> NewPassword:
    """A new password, which also ends all of the user's sessions."""
    refuse_no_account(user)
    password = make_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return NewPassword(user.get_username(), password)


def active_admins() -> models.QuerySet[User]:
    admins = User.objects.filter(Q(groups__name=ADMIN) | Q(is_superuser=True), is_active=True)
    return admins.filter(imported_listener=None).exclude(username__in=SIMULATED).distinct()


def refuse_lock_out(user: User, actor: User) -> None:
    """Raise RefusedError where taking the admin role or the account away would lock out the actor or everybody.

    Asked while accounts are locked: else two admins could take each other's rights away at once.
    """
    if user.pk == actor.pk:
        raise RefusedError("You cannot deactivate yourself or give up being an admin; ask another admin.")
    if not active_admins().exclude(pk=user.pk).exists():
        raise RefusedError(f"{user.get_username()} is the last active admin; make somebody else an admin first.")
    refuse_former_admin(actor)


def refuse_former_admin(actor: User) -> None:
    """Raise RefusedError where the one who acts is no active admin, or would be none after what they did."""
    if not active_admins().filter(pk=actor.pk).exists():
        raise RefusedError("Nothing was changed, because you would not be an active admin after that; ask another one.")


def change_role(user: User, role: str, actor: User) -> None:
    refuse_no_account(user)
    with locked():
        if ADMIN not in GROUPS_OF[role]:
            refuse_lock_out(user, actor)
        user.refresh_from_db()
        set_role(user, role)


def set_active(user: User, active: bool, actor: User) -> None:
    """Deactivating signs the user out everywhere, for good: an account that is active again starts without sessions."""
    refuse_no_account(user)
    with locked():
        if not active:
            refuse_lock_out(user, actor)
        end_sessions(user)  # also when it becomes active again: a sign-in may have been under way
        user.is_active = active
        user.save(update_fields=["is_active"])


def link_listener(listener: ImportedListener, username: str, actor: User) -> ImportedListener:
    """Count an imported listener's votes as those of the account of this name; raises RefusedError."""
    with locked():
        refuse_former_admin(actor)
        account = accounts().filter(username=username).first()
        if account is None:
            raise RefusedError(f"There is no account named “{username}”; choose one of the list.")
        try:
            return links.link(listener, account, actor)
        except AnnotationError as error:
            raise RefusedError(error.message) from error


def unlink_listener(listener: ImportedListener, actor: User) -> ImportedListener:
    with locked():
        refuse_former_admin(actor)
        return links.unlink(listener, actor)


def accounts() -> models.QuerySet[User]:
    """Everybody who has an account of their own, deactivated or not."""
    return User.objects.filter(imported_listener=None).exclude(username__in=SIMULATED)


def listed_people() -> models.QuerySet[User]:
    """Accounts and simulated listeners, active first, with votes that stand (``n_votes``) and groups at hand.

    ``beside_listeners`` says of each whether there are imported listeners, so that nobody has to ask in vain.
    """
    standing = Q(votes__isnull=False, votes__retracts__isnull=True, votes__retraction__isnull=True)
    return (
        User.objects.filter(imported_listener=None)
        .annotate(
            n_votes=Count("votes", filter=standing, distinct=True),
            beside_listeners=Exists(ImportedListener.objects.all()),
        )
        .prefetch_related("groups")
        .order_by("-is_active", "username")
    )


def imported_listeners() -> list[ImportedListener]:
    """All listeners of vote tables by name, with the number of their votes that stand (``n_votes``). Two queries."""
    rows = Vote.objects.standing().exclude(annotator__imported_listener=None).order_by().values_list("annotator_id")
    n_votes = dict(rows.annotate(n=Count("pk")))
    listeners = list(ImportedListener.objects.select_related("campaign", "account", "linked_by"))
    for listener in listeners:
        listener.n_votes = n_votes.get(listener.user_id, 0)  # type: ignore[attr-defined]
    return listeners
