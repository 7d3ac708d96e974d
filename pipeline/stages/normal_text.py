"""Text in one way of writing: the one place for captions, texts to label, and reports.

Two forms. `readable` is for people and for every policy: what they would read on a screen, without what nobody sees.
Captions are stored in it. `for_scoring` is what the sentiment classifiers read where a policy hears negations: it also
writes apostrophes, quotation marks and dots as on a typewriter, because the lexicons know these alone. The policy of
2019 gets `readable` text, so that its recorded polarities stay.
"""

import html
import re
import unicodedata

# Line ends of all systems: two carriage returns where one was translated twice, and those that only Unicode knows.
_LINE_END = re.compile(r"\r{1,2}\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
# Windows-1252 that was taken for Latin-1: an ellipsis stands among quotation marks and dashes of the same origin.
_WINDOWS = {byte: bytes([byte]).decode("cp1252", errors="ignore") for byte in range(0x80, 0xA0)}
_WINDOWS_MARK = re.compile(r"[\x91-\x97]")
# The first byte of a character in UTF-8 and those that follow it, each read as Windows-1252.
_FOLLOWING = "[\x80-\xbf" + "".join(sorted(set(filter(None, _WINDOWS.values())))) + "]"
_MOJIBAKE = re.compile(f"[\xc2-\xdf]{_FOLLOWING}|[\xe0-\xef]{_FOLLOWING}{{2}}|[\xf0-\xf4]{_FOLLOWING}{{3}}")
# With their semicolon; without it the commonest alone, since "&notice" is no "¬ice".
_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});|&(?:amp|lt|gt|nbsp|quot|#39)\b(?!=)"
)
# An apostrophe may be escaped by the program that writes a text, by the one that reads it, and by the site.
_ENTITY_ROUNDS = 3
# Zero-width characters, soft hyphens, direction marks and control characters, which break the comparison of lines and
# the finding of words. U+2063 is not among them: `cues.VOICE_MARK` has it.
_INVISIBLE: dict[int, str | None] = dict.fromkeys(
    [
        *map(ord, "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"),
        *map(ord, "\u2060\u2061\u2062\u2064\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb\ufffc"),
        *range(0x206A, 0x2070),
        *range(0x01, 0x09),
        *range(0x0E, 0x1C),
        0x7F,
    ]
)
# Escapes of JSON can give characters that no file and no database can hold: NUL and halves of a pair.
_IMPOSSIBLE: dict[int, str | None] = dict.fromkeys([0, *range(0xD800, 0xE000)], "\ufffd")
# Spaces of every width, but no line end.
_SPACES: dict[int, str | None] = dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000\u3164"), " ")
_SPACES |= dict.fromkeys(range(0x2000, 0x200B), " ")
_CLEANED = _INVISIBLE | _IMPOSSIBLE | _SPACES
# Ligatures, full-width and mathematical letters say the same as plain ones. Other compatibility forms ("½", "™", "…")
# do not, and stay.
_PRESENTED = re.compile("[\ufb00-\ufb06\uff01-\uff5e\U0001d400-\U0001d7ff]+")

# What people and programs write for an apostrophe: quotation marks, accents, primes and modifier letters.
_APOSTROPHES = "\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb"
_APOSTROPHES += "\u00b4\u0060\u0384\u055a\ua78c\uff07\u275b\u275c"
_TYPED: dict[int, str | None] = dict.fromkeys(map(ord, _APOSTROPHES), "'")
_TYPED |= dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036\u275d\u275e"), '"')
_TYPED |= dict.fromkeys(map(ord, "\u2010\u2011\u2043"), "-")
# VADER strips the punctuation of ASCII from words: "glad…" is none to it. Dashes stay; the thresholds were chosen so.
_ELLIPSIS = re.compile(r"\u2026(\w?)")
# "do n't", "don 't" and "don ' t" of texts that were cut into tokens.
_SPACED_NOT = re.compile(r"\b(\w+)(?: n'|n(?: '|' | ' ))t\b", re.IGNORECASE)
# "don;t", "don?t" and "don t", where a key beside it was hit or another program lost it.
_LOST_APOSTROPHE = re.compile(
    r"\b((?:do|does|did|is|was|has|have|had|would|could|should|are|were|wo|ca|ai)n)[^\w']t\b", re.IGNORECASE
)


def lines_of(text: str) -> list[str]:
    """Split a text at the line ends of every system; a last line end begins no line.

    >>> lines_of("one\\rtwo\\r\\nthree\\u2028")
    ['one', 'two', 'three']
    """
    lines = with_line_feeds(text).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def with_line_feeds(text: str) -> str:
    """Write every line end as a line feed."""
    return _LINE_END.sub("\n", _from_windows(text))


def _without_mojibake(text: str) -> str:
    """Undo UTF-8 that programs took for Windows-1252 and saved, be it more than once: "donâ€™t"."""
    before = ""
    while text != before and _MOJIBAKE.search(text):
        before, text = text, _MOJIBAKE.sub(_decoded, text)
    return text


def _decoded(match: re.Match[str]) -> str:
    data = b"".join(c.encode("latin-1" if ord(c) < 0x100 else "cp1252") for c in match[0])
    try:
        return data.decode()
    except UnicodeDecodeError:
        return match[0]


def _from_windows(text: str) -> str:
    return text.translate(_WINDOWS) if _WINDOWS_MARK.search(text) else text


def unescape(text: str) -> str:
    """Resolve entities, also those that were escaped more than once.

    >>> unescape("don&amp;#39;t &notice AT&amp;T")
    "don't &notice AT&T"
    """
    for _ in range(_ENTITY_ROUNDS):
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return text


def readable(text: str) -> str:
    """Write a text as people read it: no entities, nothing invisible, plain spaces, composed letters.

    Parameters
    ----------
    text : str
        Any text; its line ends stay.

    Returns
    -------
    str
        Applied to its own result it changes nothing, but for entities that were escaped more than three times.

    Examples
    --------
    >>> readable("ﬁne\\u200b&nbsp;ｄａｙ")
    'fine day'
    """
    if text.isascii() and "&" not in text and text.isprintable():
        return text
    text = _from_windows(_without_mojibake(unescape(text))).translate(_CLEANED)
    return unicodedata.normalize("NFC", _PRESENTED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text))


def for_scoring(text: str) -> str:
    """Write a text as the sentiment lexicons know words: apostrophes, quotation marks and dots of a typewriter.

    >>> for_scoring("I don`t… “really” don´t")
    'I don\\'t... "really" don\\'t'
    """
    text = readable(text)
    if not text.isascii() or "`" in text:
        text = _ELLIPSIS.sub(lambda match: f"... {match[1]}" if match[1] else "...", text.translate(_TYPED))
    return _LOST_APOSTROPHE.sub(r"\1't", _SPACED_NOT.sub(r"\1n't", text))
