import logging

import pytest

from crossmodal import few_lines
from crossmodal.few_lines import LINES_PER_MINUTE, FewLines


def record(name: str, level: int, text: str = "Not Found: %s") -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, text, ("/x",), (ValueError, ValueError("x"), None))


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("django.request", logging.WARNING),
        ("gunicorn.error", logging.WARNING),
        ("django.security.csrf", logging.WARNING),
        ("django.security.DisallowedHost", logging.ERROR),
        ("django.security.TooManyFieldsSent", logging.ERROR),
    ],
)
def test_what_clients_do_wrong_makes_few_short_lines(monkeypatch, name, level):
    now = 1000.0
    monkeypatch.setattr(few_lines.time, "monotonic", lambda: now)
    lines = FewLines()
    records = [record(name, level) for _ in range(LINES_PER_MINUTE + 30)]
    passed = [one for one in records if lines.filter(one)]
    assert len(passed) == LINES_PER_MINUTE
    assert {one.levelname for one in passed} <= {"WARNING"} or level == logging.WARNING
    assert all(one.exc_info is None for one in passed)
    now += 61
    later = record(name, level)
    assert lines.filter(later)
    assert later.getMessage() == "Not Found: /x (30 lines like this were left out)"
    assert lines.filter(record(name, level))


@pytest.mark.parametrize(
    ("name", "level"),
    [("django.request", logging.ERROR), ("crossmodal.x", logging.WARNING), ("gunicorn.error", logging.INFO)],
)
def test_all_else_passes_as_it_is(name, level):
    lines = FewLines()
    for _ in range(LINES_PER_MINUTE + 30):
        one = record(name, level)
        assert lines.filter(one)
        assert one.exc_info is not None


def test_the_log_of_the_pages_has_it(settings):
    assert settings.LOGGING["handlers"]["stderr"]["filters"] == ["few_lines"]
