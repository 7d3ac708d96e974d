"""Lists of pieces (MPD, HLS and the like) are weighed before yt-dlp unfolds them: few bytes can name millions."""

import builtins
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.etree import ElementTree
from xml.parsers import expat

from yt_dlp import compat
from yt_dlp.extractor import common
from yt_dlp.extractor.common import InfoExtractor

from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_limits import MAX_FRAGMENTS, MEGABYTE, current_meter

# Thirty renditions of four hours in pieces of a second take 180 MB.
MAX_MANIFEST_BYTES: Final = 256 * MEGABYTE
# What Python takes for one piece and for one rendition besides their addresses, measured.
FRAGMENT_BYTES: Final = 320
FORMAT_BYTES: Final = 3000
# A recording with a dozen renditions, cut by advertisements into a hundred periods, has 1,200.
MAX_FORMATS: Final = 5000
# Servers refuse longer addresses (Apache and nginx at 8 kB).
MAX_ADDRESS_LENGTH: Final = 8192
# "Number%05d" and the like (ISO/IEC 23009-1, 5.3.9.4.4); a width of nine digits would make one address of 1 GB.
TEMPLATE_PART: Final = re.compile(r"\w*(?:%0?\d{0,2}[dioxX])?")
# Manifests and feeds have some ten; a page whose elements are not closed counts as deep.
MAX_DEPTH: Final = 1000
TOO_MANY: Final = "The recording is named in more pieces than any recording of this length has; it was not fetched."
ODD: Final = "The recording's list of pieces is written in a way that is not read; it was not fetched."
ENTITIES: Final = "The site sends XML that defines its own abbreviations (entities), which is not read."


def weigh(number: int, address_length: int = 0, bytes_each: int = FRAGMENT_BYTES, *, unfolding: bool = False) -> None:
    """Count pieces, over all lists of one extraction: those that a list names, and those that it is unfolded to.

    Raises
    ------
    StageError
        They are too many, or would take too much memory.
    """
    if number > MAX_FRAGMENTS:
        raise StageError(TOO_MANY)
    if meter := current_meter():
        meter.weighed[unfolding] += number * (bytes_each + address_length)
        if meter.weighed[unfolding] > MAX_MANIFEST_BYTES:
            raise StageError(TOO_MANY)


def check_mpd(document: Any) -> int:
    """Weigh a DASH manifest, all but what its durations are divided into; return how long an address may become."""
    longest = bases = identifiers = 0
    media: list[str] = []
    for element in document.iter():
        for name, value in element.attrib.items():
            if len(value) > MAX_ADDRESS_LENGTH:
                raise StageError(ODD)
            if name in ("media", "initialization", "sourceURL"):
                media.append(value)
            elif name == "id" and _local(element) == "Representation":
                identifiers = max(identifiers, len(value))
                if "$" in value or "%" in value:
                    raise StageError(ODD)
        if _local(element) == "BaseURL":
            if len(element.text or "") > MAX_ADDRESS_LENGTH:
                raise StageError(ODD)
            bases = max(bases, len(element.text or ""))
    for template in set(media):
        parts = template.split("$")
        if not all(TEMPLATE_PART.fullmatch(part) for part in parts[1::2]):
            raise StageError(ODD)
        longest = max(longest, len(template) + template.count("$RepresentationID$") * identifiers)
        longest += 100 * template.count("%")
    _weigh_representations(document, longest, bases)
    return longest


def _weigh_representations(document: Any, longest: int, bases: int) -> None:
    formats = 0
    for period in _children(document, "Period"):
        of_period = _listed(period)
        for adaptation in _children(period, "AdaptationSet"):
            of_adaptation = max(of_period, _listed(adaptation))
            for representation in _children(adaptation, "Representation"):
                formats += 1
                if formats > MAX_FORMATS:
                    raise StageError(TOO_MANY)
                weigh(1, longest + 4 * bases, FORMAT_BYTES)
                weigh(max(of_adaptation, _listed(representation)), longest)


def _listed(element: Any) -> int:
    """How many pieces an element names one by one or repeats."""
    found = 0
    for holder in element:
        if _local(holder) in ("SegmentList", "SegmentTemplate"):
            lines = [entry for line in _children(holder, "SegmentTimeline") for entry in line]
            timed = sum(1 + max(_repeats(entry), 0) for entry in lines)
            found = max(found, timed, sum(1 for _ in _children(holder, "SegmentURL")))
    return found


def _repeats(entry: Any) -> int:
    try:
        return int(entry.get("r", 0))
    except ValueError:  # no number, or one of more digits than Python reads
        raise StageError(ODD) from None


def check_playlist(text: str) -> None:
    """Weigh an HLS playlist of renditions; without a duration of pieces, yt-dlp takes each address for a rendition."""
    formats = text.count("#EXT-X-STREAM-INF") + text.count("#EXT-X-MEDIA:")
    if "#EXT-X-TARGETDURATION" not in text:
        formats = max(formats, sum(1 for line in text.splitlines() if line.strip() and not line.startswith("#")))
    if formats > MAX_FORMATS:
        raise StageError(TOO_MANY)
    weigh(formats, bytes_each=FORMAT_BYTES)


def check_xml(text: str | bytes) -> None:
    """Look at XML before anything of it is kept: a page of 20 MB that is none would take gigabytes.

    Raises
    ------
    StageError
        It has entities of its own, which a few lines can let grow to gigabytes (CWE-776).
    xml.etree.ElementTree.ParseError
        It is no XML, or nested deeper than any that is read here.
    """
    depth = 0

    def refuse(*_: Any) -> None:
        raise StageError(ENTITIES)

    def enter(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ElementTree.ParseError(f"more than {MAX_DEPTH} elements inside one another")

    def leave(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.EntityDeclHandler, parser.StartElementHandler, parser.EndElementHandler = refuse, enter, leave
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # An encoding that the parser does not know, as XHTML in Japanese names it, is a LookupError or a ValueError.
        raise ElementTree.ParseError(str(error)) from error


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Any, name: str) -> Iterator[Any]:
    return (child for child in element if _local(child) == name)


def _counted_range(*bounds: Any) -> range:
    """The range over which yt-dlp's reader of manifests repeats a piece, looked at before it is used."""
    found = builtins.range(*bounds)
    number = max(0, -((found.start - found.stop) // found.step))
    meter = current_meter()
    weigh(number, meter.address_length if meter else 0, unfolding=True)
    return found


def _checked_mpd(plain: Callable[..., Any]) -> Callable[..., Any]:
    def parse(self: Any, mpd_doc: Any, mpd_id: Any = None, mpd_base_url: str = "", mpd_url: Any = None) -> Any:
        longest = check_mpd(mpd_doc)
        if meter := current_meter():
            meter.address_length = longest
        return list(plain(self, mpd_doc, mpd_id, mpd_base_url, mpd_url))

    return parse


def _checked_m3u8(plain: Callable[..., Any]) -> Callable[..., Any]:
    def parse(self: Any, m3u8_doc: str, *args: Any, **options: Any) -> Any:
        check_playlist(m3u8_doc)
        return plain(self, m3u8_doc, *args, **options)

    return parse


def _ism(self: Any, ism_doc: Any, ism_url: Any, ism_id: Any = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Of manifests that are never downloaded from, no more is taken than that they are there."""
    return [{"format_id": "ism", "url": ism_url, "protocol": "ism", "ext": "ismv"}], {}


def _f4m(self: Any, manifest: Any, manifest_url: Any, *args: Any, **options: Any) -> list[dict[str, Any]]:
    """See `_ism`."""
    return [{"format_id": "f4m", "url": manifest_url, "protocol": "f4m", "ext": "flv"}]


_plain_xml = compat.compat_etree_fromstring


def _checked_xml(text: Any) -> Any:
    check_xml(text)
    return _plain_xml(text)


def _install() -> None:
    """Put the checks in place. What yt-dlp loads later takes its reader of XML from `yt_dlp.compat`."""
    common.range = _counted_range
    InfoExtractor._parse_mpd_periods = _checked_mpd(InfoExtractor._parse_mpd_periods)
    InfoExtractor._parse_m3u8_formats_and_subtitles = _checked_m3u8(InfoExtractor._parse_m3u8_formats_and_subtitles)
    InfoExtractor._parse_ism_formats_and_subtitles = _ism
    InfoExtractor._parse_f4m_formats = _f4m
    for name, module in list(sys.modules.items()):
        if name.startswith("yt_dlp.") and vars(module).get("compat_etree_fromstring") is _plain_xml:
            vars(module)["compat_etree_fromstring"] = _checked_xml


_install()
