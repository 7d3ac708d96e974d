"""Stored files: names made by the server, whole or absent, and readable as a local path wherever they live."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.models.fields.files import FieldFile

from crossmodal import scratch
from pipeline.stages.caption_names import CAPTION_ENDINGS
from pipeline.stages.disk import check_room

SAFE_SUFFIXES = {".flac", ".json", ".npz", ".skops", ".wav", *CAPTION_ENDINGS}


def server_made_name(instance: Any, filename: str) -> str:
    """A fresh name under the model's folder; of the given name only a known ending survives."""
    suffix = Path(filename).suffix.lower()
    return f"{instance._meta.model_name}/{secrets.token_hex(16)}{suffix if suffix in SAFE_SUFFIXES else '.bin'}"


@contextmanager
def local_path(file: FieldFile) -> Iterator[Path]:
    """A path to read the stored file from: the file itself where storage is a folder, else a temporary copy."""
    try:
        yield Path(file.path)
        return
    except NotImplementedError:
        pass
    with scratch.temporary_folder() as folder:
        check_room(folder, file.size, "a copy of the stored file")
        path = folder / Path(str(file.name)).name
        with file.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield path
