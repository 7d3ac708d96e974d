"""What several tests of the stages need."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def captions(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "a.srt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
