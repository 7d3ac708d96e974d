"""The people whose votes a table holds: listeners of their own kind, and never accounts."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from django.contrib.auth.models import User

from annotation.errors import AnnotationError
from annotation.listeners import Listener
from annotation.models import Campaign, ImportedListener
from annotation.people import StandingVote
from crossmodal.user_names import IMPORTED_PREFIX, is_reserved, name_key

# A user name takes 150 characters; a longer one is cut, and told from others by a digest.
MAX_USERNAME_CHARACTERS = 150
CUT_CHARACTERS, DIGEST_CHARACTERS = 100, 16


def imported_username(campaign_pk: int, name: str) -> str:
    """The user name of an imported listener, which no account can have and no heading can write."""
    username = f"{IMPORTED_PREFIX}{campaign_pk}/{name}"
    if len(username) <= MAX_USERNAME_CHARACTERS:
        return username
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{IMPORTED_PREFIX}{campaign_pk}/{name[:CUT_CHARACTERS]}…{digest}"


class TablePeople:
    """Finds who a column's votes may be of already, and the imported listener to whom new ones go.

    Made and used while the campaign is locked, so that no other import makes the same listener.
    """

    def __init__(self, campaign: Campaign, votes: Iterable[StandingVote]) -> None:
        self.campaign = campaign
        self.notes: dict[str, None] = {}
        there = campaign.imported_listeners.select_related("user", "account")
        self.listeners = {listener.name: listener for listener in there}
        self._shown: dict[str, set[int]] = defaultdict(set)
        for vote in votes:
            self._shown[vote.name].add(vote.person)

    def persons_of(self, column: Listener) -> set[int]:
        """Whose votes the column's may be already: people whom an export calls so, and the listener of that name.

        An export of the campaign comes back so without a second vote, also where its column is an account's.
        """
        found = {listener.person for listener in self._named(column)}
        return found.union(*(self._shown.get(name, set()) for name in _written(column)))

    def credited(self, column: Listener) -> ImportedListener:
        """The imported listener to whom new votes of the column go, made where there is none."""
        listener = next(self._named(column), None) or self._shown_listener(column)
        if listener is None:
            self._refusename_key(column)
            listener = self._make(column.username)
            self._note_accounts(column)
        elif listener.account is not None:
            account = listener.account.username
            self.notes[f"“{column.name}” is linked to the account “{account}”; new votes count as this person’s."] = (
                None
            )
        return listener

    def _named(self, column: Listener) -> Iterator[ImportedListener]:
        return (self.listeners[name] for name in _written(column) if name in self.listeners)

    def _shown_listener(self, column: Listener) -> ImportedListener | None:
        """The listener whom an export calls so because an account of the campaign has their name."""
        shown = self._shown.get(column.username, set())
        return next((one for one in self.listeners.values() if one.account is None and one.user_id in shown), None)

    def _make(self, name: str) -> ImportedListener:
        user = User(username=imported_username(self.campaign.pk, name), is_active=False)
        user.set_unusable_password()
        user.save(force_insert=True)
        listener = ImportedListener.objects.create(user=user, campaign=self.campaign, name=name)
        self.listeners[name] = listener
        return listener

    def _refusename_key(self, column: Listener) -> None:
        """Raise AnnotationError where the name differs in case alone from one that voted in this campaign."""
        if column.exact:
            return
        for name in (*self.listeners, *self._shown):
            if name != column.username and name_key(name) == name_key(column.username):
                raise AnnotationError(
                    f"“{column.name}” differs in case alone from “{name}”, whose votes are in this campaign; write the "
                    "heading as the name is there, or another name."
                )

    @cached_property
    def _accounts(self) -> dict[str, list[str]]:
        """Names of all accounts by what alike ones share."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in User.objects.filter(imported_listener=None).order_by("pk").values_list("username", flat=True):
            if not is_reserved(name):
                found[name_key(name)].append(name)
        return found

    def _note_accounts(self, column: Listener) -> None:
        for name in self._accounts.get(name_key(column.username), []):
            like = "the same name" if name == column.username else "a like name"
            self.notes[
                f"The votes of “{column.name}” count for no account. There is an account of {like}, “{name}”; link it "
                "on the People page if it is the same person."
            ] = None


def _written(column: Listener) -> list[str]:
    """Names under which the listener may stand: earlier versions did not bring letters into one form."""
    as_written = column.name if column.exact else "_".join(column.name.split())
    return list(dict.fromkeys([as_written, column.username]))
