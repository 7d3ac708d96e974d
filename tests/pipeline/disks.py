"""Disks that say, or are made, to have little room."""

import pytest

from pipeline.stages import disk

MB = 10**6


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Have every disk say that it has so much room above the reserve."""
    monkeypatch.setattr(disk, "free_bytes", lambda folder: disk.RESERVE_BYTES + count)
