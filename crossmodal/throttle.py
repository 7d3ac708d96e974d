"""Limits on guesses of passwords, counted in the database before a password is hashed.

The database is the one store that all web processes share, on one machine as on many, and without which nobody can
sign in anyway. Libraries were compared: django-axes 8.3 counts in a signal after the password was hashed, so that
parallel guesses pass, locks owners of an account out together with strangers, and keeps names in clear;
django-defender needs Redis; caches of Django, which django-ratelimit counts in, do not count atomically in a database;
limits has no SQL store; the tables of django-smart-ratelimit and pyrate-limiter grow with every new name, and neither
gives back what a right password took. None knows devices. So this module is the smallest thing that does.

A *budget* is a generic cell rate algorithm (ITU-T I.371): ``burst`` guesses at once, then one every ``every_ms``. One
number per budget is enough, the moment at which it is whole again, and so one UPDATE checks and counts.

Strangers take from several budgets. A device that signed in to an account before has a budget of its own instead, known
by a signed cookie (OWASP's "device cookies"): no stranger can lock it out. An address that signed in to an account
before is spared the budgets that strangers elsewhere can use up.
"""

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from crossmodal import devices
from crossmodal.addresses import client_address, customer_of, ipv6_site_of
from crossmodal.models import KnownAddress, SignInBudget
from crossmodal.places import Places
from crossmodal.user_names import name_key

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 24 * 60 * MINUTE_MS
# Budgets of a kind share so many rows, by a keyed hash: a flood of names can fill no more of the table (some 25 MB),
# and nobody without SECRET_KEY can aim at the row of another.
ROWS_PER_KIND = 2**18
# Rows that are whole for so long are deleted, at most so many at once: enough to keep up with a flood that makes one
# row per guess, few enough to hold SQLite's one lock for some milliseconds only.
STALE_MS = 60 * MINUTE_MS
DELETED_AT_ONCE = 1000
# How long an address keeps its trust, renewed when less than the second is left.
KNOWN_FOR_MS = 30 * DAY_MS
RENEWED_BELOW_MS = 29 * DAY_MS


@dataclass(frozen=True)
class Limit:
    """So many guesses at once, then one every so often; kinds are numbered for good, since rows are."""

    kind: int
    burst: int
    every_ms: int


# OWASP's Authentication Cheat Sheet leaves the numbers open, NIST SP 800-63B (5.2.2) has at most 100 wrong guesses in a
# row per account. Ten slips are more than a person with a written-down password makes. It takes five addresses to keep
# an account's budget used up, and then only strangers wait.
PER_ACCOUNT_AND_ADDRESS = Limit(1, 10, 5 * MINUTE_MS)
PER_ACCOUNT = Limit(2, 100, MINUTE_MS)
# A class of 50 behind one address may all slip at once; what they type right is given back.
PER_ADDRESS = Limit(3, 50, 30 * SECOND_MS)
# Whoever rents one address of IPv6 often has the 65,536 customers' networks around it.
PER_IPV6_SITE = Limit(7, 100, 10 * SECOND_MS)
# One hash takes a processor some 0.3 s. Strangers at very many addresses keep two processors busy for five seconds
# once, then less than one for good; a class that signs in at the same moment is let in.
PER_INSTALLATION = Limit(4, 30, SECOND_MS // 2)
# More would make new devices wait for minutes after a flood from a single address.
LONGEST_CHARGE_MS = SECOND_MS
PER_DEVICE = Limit(5, 10, MINUTE_MS)
PER_PASSWORD_CHANGE = Limit(6, 10, MINUTE_MS)
# As many strangers at once as there are processors, since more would only share these with pages. While hashes are
# quick (alone one takes 0.3 s), up to half of the threads: a flood begins when nothing has been slow yet. Who finds
# no place tries again.
PLACES = Places(
    max(1, min(settings.WEB_THREADS - 2, os.cpu_count() or 1)), quick_s=0.6, most=max(1, settings.WEB_THREADS // 2)
)
BUSY_WAIT_S = 3


@dataclass(frozen=True)
class Budget:
    """What one source has left under one limit."""

    limit: Limit
    slot: int

    @classmethod
    def of(cls, limit: Limit, *source: str) -> "Budget":
        return cls(limit, limit.kind * ROWS_PER_KIND + _hash(f"budget {limit.kind}", *source) % ROWS_PER_KIND)

    @property
    def headroom_ms(self) -> int:
        """How far ahead the moment of being whole may lie for one more guess."""
        return (self.limit.burst - 1) * self.limit.every_ms

    def take(self, now_ms: int) -> bool:
        """Count one guess, in one statement, unless none is left."""
        row = SignInBudget.objects.filter(pk=self.slot)
        left = row.filter(whole_at_ms__lte=now_ms + self.headroom_ms)
        later = Greatest(F("whole_at_ms"), Value(now_ms)) + self.limit.every_ms
        if left.update(whole_at_ms=later):
            return True
        SignInBudget.objects.bulk_create([SignInBudget(slot=self.slot, whole_at_ms=now_ms)], ignore_conflicts=True)
        return bool(left.update(whole_at_ms=later))


def sign_in_budgets(request: HttpRequest, name: str) -> list[Budget]:
    """Return what a guess for this account takes, for known and unknown names alike."""
    account = name_key(name.strip())
    if device := devices.device_of(request, account):
        return [Budget.of(PER_DEVICE, account, device)]
    address = client_address(request)
    customer = customer_of(address)
    budgets = [Budget.of(PER_ADDRESS, customer), Budget.of(PER_ACCOUNT_AND_ADDRESS, account, customer)]
    if site := ipv6_site_of(address):
        budgets.append(Budget.of(PER_IPV6_SITE, site))
    if KnownAddress.objects.filter(pk=_known_key(account, customer), until_ms__gt=_now_ms()).exists():
        return budgets
    return [*budgets, Budget.of(PER_ACCOUNT, account), Budget.of(PER_INSTALLATION)]


def password_change_budgets(user_pk: int) -> list[Budget]:
    """Return what a guess of the old password takes, by whoever sits at a session that was left open."""
    return [Budget.of(PER_PASSWORD_CHANGE, str(user_pk))]


def spend(budgets: Sequence[Budget]) -> int:
    """Take one guess from each budget, or from none; return the seconds to wait, 0 where the guess may be made.

    A guess that has to wait is not counted and, since it only reads, waits for no lock. Transactions take the rows of a
    kind in the same order, so that none waits for another in a circle.
    """
    now_ms = _now_ms()
    rows = _rows_of(budgets)
    if wait_s := _wait_s(budgets, rows, now_ms):
        return wait_s
    with transaction.atomic():
        taken = all(budget.take(now_ms) for budget in budgets)
        transaction.set_rollback(not taken)
    if not taken:  # others took it since the look
        return max(1, _wait_s(budgets, _rows_of(budgets), now_ms))
    if len(rows) < len(budgets):
        delete_whole()
    return 0


def give_back(budgets: Sequence[Budget]) -> None:
    """Undo what a right password took. Other guesses stay counted: signing in to one's own account buys no more."""
    with transaction.atomic():
        for budget in budgets:
            SignInBudget.objects.filter(pk=budget.slot).update(whole_at_ms=F("whole_at_ms") - budget.limit.every_ms)


def place_for(budgets: Sequence[Budget]) -> AbstractContextManager[bool]:
    """A place to hash in. Known devices and addresses need none: they are few, and no flood shall keep them out."""
    needed = any(budget.limit.kind == PER_INSTALLATION.kind for budget in budgets)
    return PLACES.one() if needed else nullcontext(True)


def charge_time(budgets: Sequence[Budget], elapsed_ms: int) -> None:
    """Let a wrong password that took long cost the installation more: a busy machine hashes fewer of strangers."""
    extra_ms = min(elapsed_ms, LONGEST_CHARGE_MS) - PER_INSTALLATION.every_ms
    slots = [budget.slot for budget in budgets if budget.limit.kind == PER_INSTALLATION.kind]
    if slots and extra_ms > 0:
        SignInBudget.objects.filter(pk__in=slots).update(whole_at_ms=F("whole_at_ms") + extra_ms)


def remember_sign_in(request: HttpRequest, response: HttpResponseBase, name: str) -> None:
    """Note that an account was signed in to on this device and from this address."""
    account = name_key(name.strip())
    devices.remember_device(request, response, account)
    now_ms = _now_ms()
    key = _known_key(account, customer_of(client_address(request)))
    if KnownAddress.objects.filter(pk=key, until_ms__gt=now_ms + RENEWED_BELOW_MS).exists():
        return
    KnownAddress.objects.bulk_create(
        [KnownAddress(key=key, until_ms=now_ms + KNOWN_FOR_MS)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["until_ms"],
    )
    KnownAddress.objects.filter(until_ms__lte=now_ms).delete()


def delete_whole() -> None:
    """Delete budgets that nobody has taken from for long, in one statement; rows in use are left for the next time."""
    with transaction.atomic():
        whole = SignInBudget.objects.filter(whole_at_ms__lte=_now_ms() - STALE_MS).select_for_update(skip_locked=True)
        SignInBudget.objects.filter(pk__in=whole.values("pk")[:DELETED_AT_ONCE]).delete()


def _rows_of(budgets: Sequence[Budget]) -> dict[int, int]:
    rows = SignInBudget.objects.filter(pk__in=[budget.slot for budget in budgets])
    return dict(rows.values_list("slot", "whole_at_ms"))


def _wait_s(budgets: Sequence[Budget], rows: dict[int, int], now_ms: int) -> int:
    waits_ms = [rows.get(budget.slot, 0) - budget.headroom_ms - now_ms for budget in budgets]
    return max(0, -(-max(waits_ms) // SECOND_MS))


def _known_key(account: str, customer: str) -> int:
    return _hash("known address", account, customer)


def _hash(purpose: str, *source: str) -> int:
    """Hash with SECRET_KEY to 63 bits, as many as a column of whole numbers holds without a sign."""
    digest = salted_hmac(f"crossmodal.throttle {purpose}", "\0".join(source), algorithm="sha256").digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
