"""Which caption track is taken."""

from typing import Any

import pytest

from pipeline.stages.caption_choice import choose_captions


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
