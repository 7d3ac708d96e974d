"""The one byte range that a player asks for (RFC 9110, 14)."""

import re

RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
# Nothing has as many bytes as the smallest number of so many digits says. Python reads no number of thousands of them.
MAX_DIGITS = 19


class UnsatisfiableRangeError(ValueError):
    """The client asks for bytes that are not there."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, or None where the header asks for no single byte range.

    Raises UnsatisfiableRangeError.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        start, end = max(0, size - _number(last)), size
    else:
        start, end = _number(first), min(size, _number(last) + 1) if last else size
        if last and _number(last) < start:
            return None
    if start >= size or start >= end:
        raise UnsatisfiableRangeError
    return start, end


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:MAX_DIGITS] or "0")
