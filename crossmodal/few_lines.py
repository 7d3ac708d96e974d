"""A log that a client cannot fill: few lines a minute about requests that are at fault."""

import logging
import time
from dataclasses import dataclass

# Of each logger and process. Somebody at work on a broken form makes fewer; an attack is seen in them all the same.
LINES_PER_MINUTE = 20
MINUTE_S = 60.0


@dataclass
class _Minute:
    since: float
    lines: int = 0


class FewLines(logging.Filter):
    """Lets so many warnings about requests through, without stack traces; a later one says how many were left out.

    Our own errors always pass. What Django logs below ``django.security`` as errors is the client's fault.
    """

    SECURITY = "django.security."
    ABOUT_REQUESTS = ("django.request", "gunicorn.error", SECURITY)

    def __init__(self) -> None:
        super().__init__()
        self._minutes: dict[str, _Minute] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        is_security = record.name.startswith(self.SECURITY)
        is_warning = record.levelno == logging.WARNING or is_security
        if not is_warning or not record.name.startswith(self.ABOUT_REQUESTS):
            return True
        record.exc_info = record.exc_text = None
        if is_security:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        now = time.monotonic()
        minute = self._minutes.setdefault(record.name, _Minute(now))
        if now - minute.since >= MINUTE_S:
            if minute.lines > LINES_PER_MINUTE:
                left_out = minute.lines - LINES_PER_MINUTE
                record.msg, record.args = f"{record.getMessage()} ({left_out} lines like this were left out)", ()
            minute.since, minute.lines = now, 0
        minute.lines += 1
        return minute.lines <= LINES_PER_MINUTE
