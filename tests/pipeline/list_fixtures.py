"""A site on loopback whose lists may be read, for the tests of pages, commands and jobs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pipeline import listing
from tests.loopback import Site, serving


@pytest.fixture
def feeds(tmp_path: Path, settings: Any) -> Iterator[Site]:
    folder = tmp_path / "feeds"
    folder.mkdir()
    with serving(folder) as site:
        settings.DOWNLOAD_PRIVATE_ORIGINS = [site.origin]
        yield site


@pytest.fixture
def worker(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for is read at once."""

    def ask(url: str, first: int = 1, *, again: bool = False) -> None:
        plain(url, first, again=again)
        if listing.look(url, first).is_under_way:
            listing.carry_out(listing._key(url, first))

    plain = listing.ask
    monkeypatch.setattr(listing, "ask", ask)
