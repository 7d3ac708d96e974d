"""The options of downloads: runtime, proxy, clients, and that yt-dlp reads no setting but these."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from yt_dlp import YoutubeDL

from pipeline.stages.download_options import (
    DownloadOptions,
    JsRuntime,
    bundled_runtime,
    parse_js_runtime,
    parse_proxy,
    without_password,
)
from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_options import check_player_clients, known_player_clients, ytdlp_params
from pipeline.stages.ytdlp_programs import confined


def params(options: DownloadOptions | None = None, *, private: bool = False) -> dict[str, Any]:
    return ytdlp_params(options or DownloadOptions(), socket_timeout_s=3, private=private)


def found_runtimes(given: dict[str, Any], runtime: JsRuntime | None = None) -> dict[str, str]:
    """What yt-dlp itself makes of the parameters: runtimes with their paths."""
    with confined(runtime or bundled_runtime()), YoutubeDL(given) as ydl:
        return {name: runtime.info.path for name, runtime in ydl._js_runtimes.items() if runtime and runtime.info}


# ---------------------------------------------------------------- the runtime


def test_the_runtime_is_the_deno_beside_this_python() -> None:
    runtime = bundled_runtime()
    assert runtime.path == Path(sys.executable).parent / "deno"
    assert runtime.is_there
    assert found_runtimes(params()) == {"deno": str(runtime.path)}


def test_a_link_of_the_environment_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "bin" / "python"
    link.parent.mkdir()
    link.symlink_to(Path(sys.executable).resolve())
    monkeypatch.setattr(sys, "executable", str(link))
    assert bundled_runtime().path == link.parent / "deno"
    assert not bundled_runtime().is_there


def test_no_runtime_is_looked_for_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("deno", "node", "bun", "qjs"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\necho 'deno 9.9.9'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    missing = DownloadOptions(js_runtime=JsRuntime("deno", tmp_path / "none" / "deno"))
    assert params(missing)["js_runtimes"] == {}
    assert found_runtimes(params(missing)) == {}
    assert list(found_runtimes(params())) == ["deno"]
    assert not (tmp_path / "started").exists()


def test_a_setting_names_another_runtime(tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho v24.1.0\n")
    program.chmod(0o755)
    runtime = parse_js_runtime(f"Node:{program}")
    assert found_runtimes(params(DownloadOptions(js_runtime=runtime)), runtime) == {"node": str(program)}


@pytest.mark.parametrize("text", ["node", "/usr/bin/node", "java:/usr/bin/java", "deno:deno", "deno:", "node:~/node"])
def test_a_runtime_without_kind_or_full_path_is_refused(text: str) -> None:
    with pytest.raises(StageError, match="names no JavaScript runtime.*deno, node, bun, quickjs") as caught:
        parse_js_runtime(text)
    assert not caught.value.permanent


# ---------------------------------------------------------------- proxies


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("//proxy.example:3128/", "http://proxy.example:3128"),
        ("HTTP://Proxy.Example", "http://proxy.example:80"),
        ("http://ann:s%40cret@proxy.example:3128", "http://ann:s%40cret@proxy.example:3128"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ],
)
def test_an_http_proxy_is_taken(text: str, expected: str) -> None:
    assert parse_proxy(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("socks5://ann:secret@proxy.example:1080", "SOCKS"),
        ("socks://proxy.example", "SOCKS"),
        ("SOCKS5h://proxy.example", "SOCKS"),
        ("https://ann:secret@proxy.example:3128", "without TLS"),
        ("ftp://proxy.example", "not the address of an HTTP proxy"),
        ("http://", "not the address of an HTTP proxy"),
        ("http://proxy.example:port", "not the address of a proxy"),
        ("http://ann:secret@proxy.example:99999", "not the address of a proxy"),
        ("http://proxy.example/proxy.pac", "not the address of an HTTP proxy"),
    ],
)
def test_another_proxy_is_refused_in_words_and_without_its_password(text: str, sentence: str) -> None:
    with pytest.raises(StageError, match=sentence) as caught:
        parse_proxy(text)
    assert "secret" not in caught.value.message
    assert not caught.value.permanent


def test_a_shown_address_has_no_password() -> None:
    assert without_password("http://ann:secret@proxy.example:3128") == "http://proxy.example:3128"
    assert without_password("ann:secret@proxy.example:3128") == "proxy.example:3128"


# ---------------------------------------------------------------- clients, pauses, certificates


def test_player_clients_are_handed_over_in_their_order() -> None:
    assert params(DownloadOptions(player_clients=("tv", "web")))["extractor_args"] == {
        "youtube": {"player_client": ["tv", "web"]}
    }
    assert params()["extractor_args"] == {}


def test_known_clients_are_those_of_yt_dlp() -> None:
    check_player_clients(("default", "-web", *known_player_clients()))
    with pytest.raises(StageError, match="“webb” is no client.*default, all, web, "):
        check_player_clients(("web", "webb"))
    with pytest.raises(StageError, match="“_base” is no client|“-webb” is no client"):
        check_player_clients(("-webb",))


def test_requests_wait_for_each_other_but_not_on_a_private_origin() -> None:
    options = DownloadOptions(request_pause_s=1.5, proxy="http://proxy.example:3128")
    assert (params(options)["sleep_interval_requests"], params(options)["proxy"]) == (1.5, options.proxy)
    private = params(options, private=True)
    assert (private["sleep_interval_requests"], private["proxy"]) == (0, "")


@pytest.mark.parametrize(
    ("variable", "expected"), [("", set()), ("SSL_CERT_FILE", {"no-certifi"}), ("SSL_CERT_DIR", {"no-certifi"})]
)
def test_own_certificates_take_the_place_of_the_bundled_ones(
    variable: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    if variable:
        monkeypatch.setenv(variable, "/etc/ssl/own")
    assert params()["compat_opts"] == expected


# ---------------------------------------------------------------- nothing else is read

PROBE = """
import json, sys
from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.plugins import plugin_dirs
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.ytdlp_options import ytdlp_params
with YoutubeDL(ytdlp_params(DownloadOptions(), socket_timeout_s=3, private=False)) as ydl:
    ydl.cache.store("crossmodal", "probe", {"a": 1})
    names = [one.ie_key() for one in gen_extractor_classes()]
    print(json.dumps({"plugin": "Planted" in names, "cookies": len(ydl.cookiejar), "proxies": ydl.proxies,
                      "cache": ydl.cache.enabled, "remote": sorted(ydl.params["remote_components"])}))
"""


def test_configuration_plugins_cache_and_remote_parts_are_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = home / ".config" / "yt-dlp"
    config.mkdir(parents=True)
    (config / "config").write_text(
        "--proxy http://proxy.invalid:1\n--cookies cookies.txt\n--remote-components ejs:github\n"
    )
    (home / "yt-dlp.conf").write_text("--proxy http://proxy.invalid:1\n")
    (home / ".netrc").write_text("machine youtube login a password b\n")
    for folder in (config / "plugins" / "one", home / "yt-dlp-plugins" / "one"):
        extractors = folder / "yt_dlp_plugins" / "extractor"
        extractors.mkdir(parents=True)
        (extractors / "planted.py").write_text(
            "from yt_dlp.extractor.common import InfoExtractor\n"
            "class PlantedIE(InfoExtractor):\n    _VALID_URL = r'https://planted.example/'\n"
        )
    environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "PATH": "", "PYTHONPATH": "."}
    environment["XDG_CACHE_HOME"] = str(home / "cache")
    before = sorted(home.rglob("*"))
    answer = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert json.loads(answer.stdout) == {"plugin": False, "cookies": 0, "proxies": {}, "cache": False, "remote": []}
    assert sorted(home.rglob("*")) == before
