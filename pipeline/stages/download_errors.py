"""What went wrong in a download, in one sentence, and whether trying again may help.

Works on the errors' names and texts, since yt-dlp hides one error inside another and tells most of them by text.
What yt-dlp warned of before it failed counts too: that a challenge was not solved or a token was missing stands
only there.
"""

import re
from dataclasses import dataclass
from typing import Final

from pipeline.stages.disk import explain_full
from pipeline.stages.download_verdicts import (
    CAUSES,
    HEDGED,
    OLD_COOKIES,
    SAYINGS,
    TOO_MANY,
    TRY_LATER,
    Outcome,
    Verdict,
    find_verdict,
)
from pipeline.stages.errors import LockedRecordingError, SiteRefusesError, StageError, chain

NETWORK_ERRORS = ("TransportError", "IncompleteRead", "SSLError", "ProxyError", "ContentTooShortError", "TimeoutError")
YOUTUBE: Final = "youtube"
CHECK_SOLVER: Final = "; if it stays so, “manage.py check_downloads” says whether YouTube's challenges are solved"
# "ERROR: [youtube] i4b-_bNsajY: " before a message, as yt-dlp writes it.
PREFIX = re.compile(r"^\s*(?:(?:ERROR|WARNING): )?(?:\[[^\]]*\] (?:[^\s:]+: )?)?")
# After its own retries of a recording yt-dlp keeps the text of a network error alone.
GIVEN_UP = re.compile(r"\[download\] Got error: ")
# What yt-dlp appends for people at a command line; it speaks of logins, cookies and formats whatever is wrong.
HINT = re.compile(
    r"(?:\bor else )?\b(?:Use --|You can manually pass|Also see\b|See\s+https?:|(?:For|Refer).{0,60}refer to\s|"
    r"please report this issue).*|\s*\(caused by .*|https?://\S+|This helps protect our community.*",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Evidence:
    """What is known of an extraction besides its error.

    Attributes
    ----------
    warnings : tuple of str
        What yt-dlp warned of.
    extractor : str
        Name of the site as yt-dlp knows it, as far as it got.
    soundless : bool
        True where formats were found, each of them known to be pictures without sound.
    """

    warnings: tuple[str, ...] = ()
    extractor: str = ""
    soundless: bool = False

    def cause(self) -> Verdict | None:
        """Return what the warnings name as the cause; the order is that of the causes, not of the warnings."""
        return find_verdict("\n".join(self.warnings), CAUSES)


NOTHING_KNOWN: Final = Evidence()


def explain(error: BaseException, evidence: Evidence = NOTHING_KNOWN) -> StageError:
    """A StageError for whatever a download raised.

    Raises
    ------
    BaseException
        The error itself, where it is none of a download: a job's time limit, a fault in this program.
    """
    hidden = list(chain(error))
    if refusal := own_refusal(error) or own_shortage(error):
        return refusal
    names = {name for one in hidden for name in (kind.__name__ for kind in type(one).__mro__)}
    if "GeoRestrictedError" in names:
        return StageError("The video is blocked in the country of this machine.")
    if "UserNotLive" in names:
        return StageError("The channel is not on air; give the address of a recording.")
    if "UnsupportedError" in names:
        return StageError("There is no recording at this address that can be fetched.")
    texts = _told(hidden)
    on_youtube = _is_youtube(hidden, evidence)
    for text in texts:
        if verdict := find_verdict(text, SAYINGS):
            return _judge(verdict, evidence, on_youtube=on_youtube, sure=not HEDGED.search(text))
    if status := _status(hidden, texts):
        return _explain_status(status, evidence, on_youtube=on_youtube)
    if names.intersection(NETWORK_ERRORS) or any(map(GIVEN_UP.search, texts)):
        return StageError(f"The site did not answer or the connection broke; {TRY_LATER}", permanent=False)
    if "YoutubeDLError" in names:
        if cause := evidence.cause():
            return _judge(cause, evidence, on_youtube=on_youtube)
        detail = f" ({texts[0][:200]})" if texts else ""
        return StageError(f"The site's page could not be read{detail}; {TRY_LATER}", permanent=False)
    raise error


def own_refusal(error: BaseException) -> StageError | None:
    """Return what this program itself refused, such as a connection to a private network; None where nothing."""
    for one in chain(error):
        if isinstance(one, StageError):
            return one
        if isinstance(refusal := getattr(one, "refusal", None), StageError):
            return refusal
    return None


def own_shortage(error: BaseException) -> StageError | None:
    """Return what this machine had too little of, whatever the site sent; None where it was another thing."""
    if full := explain_full(error):
        return full
    if any(isinstance(one, MemoryError) for one in chain(error)):
        return StageError(f"This machine has too little memory for what the site sends; {TRY_LATER}", permanent=False)
    return None


def http_status(error: BaseException) -> int:
    """Return the HTTP status that a request failed with; 0 where it was another thing."""
    hidden = list(chain(error))
    return _status(hidden, [str(one) for one in hidden])


def _told(hidden: list[BaseException]) -> list[str]:
    """What the errors say, without prefixes, hints and addresses; an extractor's own words where there are any."""
    own = [str(one.orig_msg) for one in hidden if hasattr(one, "orig_msg")]
    texts = own or [str(one) for one in hidden]
    cleaned = (HINT.sub("", PREFIX.sub("", text)).strip(" .;,") for text in texts)
    return list(dict.fromkeys(text for text in cleaned if text))


def _is_youtube(hidden: list[BaseException], evidence: Evidence) -> bool:
    names = [evidence.extractor, *(str(getattr(one, "ie", None) or "") for one in hidden)]
    found = re.match(r"ERROR: \[([^\]:]+)", str(hidden[0]))
    return any(name.lower().partition(":")[0] == YOUTUBE for name in [*names, found[1] if found else ""])


def _judge(verdict: Verdict, evidence: Evidence, *, on_youtube: bool, sure: bool = True) -> StageError:
    if verdict.vague:
        if evidence.soundless and not on_youtube:
            return StageError("The recording at this address has no sound.")
        verdict = evidence.cause() or verdict
    elif verdict.outcome is Outcome.SITE_RESTS and any(map(OLD_COOKIES.fits, evidence.warnings)):
        verdict = OLD_COOKIES
    permanent = verdict.outcome is Outcome.PERMANENT or (
        verdict.outcome is Outcome.PERMANENT_ELSEWHERE and not on_youtube
    )
    if permanent and sure:
        return StageError(verdict.sentence)
    sentence = f"{verdict.sentence.removesuffix('.')}; {TRY_LATER}"
    if verdict.outcome is Outcome.SITE_RESTS:
        return SiteRefusesError(sentence)
    if verdict.outcome is Outcome.LOCKED:
        return LockedRecordingError(sentence)
    return StageError(sentence, permanent=False)


def _status(hidden: list[BaseException], texts: list[str]) -> int:
    """The HTTP status that the extraction failed with; 0 where it was another thing."""
    for one in hidden:
        status = getattr(one, "status", None)
        if type(one).__name__ == "HTTPError" and isinstance(status, int):
            return status
    told = re.search(r"HTTP Error (\d{3})", "\n".join(texts))  # after its own retries yt-dlp keeps the text alone
    return int(told[1]) if told else 0


def _explain_status(status: int, evidence: Evidence, *, on_youtube: bool) -> StageError:
    """HTTP status codes (RFC 9110, section 15): 404, 410 and the like are final, 429 and 5xx pass."""
    if status == 429:
        return _judge(TOO_MANY, evidence, on_youtube=on_youtube)
    if status == 403:
        # Media servers answer 403 to links that have grown old in between, which a new extraction mends, and
        # YouTube's to links whose challenge was not solved.
        if cause := evidence.cause():
            return _judge(cause, evidence, on_youtube=on_youtube)
        check = CHECK_SOLVER if on_youtube else ""
        return StageError(f"The site refuses to hand it out (HTTP 403){check}; {TRY_LATER}", permanent=False)
    if status in (404, 410):
        if on_youtube:  # a watch page is never missing; a link to media may be, until the next extraction
            told = f"YouTube's link to the recording leads nowhere (HTTP {status}); {TRY_LATER}"
            return StageError(told, permanent=False)
        return StageError(f"There is nothing at this address any more (HTTP {status}).")
    if status == 401 and not on_youtube:
        return StageError("The site asks for a password (HTTP 401), so nothing was fetched.")
    if status == 451:
        return StageError("The video is blocked for legal reasons (HTTP 451).")
    # 400 and the like mean that the site does not understand this downloader, which may be too old for it.
    return StageError(f"The site answers with an error (HTTP {status}); {TRY_LATER}", permanent=False)
