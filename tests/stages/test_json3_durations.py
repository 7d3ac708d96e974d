"""json3 whose durations are placeholders, missing or too short: the same segments as from the VTT of the track."""

import json
from typing import Any

import pytest

from pipeline.stages.captions import SEGMENTATION_POLICIES, CaptionTrack, read_captions, segment
from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import read_vtt

LINES = [
    (1000, "so the first thing we did that summer was to sell the house"),
    (8200, "and my brother cried for days he would not eat"),
    (14_100, "then came the letters from my grandmother who had gone away"),
    (19_000, "now it is fine"),
]
END_MS = 21_000


def clock(time_ms: int) -> str:
    return f"00:00:{time_ms // 1000:02}.{time_ms % 1000:03}"


def vtt() -> str:
    """The track as YouTube's VTT: each line is shown while it is spoken, and above the next one."""
    blocks, above = ["WEBVTT"], " "
    for number, (start_ms, text) in enumerate(LINES):
        end_ms = LINES[number + 1][0] - 10 if number + 1 < len(LINES) else END_MS
        blocks.append(f"{clock(start_ms)} --> {clock(end_ms)} align:start position:0%\n{above}\n{text}")
        if number + 1 < len(LINES):
            blocks.append(f"{clock(end_ms)} --> {clock(end_ms + 10)} align:start position:0%\n{text}\n ")
        above = text
    return "\n\n".join(blocks) + "\n"


def json3(durations: list[int | None], **line_end: Any) -> str:
    events: list[dict[str, Any]] = []
    for number, ((start_ms, text), duration_ms) in enumerate(zip(LINES, durations, strict=True)):
        event = {"tStartMs": start_ms, "segs": [{"utf8": text, "acAsrConf": 0}]}
        events.append(event if duration_ms is None else {**event, "dDurationMs": duration_ms})
        if number + 1 < len(LINES):
            events.append({"tStartMs": LINES[number + 1][0] - 10, "segs": [{"utf8": "\n"}], **line_end})
    return json.dumps({"events": events})


def spans(track: CaptionTrack, policy: str) -> list[tuple[int, int, str]]:
    """Utterances without the cues of 10 ms that only VTT has."""
    utterances = segment(track, SEGMENTATION_POLICIES[policy])
    return [(u.start_ms, u.end_ms, u.text) for u in utterances if u.end_ms - u.start_ms > 10]


@pytest.mark.parametrize("policy", SEGMENTATION_POLICIES)
@pytest.mark.parametrize("line_end", [{"aAppend": 1}, {"aAppend": 1, "dDurationMs": 3000}, {}], ids=str)
@pytest.mark.parametrize(
    "durations",
    [
        [3000, 3000, 3000, 2000],
        [30_000, 30_000, 30_000, 2000],
        [None, None, None, 2000],
        [100, 200, 150, 2000],
        [13_000, 10_800, 6900, 2000],
        [3000, 10_800, 3000, 2000],
        [0, 0, 6900, 2000],
    ],
    ids=str,
)
def test_the_line_end_tells_when_a_line_ends(policy, line_end, durations):
    assert spans(read_json3(json3(durations, **line_end)), policy) == spans(read_vtt(vtt()), policy)


def test_word_times_behind_a_placeholder_duration_are_right():
    segs = [{"utf8": "so"}, {"utf8": " it", "tOffsetMs": 2500}, {"utf8": " goes", "tOffsetMs": 5000}]
    events = [{"tStartMs": at, "dDurationMs": 3000, "segs": segs} for at in (1000, 9000)]
    track = read_json3(json.dumps({"events": events}))
    assert [word.start_ms for cue in track.cues for word in cue.words] == [1000, 3500, 6000, 9000, 11_500, 14_000]
    assert track.problems == ()


def test_a_duration_too_short_for_the_text_is_estimated_up_to_the_next_event():
    text = "that is more than anybody says in a moment"
    events = [{"tStartMs": at, "dDurationMs": 500, "segs": [{"utf8": text}]} for at in (0, 2000)]
    track = read_json3(json.dumps({"events": events}))
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(0, 2000), (2000, 2000 + 9 * 200 + 34 * 80)]


def test_a_true_duration_of_a_line_with_word_times_ends_before_a_pause():
    """As in real files, where most durations reach into the next line and one does not."""
    events: list[dict[str, Any]] = []
    for start_ms, duration_ms in ((0, 4000), (2000, 4100), (4000, 1500), (9000, 2000)):
        segs = [{"utf8": "well"}, {"utf8": " yes", "tOffsetMs": 700}]
        events.append({"tStartMs": start_ms, "dDurationMs": duration_ms, "segs": segs})
        events.append({"tStartMs": start_ms + 1990, "aAppend": 1, "segs": [{"utf8": "\n"}]})
    track = read_json3(json.dumps({"events": events}))
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(0, 1990), (2000, 3990), (4000, 5500), (9000, 11_000)]


@pytest.mark.shared_data
@pytest.mark.parametrize("policy", SEGMENTATION_POLICIES)
def test_both_shapes_of_a_track_with_placeholders_give_the_same_segments(shared_data, policy):
    shapes = [read_captions(shared_data / "field" / f"placeholder_durations.{form}") for form in ("json3", "vtt")]
    assert spans(shapes[0], policy) == spans(shapes[1], policy)
    assert spans(shapes[0], "seed-2019")[0][:2] == (98_560, 106_950)


def test_a_line_whose_words_are_coloured_one_after_another_ends_with_its_last_event():
    words = ["I ", "never ", "thought ", "that ", "we ", "would ", "win"]
    segs = [[{"utf8": word, "pPenId": 1 + (n == at)} for n, word in enumerate(words)] for at in range(len(words))]
    events = [{"tStartMs": n * 400, "dDurationMs": 400, "segs": pieces} for n, pieces in enumerate(segs)]
    (utterance,) = segment(read_json3(json.dumps({"events": events})), SEGMENTATION_POLICIES["recommended"])
    assert (utterance.start_ms, utterance.end_ms, utterance.text) == (0, 2800, "".join(words))
