"""What would be fetched from an address, asked of a real site on loopback; no media is fetched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.download import DownloadLimits
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.ytdlp_lookup import Lookup, _Asker, look_up
from tests.loopback import Site, serving
from tests.stages.test_download import write_tone

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10**9, socket_timeout_s=3)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    write_tone(tmp_path / "talk.wav")
    with serving(tmp_path) as site:
        yield site


def look(url: str, site: Site, origin: str | None = "") -> Lookup:
    allowed = site.origin if origin == "" else origin
    return look_up(url, DownloadOptions(), limits=LIMITS, allowed_origin=allowed)


def test_title_formats_and_captions_are_told_and_nothing_is_fetched(site: Site) -> None:
    tracks = [("de", "deutsch.vtt"), ("en", "talk.srt"), ("en", "talk.vtt")]
    found = look(site.add_page("/a.html", "talk.wav", *tracks, title="A day"), site)
    assert found.problem == ""
    assert found.title.startswith("A day")
    assert [(one.container, one.chosen) for one in found.formats] == [("wav", True)]
    assert [(one.kind, one.language, one.formats, one.chosen) for one in found.captions] == [
        ("manual", "de", ("vtt",), False),
        ("manual", "en", ("srt", "vtt"), True),
    ]
    assert not [request for request in site.requests if "talk" in request]


def test_a_page_that_cannot_be_read_is_told_in_a_sentence(site: Site) -> None:
    site.fail("/a.html", 500)
    found = look(site.origin + "/a.html", site)
    assert "HTTP 500" in found.problem
    assert "tried again" not in found.problem
    assert found.formats == ()


def test_a_private_address_is_not_asked(site: Site) -> None:
    found = look(site.add_page("/a.html", "talk.wav"), site, origin=None)
    assert "private network" in found.problem
    assert site.requests == []


def test_each_client_of_youtubes_player_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers come from the extractor's own methods; here they are given in its place."""
    from yt_dlp.extractor.youtube import YoutubeIE

    answers: dict[str, Any] = {
        "tv": {"playabilityStatus": {"status": "OK"}, "streamingData": {"adaptiveFormats": [{}, {}]}},
        "web": {"playabilityStatus": {"status": "LOGIN_REQUIRED", "reason": "Sign in to  confirm you’re not a bot"}},
    }
    page = {"playabilityStatus": {"status": "OK"}, "streamingData": {"__yt_dlp_client": "web_safari", "formats": [{}]}}
    monkeypatch.setattr(YoutubeIE, "_extract_player_response", lambda self, client, *args, **kwargs: answers[client])
    monkeypatch.setattr(YoutubeIE, "_extract_player_responses", lambda self, *args: ([None, page], None))
    with _Asker(DownloadOptions(), LIMITS, None) as asker:
        extractor = asker.get_info_extractor("Youtube")
        assert asker.get_info_extractor("Youtube") is extractor
        for client in answers:
            extractor._extract_player_response(client, "id")
        with pytest.raises(KeyError):
            extractor._extract_player_response("mweb", "id")
        extractor._extract_player_responses("clients")
    heard = [(one.name, one.status, one.reason, one.formats) for one in asker.answers.values()]
    assert heard == [
        ("tv", "OK", "", 2),
        ("web", "LOGIN_REQUIRED", "Sign in to confirm you’re not a bot", 0),
        ("mweb", "no answer", "'mweb'", 0),
        ("web_safari", "OK", "", 1),
    ]


def test_what_a_download_would_refuse_is_told_beside_what_is_known(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    from yt_dlp.extractor.generic import GenericIE

    url = site.add_page("/a.html", "talk.wav")
    real: Any = GenericIE._real_extract
    for more, words in (
        ({"duration": 7200}, "lasts 120 minutes"),
        ({"live_status": "is_live"}, "live broadcast"),
        ({"filesize": 10**10}, "MAX_VIDEO_BYTES"),
        ({"url": "rtmp://127.0.0.1/a", "protocol": "rtmp"}, "protocol rtmp"),
    ):
        form = {"format_id": "0", "ext": "wav", "url": url, **more}
        answer = {"id": "a", "title": "A day", "formats": [form], **more}
        monkeypatch.setattr(GenericIE, "_real_extract", lambda self, url, answer=answer: dict(answer))
        found = look(url, site)
        assert words in found.problem
        assert found.title.startswith("A day")  # yt-dlp writes the date behind a broadcast
    monkeypatch.setattr(GenericIE, "_real_extract", real)
    assert look(url, site).problem == ""


def test_warnings_are_kept_once_and_errors_are_told_by_the_problem() -> None:
    with _Asker(DownloadOptions(), LIMITS, None) as asker:
        asker.report_warning("Some formats\n  are missing")
        asker.report_warning("Some formats are missing")
        asker.params["ignoreerrors"] = True
        asker.report_error("Sign in")
    assert asker.listener.warnings == ["Some formats are missing"]


def test_what_is_printed_holds_nothing_that_controls_a_terminal(site: Site) -> None:
    found = look(site.add_page("/a.html", "talk.wav", title="A \x1b[2Jday\x9b31m\u202e"), site)
    assert found.title.startswith("A [2Jday31m")
    assert all(one.isprintable() for one in found.title)
