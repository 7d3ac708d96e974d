"""Real downloads through a proxy on loopback: what it is asked for, and what it is never asked for."""

import ssl
import threading
from collections.abc import Collection, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from pipeline.stages.download import Download, DownloadLimits, download
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from tests import loopback
from tests.loopback import Site, serving
from tests.loopback_proxy import Proxy, proxying
from tests.stages.test_download import VTT, write_tone

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)
# Resolves nowhere (RFC 6761), as public names do in networks where the proxy alone can resolve.
PAGE = "http://talks.invalid/a.html"
PLAYLIST = '#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"\n#EXTINF:3,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n'


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    write_tone(folder / "talk.wav")
    (folder / "talk.vtt").write_text(VTT)
    with serving(folder) as site:
        site.add_page("/a.html", "talk.wav", ("en", "talk.vtt"))
        yield site


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    with proxying() as proxy:
        proxy.lead("talks.invalid:80", site.origin)
        yield proxy


def fetch(url: str, proxy: Proxy | None, tmp_path: Path, private_origins: Collection[str] = ()) -> Download:
    folder = tmp_path / "download"
    folder.mkdir(exist_ok=True)
    given: dict[str, Any] = {"request_pause_s": 0, "proxy": proxy.address if proxy else ""}
    return download(
        url,
        folder=folder,
        limits=LIMITS,
        private_origins=private_origins,
        options=DownloadOptions(**given),
    )


def test_page_recording_and_captions_come_through_the_proxy(proxy: Proxy, site: Site, tmp_path: Path) -> None:
    found = fetch(PAGE, proxy, tmp_path)
    assert found.captions_path.read_text() == VTT
    assert f"GET {PAGE}" in proxy.asked
    assert "GET http://talks.invalid/talk.wav" in proxy.asked
    assert len(proxy.asked) == len(site.requests)


def test_the_proxy_gets_its_user_name_and_password(proxy: Proxy, tmp_path: Path) -> None:
    proxy.address = proxy.address.replace("//", "//ann:secret@")
    fetch(PAGE, proxy, tmp_path)
    assert set(proxy.credentials) == {"Basic YW5uOnNlY3JldA=="}


def test_the_proxy_of_the_environment_is_used_where_none_is_set(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    fetch(PAGE, None, tmp_path)
    assert f"GET {PAGE}" in proxy.asked


def test_a_socks_proxy_of_the_environment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    with pytest.raises(StageError, match="SOCKS") as caught:
        fetch(PAGE, None, tmp_path)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/a.html",
        "http://localhost:9/a.html",
        "http://10.0.0.1/a.html",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:9/a.html",
        "http://[::ffff:127.0.0.1]:9/a.html",
        "http://2130706433:9/a.html",
        "http://0x7f.1:9/a.html",
        "http://127%2e0%2e0%2e1:9/a.html",
        "http://127。0。0。1:9/a.html",
        "http://127.0.0.1\\.talks.invalid/a.html",
    ],
)
def test_the_proxy_is_not_asked_for_a_private_address(address: str, proxy: Proxy, tmp_path: Path) -> None:
    with pytest.raises(StageError):
        fetch(address, proxy, tmp_path)
    assert proxy.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/a.html",
        "https://127.0.0.1:9/a.html",
        "http://ann@127.0.0.1:9/a.html",
        "http://talks.invalid@127.0.0.1:9/a.html",
        "http://127%2e0%2e0%2e1:9/a.html",
        "http://127.0.0.1\\.talks.invalid:9/a.html",
    ],
)
def test_a_redirect_to_a_private_address_is_not_passed_on(
    target: str, proxy: Proxy, site: Site, tmp_path: Path
) -> None:
    site.redirects["/r.html"] = target
    with pytest.raises(StageError, match="not opened"):
        fetch("http://talks.invalid/r.html", proxy, tmp_path)
    assert not [asked for asked in proxy.asked if ":9" in asked]


def test_media_and_captions_on_a_private_server_are_not_asked_for(proxy: Proxy, site: Site, tmp_path: Path) -> None:
    site.add_page("/b.html", "http://127.0.0.1:9/talk.wav")
    site.add_page("/c.html", "talk.wav", ("en", "http://127.0.0.1:9/talk.vtt"))
    for page in ("b", "c"):
        with pytest.raises(StageError, match="private network"):
            fetch(f"http://talks.invalid/{page}.html", proxy, tmp_path)
    assert not [asked for asked in proxy.asked if ":9" in asked]


def test_a_page_cannot_make_the_proxy_itself_its_target(proxy: Proxy, site: Site, tmp_path: Path) -> None:
    site.add_page("/b.html", f"{proxy.address}/talk.wav")
    with pytest.raises(StageError, match="private network"):
        fetch("http://talks.invalid/b.html", proxy, tmp_path)


def test_a_private_origin_is_fetched_without_the_proxy(proxy: Proxy, site: Site, tmp_path: Path) -> None:
    fetch(site.origin + "/a.html", proxy, tmp_path, private_origins=[site.origin])
    assert proxy.asked == []


@pytest.mark.parametrize("header", ["Ytdl-request-proxy", "Ytdl-socks-proxy", "YTDL-REQUEST-PROXY"])
@pytest.mark.parametrize("with_proxy", [True, False])
def test_headers_of_an_extraction_choose_no_proxy(
    header: str, with_proxy: bool, proxy: Proxy, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extractor passes on headers that a page named, for the recording or for further requests."""
    from yt_dlp.extractor.generic import GenericIE

    real: Any = GenericIE._real_extract

    def with_header(self: Any, url: str) -> dict[str, Any]:
        found: dict[str, Any] = real(self, url)
        for one in found["formats"]:
            one["http_headers"] = {header: other.address}
        self._download_webpage(url, "again", headers={header: other.address})
        return found

    monkeypatch.setattr(GenericIE, "_real_extract", with_header)
    site.pages["/a.html"] = site.pages["/a.html"].replace("<audio", "<video").replace("/audio", "/video")
    with proxying() as other:
        other.lead("talks.invalid:80", site.origin)
        other.lead(site.origin.removeprefix("http://"), site.origin)
        if with_proxy:
            fetch(PAGE, proxy, tmp_path)
        else:
            fetch(site.origin + "/a.html", None, tmp_path, private_origins=[site.origin])
        assert other.asked == []
    assert "GET /talk.wav" in site.requests


def test_ffmpeg_is_not_started_for_what_it_alone_could_open(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("ffmpeg", "ffprobe", "rtmpdump"):
        (programs / name).write_text(f"#!/bin/sh\necho \"$@\" >> {tmp_path}/started\necho 'ffmpeg version 7.0'\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    (site.folder / "talk.m3u8").write_text(PLAYLIST)
    for media in ("talk.m3u8", "rtmp://127.0.0.1/talk"):
        url = site.add_page("/b.html", media, tag="video")
        with pytest.raises(StageError):
            fetch(url, None, tmp_path, private_origins=[site.origin])
    assert "GET /talk.m3u8" in site.requests
    assert not (tmp_path / "started").exists()


# ---------------------------------------------------------------- certificates


@pytest.fixture
def secure_site(site: Site, proxy: Proxy) -> Iterator[trustme.CA]:
    """The site again, over HTTPS, with a certificate of an authority that nobody knows."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("talks.invalid").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (loopback._Handler,), {"site": site}))
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    proxy.lead("talks.invalid:443", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield authority
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_environments_certificates_are_trusted(
    secure_site: trustme.CA, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    address = PAGE.replace("http:", "https:")
    with pytest.raises(StageError, match="certificate"):
        fetch(address, proxy, tmp_path)
    secure_site.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert fetch(address, proxy, tmp_path).audio_path.is_file()
    assert "CONNECT talks.invalid:443" in proxy.asked
