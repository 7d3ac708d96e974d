"""Markup of SRT and WebVTT as found: tags over two lines, with spaces, escaped, and line breaks of other formats.

What is left is tags in the one way that `captions_text` knows, one per angle brackets and each on one line.
"""

import html
import re
from collections.abc import Sequence

# The tags of SRT, WebVTT and of web pages that end up in them. Others are tags only where a letter follows "<" at once.
_NAMES = r"(?:i|b|u|s|em|strong|strike|font|span|c|v|lang|ruby|rt|rp|br|p|div)"
_ESCAPED = re.compile(rf"&lt;\s*/?\s*{_NAMES}\b[^<>&\n]{{0,200}}&gt;", re.IGNORECASE)
# A tag or a word time that goes on in the next line.
_OVER_LINES = re.compile(r"</?(?:[a-zA-Z.]|\d{1,4}:)[^<>\n]{0,200}\n[^<>\n]{0,200}>")
# Behind a space a name counts with what it can have: "if a < b and b > c" is speech.
_WITH_VALUES = r"(?:(?:font|span|p|div|lang)\b[^<>\n]{0,200}|c\.[^<>\n]{1,80}|v(?:\.[^<>\s]{1,40})?\s[^<>\n]{1,80})"
_SPACED = re.compile(
    rf"<(?:[ \t]+/?[ \t]*|/[ \t]+)(?=(?:{_NAMES}[ \t]*/?|{_WITH_VALUES})>)|<[ \t]+(?=\d+:[\d:.,]+\s*>)",
    re.IGNORECASE,
)
_SPACED_END = re.compile(r"(<\d+:[\d:.,]+)\s+>")
_BREAK = re.compile(r"<\s*(?:/?br|/?p|/?div|/?li)\b[^<>\n]{0,200}>|\\[Nnh]", re.IGNORECASE)
# Ruby's small print above a word is a word of its own.
_RUBY = re.compile(r"</?r[tp]>", re.IGNORECASE)
# SubStation's {\an8} and MicroDVD's {i} and {y:i}.
_BRACES = re.compile(r"\{\\[^{}]*\}|\{/?[bisu]\}|\{[cfsy]:[^{}]*\}", re.IGNORECASE)
# A word time without its end, and a closing tag that the line's end cut off.
_OPEN_TIME = re.compile(r"(<(?:\d{1,4}:)?\d{2}:\d{2}[.,]\d{3})(?![\d>])")
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_OPEN_TAG = re.compile(rf"</?{_NAMES}\s*$", re.IGNORECASE | re.MULTILINE)

_ESCAPED_END = re.compile(r"(?:\\r)?\\n")
_FENCE = re.compile(r"^[ \t]*```[a-zA-Z]*[ \t]*$", re.MULTILINE)
# A cue's time, with or without its number, behind other text on its line.
_CLOCK = r"(?:\d{1,3}:)?\d{2}:\d{2}[.,]\d{3}"
_INSIDE = re.compile(rf"(?<=\S)[ \t]+(?=(?:\d{{1,5}}[ \t]+)?{_CLOCK}[ \t]*-->[ \t]*{_CLOCK})")
_REMARK = re.compile(r"\s*NOTE\b")


def mended(lines: Sequence[str]) -> list[str]:
    """Write a cue's markup in the usual way.

    Parameters
    ----------
    lines : sequence of str
        The lines below a time line.

    Returns
    -------
    list of str
        The lines as a player shows them: a break in the markup begins another one.

    Examples
    --------
    >>> mended(["so<br/>it < i >was< /i > <c", "> then</c>{\\\\an8}"])
    ['so', 'it <i >was</i > <c > then</c>']
    """
    text = "\n".join(lines)
    if "&lt" in text.lower():
        text = _ESCAPED.sub(lambda match: html.unescape(match[0]), text)
    if "<" in text:
        text = _OVER_LINES.sub(lambda match: match[0].replace("\n", " "), text)
        text = _SPACED.sub(lambda match: "</" if "/" in match[0] else "<", text)
        text = _OPEN_TIME.sub(r"\1>", _SPACED_END.sub(r"\1>", text))
        text = _RUBY.sub(" ", _OPEN_TAG.sub("", text))
    return _BREAK.sub("\n", _BRACES.sub("", text)).split("\n")


def parted(text: str) -> str:
    """Give a file its line breaks back where a tool has lost or escaped them, and take the fence of a chat away.

    >>> parted("1 00:00:01,000 --> 00:00:02,000 So. 2 00:00:02,000 --> 00:00:03,000 Yes.").count("\\n")
    3
    """
    if text.count("\n") <= 1 and len(_ESCAPED_END.findall(text)) > 1:
        text = _ESCAPED_END.sub("\n", text.strip().strip('"'))
    if "```" in text:
        text = _FENCE.sub("", text)
    if not _INSIDE.search(text):
        return text
    lines = text.split("\n")
    return "\n".join(line if _REMARK.match(line) else _INSIDE.sub("\n", line) for line in lines)


def unmarked(text: str) -> str:
    """Return a text without its markup; a break in the markup is a line feed.

    >>> unmarked("the <i>thing</i> <br>I love")
    'the thing \\nI love'
    """
    return _ANY_TAG.sub("", "\n".join(mended(text.split("\n")))) if "<" in text or "\\" in text else text
