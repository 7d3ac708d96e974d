"""SAMI to cues. A file may hold several languages, a class of paragraphs each; of these the English one is read."""

import re

from pipeline.stages.cues import MAX_TIME_MS, CaptionTrack, clean
from pipeline.stages.unrolling import Chunk, RawCue, assemble, in_order, longest_word_ms, once_each

_SYNC = re.compile(r"""<sync\b[^<>]*?\bstart\s*=\s*["']?(-?\d{1,12})[^<>]*>""", re.IGNORECASE)
_PARAGRAPH = re.compile(r"""<p\b[^<>]*?\bclass\s*=\s*["']?([\w-]+)[^<>]*>""", re.IGNORECASE)
# A class of the style sheet: ".ENCC {Name: English; lang: en-US;}".
_CLASS = re.compile(r"\.([\w-]{1,40})\s*\{([^{}]{0,300})\}")
_ENGLISH = re.compile(r"lang\s*:\s*en\b|name\s*:\s*[\"']?english", re.IGNORECASE)
_BREAK = re.compile(r"<br\b[^<>]*>|<p\b[^<>]*>", re.IGNORECASE)
_MARKUP = re.compile(r"<!--[^<>]*-->|</?[a-zA-Z][^<>]*>")


def read_sami(text: str) -> CaptionTrack:
    """Read SAMI, whose cues have a start and last until the next one.

    Parameters
    ----------
    text : str
        The whole file, decoded.

    Returns
    -------
    CaptionTrack
        Possibly without cues; what could not be read is in ``problems``.
    """
    problems: list[str] = []
    parts = _SYNC.split(text)
    found = [(int(start), said) for start, said in zip(parts[1::2], parts[2::2], strict=True)]
    english = _english_class(text, {name.upper() for _, said in found for name in _PARAGRAPH.findall(said)})
    if english:
        found = [(start_ms, _of_class(said, english)) for start_ms, said in found if english in _classes(said)]
        problems.append("the file holds several languages; the English one is read.")
    raw_cues: list[RawCue] = []
    for index, (start_ms, said) in enumerate(found):
        if not 0 <= start_ms <= MAX_TIME_MS:
            problems.append("a cue whose time cannot be read is left out.")
            continue
        shown = clean(_MARKUP.sub("", _BREAK.sub("\n", said)))
        end_ms = start_ms + sum(map(longest_word_ms, shown.split()))
        if index + 1 < len(found) and found[index + 1][0] > start_ms:
            end_ms = found[index + 1][0]
        if end_ms > start_ms:
            raw_cues.append(RawCue(start_ms, end_ms, tuple((Chunk(line),) for line in shown.split("\n"))))
    cues, kind = assemble(in_order(once_each(raw_cues, problems), problems))
    return CaptionTrack(cues, "sami", kind, tuple(problems))


def _english_class(text: str, used: set[str]) -> str:
    """Give the class of the English paragraphs, in capitals; empty if there is none, or no other."""
    if len(used) < 2:
        return ""
    declared = [name.upper() for name, style in _CLASS.findall(text) if _ENGLISH.search(style)]
    named = sorted(name for name in used if name.startswith("EN"))
    return next((name for name in (*declared, *named) if name in used), "")


def _classes(said: str) -> set[str]:
    return {name.upper() for name in _PARAGRAPH.findall(said)}


def _of_class(said: str, wanted: str) -> str:
    parts = _PARAGRAPH.split(said)
    texts = [text for name, text in zip(parts[1::2], parts[2::2], strict=True) if name.upper() == wanted]
    return "\n".join(texts)
