"""Real downloads from a site on loopback."""

import math
import shutil
import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.download import Download, DownloadLimits, _identity, download, download_captions, identify
from pipeline.stages.errors import SiteRefusesError, StageError
from tests.loopback import Site, serving

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)
VTT = "WEBVTT\n\n00:00.000 --> 00:02.500\nWe had a wonderful day here.\n"
SRT = "1\n00:00:00,000 --> 00:00:02,500\nWe had a wonderful day here.\n"
JSON3 = '{"wireMagic": "pb3", "events": [{"tStartMs": 0, "dDurationMs": 2500, "segs": [{"utf8": "We had a day."}]}]}'


def write_tone(path: Path, seconds: float = 3.0, rate_hz: int = 8000) -> None:
    samples = (int(8000 * math.sin(2 * math.pi * 440 * n / rate_hz)) for n in range(int(seconds * rate_hz)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    write_tone(folder / "talk.wav")
    (folder / "talk.vtt").write_text(VTT)
    (folder / "talk.srt").write_text(SRT)
    (folder / "talk.json3").write_text(JSON3)
    with serving(folder) as site:
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "download"
    path.mkdir()
    return path


def fetch(url: str, folder: Path, site: Site, **options: Any) -> Download:
    return download(url, folder=folder, **{"limits": LIMITS, "private_origins": [site.origin], **options})


# ---------------------------------------------------------------- downloads


@pytest.mark.parametrize("tag", ["audio", "video"])
def test_one_extraction_brings_the_recording_and_its_captions(tag: str, site: Site, folder: Path) -> None:
    tracks = [("de", "talk.vtt"), ("en", "talk.vtt"), ("en", "talk.json3"), ("en", "talk.srt")]
    url = site.add_page("/a.html", "talk.wav", *tracks, tag=tag, title="A day & a night")

    found = fetch(url, folder, site)

    assert found.audio_path.read_bytes() == (site.folder / "talk.wav").read_bytes()
    assert found.captions_path is not None
    assert found.captions_path.read_text() == JSON3
    assert (found.title, found.captions_kind, found.duration_s) == ("A day & a night", "manual", None)
    assert found.identity == identify(url)
    assert site.requests == ["GET /a.html", "GET /talk.json3", "GET /talk.wav"]


@pytest.mark.parametrize(("ending", "content"), [("vtt", VTT), ("srt", SRT)])
def test_it_takes_what_captions_there_are(ending: str, content: str, site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav", ("en-US", f"talk.{ending}"))
    captions = fetch(url, folder, site).captions_path
    assert captions is not None
    assert captions.read_text() == content


def test_a_page_without_english_captions_still_gives_its_recording(site: Site, folder: Path) -> None:
    found = fetch(site.add_page("/a.html", "talk.wav", ("fr", "talk.vtt")), folder, site)
    assert (found.captions_path, found.captions_kind) == (None, "")
    assert found.audio_path.stat().st_size > 0


def test_captions_that_are_gone_are_no_captions(site: Site, folder: Path) -> None:
    found = fetch(site.add_page("/a.html", "talk.wav", ("en", "missing.vtt")), folder, site)
    assert (found.captions_path, found.captions_kind) == (None, "")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_captions_that_are_refused_leave_the_recording(status: int, site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav", ("en", "talk.vtt"))
    site.fail("/talk.vtt", status)
    found = fetch(url, folder, site)
    assert found.audio_path.read_bytes() == (site.folder / "talk.wav").read_bytes()
    assert (found.captions_path, found.captions_kind) == (None, "")
    assert found.captions_error is not None
    assert f"HTTP {status}" in found.captions_error.message
    assert not found.captions_error.permanent
    assert site.requests.count("GET /talk.wav") == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "empty file"),
        ("\ufeff\n \n", "empty file"),
        ("<!DOCTYPE html><html><title>Before you continue</title></html>", "web page"),
        ("\ufeff\n<html lang=en><body>Sorry</body></html>", "web page"),
    ],
)
def test_an_answer_in_place_of_captions_is_not_taken_for_them(
    body: str, sentence: str, site: Site, folder: Path
) -> None:
    (site.folder / "talk.vtt").write_text(body)
    found = fetch(site.add_page("/a.html", "talk.wav", ("en", "talk.vtt")), folder, site)
    assert found.audio_path.is_file()
    assert found.captions_path is None
    assert found.captions_error is not None
    assert sentence in found.captions_error.message


def test_captions_that_break_off_leave_the_recording(site: Site, folder: Path) -> None:
    with serving(site.folder) as other:
        gone = other.origin
    url = site.add_page("/a.html", "talk.wav", ("en", f"{gone}/talk.vtt"))
    with pytest.raises(StageError, match="private network"):
        fetch(url, folder, site)
    site.slow["/talk.vtt"] = 2
    (site.folder / "talk.vtt").write_text(VTT + "\n" * 50_000)
    url = site.add_page("/b.html", "talk.wav", ("en", "talk.vtt"))
    found = fetch(url, folder, site, limits=DownloadLimits(3600, 10_000_000, socket_timeout_s=0.3))
    assert found.captions_path is None
    assert found.captions_error is not None
    assert "connection broke" in found.captions_error.message


def test_captions_are_fetched_alone(site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav", ("en", "talk.json3"))
    found = download_captions(url, folder=folder, limits=LIMITS, private_origins=[site.origin])
    assert found.path is not None
    assert (found.path.read_text(), found.kind, found.error) == (JSON3, "manual", None)
    assert site.requests == ["GET /a.html", "GET /talk.json3"]


def test_captions_alone_fail_as_a_whole_does(site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav", ("en", "talk.vtt"))
    site.fail("/talk.vtt", 429, times=1)
    found = download_captions(url, folder=folder, limits=LIMITS, private_origins=[site.origin])
    assert found.path is None
    assert found.error is not None
    site.fail("/a.html", 429)
    with pytest.raises(SiteRefusesError, match="pause"):
        download_captions(url, folder=folder, limits=LIMITS, private_origins=[site.origin])


def test_files_have_names_made_here(site: Site, folder: Path) -> None:
    shutil.copy(site.folder / "talk.wav", site.folder / "evil name.sh.wav")
    fetch(site.add_page("/a.html", "evil name.sh.wav?/../x.py", ("en", "talk.vtt?../y.sh")), folder, site)
    assert sorted(path.name for path in folder.iterdir()) in (["recording"], ["recording", "recording.en.vtt"])


def test_progress_counts_bytes_up_to_the_whole(site: Site, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch(site.add_page("/a.html", "talk.wav"), folder, site, progress=lambda done, total: seen.append((done, total)))
    size = (site.folder / "talk.wav").stat().st_size
    assert seen[-1] == (size, size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_redirect_ends_in_the_identity_of_where_it_leads(site: Site, folder: Path) -> None:
    url = site.add_page("/b.html", "talk.wav")
    site.redirects["/a.html"] = "/b.html"
    assert fetch(site.origin + "/a.html", folder, site).identity == identify(url)


def test_two_files_of_one_archive_item_are_two_videos() -> None:
    item = "https://archive.org/details/gd1977"
    assert _identity(f"{item}/01.flac", item) == identify(f"{item}/01.flac")
    assert _identity(item, f"{item}-2") == identify(f"{item}-2")
    assert _identity("https://example.org/a/b.mp3", "https://example.org/a").url == "https://example.org/a"


@pytest.mark.parametrize(
    ("path", "status", "permanent", "sentence"),
    [
        ("/a.html", 404, True, "nothing at this address"),
        ("/a.html", 410, True, "nothing at this address"),
        ("/a.html", 401, True, "password"),
        ("/a.html", 451, True, "legal"),
        ("/a.html", 429, False, "pause"),
        ("/a.html", 503, False, "HTTP 503"),
        ("/talk.wav", 404, True, "nothing at this address"),
        ("/talk.wav", 403, False, "HTTP 403"),
        ("/talk.wav", 429, False, "pause"),
        ("/talk.wav", 500, False, "HTTP 500"),
    ],
)
def test_http_errors_are_told_by_kind(
    path: str, status: int, permanent: bool, sentence: str, site: Site, folder: Path
) -> None:
    url = site.add_page("/a.html", "talk.wav", ("en", "talk.vtt"))
    site.fail(path, status)
    with pytest.raises(StageError, match=sentence) as caught:
        fetch(url, folder, site)
    assert caught.value.permanent is permanent


def test_a_passing_error_of_the_media_server_is_got_over(site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav")
    site.fail("/talk.wav", 503, times=1)
    assert fetch(url, folder, site).audio_path.is_file()


def test_a_site_that_does_not_answer_may_do_so_later(site: Site, folder: Path) -> None:
    with serving(site.folder) as other:
        gone = other.origin
    with pytest.raises(StageError, match="did not answer") as caught:
        fetch(f"{gone}/a.html", folder, site, private_origins=[gone])
    assert not caught.value.permanent


def test_a_silent_server_is_given_up(site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav")
    site.slow["/talk.wav"] = 1.5
    with pytest.raises(StageError) as caught:
        fetch(url, folder, site, limits=DownloadLimits(3600, 10_000_000, socket_timeout_s=0.3))
    assert not caught.value.permanent


@pytest.mark.parametrize("length", [True, False])
def test_a_recording_over_the_size_limit_is_refused(length: bool, site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav")
    if not length:
        site.without_length.add("/talk.wav")
    with pytest.raises(StageError, match="larger than") as caught:
        fetch(url, folder, site, limits=DownloadLimits(3600, 10_000))
    assert caught.value.permanent


@pytest.mark.parametrize("body", ["<p>Nothing here.</p>", '<audio src="talk.wav"></audio><audio src="b.wav"></audio>'])
def test_a_page_without_exactly_one_recording_is_refused(body: str, site: Site, folder: Path) -> None:
    site.pages["/a.html"] = f"<html><title>Page</title>{body}</html>"
    with pytest.raises(StageError, match="no recording|several recordings") as caught:
        fetch(site.origin + "/a.html", folder, site)
    assert caught.value.permanent
    assert "GET /talk.wav" not in site.requests


# ---------------------------------------------------------------- what is never opened


def test_a_private_address_is_not_opened(site: Site, folder: Path) -> None:
    url = site.add_page("/a.html", "talk.wav")
    with pytest.raises(StageError, match="private network"):
        fetch(url, folder, site, private_origins=[])
    assert site.requests == []


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_an_allowed_origin_opens_no_other_private_server(name: str, site: Site, folder: Path) -> None:
    with serving(site.folder) as other:
        port = other.origin.rpartition(":")[2]
        other.add_page("/b.html", "talk.wav")
        site.redirects["/a.html"] = f"http://{name}:{port}/b.html"
        with pytest.raises(StageError, match="private network") as caught:
            fetch(site.origin + "/a.html", folder, site)
        assert other.requests == []
    assert caught.value.permanent


def test_media_and_captions_on_a_private_server_are_not_opened(site: Site, folder: Path) -> None:
    with serving(site.folder) as other:
        for url in (
            site.add_page("/a.html", f"{other.origin}/talk.wav"),
            site.add_page("/b.html", "talk.wav", ("en", f"{other.origin}/talk.vtt")),
        ):
            with pytest.raises(StageError, match="private network"):
                fetch(url, folder, site)
        assert other.requests == []


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/etc/hostname"])
def test_redirects_leave_the_web_for_nothing(target: str, site: Site, folder: Path) -> None:
    site.redirects["/a.html"] = target
    with pytest.raises(StageError):
        fetch(site.origin + "/a.html", folder, site)
