"""The text of a CSV file: decoded, or refused in words."""

from pathlib import Path

from pipeline.stages.errors import StageError
from pipeline.stages.text_files import encoding_of_mark

# How files begin that spreadsheets save as their own: .xlsx and .ods are zip archives, .xls is a compound file.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class TableError(StageError):
    """A table cannot be read; the sentence names the row and says what to do."""


class EncodingError(TableError):
    """The file is not text in UTF-8 or UTF-16; ``line`` is where, and 0 for a spreadsheet's own file."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def read_text(path: Path) -> str:
    """Read a file as the text of a table; raise OSError or EncodingError."""
    return decode(path.read_bytes())


def decode(content: bytes) -> str:
    """Return the text of a table in UTF-8, with or without a byte-order mark, or in UTF-16 with one."""
    if content.startswith(_WORKBOOKS):
        raise EncodingError(
            "This is a spreadsheet's own file and not a CSV file in UTF-8; save the sheet as “CSV UTF-8” and try again."
        )
    try:
        return content.decode(encoding_of_mark(content) or "utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EncodingError(
            f"The table is not UTF-8 text (line {line}); save it as “CSV UTF-8” and try again.", line
        ) from error
