"""File systems: where one begins, and whether it is of this machine alone."""

import re
import sys
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# Kept by one kernel, so that a lock holds for all who can see the file. Any other may be shared with machines that do
# not see it: nfs mounted with “nolock”, most fuse file systems.
LOCAL = frozenset(
    ("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "reiserfs", "tmpfs", "xfs", "zfs")
)


def mount_point(path: Path) -> Path:
    """The folder where the file system of a path begins; the path need not exist."""
    path = existing(path)
    while not path.is_mount() and path != path.parent:
        path = path.parent
    return path


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.resolve()


def is_local(path: Path) -> bool:
    """Whether only this machine writes to the file system; True where that cannot be seen (not Linux)."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return False
    where, kind = mount_point(path), ""
    for line in lines:  # the last one covers those before it; proc_pid_mountinfo(5)
        fields, _, rest = line.partition(" - ")
        place = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), fields.split()[4])
        if place == str(where):
            kind = rest.split()[0]
    return kind in LOCAL
