"""Stored files that no row names: what a process that died between storing a file and saving its name leaves.

They are removed when somebody asks for it, and never by themselves: an installation that is started with the wrong
database by mistake knows none of the files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import FileField, Model
from django.utils import timezone

from crossmodal.storage import storage_folder
from pipeline.files import server_made_name

# As `server_made_name` makes them; whatever else lies there is left alone.
SERVER_MADE = re.compile(r"[0-9a-f]{32}\.[a-z0-9]+")
# Between storing a file and saving its name are seconds; the longest job takes half a day.
YOUNGEST_H = 24


@dataclass(frozen=True)
class Orphan:
    """A stored file that no row names."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class Stored:
    """What storage holds: how many files rows name, and the others."""

    named: int
    orphans: tuple[Orphan, ...]

    @property
    def is_suspicious(self) -> bool:
        """Whether more is unknown than known, as with another installation's files."""
        return len(self.orphans) > self.named


def look(*, older_than_h: float = YOUNGEST_H) -> Stored:
    """Compare storage with the database. Storage is listed first, so that a file saved meanwhile is never an orphan."""
    listed = {model: list(_listed(model)) for model in models_with_files()}
    latest = timezone.now() - timedelta(hours=older_than_h)
    named, orphans = 0, []
    for model, names in listed.items():
        known = set(_names(model))
        named += len(known)
        orphans += [name for name in names if name not in known and _is_older(name, latest)]
    return Stored(named, tuple(Orphan(name, _size(name)) for name in sorted(orphans)))


def remove(orphans: tuple[Orphan, ...]) -> None:
    """Remove these files, those that a row names by now excepted."""
    known = {name for model in models_with_files() for name in _names(model)}
    for orphan in orphans:
        if orphan.name not in known:
            default_storage.delete(orphan.name)


def models_with_files() -> list[type[Model]]:
    return [model for model in apps.get_models() if list(_fields(model))]


def _fields(model: type[Model]) -> Iterator[str]:
    for field in model._meta.get_fields():
        if isinstance(field, FileField) and field.upload_to is server_made_name:
            yield field.name


def _listed(model: type[Model]) -> Iterator[str]:
    folder = str(model._meta.model_name)
    if storage_folder() and not default_storage.exists(folder):
        return
    for name in default_storage.listdir(folder)[1]:
        if SERVER_MADE.fullmatch(name):
            yield f"{folder}/{name}"


def _names(model: type[Model]) -> Iterator[str]:
    for row in model._default_manager.values_list(*_fields(model)).iterator():
        yield from filter(None, row)


def _size(name: str) -> int:
    try:
        return int(default_storage.size(name))
    except FileNotFoundError:  # another call of the command removed it meanwhile
        return 0


def _is_older(name: str, latest: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < latest
    except FileNotFoundError:  # its row was removed meanwhile
        return False
