"""The settings of downloads: what reaches the stage, and what the start tells of wrong ones."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.checks import check_downloads
from pipeline.download_settings import download_options
from pipeline.stages.download_options import DownloadOptions, bundled_runtime


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def told() -> list[tuple[str, str]]:
    return [(str(message.id), str(message.msg)) for message in check_downloads()]


def test_a_fresh_installation_uses_what_it_brings() -> None:
    assert download_options() == DownloadOptions(js_runtime=bundled_runtime(), request_pause_s=1)
    assert told() == []


def test_settings_reach_the_stage(settings: Any, tmp_path: Path) -> None:
    settings.DOWNLOAD_COOKIES = str(tmp_path / "cookies.txt")
    settings.DOWNLOAD_PROXY = "proxy.example:3128"
    settings.DOWNLOAD_PLAYER_CLIENTS = ["TV", "web"]
    settings.DOWNLOAD_JS_RUNTIME = "node:/usr/bin/node"
    settings.DOWNLOAD_REQUEST_PAUSE_S = 2.5
    options = download_options()
    assert options.cookies == tmp_path / "cookies.txt"
    assert (options.proxy, options.player_clients) == ("http://proxy.example:3128", ("tv", "web"))
    assert (options.js_runtime.name, options.js_runtime.path) == ("node", Path("/usr/bin/node"))
    assert options.request_pause_s == 2.5


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DOWNLOAD_PROXY", "socks5://proxy.example:1080", "SOCKS"),
        ("DOWNLOAD_PLAYER_CLIENTS", ["web", "webb"], "“webb” is no client"),
        ("DOWNLOAD_JS_RUNTIME", "node", "full path"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(name: str, value: Any, words: str, settings: Any) -> None:
    setattr(settings, name, value)
    [(identifier, message)] = told()
    assert identifier == "pipeline.E002"
    assert message.startswith(f"{name}: ")
    assert words in message


def test_a_file_that_is_missing_here_is_a_warning(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DOWNLOAD_COOKIES = "/nonexistent/cookies.txt"
    settings.DOWNLOAD_JS_RUNTIME = "deno:/nonexistent/deno"
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:1080")
    messages = told()
    assert {identifier for identifier, _ in messages} == {"pipeline.W001"}
    assert [message.partition(":")[0] for _, message in messages] == [
        "DOWNLOAD_COOKIES",
        "DOWNLOAD_JS_RUNTIME",
        "HTTPS_PROXY",
    ]
