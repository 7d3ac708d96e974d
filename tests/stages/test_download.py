"""Addresses, captions and real downloads from a site on loopback."""

import math
import shutil
import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.addresses import is_public, normalise, origin_of
from pipeline.stages.caption_choice import choose_captions
from pipeline.stages.download import Download, DownloadLimits, download, identify
from pipeline.stages.download_errors import explain
from pipeline.stages.errors import StageError
from tests.loopback import Site, serving

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)
ID = "i4b-_bNsajY"
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


# ---------------------------------------------------------------- identities


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={ID}",
        f"http://youtube.com/watch?v={ID}",
        f"https://www.youtube.com/watch?v={ID}&t=56s",
        f"https://www.youtube.com/watch?app=desktop&v={ID}&list=PLabcdef&index=3",
        f"https://m.youtube.com/watch?v={ID}&feature=youtu.be",
        f"https://music.youtube.com/watch?v={ID}",
        f"https://youtu.be/{ID}?t=12",
        f"https://youtu.be/{ID}?list=PLabcdef",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://www.youtube.com/live/{ID}?si=abc",
        f"https://www.youtube.com/embed/{ID}?start=3",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"HTTPS://WWW.YouTube.com/watch?v={ID}#t=3",
        f"  https://www.youtube.com/watch?v={ID}\n",
    ],
)
def test_all_spellings_of_a_youtube_video_are_one(url: str) -> None:
    identity = identify(url)
    assert (identity.extractor, identity.extractor_id) == ("youtube", ID)
    assert identity.url == f"https://www.youtube.com/watch?v={ID}"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=PLabcdefghijk",
        "https://www.youtube.com/@somebody",
        "https://www.youtube.com/",
        "https://www.youtube.com/watch?v=short",
        f"https://www.youtube.com/watch?v={ID}EXTRA",
        "https://vimeo.com/album/2632481",
    ],
)
def test_what_is_not_one_video_is_refused(url: str) -> None:
    with pytest.raises(StageError, match="one video|one YouTube video"):
        identify(url)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "ftp://example.org/a.mp3", "file:///etc/passwd", "https://", "http://[::1", "https://exa mple.org/",
     "javascript:alert(1)", "http://example.org:notaport/", "data:text/html,hello"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(StageError, match="web address"):
        identify(text)


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(StageError, match="user name"):
        identify("https://ada:secret@example.org/talk")


def test_other_sites_keep_their_own_ids() -> None:
    assert identify("https://vimeo.com/76979871?share=copy").extractor_id == "76979871"
    assert identify("https://vimeo.com/76979871").extractor == "vimeo"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.ORG:80", "http://example.org/"),
        ("https://example.org:443/a?utm_source=x&b=1&utm_medium=y#part", "https://example.org/a?b=1"),
        ("https://example.org:8443/a?b", "https://example.org:8443/a?b"),
        ("https://example.org./Straße", "https://example.org/Stra%C3%9Fe"),
        ("https://example.org/a%20b", "https://example.org/a%20b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_a_page_has_one_spelling(url: str, expected: str) -> None:
    assert normalise(url) == expected
    assert normalise(expected) == expected
    identity = identify(url)
    assert (identity.extractor, identity.extractor_id) == ("generic", expected)


def test_origins_drop_the_usual_port_only() -> None:
    assert origin_of("http://127.0.0.1:8799/a") == "http://127.0.0.1:8799"
    assert origin_of("https://example.org:443/a") == "https://example.org"


# ---------------------------------------------------------------- captions


def track(*endings: str) -> list[dict[str, str]]:
    return [{"ext": ending, "url": f"https://example.org/captions.{ending}"} for ending in endings]


@pytest.mark.parametrize(
    ("people", "automatic", "expected"),
    [
        ({"en": track("vtt", "srt", "json3")}, {}, ("json3", "manual")),
        ({"en": track("srt", "vtt")}, {"en": track("json3")}, ("vtt", "manual")),
        ({"en-GB": track("srt")}, {"en-orig": track("json3")}, ("srt", "manual")),
        ({"de": track("json3")}, {"en-orig": track("vtt"), "en": track("json3")}, ("vtt", "automatic")),
        ({}, {"en": track("vtt")}, ("vtt", "automatic")),
        ({}, {"en-US": track("srt")}, ("srt", "automatic")),
        ({"en-nP7-2PuUl7o": track("vtt")}, {}, ("vtt", "manual")),
        ({"English": track("vtt")}, {}, ("vtt", "manual")),
        ({"en": track("ttml", "srv1")}, {}, None),
        ({"ensomething": track("vtt")}, {}, None),
        ({None: track("vtt")}, {}, None),
        ({}, {}, None),
    ],
)
def test_peoples_captions_come_first_and_json3_before_vtt_before_srt(
    people: Any, automatic: Any, expected: Any
) -> None:
    choice = choose_captions(people, automatic)
    assert (choice and (choice[0]["ext"], choice[1])) == expected


@pytest.mark.parametrize(
    "automatic",
    [{"de-orig": track("vtt"), "en": track("vtt")}, {"en-de": track("vtt")}],
)
def test_machine_translations_into_english_are_no_captions(automatic: Any) -> None:
    assert choose_captions({}, automatic) is None


def test_plain_english_comes_before_a_named_variant() -> None:
    tracks = {"en-abc": track("json3"), "en-GB": track("vtt"), "en": track("srt")}
    choice = choose_captions(tracks, {})
    assert choice is not None
    assert choice[0]["ext"] == "srt"


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
        ("/talk.vtt", 429, False, "pause"),
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


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


# ---------------------------------------------------------------- errors told by text


@pytest.mark.parametrize(
    ("text", "permanent", "sentence"),
    [
        ("Private video. Sign in if you've been granted access", True, "private"),
        ("This video has been removed by the uploader", True, "removed"),
        ("The uploader has not made this video available in your country", True, "country"),
        ("Sign in to confirm your age", True, "adults"),
        ("Join this channel to get access to members-only content", True, "paying"),
        ("Sign in to confirm you’re not a bot", False, "pause"),
        ("Video unavailable", True, "no such video"),
        ("Requested format is not available", True, "no recording with sound"),
        ("Unsupported URL: https://example.org/", True, "no recording"),
        ("Unable to extract player version; please report this issue on ...", False, "could not be read"),
    ],
)
def test_what_a_site_says_becomes_a_sentence(text: str, permanent: bool, sentence: str) -> None:
    from yt_dlp.utils import DownloadError, ExtractorError

    cause = ExtractorError(text, expected=True)
    error = explain(DownloadError(f"ERROR: [youtube] {ID}: {text}", (ExtractorError, cause, None)))
    assert sentence in error.message
    assert error.permanent is permanent


def test_an_error_of_this_program_is_not_explained_away() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
