"""A file system of a given size for tests, mounted where that is allowed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.stages.disk import free_bytes


class LimitedDisk:
    """A file system in memory whose size can be changed; it takes no memory but for what is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave_bytes(self, count: int) -> None:
        """Have so much room left, however much is written by now."""
        used = int(subprocess.check_output(["df", "--output=used", "-B1", self.folder], text=True).split()[-1])
        subprocess.run(["mount", "-o", f"remount,size={used + count}", self.folder], check=True)
        assert abs(free_bytes(self.folder) - count) < 2**20


@contextmanager
def limited_disk(folder: Path, size_bytes: int) -> Iterator[LimitedDisk | None]:
    """The file system for the length of a ``with`` block; None where this process may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        yield None
        return
    try:
        yield LimitedDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
