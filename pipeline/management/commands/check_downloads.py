"""Say whether downloads can work here, and with an address what would be fetched from it."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from pipeline.downloads import Looked, check_all, describe, look_at, pacing
from pipeline.management.base import PipelineCommand, add_format, count
from pipeline.stages.downloader_check import DownloaderReport

AUTOMATIC_SHOWN = 5


class Command(PipelineCommand):
    help = (
        "Checks what downloads need: yt-dlp and its age, the JavaScript runtime, the solver of YouTube's challenges "
        "(one is solved as a trial), cookies, proxy, pauses and network. With the address of a video it also asks the "
        "site what would be fetched, and fetches nothing.\n\n"
        "Exit status: 0 if downloads can work (and the video can be fetched), 1 if something stands in the way; what "
        "and how to mend it is in the list at the end.\n\n"
        "Examples:\n"
        "  manage.py check_downloads\n"
        "  manage.py check_downloads https://www.youtube.com/watch?v=jNQXAC9IVRw --format json"
    )
    # What Django's own checks refuse to start with is told here together with the rest.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", metavar="URL", help="A video's address; nothing of it is fetched.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        report = check_all()
        looked = look_at(options["url"]) if options["url"] else None
        if options["format"] == "json":
            self.print_json(describe(report, looked))
        else:
            for line in [*_report_lines(report), *(_video_lines(looked) if looked else ())]:
                self.stdout.write(line)
            for problem in report.problems:
                self.stdout.write(f"- {problem.problem}\n  {problem.remedy}")
        if report.problems:
            raise CommandError(f"Not ready: {count(len(report.problems), 'problem')}.")
        if looked and looked.problem:
            raise CommandError("This video cannot be fetched.")


def _report_lines(report: DownloaderReport) -> Iterator[str]:
    age = f", {count(report.yt_dlp_age_days, 'day')} old" if report.yt_dlp_age_days is not None else ""
    solver = report.solver_version or "missing"
    pauses = pacing()
    sites = "".join(f", {site} {pause:g} s" for site, pause in pauses.per_site_s.items())
    yield f"yt-dlp      {report.yt_dlp_version or 'missing'}{age}"
    yield f"runtime     {report.runtime_name} {report.runtime_version or 'missing'} ({report.runtime_path})"
    yield f"solver      yt-dlp-ejs {solver}, self-test {'solved' if report.solved else 'not solved'}"
    yield f"cookies     {_cookies(report)}"
    yield f"proxy       {_proxy(report)}"
    yield f"pauses      {pauses.pause_s:g} s between downloads{sites}; {pauses.request_pause_s:g} s between requests"
    if report.network_reached is not None:
        yield f"network     {report.network_host} {'reached' if report.network_reached else 'not reached'}"


def _cookies(report: DownloaderReport) -> str:
    cookies = report.cookies
    if cookies is None:
        return "none"
    if not cookies.readable:
        return f"{cookies.path}, not readable"
    sites = ", ".join(f"{site.site} {site.cookies}" for site in cookies.sites)
    return f"{cookies.path}: {cookies.cookies} ({sites}), {cookies.expired} expired"


def _proxy(report: DownloaderReport) -> str:
    proxy = report.proxy
    if proxy is None:
        return "none"
    reached = {True: "reached", False: "not reached", None: "not tried"}[proxy.reachable]
    return f"{proxy.address} ({proxy.source}), {reached}"


def _video_lines(looked: Looked) -> Iterator[str]:
    found = looked.found
    yield f"\nvideo       {looked.url}"
    if found["title"]:
        duration = f"{found['duration_s'] / 60:.1f} min" if found["duration_s"] else "unknown length"
        yield f"title       {found['title']} ({duration})"
    for one in found["formats"]:
        words = [one["container"], one["audio_codec"], one["video_codec"], one["protocol"]]
        rate = f"{one['audio_kbps']:.0f} kbit/s" if one["audio_kbps"] else ""
        yield f"format      {one['id']}: {', '.join(filter(None, [*words, rate]))}{_mark(one)}"
    shown = [track for track in found["captions"] if track["kind"] == "manual" or track["chosen"]]
    for track in shown:
        yield f"captions    {track['kind']}, {track['language']}: {', '.join(track['formats'])}{_mark(track)}"
    if others := [track["language"] for track in found["captions"] if track not in shown]:
        more = f" and {len(others) - AUTOMATIC_SHOWN} more" if len(others) > AUTOMATIC_SHOWN else ""
        yield f"captions    automatic, not taken: {', '.join(others[:AUTOMATIC_SHOWN])}{more}"
    if found["captions_need_token"]:
        yield "captions    English ones need a token: the recording would be fetched, and the captions asked for again"
    for client in found["clients"]:
        reason = f" ({client['reason']})" if client["reason"] else ""
        yield f"client      {client['name']}: {client['status']}{reason}, {count(client['formats'], 'format')}"
    for warning in found["warnings"]:
        yield f"yt-dlp      {warning}"
    if looked.problem:
        yield f"- {looked.problem}"


def _mark(one: dict[str, Any]) -> str:
    return "  <- is fetched" if one["chosen"] else ""
