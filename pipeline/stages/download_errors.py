"""What went wrong in a download, in one sentence, and whether trying again may help.

Works on the errors' names and texts, since yt-dlp hides one error inside another and tells most of them by text.
"""

import re
from collections.abc import Iterator

from pipeline.stages.errors import StageError

# (what yt-dlp or the site says, the sentence, permanent); the first that fits counts.
SAYINGS: tuple[tuple[str, str, bool], ...] = (
    (r"not a bot|rate.?limit|too many requests", "The site wants a pause before it serves this machine again.", False),
    (r"private video|video is private", "The video is private.", True),
    (r"confirm your age|age.?restricted", "The video is open to signed-in adults only.", True),
    (
        r"members.?only|join this channel|requires payment|rental|purchase|subscri",
        "The video is open to paying members only.",
        True,
    ),
    (
        r"available in your country|in your (?:country|location|region)|geo.?restrict|geo.?block",
        "The video is blocked in the country of this machine.",
        True,
    ),
    (r"has been removed|no longer available|account.*terminated|deleted", "The video has been removed.", True),
    (r"premieres in|will begin in|live event", "The video has not been broadcast yet.", True),
    (r"video (?:is )?(?:unavailable|not available|does not exist)|not found", "There is no such video.", True),
    (r"sign in|log.?in|logged.?in|registered users|cookies", "The video is open to signed-in people only.", True),
    (r"drm", "The recording is protected against copying (DRM).", True),
    (
        r"requested format is not available|no video formats|no media found",
        "There is no recording with sound at this address.",
        True,
    ),
    (r"unsupported url|is not a valid url", "There is no recording at this address that can be fetched.", True),
    (r"certificate verify failed", "The site's certificate is not valid, so nothing was fetched.", True),
)
NETWORK_ERRORS = ("TransportError", "IncompleteRead", "SSLError", "ProxyError", "ContentTooShortError", "TimeoutError")
TRY_LATER = "it is tried again later."


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and everything hidden in it, outermost first."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        hidden = [getattr(current, "cause", None), current.__cause__, current.__context__]
        exc_info = getattr(current, "exc_info", None)
        if isinstance(exc_info, tuple) and len(exc_info) > 1:
            hidden.insert(0, exc_info[1])
        waiting += [one for one in hidden if isinstance(one, BaseException)]


def explain(error: BaseException) -> StageError:
    """A StageError for whatever a download raised.

    Raises
    ------
    BaseException
        The error itself, where it is none of a download: a job's time limit, a full disk, a fault in this program.
    """
    hidden = list(chain(error))
    for one in hidden:
        if isinstance(one, StageError):
            return one
        if type(one).__name__ == "_RefusedError":
            return StageError(str(getattr(one, "msg", one)))
    for one in hidden:
        status = getattr(one, "status", None)
        if type(one).__name__ == "HTTPError" and isinstance(status, int):
            return _explain_status(status)
    text = " ".join(str(one) for one in hidden)
    if told := re.search(r"HTTP Error (\d{3})", text):  # after its own retries yt-dlp keeps the text alone
        return _explain_status(int(told[1]))
    names = {name for one in hidden for name in (kind.__name__ for kind in type(one).__mro__)}
    for saying, sentence, permanent in SAYINGS:
        if re.search(saying, text, re.IGNORECASE):
            return StageError(sentence if permanent else f"{sentence[:-1]}; {TRY_LATER}", permanent=permanent)
    if names.intersection(NETWORK_ERRORS):
        return StageError(f"The site did not answer or the connection broke; {TRY_LATER}", permanent=False)
    if "GeoRestrictedError" in names:
        return StageError("The video is blocked in the country of this machine.")
    if "UnsupportedError" in names:
        return StageError("There is no recording at this address that can be fetched.")
    if "YoutubeDLError" in names:
        detail = re.sub(r"^ERROR: |; please report this issue.*|\s*\(caused by.*", "", str(error), flags=re.DOTALL)
        return StageError(f"The site's page could not be read ({detail.strip()[:200]}); {TRY_LATER}", permanent=False)
    raise error


def _explain_status(status: int) -> StageError:
    """HTTP status codes (RFC 9110, section 15): 404, 410 and the like are final, 429 and 5xx pass."""
    if status == 429:
        return StageError(f"The site asks for a pause (HTTP 429); {TRY_LATER}", permanent=False)
    if status in (404, 410):
        return StageError(f"There is nothing at this address any more (HTTP {status}).")
    if status == 401:
        return StageError("The site asks for a password (HTTP 401), so nothing was fetched.")
    if status == 451:
        return StageError("The video is blocked for legal reasons (HTTP 451).")
    # Media servers answer 403 to links that have grown old in between, which a new extraction mends.
    return StageError(f"The site answers with an error (HTTP {status}); {TRY_LATER}", permanent=400 <= status < 403)
