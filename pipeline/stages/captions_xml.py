"""Captions in XML to cues: the door to TTML, and to YouTube's three older formats (srv1, srv2, srv3).

The parser refuses entities of a file's own and external ones, and builds no tree: a hostile file can neither grow nor
reach out.
"""

import html
import re
from dataclasses import replace
from typing import Any, Protocol
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from pipeline.stages.captions_json3 import read_events
from pipeline.stages.captions_markup import unmarked
from pipeline.stages.captions_ttml import TtmlTarget
from pipeline.stages.cues import CaptionTrack
from pipeline.stages.errors import StageError
from pipeline.stages.xml_names import local_name

# Entities of web pages, which XML does not know; its own five stay as they are.
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[a-zA-Z][a-zA-Z\d]{1,31};")
# "&" that begins no entity, as programs write it that do not escape.
_BARE = re.compile(r"&(?!#?\w{1,32};)")
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")
# Of parts of a file; a single word may be in another language.
_LANGUAGE = re.compile(r"""<(?:\w+:)?(?:div|p)\b[^<>]*?\bxml:lang\s*=\s*["']([\w-]+)["']""")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
_XMLNS = re.compile(r"""\sxmlns(?::[\w-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
_PREFIX = re.compile(r"(?:</?|\s)(?!xml)([a-zA-Z][\w-]*):(?=[\w-]+[\s=/>])")
_PREFIXED = re.compile(r"(</?|\s)(?!xml)[a-zA-Z][\w-]*:(?=[\w-]+(?:\s*=\s*[\"']|[\s/>]))")
# Prefixes are used near the beginning of a file if at all.
_HEAD = 20_000
# No caption file nests elements deeper; damaged and hostile ones do.
_DEEPEST = 200


class Target(Protocol):
    """What is told of the elements of a file, one after the other."""

    def start(self, name: str, values: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


def read_ttml(text: str) -> CaptionTrack:
    """Read TTML, also under its older name DFXP.

    Parameters
    ----------
    text : str
        The whole file, decoded.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.

    Raises
    ------
    StageError
        If the file defines entities, or nests its elements too deep.

    References
    ----------
    .. [1] W3C, "Timed Text Markup Language 1", section 10 (timing).
    """
    problems: list[str] = []
    languages = {language.lower() for language in _LANGUAGE.findall(text)}
    english = {language for language in languages if language.startswith("en")}
    several = bool(english) and english != languages
    if several:
        problems.append("the file holds several languages; the English one is read.")
    target = TtmlTarget(problems, english_only=several)
    _parse(text, target, problems)
    return target.track()


def read_youtube_xml(text: str) -> CaptionTrack:
    """Read YouTube's srv1 (seconds), srv2 and srv3 (milliseconds); parameters and errors as in `read_ttml`."""
    problems: list[str] = []
    target = _YoutubeTarget()
    _parse(text, target, problems)
    track = read_events(target.events, problems)
    return replace(track, format="youtube-xml")


class _Guard:
    """Hands local names on, and keeps count of how deep elements are nested."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise StageError("This XML file nests its elements too deep for captions; convert it to SRT or WebVTT.")
        self.target.start(local_name(tag), {local_name(key): value for key, value in attributes.items()})

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.target.end(local_name(tag))

    def data(self, text: str) -> None:
        self.target.data(text)

    def close(self) -> None:
        """Do nothing; the parser calls it."""


def _parse(text: str, target: Target, problems: list[str]) -> None:
    # The text is decoded already, whatever encoding its first line gives.
    text = _DECLARATION.sub("", text.lstrip("\ufeff \t\r\n"), count=1)
    if "<!ENTITY" not in text:
        text = _NAMED.sub(lambda match: html.unescape(match[0]), _BARE.sub("&amp;", text))
    if "xmlns" not in text or any(f"xmlns:{prefix}" not in text for prefix in set(_PREFIX.findall(text[:_HEAD]))):
        text = _PREFIXED.sub(r"\1", _XMLNS.sub("", text))  # A prefix that is nowhere declared is damage to the parser.
    parser = DefusedXMLParser(target=_Guard(target), forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text)
        parser.close()
    except DefusedXmlException as error:
        raise StageError(
            "This XML file defines entities of its own, which no caption file needs; it is not read."
        ) from error
    except ParseError as error:
        line, column = error.position
        problems.append(f"line {line}: the XML is damaged at character {column}; what stands before that is read.")
    except (ValueError, UnicodeError) as error:  # The parser's own for characters that XML does not know.
        raise StageError(f"This XML file cannot be read ({error}); convert it to SRT or WebVTT.") from error


class _YoutubeTarget:
    """Writes what stands in the file as json3 does, whose reader knows the rest."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.event: dict[str, Any] | None = None

    def start(self, name: str, values: dict[str, str]) -> None:
        if name == "text" and "start" in values:
            self._open(values["start"], values.get("dur"), 1000)
        elif name in {"p", "text"} and "t" in values:
            self._open(values["t"], values.get("d"), 1)
            if self.event is not None and (values.get("a") == "1" or values.get("append")):
                self.event["aAppend"] = 1
        elif self.event is not None and name == "s":
            segs = self.event["segs"]
            if segs == [{"utf8": ""}]:
                segs.clear()
            offset_ms = _milliseconds(values.get("t"), 1)
            segs.append({"utf8": "", **({} if offset_ms is None else {"tOffsetMs": offset_ms})})
            if "ac" in values:
                segs[-1]["acAsrConf"] = 0
        elif self.event is not None and name == "br":
            self.event["segs"][-1]["utf8"] += "\n"

    def end(self, name: str) -> None:
        if self.event is not None and name in {"p", "text"}:
            for seg in self.event["segs"]:  # srv1 has its markup escaped.
                seg["utf8"] = unmarked(seg["utf8"])
            self.events.append(self.event)
            self.event = None

    def data(self, text: str) -> None:
        if self.event is not None:
            self.event["segs"][-1]["utf8"] += text

    def _open(self, start: str, length: str | None, unit: int) -> None:
        self.event = {"tStartMs": _milliseconds(start, unit), "segs": [{"utf8": ""}]}
        if (length_ms := _milliseconds(length, unit)) is not None:
            self.event["dDurationMs"] = length_ms


def _milliseconds(value: str | None, unit: int) -> int | None:
    if value is None or _NUMBER.fullmatch(value.strip()) is None:
        return None
    return round(float(value) * unit)
