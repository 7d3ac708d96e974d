"""Files that are given as captions and are not read: what each of them is, and what to do with it."""

import re
from pathlib import Path

from pipeline.stages.errors import StageError

_PICTURES = "its captions are pictures; find captions as text, or read the pictures with Subtitle Edit (OCR)"
_SUBTITLE_EDIT = "convert it to SRT, for example with Subtitle Edit"
_AS_TEXT = "save the captions as a text file, in SRT for example"
_RECORDING = "give it as the recording, and the captions as a file of their own"

# What a file of each kind begins with (or holds near its beginning), what it is, and the way out.
_KINDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), what, way)
    for pattern, what, way in (
        (r"Scenarist_SCC", "a Scenarist (SCC) file", _SUBTITLE_EDIT),
        (r".{3}STL\d\d\.\d\d", "an EBU STL file", _SUBTITLE_EDIT),
        (
            r"(?://|\$)[^\n]*\n|\s*\d\d:\d\d:\d\d:\d\d\s*,\s*\d\d:\d\d:\d\d:\d\d\s*,",
            "a Spruce STL file",
            _SUBTITLE_EDIT,
        ),
        (r"#\s*VobSub index", "the index of a VobSub file", _PICTURES),
        (r"\ufffd\ufffd\x01|PG[^\w\s]", "a file of subtitles as pictures (VobSub or PGS)", _PICTURES),
        (r"\{\\rtf", "a text document (RTF)", _AS_TEXT),
        (r"%PDF-", "a PDF file", _AS_TEXT),
        (r"PK\x03\x04", "an archive or an office document", _AS_TEXT),
        (r'File type = "ooTextFile', "a TextGrid of Praat", "save its words as a table with start, end and text"),
        (r"#EXTM3U", "a playlist (HLS)", "let yt-dlp or ffmpeg fetch the captions that it lists"),
        (r"#!\s*/", "a script", "give the captions themselves"),
        (
            r"TITLE:[^\n]*\nFCM:",
            "an edit list (EDL)",
            "export the captions as SRT from the cutting program",
        ),
        (r"(?:\S+ \S+ \d+\.\d+ \d+\.\d+ \S+[^\n]*\n){2}", "a CTM file", "convert it to SRT, or to JSON with its words"),
        (r"<!DOCTYPE html|<html", "a web page", "download the caption file itself"),
        (r".{4}ftyp|\x1aE|ID3|OggS|fLaC|RIFF", "a recording", _RECORDING),
        (r"<[\w:-]+", "an XML file of a kind that is not read", "convert it to SRT or TTML"),
        (r"<\?xml", "an XML file of a kind that is not read", "convert it to SRT or TTML"),
    )
)
_WORDS = re.compile(r"[^\W\d_]{2,}")
# A few words in a file without times may be the rest of a damaged one; so many are a transcript.
_TRANSCRIPT_WORDS = 20


def refuse_stranger(start: str, path: Path) -> None:
    """Raise StageError that names what a file is, if it is known and not read.

    Parameters
    ----------
    start : str
        The text of the file, decoded, without white space at its beginning.
    path : Path
        For its name.
    """
    for pattern, what, way in _KINDS:
        if pattern.match(start[:2000]):
            raise StageError(f"No captions can be read from {path.name}: this is {what}; {way}.")
    if len(_WORDS.findall(start[:5000])) >= _TRANSCRIPT_WORDS:
        raise StageError(
            f"No captions can be read from {path.name}: this is a text without times, so that nothing tells when each "
            "sentence is said; let a program align it with the recording, or give captions with times."
        )
