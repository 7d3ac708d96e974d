"""Moments to come, written for people."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crossmodal.templatetags.display import until

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("hours", "words"),
    [(2, "16:00 CEST"), (11, "tomorrow 01:00 CEST"), (34, "5 May 00:00 CEST"), (33, "tomorrow 23:00 CEST")],
)
def test_a_moment_is_written_in_the_installation_s_time(
    hours: int, words: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    written = str(until(NOW + timedelta(hours=hours)))
    assert re.sub(r"<[^>]+>", "", written) == words
    assert "data-until" in written


def test_no_moment_is_nothing() -> None:
    assert until(None) == ""
