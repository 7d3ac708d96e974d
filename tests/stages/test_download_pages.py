"""Which pages an address may lead to, and which hosts its recording may lie on."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from yt_dlp.extractor.generic import GenericIE

from pipeline.stages.download import Download, DownloadLimits, download, download_captions
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.video_lists import read_list
from pipeline.stages.ytdlp_lookup import look_up
from tests.loopback import Site, serving
from tests.loopback_proxy import Proxy, proxying
from tests.stages.test_download import VTT, write_tone

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    write_tone(folder / "talk.wav")
    (folder / "talk.vtt").write_text(VTT)
    with serving(folder) as site:
        yield site


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """Public names that all lead to the one site."""
    with proxying() as proxy:
        for name in ("talks.invalid", "www.talks.invalid", "elsewhere.invalid", "media.invalid"):
            proxy.lead(f"{name}:80", site.origin)
        yield proxy


def talks_only(url: str) -> None:
    host = str(urlsplit(url).hostname)
    if host != "talks.invalid" and not host.endswith(".talks.invalid"):
        raise StageError(f"{host} is not among the sites that may be fetched.")


def options(proxy: Proxy) -> DownloadOptions:
    return DownloadOptions(request_pause_s=0, proxy=proxy.address)


def fetch(path: str, proxy: Proxy, tmp_path: Path, private_origins: Collection[str] = ()) -> Download:
    folder = tmp_path / "download"
    folder.mkdir(exist_ok=True)
    return download(
        f"http://talks.invalid{path}",
        folder=folder,
        limits=LIMITS,
        options=options(proxy),
        check_page=talks_only,
        private_origins=private_origins,
    )


def test_recording_and_captions_may_lie_on_another_public_host(proxy: Proxy, site: Site, tmp_path: Path) -> None:
    site.add_page("/a.html", "http://media.invalid/talk.wav", ("en", "http://media.invalid/talk.vtt"))
    found = fetch("/a.html", proxy, tmp_path)
    assert found.captions_path is not None
    assert "GET http://media.invalid/talk.wav" in proxy.asked


def test_a_redirect_within_the_allowed_site_is_followed(proxy: Proxy, site: Site, tmp_path: Path) -> None:
    site.add_page("/b.html", "talk.wav")
    site.redirects["/a.html"] = "http://www.talks.invalid/b.html"
    assert fetch("/a.html", proxy, tmp_path).identity.url == "http://www.talks.invalid/b.html"


REFRESH = '<html><meta http-equiv="refresh" content="0; url=http://elsewhere.invalid/b.html"></html>'
FRAME = '<html><title>A</title><iframe src="https://www.youtube.com/embed/dQw4w9WgXcQ"></iframe></html>'


@pytest.mark.parametrize(
    ("kind", "shown"), [("redirect", "elsewhere"), ("refresh", "elsewhere"), ("frame", "www.youtube.com")]
)
def test_a_page_that_leads_to_a_site_that_is_not_allowed_is_left_there(
    kind: str, shown: str, proxy: Proxy, site: Site, tmp_path: Path
) -> None:
    site.add_page("/b.html", "talk.wav")
    if kind == "redirect":
        site.redirects["/a.html"] = "http://elsewhere.invalid/b.html"
    else:
        site.pages["/a.html"] = REFRESH if kind == "refresh" else FRAME
    with pytest.raises(StageError, match=f"{shown}.* not among the sites") as caught:
        fetch("/a.html", proxy, tmp_path)
    assert caught.value.permanent
    with pytest.raises(StageError, match="not among the sites"):
        download_captions(
            "http://talks.invalid/a.html", folder=tmp_path, limits=LIMITS, options=options(proxy), check_page=talks_only
        )
    assert (
        "not among the sites"
        in look_up(
            "http://talks.invalid/a.html", options(proxy), limits=LIMITS, allowed_origin=None, check_page=talks_only
        ).problem
    )
    if kind == "redirect":
        with pytest.raises(StageError, match="not among the sites"):
            read_list("http://talks.invalid/a.html", options=options(proxy), check_page=talks_only)
    assert "GET /talk.wav" not in site.requests
    assert not [asked for asked in proxy.asked if "youtube" in asked]


@pytest.mark.parametrize("kind", ["url", "url_transparent"])
@pytest.mark.parametrize(
    ("address", "ie_key", "sentence"),
    [
        ("http://elsewhere.invalid/b.html", None, "not among the sites"),
        ("dQw4w9WgXcQ", "Youtube", "www.youtube.com is not among the sites"),
        ("kaltura:1:2", "Kaltura", "another site .kaltura."),
        ("kaltura:1:2", None, "another site .kaltura:1:2"),
    ],
)
def test_an_extractor_that_hands_over_to_another_site_is_not_followed(
    kind: str,
    address: str,
    ie_key: str | None,
    sentence: str,
    proxy: Proxy,
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = {"_type": kind, "url": address, "ie_key": ie_key, "id": "a", "title": "A"}
    monkeypatch.setattr(GenericIE, "_real_extract", lambda *_: dict(answer))
    with pytest.raises(StageError, match=sentence):
        fetch("/a.html", proxy, tmp_path)
    assert proxy.asked == []


def test_a_page_of_a_known_site_that_redirects_elsewhere_is_not_read(
    proxy: Proxy, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extractors of known sites follow redirects without a word, unlike the one for any page."""
    site.add_page("/b.html", "talk.wav")
    site.redirects["/a.html"] = "http://elsewhere.invalid/b.html"
    monkeypatch.setattr(GenericIE, "_real_extract", lambda self, url: {"title": self._download_webpage(url, "a")})
    with pytest.raises(StageError, match="elsewhere.invalid is not among the sites"):
        fetch("/a.html", proxy, tmp_path)


@pytest.mark.parametrize("what", ["redirect", "media", "captions", "key", "piece"])
def test_no_public_page_opens_a_private_origin_that_other_pages_may(
    what: str, proxy: Proxy, site: Site, tmp_path: Path
) -> None:
    with serving(site.folder) as inside:
        inside.add_page("/b.html", "talk.wav")
        pages: dict[str, Any] = {
            "media": (f"{inside.origin}/talk.wav",),
            "captions": ("talk.wav", ("en", f"{inside.origin}/talk.vtt")),
        }
        if what == "redirect":
            site.redirects["/a.html"] = f"{inside.origin}/b.html"
        elif what in pages:
            site.add_page("/a.html", *pages[what])
        else:
            key = f'#EXT-X-KEY:METHOD=AES-128,URI="{inside.origin}/key"\n' if what == "key" else ""
            piece = "talk.wav" if key else f"{inside.origin}/talk.wav"
            (site.folder / "a.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n{key}#EXTINF:3,\n{piece}\n")
            site.add_page("/a.html", "a.m3u8", tag="video")
        with pytest.raises(StageError, match=r"private network|not among the sites"):
            fetch("/a.html", proxy, tmp_path, private_origins=[inside.origin])
        assert inside.requests == []
