"""What the command and the page about downloads tell, and what the home page hints at."""

from dataclasses import dataclass, replace
from typing import Any, Final

from django.conf import settings

from pipeline.download_settings import download_limits, usable_options, wrong_settings
from pipeline.hosts import check_host, check_url, private_origins
from pipeline.stages.addresses import origin_of
from pipeline.stages.download_options import parse_js_runtime
from pipeline.stages.downloader_check import PREFERRED_HOST, DownloaderReport, check_downloader, describe_report
from pipeline.stages.downloader_state import Problem, state_problems
from pipeline.stages.errors import StageError

# Half of what a download waits for an answer: somebody sits in front of the command.
LOOKUP_TIMEOUT_S: Final = 10.0
CORRECT_SETTING: Final = "Correct it, as “Downloads” in docs/operations.md says, and start Crossmodal again."


@dataclass(frozen=True)
class Looked:
    """What would be fetched from an address, as JSON has it."""

    url: str
    found: dict[str, Any]

    @property
    def problem(self) -> str:
        """Why nothing would be fetched, or nothing."""
        return str(self.found["problem"])


@dataclass(frozen=True)
class Pacing:
    """The pauses between downloads and requests, in seconds."""

    pause_s: float
    per_site_s: dict[str, float]
    request_pause_s: float


def pacing() -> Pacing:
    """Return the pauses that the settings ask for."""
    per_site = {site: pause for site, pause in settings.DOWNLOAD_PAUSE_S.items() if site}
    return Pacing(settings.DOWNLOAD_PAUSE_S[""], per_site, settings.DOWNLOAD_REQUEST_PAUSE_S)


def check_all() -> DownloaderReport:
    """Look at everything that downloads need; takes some seconds, at most about twenty without a network."""
    wrong = [Problem(f"{name}: {why}", CORRECT_SETTING) for name, why in wrong_settings()]
    report = check_downloader(usable_options(), host=_host(), sites=settings.DOWNLOAD_ALLOWED_HOSTS)
    return replace(report, problems=(*wrong, *report.problems))


def look_at(url: str) -> Looked:
    """Ask the site what it has at an address, without fetching media."""
    from pipeline.stages.ytdlp_lookup import Lookup, look_up  # loads yt-dlp

    try:
        identity = check_url(url)
        origin = origin_of(identity.url)
        allowed = origin if origin in private_origins() else None
        limits = replace(download_limits(), socket_timeout_s=LOOKUP_TIMEOUT_S)
        found = look_up(identity.url, usable_options(), limits=limits, allowed_origin=allowed, check_page=check_host)
    except StageError as error:
        return Looked(url, Lookup(problem=error.message).as_dict())
    return Looked(identity.url, found.as_dict())


def describe(report: DownloaderReport, looked: Looked | None) -> dict[str, Any]:
    """Return the JSON document of `check_downloads`."""
    pauses = pacing()
    document = describe_report(report)
    ready = document.pop("ready")
    document["pacing"] = {
        "pause_s": pauses.pause_s,
        "per_site_s": pauses.per_site_s,
        "request_pause_s": pauses.request_pause_s,
    }
    if looked:
        document["video"] = {"url": looked.url, **looked.found}
    document["ready"] = ready
    return document


def download_hint() -> str:
    """Return one sentence if something that downloads need is missing or old, else nothing; reads files alone."""
    try:
        runtime = parse_js_runtime(settings.DOWNLOAD_JS_RUNTIME)
    except StageError as error:
        return error.message
    return next((problem.problem for problem in state_problems(runtime)), "")


def _host() -> str | None:
    """The site that a connection is tried to: YouTube where it may be fetched from, else the first that may."""
    hosts = settings.DOWNLOAD_ALLOWED_HOSTS
    return PREFERRED_HOST if "youtube.com" in hosts or PREFERRED_HOST in hosts else next(iter(hosts), None)
