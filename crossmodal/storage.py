"""Stored files in a folder, whole or not at all; static files under hashed names."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage as Base

from crossmodal import scratch
from pipeline.stages.disk import (
    LOW_BYTES,
    MAKE_ROOM,
    NO_FILES,
    RESERVE_BYTES,
    check_room,
    free_bytes,
    is_out_of_files,
    megabytes,
)
from pipeline.stages.mounts import existing, mount_point

# Other apps bring scripts whose imports a bundler would resolve; only this project's are meant for browsers.
OWN_MODULES = "js/*.js"


class FolderStorage(FileSystemStorage):
    """Django's, without the part of a file that was written before the disk was full."""

    def _save(self, name: str, content: Any) -> str:
        is_new = not self.exists(name)
        try:
            return str(super()._save(name, content))  # type: ignore[misc]
        except BaseException:
            if is_new:
                with suppress(OSError):  # what failed first is what is told
                    self.delete(name)
            raise


def storage_folder() -> Path | None:
    """Where recordings and models are kept; None where that is no folder of this machine."""
    try:
        return Path(default_storage.path(""))
    except NotImplementedError:
        return None


class FinishedFile(File):  # type: ignore[type-arg]
    """A local file that is done and needed nowhere else: storage on the same disk takes the file itself, not a copy."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def bytes_taken(*files: "File[Any] | None") -> int:
    """How much more of its disk storage needs for these files: nothing for those that are moved on the same disk."""
    return sum(file.size for file in files if file and not _is_moved(file))


def _is_moved(file: "File[Any]") -> bool:
    folder = storage_folder()
    if folder is None or not hasattr(file, "temporary_file_path"):
        return False
    return Path(file.temporary_file_path()).stat().st_dev == existing(folder).stat().st_dev


def check_storage(needed_bytes: float, purpose: str) -> None:
    """Refuse what there is no room for in storage, by `check_room`; object storage has room always."""
    if folder := storage_folder():
        check_room(folder, needed_bytes, purpose)


def disk_hint() -> str:
    """A sentence where a disk that this process writes to has little room left, for admins."""
    folders = [folder for folder in (Path(settings.VAR_DIR), *scratch.bases(), storage_folder()) if folder]
    left: dict[Path, int] = {}
    for folder in folders:
        with suppress(OSError):  # a disk that cannot be asked now
            left[mount_point(folder)] = free_bytes(folder)
    if crowded := sorted(str(disk) for disk in left if is_out_of_files(disk)):
        return f"The disk of {crowded[0]} {NO_FILES} {MAKE_ROOM}"
    low = sorted((free, str(disk)) for disk, free in left.items() if free < LOW_BYTES)
    if not low:
        return ""
    free, disk = low[0]
    return (
        f"The disk of {disk} has {megabytes(free)} left. Below {megabytes(RESERVE_BYTES)} nothing is fetched, uploaded "
        f"or trained. {MAKE_ROOM}"
    )


class StaticStorage(Base):  # type: ignore[misc]
    """Knows the imports of this project's own ES modules."""

    manifest_strict = False
    patterns = (*Base.patterns, (OWN_MODULES, Base._js_module_import_aggregation_patterns[1]))
