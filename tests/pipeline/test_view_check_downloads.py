"""The page that says whether downloads can work, and the way to it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from crossmodal.overview import next_steps, overview
from pipeline import downloads
from pipeline.stages import downloader_state
from pipeline.stages.downloader_check import CookiesState, ProxyState, SiteCookies
from pipeline.stages.downloader_state import Problem
from tests.factories import Factory
from tests.pipeline.test_command_check_downloads import FINE

ADDRESS = "/downloads/"
DAY = date(2026, 11, 25)


class Checks:
    """Stands in for the check, and counts how often it is made."""

    def __init__(self) -> None:
        self.report = FINE
        self.made = 0

    def __call__(self) -> Any:
        self.made += 1
        return self.report


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    cache.clear()
    checks = Checks()
    monkeypatch.setattr("pipeline.views.downloads.check_all", checks)
    yield checks
    cache.clear()


def page(client: Client) -> str:
    return " ".join(client.get(ADDRESS).content.decode().split())


def test_it_says_that_all_is_well(admin_client: Client, settings: Any) -> None:
    settings.DOWNLOAD_PAUSE_S = {"": 5.0}
    shown = page(admin_client)
    assert "Everything that downloads need is there." in shown
    assert "30 days old" in shown
    assert "Deno 2.9.8" in shown
    assert "self-test solved" in shown
    assert "5 s per site" in shown
    assert "youtube.com, youtu.be" in shown


def test_it_shows_problems_with_what_to_do(admin_client: Client, checks: Checks, settings: Any) -> None:
    settings.DOWNLOAD_PAUSE_S = {"": 5.0, "vimeo.com": 2.5}
    checks.report = replace(
        FINE,
        yt_dlp_age_days=70,
        runtime_version="",
        solved=False,
        network_reached=False,
        cookies=CookiesState("/data/cookies.txt", True, (SiteCookies("youtube.com", 12, 2),), 0),
        proxy=ProxyState("http://proxy.example:3128", "environment", False),
        problems=(Problem("It is <old>.", "Renew it."),),
    )
    shown = page(admin_client)
    assert "1 problem<" in shown
    assert "It is &lt;old&gt;." in shown
    assert "Renew it." in shown
    assert "self-test not solved" in shown
    assert "http://proxy.example:3128" in shown
    assert "from the machine’s environment" in shown
    assert '<td>youtube.com</td><td class="number">12</td><td class="number">2</td>' in shown
    assert "<dt>vimeo.com</dt><dd>2.5 s</dd>" in shown


def test_it_checks_once_in_a_while_and_again_on_demand(admin_client: Client, checks: Checks) -> None:
    page(admin_client)
    page(admin_client)
    assert checks.made == 1
    answer = admin_client.post(ADDRESS)
    assert (answer.status_code, answer["Location"]) == (302, ADDRESS)
    page(admin_client)
    assert checks.made == 2


def test_admins_find_it_in_their_menu(admin_client: Client, annotator_client: Client) -> None:
    link = f'<a href="{reverse("check_downloads")}">Downloads</a>'
    assert link in admin_client.get(reverse("list_videos")).content.decode()
    assert link not in annotator_client.get(reverse("home")).content.decode()


# ---------------------------------------------------------------- the hint on the home page


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    versions = {"yt-dlp": "2026.10.26", "yt-dlp-ejs": "0.8.0"}
    monkeypatch.setattr(downloader_state, "installed_version", lambda package: versions[package])

    monkeypatch.setattr(downloads, "state_problems", lambda runtime: downloader_state.state_problems(runtime, DAY))
    return versions


def test_home_says_nothing_where_nothing_is_missing(
    admin_client: Client, factory: Factory, versions: dict[str, str]
) -> None:
    assert downloads.download_hint() == ""
    assert reverse("check_downloads") not in home_without_menu(admin_client)
    factory.make_video()
    assert reverse("check_downloads") not in [step.url for step in next_steps(overview())]


@pytest.mark.parametrize(
    ("package", "version", "words"),
    [("yt-dlp", "2026.9.1", "85 days old"), ("yt-dlp-ejs", "", "solver"), ("yt-dlp", "", "not installed")],
)
def test_home_points_to_it_when_something_is_missing_or_old(
    package: str, version: str, words: str, admin_client: Client, factory: Factory, versions: dict[str, str]
) -> None:
    versions[package] = version
    shown = home_without_menu(admin_client)  # an empty installation has no steps
    assert words in shown
    assert reverse("check_downloads") in shown
    factory.make_video()
    first = next_steps(overview())[0]
    assert words in first.text
    assert first.url == reverse("check_downloads")
    assert home_without_menu(admin_client).count(words) == 1


def test_home_points_to_it_when_the_runtime_is_missing(
    admin_client: Client, versions: dict[str, str], settings: Any
) -> None:
    settings.DOWNLOAD_JS_RUNTIME = "deno:/nonexistent/deno"
    assert "The JavaScript runtime /nonexistent/deno is missing" in home_without_menu(admin_client)
    settings.DOWNLOAD_JS_RUNTIME = "deno"
    assert "names no JavaScript runtime" in home_without_menu(admin_client)


def test_the_hint_starts_no_program_and_loads_no_yt_dlp(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    downloads.download_hint()


def home_without_menu(client: Client) -> str:
    return " ".join(client.get(reverse("home")).content.decode().partition('id="main"')[2].split())
