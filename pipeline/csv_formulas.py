"""Texts that a spreadsheet would take for formulas: quoted on the way out, and read back exactly."""

import re
import unicodedata

# What a spreadsheet takes off, or shows as the sign that what follows is text.
GUARD = "'"
# The last is the minus sign of typography, to which the raised and lowered ones are normalised.
_SIGNS = frozenset("=+-@\N{MINUS SIGN}")
# Some programs drop these before they look at a cell (https://owasp.org/www-community/attacks/CSV_Injection).
_FIRST_CONTROLS = frozenset("\t\r\n")
_QUOTES = frozenset("'\"\N{FULLWIDTH APOSTROPHE}\N{FULLWIDTH QUOTATION MARK}")
# Letters by category, and nothing to be seen.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
# Control and format characters, separators, marks.
_PASSED_CATEGORIES = frozenset("CZM")
# Where lists are separated by semicolons, Excel begins a cell after each of them in a table with commas, and a row
# after a line break, since quotation marks count only at the beginning of what it takes for a cell.
_NEXT_CELL = re.compile("([;\r\n])")
# With quotes before it, so that a number and the same with a quote are both written as they are.
_NUMBER = re.compile(r"[ ']*[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)? *")


def guarded(text: str) -> str:
    """Return a text with a quote before it, and before each part that could become a cell, where that is a formula.

    Plain numbers stay as they are. NUL, which no table may hold, becomes the replacement character.

    >>> guarded("=1+1"), guarded("-0.5"), guarded("a;=b"), guarded("'s time")
    ("'=1+1", '-0.5', "a;'=b", "'s time")
    """
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    first, *others = _NEXT_CELL.split(text)
    text = first + "".join(GUARD + part if _is_formula(part) else part for part in others)
    return GUARD + text if _is_formula(text, first=True) else text


def unguarded(cell: str) -> str:
    """Return the text of which `guarded` makes this cell.

    Other programs write the same quote for the same reason, so that it is taken off whoever wrote the table.

    >>> unguarded("'=1+1"), unguarded("''=1+1"), unguarded("'s time")
    ('=1+1', "'=1+1", "'s time")
    """
    if cell.startswith(GUARD) and _is_formula(cell[1:], first=True):
        cell = cell[1:]
    if GUARD not in cell:
        return cell
    first, *others = _NEXT_CELL.split(cell)
    return first + "".join(part[1:] if part.startswith(GUARD) and _is_formula(part[1:]) else part for part in others)


def needs_quotation_marks(cell: str) -> bool:
    """Whether a formula follows a tab: LibreOffice divides there too, unless the cell is in quotation marks.

    >>> needs_quotation_marks("a\\t=b"), needs_quotation_marks("a\\tb")
    (True, False)
    """
    return any(map(_is_formula, cell.split("\t")[1:]))


def _is_formula(text: str, *, first: bool = False) -> bool:
    """Whether a sign of formulas comes first, apart from what is not seen and quotes; ``first`` in a whole cell.

    True of a text means true of the same with a quote before it: on that `unguarded` relies.
    """
    control = False
    for character in text:
        control = control or (first and character in _FIRST_CONTROLS)
        if not _is_passed_over(character):
            # By its form in ordinary width: ＝, ﹣ and the like.
            sign = unicodedata.normalize("NFKC", character)[0] in _SIGNS and not _NUMBER.fullmatch(text)
            return sign or control
    return False


def _is_passed_over(character: str) -> bool:
    return character in _QUOTES or character in _FILLERS or unicodedata.category(character)[0] in _PASSED_CATEGORIES
