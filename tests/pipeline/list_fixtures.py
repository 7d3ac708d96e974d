"""A site on loopback whose lists may be read, for the tests of pages, commands and jobs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import Site, serving


@pytest.fixture
def feeds(tmp_path: Path, settings: Any) -> Iterator[Site]:
    folder = tmp_path / "feeds"
    folder.mkdir()
    with serving(folder) as site:
        settings.DOWNLOAD_PRIVATE_ORIGINS = [site.origin]
        yield site
