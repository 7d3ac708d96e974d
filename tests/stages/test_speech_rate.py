"""More words than anybody says: told by words and by characters, never of real speech."""

import csv
from pathlib import Path

import pytest

from pipeline.stages.captions import SegmentationPolicy, nothing_usable, read_captions, segment
from pipeline.stages.segmentation import TOO_FAST
from pipeline.stages.speech_rate import too_fast
from tests.stages.shown import RECOMMENDED, SEED, every, track_of


@pytest.mark.parametrize(
    ("text", "length_ms", "fast"),
    [
        ("we went on " * 8, 3000, False),
        ("we went on " * 9, 3000, True),
        ("遠" * 80, 2000, False),
        ("遠" * 81, 2000, True),
        ("so [a very very very very very very very very very very long sound] it was", 2000, False),
    ],
)
def test_it_tells_what_nobody_can_say(text, length_ms, fast):
    assert too_fast(text, length_ms) is fast


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_a_transcript_squeezed_into_seconds_is_left_out_with_its_own_reason(policy):
    track = track_of([(0, 2500, "Elephants never forget large rivers near villages. " * 5)])
    utterances = segment(track, policy)
    assert {u.reason for u in utterances} <= {TOO_FAST, "shorter than 2 s"}
    assert TOO_FAST in nothing_usable(utterances)


def test_three_lines_of_a_roll_up_are_not_one_line_said_fast():
    lines = [f"number {n} of many lines is here now" for n in range(8)]
    track = track_of(every(2000, ["\n".join(lines[max(0, n - 2) : n + 1]) for n in range(8)]))
    assert {u.reason for u in segment(track, SEED)} == {""}


@pytest.mark.parametrize(
    ("cues", "words"),
    [
        ([(0, 1000, "We went home early.")], "None of 1 utterances can be used; the reason of 1: shorter than 2 s."),
        ([(0, 3000, "[Music]"), (3000, 3500, "Hm.")], "None of 2 utterances can be used; the reason of 1: only tags."),
        ([(0, 3000, "We went home early.")], ""),
        ([(0, 3000, "We went."), (3000, 4000, "[Music]")], ""),  # Too few words are no fault of the times.
    ],
)
def test_it_says_why_captions_give_nothing(cues, words):
    problem = nothing_usable(segment(track_of(cues), RECOMMENDED))
    assert problem.startswith(words)
    assert bool(problem) == bool(words)


def test_captions_without_any_utterance_give_nothing():
    assert nothing_usable(()).startswith("No utterance can be made")


@pytest.mark.shared_data
@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_squeezed_words_are_left_out(shared_data: Path, policy: SegmentationPolicy) -> None:
    utterances = segment(read_captions(shared_data / "field" / "squeezed_words.vtt"), policy)
    assert {u.reason for u in utterances} == {TOO_FAST}


@pytest.mark.shared_data
@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize("name", ["captions/automatic_real.json3", "interview/interview.en.vtt", "captions/sample.vtt"])
def test_real_speech_is_never_too_fast(shared_data: Path, name: str, policy: SegmentationPolicy) -> None:
    assert TOO_FAST not in {u.reason for u in segment(read_captions(shared_data / name), policy)}


@pytest.mark.shared_data
def test_no_line_of_a_comedy_series_is_too_fast(shared_data: Path) -> None:
    def milliseconds(time: str) -> int:
        hours, minutes, seconds = time.replace(",", ".").split(":")
        return round(1000 * (60 * (60 * int(hours) + int(minutes)) + float(seconds)))

    with (shared_data / "text_sentiment" / "meld_dev.csv").open(encoding="utf-8") as file:
        lines = [
            (row["Utterance"], milliseconds(row["EndTime"]) - milliseconds(row["StartTime"]))
            for row in csv.DictReader(file)
        ]
    long_enough = [(text, length_ms) for text, length_ms in lines if length_ms >= RECOMMENDED.min_duration_ms]
    assert len(long_enough) > 600
    assert not [text for text, length_ms in long_enough if too_fast(text, length_ms)]


def test_times_that_count_from_elsewhere_are_named() -> None:
    cues = [(3_600_000, 3_603_000, "I have never been here."), (3_603_000, 3_606_000, "Then you have been lucky.")]
    problem = nothing_usable(segment(track_of(cues), RECOMMENDED, duration_ms=60_000))
    assert "The first begins at 1:00:00." in problem
