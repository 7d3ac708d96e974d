"""People of vote tables that were imported before become imported listeners.

Earlier versions made them accounts that could not sign in, and credited votes to any account of the same name. The
latter votes go to a listener that is linked to the account, so that no figure changes and an admin can undo it.
"""

import hashlib
from collections import defaultdict

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import migrations
from django.utils import timezone

FROM_TABLES = ["imported", "simulated"]
# Of the demonstration, whose votes are simulated without a table.
SIMULATED = ["listener-1-simulated", "listener-2-simulated", "listener-3-simulated"]

# Fewer than SQLite takes variables in one statement.
ROWS_AT_ONCE = 10_000


def username_of(campaign_pk, name):
    username = f"imported:{campaign_pk}/{name}"
    if len(username) <= 150:
        return username
    return f"imported:{campaign_pk}/{name[:100]}…{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def make_listeners(apps, schema_editor):
    Vote, User = apps.get_model("annotation", "Vote"), apps.get_model("auth", "User")
    of_tables = Vote.objects.filter(origin__in=FROM_TABLES, annotator__imported_listener=None).exclude(
        origin="simulated", annotator__username__in=SIMULATED
    )
    columns = ("pk", "annotator_id", "task_id", "task__campaign_id", "retracts_id", "retraction")
    votes = list(of_tables.order_by("pk").values_list(*columns))
    campaigns = defaultdict(set)
    for _, user_pk, _, campaign_pk, _, _ in votes:
        campaigns[user_pk].add(campaign_pk)
    alone = set(listeners_alone(apps).filter(pk__in=list(campaigns)).values_list("pk", flat=True))
    rows = {}  # the new user row by the former one and the campaign
    for user in User.objects.filter(pk__in=list(campaigns)).order_by("pk"):
        rows |= listeners_of(apps, user, sorted(campaigns[user.pk]), is_alone=user.pk in alone)
    moved, places = defaultdict(list), {}
    for pk, user_pk, task_pk, campaign_pk, retracts, retraction in votes:
        row = rows.get((user_pk, campaign_pk))
        if row is not None:
            moved[row].append(pk)
            if retracts is None and retraction is None:
                places[user_pk, task_pk] = row
    move(Vote, moved)
    move(apps.get_model("annotation", "Slot"), slots_of(apps, places))


def slots_of(apps, places):
    """The filled places of moved votes, by the row that they go to."""
    found = defaultdict(list)
    slots = apps.get_model("annotation", "Slot").objects.filter(filled=True)
    for pk, user_pk, task_pk in slots.values_list("pk", "annotator_id", "task_id").iterator():
        if (user_pk, task_pk) in places:
            found[places[user_pk, task_pk]].append(pk)
    return found


def move(model, pks_by_row):
    for row, pks in pks_by_row.items():
        for start in range(0, len(pks), ROWS_AT_ONCE):
            model.objects.filter(pk__in=pks[start : start + ROWS_AT_ONCE]).update(annotator=row)


def listeners_alone(apps):
    """User rows that an import made: they never signed in, and all they have are votes of tables."""
    User = apps.get_model("auth", "User")
    Vote = apps.get_model("annotation", "Vote")
    Slot = apps.get_model("annotation", "Slot")
    Skip = apps.get_model("annotation", "Skip")
    return (
        User.objects.filter(
            is_active=False,
            is_superuser=False,
            last_login=None,
            password__startswith=UNUSABLE_PASSWORD_PREFIX,
        )
        .exclude(username__in=SIMULATED)
        .exclude(pk__in=Vote.objects.exclude(origin__in=FROM_TABLES).values("annotator"))
        .exclude(pk__in=Slot.objects.filter(filled=False).values("annotator"))
        .exclude(pk__in=Skip.objects.values("annotator"))
    )


def listeners_of(apps, user, campaign_pks, is_alone):
    """Make the listeners of a user's campaigns; returns rows that votes are to be moved to, by user and campaign.

    The row of a user who is a listener alone stays that of the first campaign.
    """
    name, rows = user.username, {}
    if is_alone:
        first, *campaign_pks = campaign_pks
        user.username, user.is_staff = username_of(first, name), False
        user.save(update_fields=["username", "is_staff"])
        user.groups.clear()
        user.user_permissions.clear()
        apps.get_model("annotation", "ImportedListener").objects.create(user=user, campaign_id=first, name=name)
    for campaign_pk in campaign_pks:
        row = apps.get_model("auth", "User").objects.create(
            username=username_of(campaign_pk, name), is_active=False, password=f"{UNUSABLE_PASSWORD_PREFIX}listener"
        )
        apps.get_model("annotation", "ImportedListener").objects.create(
            user=row,
            campaign_id=campaign_pk,
            name=name,
            account=None if is_alone else user,
            linked_at=None if is_alone else timezone.now(),
        )
        rows[user.pk, campaign_pk] = row.pk
    return rows


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0002_imported_listener"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(make_listeners, migrations.RunPython.noop)]
