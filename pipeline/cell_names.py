"""Names in cells of tables: which are probably meant as one, and which say that there is no value."""

import unicodedata
from collections.abc import Iterable

# How R, pandas, spreadsheets and databases write that there is no value.
MISSING_MARKS = frozenset({"na", "n/a", "<na>", "#n/a", "nan", "none", "null"})
# Of Unicode: spaces without width, direction marks and the like, which come along when a cell is copied.
_UNSEEN = "Cf"
# Of those, the joiners make other letters of their neighbours in Persian, Hindi and emoji.
_JOINERS = "\u200c\u200d"
# Of names with the same fault, so many are named.
MAX_NAMED = 5


def seen(text: str) -> str:
    """Return a text without the characters that nobody sees, and without white space around it.

    >>> seen("\\ufeff\\u200bname ")
    'name'
    """
    if text.isascii():
        return text.strip()
    shown = (character for character in text if character in _JOINERS or unicodedata.category(character) != _UNSEEN)
    return "".join(shown).strip().strip(_JOINERS).strip()


def same_heading(name: str) -> str:
    """Return what two headings have in common that differ in case, width of letters or white space alone.

    >>> same_heading(" Rater  A") == same_heading("rater a")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_missing_mark(text: str) -> bool:
    """Whether a cell says that there is no value, as programs write it."""
    return seen(text).casefold() in MISSING_MARKS


def same_name(name: str) -> str:
    """Return what names have in common that are probably one: without case, and without the fraction of a whole number.

    >>> same_name("Ann") == same_name("ann\\u200b"), same_name("1.0"), same_name("1.5")
    (True, '1', '1.5')
    """
    plain = same_heading(seen(name))
    whole, _, fraction = plain.partition(".")
    return whole if whole.isdecimal() and fraction and not fraction.strip("0") else plain


def notes_on_names(what: str, names: Iterable[str]) -> list[str]:
    """Return sentences on names that are probably one and count as two, and on marks of missing values.

    >>> notes_on_names("labels", ["positive", "Positive", "nan"])
    ['The labels “positive” and “Positive” differ in case alone and count as two.', 'Among the labels is “nan”, which \
counts as any other; if it marks a missing value, leave such rows out.']
    """
    first: dict[str, str] = {}
    notes, missing = [], []
    for name in dict.fromkeys(names):
        earlier = first.setdefault(same_name(name), name)
        if earlier != name:
            notes.append(f"The {what} “{earlier}” and “{name}” differ {_difference(earlier, name)} and count as two.")
        if is_missing_mark(name):
            missing.append(
                f"Among the {what} is “{name}”, which counts as any other; if it marks a missing value, leave such "
                "rows out."
            )
    more = [f"The same holds of {len(notes) - MAX_NAMED} more {what}."] if len(notes) > MAX_NAMED else []
    return [*notes[:MAX_NAMED], *more, *missing]


def _difference(first: str, second: str) -> str:
    if same_heading(first) == same_heading(second):
        return "in case alone"
    if same_heading(seen(first)) == same_heading(seen(second)):
        return "in characters that nobody sees"
    return "only in how a number is written"
