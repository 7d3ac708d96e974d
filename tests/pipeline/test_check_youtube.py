"""The command `check_downloads` against the YouTube on loopback: what it would fetch, and what each client was told."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.youtube.site import Tube
from tests.youtube.videos import VISION, Video, automatic_track, manual_track


@pytest.fixture(autouse=True)
def _through_the_tube(tube: Tube, settings: Any) -> None:
    settings.DOWNLOAD_PROXY = tube.proxy
    settings.DOWNLOAD_REQUEST_PAUSE_S = 0


def look_at(video: Video) -> tuple[dict[str, Any], str]:
    """The document that is printed, and the failure in words."""
    out, failure = StringIO(), ""
    try:
        call_command("check_downloads", video.address, "--format", "json", stdout=out, stderr=StringIO())
    except CommandError as error:
        failure = str(error)
    return json.loads(out.getvalue()), failure


def test_it_tells_what_would_be_fetched_and_fetches_nothing(tube: Tube) -> None:
    video = tube.add(Video("garden_0001", tracks=(manual_track(), automatic_track(), manual_track("de"))))
    document, failure = look_at(video)
    found = document["video"]
    assert (failure, document["ready"], found["problem"]) == ("", [], "")
    assert found["captions_need_token"] is False
    assert (found["title"], found["duration_s"]) == ("A day in the garden", 12)
    assert [form["id"] for form in found["formats"] if form["chosen"]] == ["251"]
    assert [(one["kind"], one["language"]) for one in found["captions"] if one["chosen"]] == [("manual", "en")]
    assert {(one["kind"], one["language"]) for one in found["captions"]} >= {("manual", "de"), ("automatic", "en")}
    assert [(one["name"], one["status"]) for one in found["clients"]] == [
        ("tv_samsung", "OK"),
        ("visionos", "OK"),
        ("web", "OK"),
    ]
    assert not {"/videoplayback", "/api/timedtext"}.intersection(tube.paths())
    assert tube.refused == []


def test_it_tells_what_each_client_was_told(tube: Tube) -> None:
    document, failure = look_at(tube.add(Video("garden_0001", verdict="bot", verdicts={VISION: "not-available"})))
    assert failure
    told = {one["name"]: (one["status"], one["reason"]) for one in document["video"]["clients"]}
    assert told["tv_samsung"] == ("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot")
    assert told["visionos"] == ("UNPLAYABLE", "This video is not available")
    assert document["video"]["problem"]


def test_a_missing_runtime_is_a_problem_with_what_to_do(tube: Tube, settings: Any) -> None:
    settings.DOWNLOAD_JS_RUNTIME = "deno:/nonexistent/deno"
    video = tube.add(Video("garden_0001", verdicts={VISION: "not-available"}))
    document, failure = look_at(video)
    assert failure
    assert any("runtime" in json.dumps(problem) for problem in document["ready"])
    assert "JavaScript runtime" in document["video"]["problem"]
    assert tube.clients(video) == [VISION]


def test_captions_that_need_a_token_are_told(tube: Tube) -> None:
    video = tube.add(Video("garden_0001", tracks=(manual_track(),), captions_token=True))
    document, failure = look_at(video)
    assert (failure, document["video"]["captions"]) == ("", [])
    assert document["video"]["captions_need_token"] is True
    assert "PO token" in " ".join(document["video"]["warnings"])
    assert not {"/videoplayback", "/api/timedtext"}.intersection(tube.paths())


def test_the_command_says_in_words_that_captions_need_a_token(tube: Tube) -> None:
    video = tube.add(Video("garden_0001", tracks=(manual_track(),), captions_token=True))
    out = StringIO()
    call_command("check_downloads", video.address, stdout=out)
    assert "\ncaptions    English ones need a token" in out.getvalue()
