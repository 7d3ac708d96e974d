"""What a start prepares in the database and among the static files, each only when it is missing."""

import hashlib
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import transaction
from django.db.models import Q

from crossmodal.roles import ADMIN, ANNOTATOR

# Without the letters and digits that are mistaken for each other when they are copied by hand.
PASSWORD_CHARACTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"  # noqa: S105
PASSWORD_LENGTH = 16


@transaction.atomic
def make_first_admin() -> tuple[str, str] | None:
    """Make both groups, and an admin where there is none: name and password, which is kept as a hash only."""
    group, _ = Group.objects.get_or_create(name=ADMIN)
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # two starts at once make one admin
    Group.objects.get_or_create(name=ANNOTATOR)
    if User.objects.filter(Q(groups=group) | Q(is_superuser=True), is_active=True).exists():
        return None
    name = "admin"
    while User.objects.filter(username__iexact=name).exists():
        name += "-2"
    password = "".join(secrets.choice(PASSWORD_CHARACTERS) for _ in range(PASSWORD_LENGTH))
    User.objects.create_user(name, password=password, is_staff=True).groups.add(group)
    return name, password


def static_fingerprint() -> str:
    """Changes whenever a static file of any app is added, removed or edited."""
    lines = [settings.STORAGES["staticfiles"]["BACKEND"]]
    for finder in get_finders():
        for path, storage in finder.list([]):
            lines.append(f"{path} {storage.size(path)} {storage.get_modified_time(path).timestamp()}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def collect_static_files() -> bool:
    """Collect static files unless exactly these were collected before; whether it did."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(fingerprint)
    return True
