"""Where a JSON file of a speech recogniser or a caption tool keeps its captions, and how it names their parts."""

import ast
import json
from collections import defaultdict
from typing import Any

from pipeline.stages.errors import StageError

LISTS = (
    *("segments", "transcription", "chunks", "utterances", "body", "captions", "subtitles", "snippets", "words"),
    *("result", "sentences"),
)
STARTS = ("start", "from", "start_time", "startTime", "begin", "offset")
ENDS = ("end", "to", "end_time", "endTime")
DURATIONS = ("duration", "dur")
TEXTS = ("punctuated_word", "text", "word", "content", "transcript", "body")
_SPEAKERS = ("speaker", "speaker_name", "speakerName", "speaker_id", "speakerId", "speaker_label", "speakerLabel")
# The lists of web services lie some five levels deep.
_DEEPEST = 12
# Some twenty hours of captions; Python's parser takes much memory.
_LONGEST_LITERAL = 5_000_000
# Several readings of the same words, the best of them first.
_ALTERNATIVES = "alternatives"


def speaker_of(item: dict[str, Any]) -> str:
    """Return who speaks, as a recogniser names or numbers them; empty if it does not."""
    speaker = next((item[key] for key in _SPEAKERS if item.get(key) is not None), None)
    if isinstance(speaker, dict):
        speaker = speaker.get("name", speaker.get("label", speaker.get("id")))
    return str(speaker) if isinstance(speaker, str | int) and not isinstance(speaker, bool) else ""


def json_lines(text: str) -> list[Any] | None:
    """Read a file that has an object per line; None if it is something else."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        items = [json.loads(line) for line in lines] if len(lines) > 1 else []
    except (ValueError, RecursionError):
        return None
    return items if items and all(isinstance(item, dict) for item in items) else None


def python_literal(text: str) -> list[Any] | dict[str, Any] | None:
    """Read what Python prints of lists and dictionaries, as youtube-transcript-api does; None if it is something else.

    >>> python_literal("[[{'text': 'So', 'start': 1.0}]]")
    [[{'text': 'So', 'start': 1.0}]]
    """
    if len(text) > _LONGEST_LITERAL or "'start'" not in text:
        return None
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None


def list_of(document: Any) -> list[Any]:
    """Find the list of captions in a JSON document.

    Parameters
    ----------
    document : object
        As the parser gives it.

    Returns
    -------
    list
        Possibly empty.

    Raises
    ------
    StageError
        If there is none.
    """
    if isinstance(document, list):
        # Some tools write a list of tracks, of which one is asked for.
        return list_of(document[0]) if len(document) == 1 and isinstance(document[0], list) else document
    if isinstance(document, dict):
        lists = [document[key] for key in LISTS if isinstance(document.get(key), list)]
        if lists:
            return next(filter(None, lists), lists[0])
        if inner := _inner(document):
            return inner
        if any(isinstance(document.get(key), str) for key in TEXTS):
            raise StageError(
                "This JSON file has a text without times; let the program write its segments too (for Whisper's API: "
                '"verbose_json").'
            )
    raise StageError(
        'This JSON file holds no captions: a json3 file has a list named "events", one of Whisper a list named '
        '"segments".'
    )


def _inner(document: dict[str, Any]) -> list[Any]:
    """Find the captions inside other objects: what has a text and a start, in the place that has most of them."""
    found: dict[tuple[str, ...], list[Any]] = defaultdict(list)

    def look(value: Any, path: tuple[str, ...]) -> None:
        if len(path) > _DEEPEST:
            return
        if isinstance(value, dict):
            for key, inside in value.items():
                look(inside, (*path, key))
        elif isinstance(value, list) and any(map(_is_piece, value)):
            found[path] += value
        elif isinstance(value, list):
            for inside in value[:1] if path and path[-1] == _ALTERNATIVES else value:
                look(inside, path)

    look(document, ())
    return max(found.values(), key=_characters, default=[])


def _is_piece(item: Any) -> bool:
    if not isinstance(item, dict) or not any(isinstance(item.get(key), str) for key in TEXTS):
        return False
    return any(f"{key}{suffix}" in item for key in STARTS for suffix in ("", "_ms", "Ms"))


def _characters(items: list[Any]) -> int:
    return sum(len(str(next((item[key] for key in TEXTS if key in item), ""))) for item in items if _is_piece(item))
