"""Which of several tracks of sound is decoded."""

from typing import Any

from av.stream import Disposition

_ENGLISH = ("en", "eng")
# Somebody talks about the film, or tells what is seen.
_ABOUT_THE_FILM = Disposition.comment | Disposition.visual_impaired


def choose_track(container: Any) -> tuple[Any, tuple[str, ...]]:
    """Give the track that FFmpeg takes for the best, but an English one where that is in another language.

    Captions and lexicons are English (method section 3).

    Returns
    -------
    stream
    tuple of str
        What to say about the choice.
    """
    tracks = container.streams.audio
    best = container.streams.best("audio") or tracks[0]
    candidates = [track for track in tracks if not track.disposition & _ABOUT_THE_FILM]
    if best not in candidates and candidates:
        best = candidates[0]
    english = [track for track in candidates if track.language in _ENGLISH]
    if not english or best.language in (None, "und", *_ENGLISH):
        return best, ()
    return english[0], (f"Of {len(tracks)} tracks of sound, the English one was taken.",)
