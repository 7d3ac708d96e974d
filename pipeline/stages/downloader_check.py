"""Whether downloads can work here: versions, runtime, solver, cookies, proxy and network, each looked at for real."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.request import getproxies

from pipeline.stages.cookie_file import Cookie, read_cookies
from pipeline.stages.download_options import DownloadOptions, environment_proxies, without_password
from pipeline.stages.downloader_network import Reach, probe, proxy_for
from pipeline.stages.downloader_state import (
    SOLVER,
    UPDATE,
    YT_DLP,
    Problem,
    age_days,
    installed_version,
    state_problems,
)
from pipeline.stages.errors import StageError

PREFERRED_HOST: Final = "www.youtube.com"
EXPORT_AGAIN: Final = "“Downloads” in docs/operations.md says how cookies are exported."


@dataclass(frozen=True)
class SiteCookies:
    """How many cookies the file holds for a site, and how many of them have expired."""

    site: str
    cookies: int
    expired: int


@dataclass(frozen=True)
class CookiesState:
    """The cookies file as it is now."""

    path: str
    readable: bool
    sites: tuple[SiteCookies, ...] = ()
    unreadable_lines: int = 0

    @property
    def cookies(self) -> int:
        return sum(site.cookies for site in self.sites)

    @property
    def expired(self) -> int:
        return sum(site.expired for site in self.sites)


@dataclass(frozen=True)
class ProxyState:
    """The proxy without its password, where it is set, and whether it was reached (None: not tried)."""

    address: str
    source: str
    reachable: bool | None


@dataclass(frozen=True)
class DownloaderReport:
    """All that `check_downloads` tells."""

    yt_dlp_version: str
    yt_dlp_age_days: int | None
    runtime_name: str
    runtime_version: str
    runtime_path: str
    solver_version: str
    solved: bool
    cookies: CookiesState | None
    proxy: ProxyState | None
    network_host: str
    network_reached: bool | None
    problems: tuple[Problem, ...]


def check_downloader(
    options: DownloadOptions, *, host: str | None, sites: Collection[str] = (), today: date | None = None
) -> DownloaderReport:
    """Look at everything that downloads need.

    Parameters
    ----------
    options : DownloadOptions
    host : str or None
        The site that a connection is tried to; None tries none.
    sites : collection of str
        Hosts (and their subdomains) that may be fetched: cookies of others may expire.
    today : date or None
        For the age of yt-dlp; None for the real one.
    """
    problems = state_problems(options.js_runtime, today)
    runtime_version, solved = _runtime_and_solver(options, problems)
    cookies = _cookies(options, sites, problems)
    proxy, reach = _network(options, host, problems)
    version = installed_version(YT_DLP)
    return DownloaderReport(
        yt_dlp_version=version,
        yt_dlp_age_days=age_days(version, today),
        runtime_name=options.js_runtime.name,
        runtime_version=runtime_version,
        runtime_path=str(options.js_runtime.path),
        solver_version=installed_version(SOLVER),
        solved=solved,
        cookies=cookies,
        proxy=proxy,
        network_host=host or "",
        network_reached=reach.problem is None if reach else None,
        problems=tuple(problems),
    )


def _runtime_and_solver(options: DownloadOptions, problems: list[Problem]) -> tuple[str, bool]:
    if not installed_version(YT_DLP):
        return "", False
    from pipeline.stages.ytdlp_selftest import run_self_test, runtime_state  # loads yt-dlp

    runtime = options.js_runtime
    state = runtime_state(options)
    if runtime.is_there and (state is None or not state.supported):
        told = f"has version {state.version}, which yt-dlp cannot use" if state else "does not start"
        remedy = "Run “make setup” in Crossmodal's folder, or set DOWNLOAD_JS_RUNTIME to a newer program."
        problems.append(Problem(f"The JavaScript runtime {runtime.path} {told}.", remedy))
    if state is None:
        return "", False
    test = run_self_test(options)
    if not test.solved and installed_version(SOLVER) and state.supported:
        said = f" ({test.said.rstrip('.!')})" if test.said else ""
        problems.append(Problem(f"The self-test challenge was not solved{said}.", UPDATE))
    return state.version, test.solved


def _cookies(options: DownloadOptions, hosts: Collection[str], problems: list[Problem]) -> CookiesState | None:
    if options.cookies is None:
        return None
    try:
        found = read_cookies(options.cookies)
    except StageError as error:
        problems.append(Problem(error.message, EXPORT_AGAIN))
        return CookiesState(str(options.cookies), readable=False)
    sites = _by_site(found.cookies)
    state = CookiesState(str(options.cookies), True, sites, found.unreadable_lines)
    if found.unreadable_lines:
        text = f"The cookies file {options.cookies} has {found.unreadable_lines} lines that cannot be read."
        problems.append(Problem(text, EXPORT_AGAIN))
    gone = [site.site for site in sites if site.expired == site.cookies]
    needed = [site for site in gone if any(site == host or site.endswith(f".{host}") for host in hosts)]
    if needed or len(gone) == len(sites):
        problems.append(Problem(f"All cookies for {', '.join(needed or gone)} have expired.", EXPORT_AGAIN))
    return state


def _by_site(cookies: Sequence[Cookie]) -> tuple[SiteCookies, ...]:
    counts: dict[str, list[int]] = {}
    now_s = time.time()
    for cookie in cookies:
        count = counts.setdefault(cookie.domain.removeprefix("www."), [0, 0])
        count[0] += 1
        count[1] += cookie.is_expired(now_s)
    return tuple(SiteCookies(site, *count) for site, count in sorted(counts.items(), key=lambda item: -item[1][0]))


def _network(
    options: DownloadOptions, host: str | None, problems: list[Problem]
) -> tuple[ProxyState | None, Reach | None]:
    proxy, source = options.proxy, "DOWNLOAD_PROXY"
    if not proxy:
        try:
            proxy, source = proxy_for(host or PREFERRED_HOST, environment_proxies()), "environment"
        except StageError as error:
            problems.append(Problem(error.message, "Set DOWNLOAD_PROXY to an HTTP proxy, or remove that variable."))
            shown = next(iter(_environment().values()), "")
            return ProxyState(without_password(shown), "environment", None), None
    if host is None:
        return (ProxyState(without_password(proxy), source, None) if proxy else None), None
    reach = probe(host, proxy)
    if reach.problem:
        problems.append(reach.problem)
    state = ProxyState(without_password(proxy), source, reach.proxy_reached) if proxy else None
    return state, reach


def _environment() -> Mapping[str, str]:
    found = getproxies()
    return {scheme: found[scheme] for scheme in ("https", "http", "all") if found.get(scheme)}


def describe_report(report: DownloaderReport) -> dict[str, Any]:
    """Return the report as the JSON document that docs/api.md describes."""
    cookies, proxy = report.cookies, report.proxy
    return {
        "yt_dlp": {"version": report.yt_dlp_version, "age_days": report.yt_dlp_age_days},
        "js_runtime": {"name": report.runtime_name, "version": report.runtime_version},
        "challenge_solver": {"version": report.solver_version, "solved": report.solved},
        "cookies": cookies
        and {
            "path": cookies.path,
            "readable": cookies.readable,
            "cookies": cookies.cookies,
            "expired": cookies.expired,
            "unreadable_lines": cookies.unreadable_lines,
            "sites": {site.site: {"cookies": site.cookies, "expired": site.expired} for site in cookies.sites},
        },
        "proxy": proxy and {"address": proxy.address, "source": proxy.source, "reachable": proxy.reachable},
        "ready": [problem.as_dict() for problem in report.problems],
    }
