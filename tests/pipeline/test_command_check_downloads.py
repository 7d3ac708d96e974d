"""The command `check_downloads`: what it prints, as text and as JSON, and its exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from pipeline.stages.downloader_check import DownloaderReport
from pipeline.stages.downloader_state import Problem
from tests.conftest import ROOT
from tests.loopback import Site, serving
from tests.stages.test_download import write_tone

KEYS = ["yt_dlp", "js_runtime", "challenge_solver", "cookies", "proxy", "pacing", "ready"]
FINE = DownloaderReport(
    yt_dlp_version="2026.10.26",
    yt_dlp_age_days=30,
    runtime_name="deno",
    runtime_version="2.9.8",
    runtime_path="/app/.venv/bin/deno",
    solver_version="0.8.0",
    solved=True,
    cookies=None,
    proxy=None,
    network_host="www.youtube.com",
    network_reached=True,
    problems=(),
)


@pytest.fixture(autouse=True)
def _usual_pauses_and_no_proxy_of_this_machine(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DOWNLOAD_PAUSE_S = {"": 5.0}
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def run(*arguments: str) -> tuple[str, str]:
    """What is printed, and the failure in words."""
    out = StringIO()
    try:
        call_command("check_downloads", *arguments, stdout=out, stderr=StringIO())
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.fixture
def fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with a network."""
    monkeypatch.setattr("pipeline.management.commands.check_downloads.check_all", lambda: FINE)


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Iterator[Site]:
    write_tone(tmp_path / "talk.wav")
    with serving(tmp_path) as site:
        settings.DOWNLOAD_PRIVATE_ORIGINS = [site.origin]
        yield site


def test_a_fresh_installation_lacks_nothing_but_the_network(settings: Any) -> None:
    settings.DOWNLOAD_ALLOWED_HOSTS = ["youtube.invalid"]
    printed, failure = run("--format", "json")
    document = json.loads(printed)
    assert list(document) == KEYS
    assert list(document["yt_dlp"]) == ["version", "age_days"]
    assert list(document["js_runtime"]) == ["name", "version"]
    assert document["challenge_solver"]["solved"] is True
    assert (document["cookies"], document["proxy"]) == (None, None)
    assert document["pacing"] == {"pause_s": 5, "per_site_s": {}, "request_pause_s": 1}
    said = [problem["problem"] for problem in document["ready"] if "days old" not in problem["problem"]]
    assert len(said) == 1
    assert "No network: the name youtube.invalid was looked up" in said[0]
    assert failure.startswith("Not ready: ")


def test_all_is_well(fine: None) -> None:
    assert run("--format", "json")[1] == ""
    printed, failure = run()
    assert failure == ""
    assert printed.splitlines() == [
        "yt-dlp      2026.10.26, 30 days old",
        "runtime     deno 2.9.8 (/app/.venv/bin/deno)",
        "solver      yt-dlp-ejs 0.8.0, self-test solved",
        "cookies     none",
        "proxy       none",
        "pauses      5 s between downloads; 1 s between requests",
        "network     www.youtube.com reached",
    ]


def test_problems_come_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    report = replace(FINE, problems=(Problem("It is old.", "Renew it."), Problem("It is slow.", "Push it.")))
    monkeypatch.setattr("pipeline.management.commands.check_downloads.check_all", lambda: report)
    printed, failure = run()
    assert printed.splitlines()[-4:] == ["- It is old.", "  Renew it.", "- It is slow.", "  Push it."]
    assert failure == "Not ready: 2 problems."
    assert json.loads(run("--format", "json")[0])["ready"][1] == {"problem": "It is slow.", "remedy": "Push it."}


def test_wrong_settings_are_told_with_the_rest(settings: Any, tmp_path: Path) -> None:
    settings.DOWNLOAD_ALLOWED_HOSTS = []
    settings.DOWNLOAD_PROXY = "socks5://proxy.example"
    settings.DOWNLOAD_PLAYER_CLIENTS = ["webb"]
    settings.DOWNLOAD_JS_RUNTIME = "node"
    settings.DOWNLOAD_COOKIES = str(tmp_path / "none")
    settings.DOWNLOAD_PAUSE_S = {"": 5.0, "youtube.com": 10.0}
    printed, _ = run("--format", "json")
    document = json.loads(printed)
    said = " ".join(problem["problem"] for problem in document["ready"])
    for words in ("DOWNLOAD_PROXY: ", "DOWNLOAD_PLAYER_CLIENTS: ", "DOWNLOAD_JS_RUNTIME: ", "cookies file"):
        assert words in said
    assert document["cookies"]["readable"] is False
    assert document["pacing"]["per_site_s"] == {"youtube.com": 10}
    assert "youtube.com 10 s" in run()[0]


def test_an_address_is_looked_at_and_not_fetched(fine: None, site: Site) -> None:
    url = site.add_page("/a.html", "talk.wav", ("en", "talk.vtt"))
    printed, failure = run(url, "--format", "json")
    assert failure == ""
    document = json.loads(printed)
    assert list(document) == [*KEYS[:-1], "video", "ready"]
    video = document["video"]
    assert (video["url"], video["problem"]) == (url, "")
    assert [one["container"] for one in video["formats"] if one["chosen"]] == ["wav"]
    assert [(one["kind"], one["language"]) for one in video["captions"]] == [("manual", "en")]
    text, _ = run(url)
    assert "captions    manual, en: vtt  <- is fetched" in text
    assert not [request for request in site.requests if "talk" in request]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://example.org/a", "not among the sites that may be fetched"),
        ("http://127.0.0.1:9/a", "not among the sites that may be fetched"),
        ("talk", "is not a web address"),
        ("https://www.youtube.com/playlist?list=PL1", "is a playlist, not one video"),
    ],
)
def test_an_address_that_is_not_fetched_is_told(fine: None, url: str, sentence: str) -> None:
    printed, failure = run(url, "--format", "json")
    video = json.loads(printed)["video"]
    assert sentence in video["problem"]
    assert video["formats"] == []
    assert failure == "This video cannot be fetched."
    assert f"- {video['problem']}" in run(url)[0]


def test_the_command_line_prints_sentences_even_where_nothing_may_start(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "crossmodal.settings",
        "VAR_DIR": str(tmp_path),
        "DOWNLOAD_PROXY": "socks5://ann:secret@proxy.example",
        "DOWNLOAD_COOKIES": str(tmp_path),
        "DOWNLOAD_ALLOWED_HOSTS": "youtube.invalid",
    }
    answer = subprocess.run(
        [sys.executable, "manage.py", "check_downloads", "https://youtube.invalid/a"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "secret" not in answer.stdout + answer.stderr
    assert "- DOWNLOAD_PROXY: The proxy socks5://proxy.example is a SOCKS proxy" in answer.stdout
    refused = subprocess.run(
        [sys.executable, "manage.py", "check"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "pipeline.E002" in refused.stderr
    assert "secret" not in refused.stderr
