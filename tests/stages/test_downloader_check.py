"""Whether downloads can work: versions, runtime, solver, cookies, proxy and network, each tried for real."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest
import trustme

from pipeline.stages import downloader_network, downloader_state, ytdlp_options
from pipeline.stages.download_options import DownloadOptions, JsRuntime
from pipeline.stages.downloader_check import DownloaderReport, check_downloader, describe_report
from pipeline.stages.downloader_network import probe, proxy_for
from pipeline.stages.downloader_state import Problem, age_days, state_problems
from pipeline.stages.ytdlp_selftest import N_CHALLENGE, SIGNATURE_CHALLENGE, run_self_test, runtime_state
from tests.loopback_proxy import Proxy, proxying

LATER = int(time.time()) + 86_400
RELEASED = date(2026, 10, 26)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def program(path: Path, answer: str) -> Path:
    path.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def check(options: DownloadOptions | None = None, host: str | None = None) -> DownloaderReport:
    return check_downloader(options or DownloadOptions(), host=host, sites=["youtube.com"], today=RELEASED)


def texts(report: DownloaderReport) -> list[str]:
    return [problem.problem for problem in report.problems]


# ---------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2026.10.26", 30),
        ("2026.11.25", 0),
        ("2026.12.1", 0),
        ("2026.11.2.232907.dev0", 23),
        ("2025.11.25", 365),
        ("2026.13.1", None),
        ("8.3.1", None),
        ("", None),
    ],
)
def test_the_age_of_a_release_is_in_its_version(version: str, expected: int | None) -> None:
    assert age_days(version, date(2026, 11, 25)) == expected


@pytest.mark.parametrize(("today", "old"), [(date(2026, 12, 25), False), (date(2026, 12, 26), True)])
def test_after_sixty_days_it_is_old(today: date, old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloader_state, "installed_version", lambda package: "2026.10.26")
    found = state_problems(DownloadOptions().js_runtime, today)
    assert [problem.problem for problem in found] == (
        ["yt-dlp 2026.10.26 is 61 days old; sites change weekly."] if old else []
    )
    assert all("make update-downloader" in problem.remedy for problem in found)


def test_missing_parts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloader_state, "installed_version", lambda package: "")
    found = state_problems(JsRuntime("deno", tmp_path / "deno"))
    assert ["yt-dlp is not installed" in found[0].problem, "deno is missing" in found[1].problem] == [True, True]
    assert "yt-dlp-ejs" in found[2].problem
    assert all("make setup" in problem.remedy for problem in found)


# ---------------------------------------------------------------- runtime and solver


def test_the_challenges_of_our_own_player_are_solved() -> None:
    test = run_self_test(DownloadOptions())
    assert (test.solved, test.said) == (True, "")
    report = check()
    assert (report.runtime_name, report.runtime_version) == ("deno", metadata.version("deno"))
    assert (report.solver_version, report.solved) == (metadata.version("yt-dlp-ejs"), True)
    assert report.problems == ()


def test_the_answers_are_what_the_players_comments_say() -> None:
    word, answer = N_CHALLENGE
    turned = word[::-1]
    assert turned[-2:] + turned[:-2] == answer
    word, answer = SIGNATURE_CHALLENGE
    left = list(word[::-1][2:])
    left[0], left[3] = left[3], left[0]
    assert "".join(left) == answer


@pytest.mark.parametrize("home", ["", "/nonexistent", "/proc/1"])
def test_an_odd_home_does_not_matter(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", home)
    assert run_self_test(DownloadOptions()).solved


def test_a_missing_runtime_is_a_problem(tmp_path: Path) -> None:
    options = DownloadOptions(js_runtime=JsRuntime("deno", tmp_path / "deno"))
    report = check(options)
    assert (report.runtime_version, report.solved) == ("", False)
    assert texts(report) == [
        f"The JavaScript runtime {tmp_path}/deno is missing; without it YouTube gives hardly any recording."
    ]


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("deno", "deno 1.40.0", "has version 1.40.0, which yt-dlp cannot use"),
        ("node", "v18.0.0", "has version 18.0.0, which yt-dlp cannot use"),
        ("node", "hello", "has version unknown, which yt-dlp cannot use"),
    ],
)
def test_an_old_or_strange_runtime_is_a_problem(name: str, answer: str, told: str, tmp_path: Path) -> None:
    options = DownloadOptions(js_runtime=JsRuntime(name, program(tmp_path / name, answer)))
    assert texts(check(options)) == [f"The JavaScript runtime {tmp_path}/{name} {told}."]


def test_a_program_that_does_not_start_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "deno").write_text("\x7fELF nonsense")
    (tmp_path / "deno").chmod(0o755)
    options = DownloadOptions(js_runtime=JsRuntime("deno", tmp_path / "deno"))
    assert runtime_state(options) is None
    assert texts(check(options)) == [f"The JavaScript runtime {tmp_path}/deno does not start."]


def test_a_runtime_that_answers_nonsense_solves_nothing(tmp_path: Path) -> None:
    options = DownloadOptions(js_runtime=JsRuntime("deno", program(tmp_path / "deno", "deno 2.9.8")))
    report = check(options)
    assert not report.solved
    [told] = texts(report)
    assert told.startswith("The self-test challenge was not solved (Unexpected error solving ")


def test_a_solver_of_another_release_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yt_dlp_ejs.version", "0.1.0")
    report = check()
    assert not report.solved
    [told] = texts(report)
    assert told.startswith("The self-test challenge was not solved (Challenge solver lib script version 0.1.0 is not")
    assert "remote" not in told
    assert "make update-downloader" in report.problems[0].remedy


# ---------------------------------------------------------------- cookies


def cookie(site: str, expires_s: int, name: str = "SID") -> str:
    return f"{site}\tTRUE\t/\tTRUE\t{expires_s}\t{name}\tabc"


def test_cookies_are_counted_by_site(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    lines = [cookie(".youtube.com", LATER), cookie("www.youtube.com", 1000), cookie(".vimeo.com", 0)]
    path.write_text("# Netscape HTTP Cookie File\n" + "\n".join(lines))
    report = check(DownloadOptions(cookies=path))
    assert report.problems == ()
    assert describe_report(report)["cookies"] == {
        "path": str(path),
        "readable": True,
        "cookies": 3,
        "expired": 1,
        "unreadable_lines": 0,
        "sites": {"youtube.com": {"cookies": 2, "expired": 1}, "vimeo.com": {"cookies": 1, "expired": 0}},
    }


def test_expired_and_spoilt_cookies_are_problems(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(f"{cookie('.youtube.com', 1000)}\n{cookie('.vimeo.com', LATER)}\nhello\n")
    assert texts(check(DownloadOptions(cookies=path))) == [
        f"The cookies file {path} has 1 lines that cannot be read.",
        "All cookies for youtube.com have expired.",
    ]


def test_cookies_of_sites_that_are_not_fetched_may_expire(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(f"{cookie('.google.com', 1000)}\n{cookie('.youtube.com', LATER)}\n")
    assert texts(check(DownloadOptions(cookies=path))) == []
    path.write_text(cookie(".example.org", 1000))
    assert texts(check(DownloadOptions(cookies=path))) == ["All cookies for example.org have expired."]


def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    report = check(DownloadOptions(cookies=tmp_path / "none.txt"))
    assert report.cookies is not None
    assert not report.cookies.readable
    assert "cannot be read" in texts(report)[0]


# ---------------------------------------------------------------- network and proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as proxy:
        yield proxy


@pytest.fixture
def secure(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """A TLS server that the proxy leads www.youtube.com to; its certificate is trusted only where a test says so."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("www.youtube.com").configure_cert(context)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.leads_to["www.youtube.com:443"] = ("127.0.0.1", listener.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(near, server_side=True) as secured:
                        secured.recv(1)
                except OSError:
                    continue

        threading.Thread(target=serve, daemon=True).start()
        yield authority


def test_a_site_is_reached_through_the_proxy(
    proxy: Proxy, secure: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    address = proxy.address.replace("//", "//ann:s%40cret@")
    report = check(DownloadOptions(proxy=address), host="www.youtube.com")
    assert report.problems == ()
    assert report.network_reached
    assert describe_report(report)["proxy"] == {
        "address": proxy.address,
        "source": "DOWNLOAD_PROXY",
        "reachable": True,
    }
    assert proxy.asked == ["CONNECT www.youtube.com:443"]
    assert proxy.credentials == ["Basic YW5uOnNAY3JldA=="]


def test_a_certificate_of_an_unknown_authority_is_told(proxy: Proxy, secure: trustme.CA) -> None:
    report = check(DownloadOptions(proxy=proxy.address), host="www.youtube.com")
    [problem] = report.problems
    assert "not trusted" in problem.problem
    assert "SSL_CERT_FILE" in problem.remedy


def test_a_proxy_that_refuses_and_one_that_is_not_there_are_told(proxy: Proxy) -> None:
    refused = probe("www.youtube.com", proxy.address)
    assert refused.proxy_reached
    assert "does not lead to www.youtube.com (Tunnel connection failed: 502" in refused.problem.problem
    gone = probe("www.youtube.com", "http://ann:secret@127.0.0.1:9", timeout_s=2)
    assert gone.proxy_reached is False
    assert gone.problem.problem == "The proxy http://127.0.0.1:9 cannot be reached (Connection refused)."
    nameless = probe("www.youtube.com", "http://proxy.invalid:3128", timeout_s=2)
    assert nameless.problem.problem.startswith("The proxy http://proxy.invalid:3128 cannot be reached (")


def test_without_a_network_it_says_what_was_tried() -> None:
    unknown = probe("www.youtube.invalid", "", timeout_s=2)
    assert unknown.problem.problem.startswith("No network: the name www.youtube.invalid was looked up, and not found (")
    closed = probe("127.0.0.1", "", port=9, timeout_s=2)
    assert closed.problem.problem == (
        "No network: a connection to 127.0.0.1, port 9, was tried, and failed (Connection refused)."
    )


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloader_network.socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    begin = time.monotonic()
    found = probe("www.youtube.com", "", timeout_s=0.2)
    assert time.monotonic() - begin < 2
    assert "no answer within" in found.problem.problem


def test_a_silent_server_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = probe("127.0.0.1", "", port=listener.getsockname()[1], timeout_s=0.3)
    assert "was tried, and failed" in found.problem.problem


def test_the_environments_proxy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret@127.0.0.1:9")
    report = check(host="www.youtube.com")
    assert describe_report(report)["proxy"] == {
        "address": "http://127.0.0.1:9",
        "source": "environment",
        "reachable": False,
    }
    monkeypatch.setenv("HTTPS_PROXY", "socks5://ann:secret@127.0.0.1:9")
    report = check(host="www.youtube.com")
    assert "SOCKS" in texts(report)[0]
    assert "secret" not in str(describe_report(report))


def test_a_host_that_goes_without_the_proxy_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = {"http": "http://proxy.example:1", "https": "http://proxy.example:2"}
    assert proxy_for("www.youtube.com", proxies) == "http://proxy.example:2"
    monkeypatch.setenv("NO_PROXY", "youtube.com")
    assert proxy_for("www.youtube.com", proxies) == ""


def test_a_problem_has_both_its_words() -> None:
    assert Problem("a", "b").as_dict() == {"problem": "a", "remedy": "b"}


# ---------------------------------------------------------------- a runtime that hangs


@pytest.mark.parametrize("answers_version", [True, False])
@pytest.mark.timeout(30)
def test_a_runtime_that_hangs_is_killed(answers_version: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ytdlp_options, "RUNTIME_TIMEOUT_S", 0.5)
    path = tmp_path / "deno"
    version = '[ "$1" = --version ] && echo "deno 2.9.8" && exit\n' if answers_version else ""
    path.write_text(f"#!/bin/sh\n{version}exec sleep 1000\n")
    path.chmod(0o755)
    report = check(DownloadOptions(js_runtime=JsRuntime("deno", path)))
    assert report.solved is False
    (told,) = texts(report)
    assert ("self-test" if answers_version else "does not start") in told
