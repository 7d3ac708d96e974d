"""What YouTube says instead of a recording, as yt-dlp raises it, and the sentence and outcome that users get."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.stages import ytdlp_options
from pipeline.stages.download import Download, DownloadLimits, download, download_captions
from pipeline.stages.download_options import DownloadOptions, JsRuntime
from pipeline.stages.errors import CaptionsTokenError, LockedRecordingError, SiteRefusesError, StageError
from tests.youtube.site import Tube
from tests.youtube.verdicts import PLAYED, REFUSALS
from tests.youtube.videos import TV, VISION, Video, automatic_track, manual_track

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=5)
NO_RUNTIME = JsRuntime("deno", Path("/nonexistent/deno"))

# What the site says → a part of the sentence. The video itself is at fault, so trying again cannot help.
FINAL = {
    "private": "private",
    "private-elsewhere": "private",
    "removed": "removed",
    "hate-speech": "removed",
    "violation": "removed",
    "terminated": "removed",
    "closed": "removed",
    "copyright": "copyright",
    "copyright-claim": "copyright",
    "members": "members",
    "members-level": "members",
    "premium": "members",
    "rental": "members",
    "age": "adults",
    "age-embedded": "adults",
    "geo": "country",
    "geo-elsewhere": "country",
    "geo-short": "country",
    "geo-copyright": "country",
    "live": "live broadcast",
    "upcoming": "not been broadcast yet",
    "live-soon": "not been broadcast yet",
    "live-ended": "live broadcast",
}
# The video may come another time; each has its own sentence.
PASSING = {
    "nonexistent": "no such video",
    "unavailable": "no such video",
    "sabr": "SABR",
    "empty": "named no recording",
    "not-available": "not available",
    "not-available-long": "not available",
    "content": "not available",
    "embedding-off": "not available",
    "please-sign-in": "signed-in",
    "error": "An error occurred",
    "processing": "still preparing",
    "reload": "loaded anew",
    "old-app": "update-downloader",
    "wrong": "Something went wrong",
    "403": "HTTP 403",
    "500": "did not answer",
}
# Every video of the site would be told the same, so that nothing is asked of it for a while.
REFUSING = {
    "bot": "not a bot.*own cookies",
    "captcha": "not a bot.*own cookies",
    "rate-limit": "pause.*own cookies",
    "blocked-address": "blocked the address.*own cookies",
    "429": "pause.*own cookies",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "download"
    path.mkdir()
    return path


def options_of(tube: Tube, **options: Any) -> DownloadOptions:
    return DownloadOptions(**{"proxy": tube.proxy, "request_pause_s": 0, **options})


def fetch(tube: Tube, folder: Path, options: DownloadOptions | None = None, **treatment: Any) -> Download:
    video = tube.add(Video("garden_0001", **{"tracks": (automatic_track(),), **treatment}))
    return download(video.address, folder=folder, limits=LIMITS, options=options or options_of(tube))


def refusal(tube: Tube, folder: Path, options: DownloadOptions | None = None, **treatment: Any) -> StageError:
    with pytest.raises(StageError) as caught:
        fetch(tube, folder, options, **treatment)
    return caught.value


def test_everything_that_the_site_says_is_judged_here() -> None:
    judged = {*FINAL, *PASSING, *REFUSING}
    assert {name for name in judged if not name.isdigit()} == {*REFUSALS, *PLAYED} - {"ok", "drm"}


# ---------------------------------------------------------------- the recording


@pytest.mark.parametrize(("said", "sentence"), FINAL.items())
def test_what_the_site_is_sure_of_is_permanent(said: str, sentence: str, tube: Tube, folder: Path) -> None:
    error = refusal(tube, folder, verdict=said)
    assert (sentence in error.message, error.permanent) == (True, True), error.message
    assert "/videoplayback" not in tube.paths()


@pytest.mark.parametrize("said", ["private", "removed", "members", "age", "geo", "live", "copyright"])
def test_it_is_so_without_a_runtime_too(said: str, tube: Tube, folder: Path) -> None:
    error = refusal(tube, folder, options_of(tube, js_runtime=NO_RUNTIME), verdict=said)
    assert (FINAL[said] in error.message, error.permanent) == (True, True), error.message


@pytest.mark.parametrize(("said", "sentence"), PASSING.items())
def test_what_may_pass_is_tried_again(said: str, sentence: str, tube: Tube, folder: Path) -> None:
    error = refusal(tube, folder, verdict=said)
    assert (sentence in error.message, error.permanent) == (True, False), error.message
    assert not isinstance(error, SiteRefusesError)


@pytest.mark.parametrize(("said", "sentence"), REFUSING.items())
def test_a_site_that_refuses_this_machine_rests_and_the_message_says_what_helps(
    said: str, sentence: str, tube: Tube, folder: Path
) -> None:
    with pytest.raises(SiteRefusesError, match=sentence) as caught:
        fetch(tube, folder, verdict=said)
    assert not caught.value.permanent
    assert caught.value.rest_s >= 3600


def test_a_protected_recording_is_named_as_such(tube: Tube, folder: Path) -> None:
    assert "DRM" in refusal(tube, folder, verdict="drm").message


@pytest.mark.parametrize(("status", "sentence"), [(403, "HTTP 403"), (404, "HTTP 404"), (503, "HTTP 503")])
def test_media_that_do_not_come_are_tried_again(status: int, sentence: str, tube: Tube, folder: Path) -> None:
    error = refusal(tube, folder, media_status=status)
    assert (sentence in error.message, error.permanent) == (True, False), error.message


def test_media_servers_can_ask_for_a_pause_too(tube: Tube, folder: Path) -> None:
    assert isinstance(refusal(tube, folder, media_status=429), SiteRefusesError)


@pytest.mark.timeout(60)
def test_a_runtime_that_hangs_ends_in_words(tube: Tube, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ytdlp_options, "RUNTIME_TIMEOUT_S", 1)
    hanging = folder.parent / "deno"
    hanging.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "deno 2.9.8" && exit\nexec sleep 1000\n')
    hanging.chmod(0o755)
    without = options_of(tube, js_runtime=JsRuntime("deno", hanging))
    error = refusal(tube, folder, without, verdicts={VISION: "not-available"})
    assert type(error) is LockedRecordingError
    assert "challenge was not solved" in error.message


@pytest.mark.parametrize("said", ["not-available", "sabr", "nonexistent"])
def test_without_a_runtime_no_video_is_given_up_and_the_message_names_it(said: str, tube: Tube, folder: Path) -> None:
    without = options_of(tube, js_runtime=NO_RUNTIME)
    error = refusal(tube, folder, without, verdicts={VISION: said})
    assert ("JavaScript runtime" in error.message, error.permanent) == (True, False), error.message
    assert fetch(tube, folder, verdicts={VISION: said}).captions_kind == "automatic"  # the same with one


@pytest.mark.parametrize("said", ["not-available", "sabr"])
def test_an_unsolved_challenge_is_not_the_videos_fault(said: str, tube: Tube, folder: Path) -> None:
    tube.solvable = False
    error = refusal(tube, folder, verdicts={VISION: said})
    assert ("challenge" in error.message, error.permanent) == (True, False), error.message
    tube.solvable = True
    assert fetch(tube, folder, verdicts={VISION: said}).captions_kind == "automatic"


def test_media_refused_for_an_unsolved_challenge_are_tried_again(tube: Tube, folder: Path) -> None:
    tube.solvable = False
    error = refusal(tube, folder, media_status=403)
    assert ("challenge" in error.message, error.permanent) == (True, False), error.message


def test_a_refusal_of_one_client_does_not_count_where_another_has_the_recording(tube: Tube, folder: Path) -> None:
    assert fetch(tube, folder, verdicts={TV: "bot"}).audio_path.stat().st_size > 0


@pytest.mark.parametrize("said", [{TV: "bot", VISION: "not-available"}, {TV: "not-available", VISION: "bot"}])
def test_where_clients_are_told_different_things_no_video_is_written_off(
    said: dict[str, str], tube: Tube, folder: Path
) -> None:
    assert not refusal(tube, folder, verdicts=said).permanent


def test_a_page_that_is_refused_alone_does_not_keep_the_recording_away(tube: Tube, folder: Path) -> None:
    tube.page_status = 429
    assert fetch(tube, folder).audio_path.stat().st_size > 0


def test_cookies_that_have_ended_are_named(tube: Tube, folder: Path, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    names = ("LOGIN_INFO", "SAPISID")
    lines = (f".youtube.com\tTRUE\t/\tTRUE\t4102444800\t{name}\tabc\n" for name in names)
    cookies.write_text("# Netscape HTTP Cookie File\n" + "".join(lines))
    tube.ends_sessions = True
    error = refusal(tube, folder, options_of(tube, cookies=cookies), verdict="bot")
    assert ("no longer valid" in error.message, error.permanent) == (True, False), error.message


# ---------------------------------------------------------------- the captions


@pytest.mark.parametrize(
    ("treatment", "sentence"),
    [
        ({"captions_status": 429}, "HTTP 429"),
        ({"captions_status": 403}, "HTTP 403"),
        ({"captions_status": 500}, "HTTP 500"),
        ({"hidden_token": True}, "empty"),
        ({"captions_token": True}, "token"),
    ],
)
@pytest.mark.parametrize("track", [automatic_track, manual_track])
def test_captions_fail_on_their_own(
    treatment: dict[str, Any], sentence: str, track: Any, tube: Tube, folder: Path
) -> None:
    found = fetch(tube, folder, tracks=(track(),), **treatment)
    assert found.audio_path.read_bytes() == tube.videos["garden_0001"].media
    assert (found.captions_path, found.captions_kind) == (None, "")
    assert found.captions_error is not None
    assert sentence in found.captions_error.message
    assert not found.captions_error.permanent
    assert isinstance(found.captions_error, CaptionsTokenError) is ("captions_token" in treatment)
    assert tube.paths().count("/videoplayback") == 1


@pytest.mark.parametrize("tracks", [(), (manual_track("de"),), (automatic_track("de"),)], ids=["none", "de", "de-auto"])
def test_no_english_captions_are_another_thing_than_captions_that_wait(
    tracks: tuple[Any, ...], tube: Tube, folder: Path
) -> None:
    found = fetch(tube, folder, tracks=tracks)
    assert (found.captions_path, found.captions_error) == (None, None)


def test_a_token_for_captions_in_other_languages_does_not_matter(tube: Tube, folder: Path) -> None:
    found = fetch(tube, folder, tracks=(manual_track("de"),), captions_token=True)
    assert (found.captions_path, found.captions_error) == (None, None)


def test_captions_are_fetched_alone_later(tube: Tube, folder: Path) -> None:
    fetch(tube, folder, captions_status=429)
    tube.videos["garden_0001"].captions_status = 200
    tube.asked.clear()
    found = download_captions(
        tube.videos["garden_0001"].address, folder=folder, limits=LIMITS, options=options_of(tube)
    )
    assert (found.kind, found.error) == ("automatic", None)
    assert found.path is not None
    assert found.path.read_text() == automatic_track().forms["json3"]
    assert "/videoplayback" not in tube.paths()
