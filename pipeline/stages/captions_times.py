"""Times of captions as programs and people write them."""

import re
import unicodedata

from pipeline.stages.cues import MAX_TIME_MS
from pipeline.stages.normal_text import readable

# Also as typed by hand, with spaces in between, made typographic by a word processor, or escaped for a web page.
_ARROW = r"(?:(?:[-=~\u2010-\u2015\u2212]\s*){1,3}(?:>{1,2}|&gt;)|[→⇒⟶➔])"
# A cue's number may be glued to the front of its time.
_GLUED_NUMBER = r"(?:#?\d+[.):]?\s+(?=[-\d]))?"
# What looks like a time in front of an arrow, be it right or wrong. Without a colon the whole line must be times.
_DOTTED = r"\d{1,4}(?: ?[.,] ?\d{1,2}){2} ?[.,] ?\d{1,3}"
# Cutting programs write both times with pictures, and a dash or nothing between them.
_CLOCK_OF_ALL = r"\d{1,3}:\d\d:\d\d[:;.,]\d{1,3}"
_SECONDS_ALONE = r"\d{1,6}[.,]\d{1,9}"
TIME_BEGINS = re.compile(
    rf"\s*{_GLUED_NUMBER}-?\s*\d+\s*[:;][^>]{{0,60}}?{_ARROW}"
    rf"|\s*{_DOTTED}\s*{_ARROW}\s*{_DOTTED}"
    rf"|\s*{_CLOCK_OF_ALL}\s+(?:[-–]\s+)?{_CLOCK_OF_ALL}\s*\Z"
    rf"|\s*(?:{_SECONDS_ALONE}s?|\d{{1,6}}s)\s*{_ARROW}\s*\d{{1,6}}(?:[.,]\d{{1,9}})?s?\s*\Z"
)
_DASHED = re.compile(rf"\s*({_CLOCK_OF_ALL})\s+(?:[-–]\s+)?({_CLOCK_OF_ALL})\s*")
_CLOCK = r"-?\s*\d[\d\s:.,;]*"
_TIME_LINE = re.compile(
    rf"\s*{_GLUED_NUMBER}(?P<start>{_CLOCK}?)\s*{_ARROW}\s*(?P<end>{_CLOCK})?(?P<rest>(?:[^\d\s].*)?)", re.DOTALL
)
_UNIT = re.compile(r"\A(\s*\d+(?:[.,]\d+)?)s(?=\s)|(?<=\d)s(?=\s*\Z)")
_SPACES = re.compile(r"\s+")
_SPACES_AROUND = re.compile(r"\s*([:.,])\s*")
# Hours may be left out. A comma or a stop divides the fraction, which some programs print as a number of its own
# ("01,249.0999999" is 249 ms and a bit).
_USUAL = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,30})(?:([.,])\d*)?)?[.,:]?")
# Thousandths after a colon, with and without hours; and one mark between all parts.
_UNUSUAL = re.compile(r"(?:(\d{1,4})[:.,])?(\d{1,2})[:.,](\d{1,2})[:.,](\d{1,3})")
# Two digits after a fourth colon count pictures, as cutting programs do.
_FRAMES = re.compile(r":\d\d?:\d\d?:\d\d\Z")
_FRAME_RATES = (25, 30)
_SECONDS_OF_ALL = re.compile(r"\d{1,6}(?:[.,]\d{1,9})?")
_MINUTES_SECONDS_THOUSANDTHS = re.compile(r"()(\d{1,2}):(\d{1,2}):(\d{3})")
# WebVTT's settings and SRT's coordinates, which may be glued to the time.
_SETTING = re.compile(r"(?:align|position|line|size|vertical|region|[XY][12])\s*:\s*\S*", re.IGNORECASE)
# A program that rounds up writes the sixtieth second; more is no clock.
_SIXTY = 60


class UnreadableTimeError(ValueError):
    """A time that no clock shows."""


def plain_digits(line: str) -> str:
    """Write digits, colons and arrows of other scripts as ASCII, with single spaces and without what is invisible."""
    return _SPACES.sub(" ", line if line.isascii() else unicodedata.normalize("NFKC", readable(line)))


def clock_ms(written: str) -> int:
    """Read a time of the clock in milliseconds; negative ones become 0.

    >>> clock_ms("00:01:01,5"), clock_ms("1:01.249999"), clock_ms("00:00:01:250"), clock_ms("00:00:01:12")
    (61500, 61249, 1250, 1480)
    """
    text = _SPACES_AROUND.sub(r"\1", written.replace(";", ":")).strip()
    negative, text = text.startswith("-"), text.lstrip("- ")
    if _SECONDS_OF_ALL.fullmatch(text):
        time_ms = round(float(text.replace(",", ".")) * 1000)
        if time_ms > MAX_TIME_MS:
            raise UnreadableTimeError
        return 0 if negative else time_ms
    match = _MINUTES_SECONDS_THOUSANDTHS.fullmatch(text) or _USUAL.fullmatch(text) or _UNUSUAL.fullmatch(text)
    if match is None:
        raise UnreadableTimeError
    hours, minutes, seconds, fraction = (int(part or 0) for part in (*match.groups()[:3], "0"))
    if match[4] and _FRAMES.search(text):
        fraction = _frames_ms(int(match[4]))
    elif match[4]:
        fraction = _fraction_ms(match[4], counted=match.re is _USUAL and match[5] is not None)
    if minutes > _SIXTY or seconds > _SIXTY:
        raise UnreadableTimeError
    time_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction
    if time_ms > MAX_TIME_MS:
        raise UnreadableTimeError
    return 0 if negative else time_ms


def _frames_ms(frames: int) -> int:
    """Read the number of a picture: 25 a second are usual where one is given, or else 30."""
    rate = next((rate for rate in _FRAME_RATES if frames < rate), 100)
    return frames * 1000 // rate


def _fraction_ms(digits: str, *, counted: bool) -> int:
    """Read the part after the seconds: a decimal fraction, or a number of milliseconds if it is one of its own."""
    if digits == "1000":  # 999.6 ms, rounded up
        return 1000
    return int(digits) if counted and len(digits) <= 3 else int(digits[:3].ljust(3, "0"))


def times_ms(line: str) -> tuple[int, int, str]:
    """Read a time line.

    Returns
    -------
    start_ms, end_ms : int
        Milliseconds; the same where the end is missing.
    rest : str
        What follows on the line and is no setting: text that belongs to the cue.

    Raises
    ------
    UnreadableTimeError
        If either time is none.
    """
    plain = plain_digits(line)
    if (dashed := _DASHED.fullmatch(plain)) is not None:
        return clock_ms(dashed[1]), clock_ms(dashed[2]), ""
    match = _TIME_LINE.fullmatch(_UNIT.sub(lambda unit: unit[1] or "", plain))
    if match is None:
        raise UnreadableTimeError
    rest = _SETTING.sub(" ", match["rest"])
    if match["end"] is None:
        if rest.strip():
            raise UnreadableTimeError
        return clock_ms(match["start"]), clock_ms(match["start"]), ""
    end = match["end"].strip()
    try:
        return clock_ms(match["start"]), clock_ms(end), rest.strip()
    except UnreadableTimeError:
        # Text that begins with a digit follows the time: "00:00:04,000 2 eggs".
        first, _, more = end.partition(" ")
        if not more:
            raise
        return clock_ms(match["start"]), clock_ms(first), f"{more} {rest}".strip()
