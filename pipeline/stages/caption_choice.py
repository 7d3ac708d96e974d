"""Which of the caption tracks that a site offers is taken."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

# json3 has exact word times, VTT often has them inline, SRT never.
FORMATS = ("json3", "vtt", "srt")
# Sites that name no code write the language's name.
ENGLISH = re.compile(r"en(?:[-_].+)?|eng|english", re.IGNORECASE)
# Where it is written in small letters, "en-de" may also mean English made from German.
REGION = re.compile(r"(?i:en)[-_](?:[A-Z]{2}|us|gb|uk|au|ca|ie|nz|in|za|sg)")
MANUAL = "manual"
AUTOMATIC = "automatic"

Tracks = Mapping[str, Sequence[Mapping[str, Any]]]


def choose_captions(people: Tracks, automatic: Tracks) -> tuple[dict[str, Any], str] | None:
    """The best English track and its kind.

    Parameters
    ----------
    people, automatic : mapping of language to sequence of mappings
        As yt-dlp reports them: per language the formats, each with "ext" and "url" (or "data").

    Returns
    -------
    (dict, str) or None
        The chosen format and "manual" or "automatic"; None where there are no English captions in a format that
        can be read.
    """
    for kind, tracks, languages in (
        (MANUAL, people, _english(people)),
        (AUTOMATIC, automatic, _spoken_english(automatic)),
    ):
        for language in languages:
            for ending in FORMATS:
                for form in reversed(tracks[language]):
                    if form.get("ext") == ending and (form.get("url") or form.get("data") is not None):
                        return dict(form), kind
    return None


def _english(tracks: Tracks) -> list[str]:
    """English tracks: plain "en" first, then regions, then named variants."""
    found = [language for language in tracks if language and ENGLISH.fullmatch(language)]
    return sorted(found, key=lambda language: (language.lower() != "en", not REGION.fullmatch(language), language))


def _spoken_english(tracks: Tracks) -> list[str]:
    """Automatic tracks of English speech.

    YouTube also offers machine translations: of German speech as "en" beside "de-orig", of a German track as
    "en-de". Such words were never said.
    """
    originals = [language for language in tracks if language and language.endswith("-orig")]
    if originals:
        # "en" beside "en-orig" is the same text.
        return [language for language in originals if ENGLISH.fullmatch(language.removesuffix("-orig"))]
    return [
        language
        for language in _english(tracks)
        if language.lower() in ("en", "eng", "english") or REGION.fullmatch(language)
    ]
