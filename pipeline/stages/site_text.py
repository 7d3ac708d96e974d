"""What a site says, as it is shown and stored: one line, without characters that control a terminal or a reader."""

import re
from typing import Any, Final

MAX_LINE_LENGTH: Final = 500
# Control characters but for tab and line feed, halves of surrogate pairs, which no encoding can write, and the marks
# that turn the writing direction (Unicode Standard Annex 9).
UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: Any) -> str:
    """A title without line breaks and characters that control a terminal or turn the writing direction.

    >>> one_line("Talk\\n\\x1b[2J one\\ud800")
    'Talk [2J one'
    """
    words = " ".join(str(text or "").split())
    return "".join(character for character in words if character.isprintable())[:MAX_LINE_LENGTH]


def without_unseen(text: str) -> str:
    """A text of several lines without the characters that cannot be written or that mislead whoever reads it.

    >>> without_unseen("no \\x00\\ud800answer")
    'no answer'
    """
    return UNSEEN.sub("", text)
