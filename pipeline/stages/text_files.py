"""Files of text to text: which encoding they are in, and their size."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.stages.errors import StageError

# UTF-32 first: its mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# NUL beside white space fills a field of fixed length, as in live captions; in a word it stands for a lost character.
_PADDING = re.compile(r"(?<!\S)\0+|\0+(?!\S)")
_END_OF_FILE = "\x1a"  # of DOS
# UTF-16 without its mark: English has a NUL in nearly every second byte, at the odd or at the even places.
_NUL_SHARE = 0.7
_NUL_SAMPLE = 2_000

# French and German write less than a tenth of their letters with accents.
_FOREIGN_SHARE = 0.2


@dataclass(frozen=True)
class DecodedText:
    """The text of a file with its own line ends.

    ``problems`` says in sentences what was not as it should be. ``guessed`` tells whether the encoding was guessed to
    be Windows-1252; ``line`` is then the first line that is not in UTF-8.
    """

    text: str
    problems: tuple[str, ...] = ()
    guessed: bool = False
    line: int = 0

    @property
    def plausible(self) -> bool:
        """Whether letters with accents are as rare as in any text of Western Europe."""
        foreign = sum(not character.isascii() for character in self.text)
        return foreign <= _FOREIGN_SHARE * max(1, sum(not character.isspace() for character in self.text))


def read_text(path: Path, *, max_bytes: int, what: str) -> DecodedText:
    """Read a file of text whose encoding is told by its content.

    Parameters
    ----------
    path : Path
        A file in UTF-8, UTF-16 or UTF-32 (with byte-order mark; UTF-16 also without) or Windows-1252.
    max_bytes : int
        The largest file that is read.
    what : str
        What the file is for, as the error message names it.

    Raises
    ------
    StageError
        If the file cannot be read or is too large.
    """
    try:
        if path.stat().st_size > max_bytes:
            raise StageError(f"{path.name} is larger than {max_bytes // 10**6} MB, too large for {what}.")
        with path.open("rb") as file:
            return decode(file.read(max_bytes))  # A device or a pipe has no end.
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error.strerror}.") from error


def read_stream(file: BinaryIO, *, max_bytes: int, what: str) -> DecodedText:
    """Read a stream of text, as `read_text` does a file."""
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise StageError(f"The input is larger than {max_bytes // 10**6} MB, too large for {what}.")
    return decode(data)


def decode(data: bytes) -> DecodedText:
    """Decode bytes by their byte-order mark, as UTF-8, or else as Windows-1252."""
    encoding = _encoding(data)
    try:
        return DecodedText(_whole(data.decode(encoding)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = data.decode(encoding, errors="replace")
    broken = text.count("\ufffd")
    # A damaged place or two among accents that are right make no other encoding.
    if encoding != "utf-8" or broken < len(text) - len(text.encode("ascii", "ignore")) - broken:
        problem = f"line {line}: characters that are damaged are read as “\ufffd”; their number: {broken}."
        return DecodedText(_whole(text), (problem,))
    problem = f"line {line}: the file is not in UTF-8 and is read as Windows-1252; check its accents."
    return DecodedText(_whole(data.decode("cp1252", errors="replace")), (problem,), guessed=True, line=line)


def encoding_of_mark(data: bytes) -> str | None:
    """Return the encoding that the byte-order mark at the beginning tells; None where there is no mark."""
    return next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)


def _encoding(data: bytes) -> str:
    if marked := encoding_of_mark(data):
        return marked
    sample = data[:_NUL_SAMPLE]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > _NUL_SHARE * half and not even:
        return "utf-16-le"
    return "utf-16-be" if even > _NUL_SHARE * half and not odd else "utf-8"


def _whole(text: str) -> str:
    text = text.removesuffix(_END_OF_FILE)
    if not text.startswith("\0"):  # As no text does.
        text = _PADDING.sub("", text)
    return text.replace("\0", "\ufffd")
