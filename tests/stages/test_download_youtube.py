"""Downloads from the YouTube on loopback, through the stage as the worker calls it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.stages import captions
from pipeline.stages.download import Download, DownloadLimits, download, identify
from pipeline.stages.download_options import DownloadOptions, JsRuntime
from pipeline.stages.errors import StageError
from tests.loopback import serving
from tests.youtube.answers import MEDIA_HOST, challenge_n, right_signature
from tests.youtube.script import changed_n
from tests.youtube.site import Tube
from tests.youtube.videos import EMBEDDED, SPOKEN, TV, VISION, Video, automatic_track, manual_track

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=5)
NO_RUNTIME = JsRuntime("deno", Path("/nonexistent/deno"))
COOKIES = (
    "# Netscape HTTP Cookie File\n"
    ".youtube.com\tTRUE\t/\tTRUE\t4102444800\tLOGIN_INFO\tAFmmF2swRQIhAL\n"
    ".youtube.com\tTRUE\t/\tTRUE\t4102444800\tSAPISID\tabc/loopback\n"
    ".youtube.com\tTRUE\t/\tTRUE\t4102444800\t__Secure-3PAPISID\tabc/loopback\n"
    ".example.org\tTRUE\t/\tTRUE\t4102444800\tSECRET\tof-another-site\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "download"
    path.mkdir()
    return path


@pytest.fixture
def cookies(tmp_path: Path) -> Path:
    path = tmp_path / "cookies.txt"
    path.write_text(COOKIES)
    return path


def fetch(tube: Tube, video: Video, folder: Path, limits: DownloadLimits = LIMITS, **options: Any) -> Download:
    shared: dict[str, Any] = {"proxy": tube.proxy, "request_pause_s": 0}
    return download(video.address, folder=folder, limits=limits, options=DownloadOptions(**{**shared, **options}))


def media_of(tube: Tube) -> list[dict[str, str]]:
    return [one.query for one in tube.asked if one.path == "/videoplayback"]


# ---------------------------------------------------------------- what comes


def test_a_video_comes_with_its_sound_and_its_captions(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001", tracks=(manual_track(), automatic_track(), manual_track("de"))))

    found = fetch(tube, video, folder)

    assert found.audio_path.read_bytes() == video.media
    assert (found.title, found.duration_s, found.captions_kind) == ("A day in the garden", 12, "manual")
    assert found.identity == identify(video.address)
    assert found.captions_path is not None
    texts = [cue.text for cue in captions.read_captions(found.captions_path).cues]
    assert texts == [text for _, text in SPOKEN]
    with av.open(str(found.audio_path)) as container:
        assert container.streams.audio[0].codec_context.name.startswith("opus")
    assert tube.refused == []


def test_automatic_captions_are_taken_where_people_wrote_none(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001", tracks=(automatic_track(), manual_track("de"))))
    found = fetch(tube, video, folder)
    assert found.captions_kind == "automatic"
    assert found.captions_path is not None
    assert found.captions_path.read_text() == automatic_track().forms["json3"]


@pytest.mark.parametrize("tracks", [(), (manual_track("de"),), (automatic_track("de"),)], ids=["none", "de", "de-auto"])
def test_captions_in_other_languages_and_translations_are_no_english_captions(
    tracks: tuple[Any, ...], tube: Tube, folder: Path
) -> None:
    found = fetch(tube, tube.add(Video("garden_0001", tracks=tracks)), folder)
    assert (found.captions_path, found.captions_kind) == (None, "")
    assert "/api/timedtext" not in tube.paths()


def test_the_best_sound_is_asked_for_with_both_challenges_solved(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001"))
    fetch(tube, video, folder)
    (asked,) = media_of(tube)
    assert (asked["itag"], asked["c"]) == ("251", TV)
    # The fake would have answered 403 to anything else.
    assert (asked["n"], asked["sig"]) == (changed_n(challenge_n(video, TV)), right_signature(video, TV))


def test_the_original_sound_is_taken_before_a_dubbed_one(tube: Tube, folder: Path) -> None:
    fetch(tube, tube.add(Video("garden_0001", dubbed="de")), folder)
    assert [asked["xtags"] for asked in media_of(tube)] == ["lang=en"]


def test_only_the_known_names_are_opened(tube: Tube, folder: Path) -> None:
    fetch(tube, tube.add(Video("garden_0001", tracks=(automatic_track(),))), folder)
    assert {one.host for one in tube.asked} == {"www.youtube.com", MEDIA_HOST}
    assert tube.refused == []


def test_a_trailer_is_not_taken_for_the_film(tube: Tube, folder: Path) -> None:
    trailer = tube.add(Video("trailer0001", title="Trailer"))
    film = tube.add(Video("film_000001", verdict="rental", trailer=trailer.id))
    with pytest.raises(StageError, match="paid for") as caught:
        fetch(tube, film, folder)
    assert caught.value.permanent
    assert media_of(tube) == []


# ---------------------------------------------------------------- clients, runtime, cookies


def test_the_usual_clients_are_asked(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001"))
    fetch(tube, video, folder)
    assert tube.clients(video) == [TV, VISION]


def test_without_a_runtime_the_one_client_that_needs_none_is_asked(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001"))
    assert fetch(tube, video, folder, js_runtime=NO_RUNTIME).audio_path.read_bytes() == video.media
    assert tube.clients(video) == [VISION]
    assert media_of(tube)[0]["c"] == VISION


def test_the_clients_of_the_setting_are_asked(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001"))
    fetch(tube, video, folder, player_clients=("web_embedded",))
    assert tube.clients(video) == [EMBEDDED]
    assert media_of(tube)[0]["c"] == EMBEDDED


def test_a_video_made_for_children_comes_from_another_client(tube: Tube, folder: Path) -> None:
    unavailable = {TV: "not-available", VISION: "not-available"}
    video = tube.add(Video("garden_0001", verdicts=unavailable, made_for_kids=True))
    fetch(tube, video, folder)
    assert tube.clients(video) == [TV, VISION, EMBEDDED]


def test_an_unsolved_challenge_does_not_hide_what_comes_without(tube: Tube, folder: Path) -> None:
    tube.solvable = False
    fetch(tube, tube.add(Video("garden_0001")), folder)
    assert [one["c"] for one in media_of(tube)] == [VISION]


def test_a_wrongly_solved_challenge_ends_in_words(tube: Tube, folder: Path) -> None:
    tube.misleading = True
    with pytest.raises(StageError, match="HTTP 403") as caught:
        fetch(tube, tube.add(Video("garden_0001")), folder)
    assert not caught.value.permanent


def test_a_recording_that_crawls_is_given_up_for_now(tube: Tube, folder: Path) -> None:
    tube.misleading = True
    video = tube.add(Video("garden_0001", unsolved="crawl"))
    limits = replace(LIMITS, max_fetch_s=20, patience_s=0.5)
    with pytest.raises(StageError, match="so slowly") as caught:
        fetch(tube, video, folder, limits)
    assert not caught.value.permanent


def test_own_cookies_open_what_the_site_gives_to_accounts(tube: Tube, folder: Path, cookies: Path) -> None:
    video = tube.add(Video("garden_0001", verdict="bot", signed_in="ok", tracks=(automatic_track(),)))
    found = fetch(tube, video, folder, cookies=cookies)
    assert found.captions_kind == "automatic"
    assert tube.clients(video) == [EMBEDDED, TV]
    asked = [one for one in tube.asked if one.path == "/youtubei/v1/player"]
    assert all(one.authorization.startswith("SAPISIDHASH ") for one in asked)


def test_cookies_go_to_their_own_site_alone_and_stay_as_they_are(tube: Tube, folder: Path, cookies: Path) -> None:
    tube.ends_sessions = True
    fetch(tube, tube.add(Video("garden_0001")), folder, cookies=cookies)
    sent = {one.host: one.cookies for one in tube.asked if one.cookies}
    assert set(sent) == {"www.youtube.com"}
    assert not any("SECRET" in one.cookies for one in tube.asked)
    assert cookies.read_text() == COOKIES


def test_an_address_of_a_video_in_a_list_brings_the_video(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001"))
    found = download(
        f"{video.address}&list=PLgardeners01",
        folder=folder,
        limits=LIMITS,
        options=DownloadOptions(proxy=tube.proxy, request_pause_s=0),
    )
    assert found.identity == identify(video.address)


# ---------------------------------------------------------------- what is never opened


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("leading", ["media_address", "media_redirect", "captions_address"])
def test_nothing_leads_to_a_private_address(leading: str, name: str, scheme: str, tube: Tube, folder: Path) -> None:
    with serving(folder) as other:
        port = other.origin.rpartition(":")[2]
        treatment: dict[str, Any] = {leading: f"{scheme}://{name}:{port}/inside"}
        video = tube.add(Video("garden_0001", tracks=(automatic_track(),), **treatment))
        with pytest.raises(StageError, match="private network") as caught:
            fetch(tube, video, folder)
        assert other.requests == []
    assert caught.value.permanent
    assert tube.refused == []  # the proxy was not even asked


def test_a_name_that_is_not_the_sites_is_not_opened_by_the_proxy(tube: Tube, folder: Path) -> None:
    video = tube.add(Video("garden_0001", media_address="https://media.example.org/sound.webm"))
    with pytest.raises(StageError) as caught:
        fetch(tube, video, folder)
    assert not caught.value.permanent
    assert set(tube.refused) == {"media.example.org:443"}


def test_a_site_that_nobody_vouches_for_is_not_read(tube: Tube, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(StageError, match="certificate"):
        fetch(tube, tube.add(Video("garden_0001")), folder)
    assert tube.asked == []
