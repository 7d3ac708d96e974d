"""Stored files: names made by the server, whole or absent, and readable as a local path wherever they live."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.fields.files import FieldFile

from pipeline.stages.caption_names import CAPTION_ENDINGS

SAFE_SUFFIXES = {".flac", ".json", ".npz", ".skops", ".wav", *CAPTION_ENDINGS}


def server_made_name(instance: Any, filename: str) -> str:
    """A fresh name under the model's folder; of the given name only a known ending survives."""
    suffix = Path(filename).suffix.lower()
    return f"{instance._meta.model_name}/{secrets.token_hex(16)}{suffix if suffix in SAFE_SUFFIXES else '.bin'}"


def replace_file(instance: Any, field_name: str, path: Path) -> str:
    """Store a finished local file under a new name and point the instance's column at it; the caller saves the row.

    The old file goes away only when the surrounding transaction commits, so a crash in between loses nothing.
    Returns the new name in storage.
    """
    field: FieldFile = getattr(instance, field_name)
    old = field.name
    with path.open("rb") as content:
        field.save(path.name, File(content), save=False)
    if old:
        transaction.on_commit(lambda: default_storage.delete(old))
    return str(field.name)


@contextmanager
def local_path(file: FieldFile) -> Iterator[Path]:
    """A path to read the stored file from: the file itself where storage is a folder, else a temporary copy."""
    try:
        yield Path(file.path)
        return
    except NotImplementedError:
        pass
    with tempfile.TemporaryDirectory(prefix="crossmodal-") as folder:
        path = Path(folder) / Path(str(file.name)).name
        with file.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield path
