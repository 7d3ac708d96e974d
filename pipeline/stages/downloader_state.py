"""Which yt-dlp, solver and JavaScript runtime are installed, read from files alone: cheap enough for every page."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import metadata
from typing import Final

from pipeline.stages.download_options import JsRuntime

YT_DLP: Final = "yt-dlp"
SOLVER: Final = "yt-dlp-ejs"
# Sites change weekly and yt-dlp follows within days; after two months some site has usually been lost.
OLD_AFTER_DAYS: Final = 60
UPDATE: Final = (
    "Run “make update-downloader” in Crossmodal's folder and start it again; for the image see “Downloads” in "
    "docs/operations.md."
)


@dataclass(frozen=True)
class Problem:
    """What stands in the way of downloads, and what to do about it; one or two sentences each."""

    problem: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        return {"problem": self.problem, "remedy": self.remedy}


def installed_version(package: str) -> str:
    """Return the version of an installed package, "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def age_days(version: str, today: date | None = None) -> int | None:
    """Return the age of a release of yt-dlp, whose version is its date; None where it is none.

    >>> age_days("2026.10.26", date(2026, 11, 25))
    30
    """
    told = re.match(r"(\d{4})\.(\d{1,2})\.(\d{1,2})(?!\d)", version)
    try:
        released = date(*map(int, told.groups())) if told else None
    except ValueError:
        return None
    return max(((today or datetime.now(UTC).date()) - released).days, 0) if released else None


def state_problems(runtime: JsRuntime, today: date | None = None) -> list[Problem]:
    """Return what is missing or old, without starting a program or loading yt-dlp."""
    version = installed_version(YT_DLP)
    age = age_days(version, today)
    found = []
    if not version:
        found.append(Problem("yt-dlp is not installed.", "Run “make setup” in Crossmodal's folder."))
    elif age is not None and age > OLD_AFTER_DAYS:
        found.append(Problem(f"yt-dlp {version} is {age} days old; sites change weekly.", UPDATE))
    if not runtime.is_there:
        found.append(
            Problem(
                f"The JavaScript runtime {runtime.path} is missing; without it YouTube gives hardly any recording.",
                "Run “make setup” in Crossmodal's folder, or correct DOWNLOAD_JS_RUNTIME if it is set.",
            )
        )
    if not installed_version(SOLVER):
        found.append(
            Problem(
                "The solver of YouTube's challenges (yt-dlp-ejs) is missing; without it YouTube gives hardly any "
                "recording.",
                "Run “make setup” in Crossmodal's folder.",
            )
        )
    return found
