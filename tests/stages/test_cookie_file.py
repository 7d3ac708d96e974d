"""Cookies files: as tools write them, as people spoil them, and where the cookies go."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from yt_dlp import YoutubeDL

from pipeline.stages.cookie_file import read_cookies
from pipeline.stages.download import DownloadLimits, download
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_options import ytdlp_params
from tests.loopback import Site, _Handler, serving
from tests.stages.test_download import write_tone

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)
LATER = 4_000_000_000  # in 2096; a time of now would give the tests other names in each process
LINE = f".youtube.com\tTRUE\t/\tTRUE\t{LATER}\tSID\tabc"
OLD = ".youtube.com\tTRUE\t/\tTRUE\t1000000000\tPREF\tf6=1"
HEADER = "# Netscape HTTP Cookie File\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cookies.txt"


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}# https://curl.se/docs/http-cookies.html\n\n{LINE}\n{OLD}\n",
        f"# HTTP Cookie File\n{LINE}\n{OLD}",
        f"{LINE}\n{OLD}\n",
        f"{HEADER}{LINE}\n{OLD}\n".replace("\n", "\r\n"),
        f"\ufeff{HEADER}{LINE}\n{OLD}\n",
        f"{HEADER}#HttpOnly_{LINE}\n{OLD}\n",
        f"{HEADER}{LINE}\n{OLD}\n\n\n",
        f"{HEADER}{LINE.removeprefix('.')}\n{OLD.replace('TRUE', 'FALSE')}\n",
        f"{HEADER}{LINE.replace('TRUE', 'true')}\n{OLD.replace('.youtube', '.YouTube')}\n",
        f"{HEADER}  {LINE}  \n{OLD.replace('/', ' / ')}\n",
        f"{HEADER}{LINE.replace(str(LATER), f'{LATER}.735')}\n{OLD}\n",
    ],
)
def test_it_reads_what_tools_write(content: str, path: Path) -> None:
    path.write_bytes(content.encode())
    found = read_cookies(path)
    assert [(cookie.domain, cookie.name) for cookie in found.cookies] == [
        ("youtube.com", "SID"),
        ("youtube.com", "PREF"),
    ]
    assert [cookie.is_expired(time.time()) for cookie in found.cookies] == [False, True]
    assert found.unreadable_lines == 0
    parameters = ytdlp_params(DownloadOptions(cookies=path), socket_timeout_s=1, private=True)
    with YoutubeDL(parameters) as ydl:  # it reads the cleaned lines, all of them
        assert "SID=abc" in ydl.cookiejar.get_cookie_header("https://www.youtube.com/watch")
        assert ydl.cookiejar.get_cookie_header("https://youtube.com.example.org/") is None


def test_it_reads_utf_16_as_a_shell_on_windows_redirects_it(path: Path) -> None:
    path.write_bytes(f"{HEADER}{LINE}\r\n".encode("utf-16"))
    assert len(read_cookies(path).cookies) == 1


@pytest.mark.parametrize("expires", ["", "0", "-1"])
def test_a_session_cookie_does_not_expire(expires: str, path: Path) -> None:
    path.write_text(HEADER + LINE.replace(str(LATER), expires))
    assert not read_cookies(path).cookies[0].is_expired(time.time())


def test_a_spoilt_line_is_counted_and_the_others_are_kept(path: Path) -> None:
    path.write_text(f"{HEADER}{LINE}\nhello\n.vimeo.com TRUE / TRUE 0 a b\n.vimeo.com\tTRUE\t/\tTRUE\tsoon\ta\tb\n")
    found = read_cookies(path)
    assert (len(found.cookies), found.unreadable_lines) == (1, 3)
    assert "hello" not in found.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no cookie"),
        (HEADER.encode(), "holds no cookie"),
        (b'[\n  {"domain": ".youtube.com", "name": "SID"}\n]', "is JSON"),
        (b'{"url": "https://www.youtube.com", "cookies": []}', "is JSON"),
        (b"SID=abc; HSID=def; PREF=f6", "Cookie header"),
        (b"Cookie: SID=abc", "Cookie header"),
        (LINE.replace("\t", "    ").encode(), "blanks where tabs must be"),
        (b"<!doctype html><title>Sign in</title>", "not in Netscape's format"),
        (b"SQLite format 3\x00\xff\xfe", "no text"),
    ],
)
def test_another_format_is_named(content: bytes, sentence: str, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(StageError, match=sentence) as caught:
        read_cookies(path)
    assert not caught.value.permanent
    assert str(path) in caught.value.message


def test_a_missing_file_and_a_folder_are_told(path: Path) -> None:
    with pytest.raises(StageError, match="cannot be read.*DOWNLOAD_COOKIES"):
        read_cookies(path)
    with pytest.raises(StageError, match="cannot be read.*DOWNLOAD_COOKIES"):
        read_cookies(path.parent)


# ---------------------------------------------------------------- in a download


class _CookieSite(_Handler):
    """Notes the cookies it is sent, and sets one."""

    def _answer(self, *, body: bool) -> None:
        self.site.requests.append(f"{self.headers.get('Host')} {self.headers.get('Cookie', '')}")
        super()._answer(body=body)

    def end_headers(self) -> None:
        self.send_header("Set-Cookie", "visited=1; Max-Age=3600")
        super().end_headers()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("tests.loopback._Handler", _CookieSite)
    folder = tmp_path / "site"
    folder.mkdir()
    write_tone(folder / "talk.wav")
    with serving(folder) as site:
        yield site


def fetch(url: str, site: Site, path: Path) -> None:
    folder = path.parent / "download"
    folder.mkdir(exist_ok=True)
    options = DownloadOptions(cookies=path)
    download(url, folder=folder, limits=LIMITS, private_origins=[site.origin], options=options)


def test_cookies_go_to_their_site_alone_and_the_file_stays_as_it_is(site: Site, path: Path) -> None:
    lines = [
        f"127.0.0.1\tFALSE\t/\tFALSE\t{LATER}\tmine\tfor-127",
        f".youtube.com\tTRUE\t/\tFALSE\t{LATER}\ttheirs\tno",
    ]
    content = HEADER + "\n".join(lines)
    path.write_text(content)
    path.chmod(stat.S_IRUSR)
    before = path.stat()
    fetch(site.add_page("/a.html", "talk.wav"), site, path)
    sent = [request for request in site.requests if " GET" not in request and "127.0.0.1:" in request]
    assert sent
    assert all("mine=for-127" in request for request in sent)
    assert not any("theirs" in request for request in site.requests)
    assert path.read_text() == content
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert os.listdir(path.parent).count("cookies.txt") == 1  # noqa: PTH208


def test_cookies_do_not_follow_a_redirect_to_another_site(
    site: Site, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(f"{HEADER}127.0.0.1\tFALSE\t/\tFALSE\t{LATER}\tmine\tsecret\n")
    port = site.origin.rpartition(":")[2]
    site.redirects["/a.html"] = f"http://localhost:{port}/b.html"
    site.add_page("/b.html", "talk.wav")
    # The one server of this machine under two names, both allowed.
    monkeypatch.setattr("pipeline.stages.ytdlp_guard.public_addresses", lambda host, port, allowed: ["127.0.0.1"])
    fetch(site.origin + "/a.html", site, path)
    elsewhere = [request for request in site.requests if request.startswith("localhost:")]
    assert elsewhere
    assert not any("secret" in request for request in elsewhere)


def test_an_unreadable_file_stops_the_download_without_blaming_the_video(site: Site, path: Path) -> None:
    path.write_text("[]")
    with pytest.raises(StageError, match="JSON") as caught:
        fetch(site.add_page("/a.html", "talk.wav"), site, path)
    assert not caught.value.permanent
    assert site.requests == []
