"""Ends of cues: none holds what is said after it, and none lasts for an hour."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.captions import read_captions, segment
from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.cue_ends import until_the_next, with_plausible_ends
from pipeline.stages.cues import Cue
from pipeline.stages.screens import said_once
from pipeline.stages.speakers import with_speakers
from tests.stages.shown import RECOMMENDED, SEED, recommended, told, track_of

STARTS = [160, 2440, 4880, 7200, 9520, 11_900, 14_300, 16_800]


def test_a_cue_ends_where_the_next_one_begins():
    cues = [(0, 3000, "I told you that before."), (2700, 5000, "You did not, my friend.")]
    assert told(recommended(cues)) == [(0, 2700, "I told you that before."), (2700, 5000, "You did not, my friend.")]
    assert told(segment(track_of(cues), SEED)) == cues


def test_json3_without_word_times_ends_where_the_next_line_begins():
    lines = ["so the first thing I want", "is that nobody here knew", "about the letters at all"]
    events = [{"tStartMs": n * 2400, "dDurationMs": 4700, "segs": [{"utf8": line}]} for n, line in enumerate(lines)]
    utterances = segment(read_json3(json.dumps({"events": events})), RECOMMENDED)
    assert told(utterances) == [(0, 2400, lines[0]), (2400, 4800, lines[1]), (4800, 9500, lines[2])]


def test_cues_of_the_same_times_are_lines_of_one():
    cues = [(1000, 9000, "The doctor said that I should rest,"), (1000, 9000, "but there was no time for it.")]
    assert told(recommended(cues)) == [
        (1000, 9000, "The doctor said that I should rest, but there was no time for it.")
    ]
    dashes = [(0, 8000, "- Are you well?"), (0, 8000, "- No, not at all.")]
    assert told(recommended(dashes)) == [(0, 3733, "Are you well?"), (3733, 8000, "No, not at all.")]


def test_a_tag_that_is_shown_meanwhile_cuts_no_words():
    cues = [(0, 4000, "We went home early that day."), (2000, 3000, "[Laughter]"), (5000, 9000, "[Music]")]
    assert told(recommended(cues))[0] == (0, 4000, "We went home early that day.")


def test_a_sign_that_stays_keeps_the_time_when_it_stands_alone():
    cues = [(0, 12_000, "This is a sign."), (2500, 5000, "Somebody speaks below it."), (5000, 8000, "And goes on so.")]
    assert [(u.start_ms, u.end_ms) for u in recommended(cues)] == [(0, 2500), (2500, 5000), (5000, 8000)]


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_ends_an_hour_too_late_are_those_of_the_words(policy):
    texts = {0: "Nobody came here.", 3000: "It was very cold.", 6000: "and nobody in the village knew"}
    cues = [(start, 3_600_000 + start, text) for start, text in texts.items()]
    assert [(u.start_ms, u.end_ms) for u in segment(track_of(cues), policy)] == [(0, 3000), (3000, 6000), (6000, 9_200)]


def test_where_ends_are_late_as_a_rule_the_one_before_a_pause_is_too():
    texts = {
        0: "Nobody came here.",
        3000: "It was very cold.",
        6000: "And so we left the whole house that day.",
        40_000: "Here we are now.",
    }
    cues = [(start, start + 20_000, text) for start, text in texts.items()]
    assert [(u.start_ms, u.end_ms) for u in recommended(cues)] == [
        (0, 3000),
        (3000, 6000),
        (6000, 10_360),
        (40_000, 41_840),
    ]
    once = [
        (0, 3000, "Nobody came here."),
        (2900, 6000, "It was very cold."),
        (6000, 16_000, "And so we left."),
        (17_000, 20_000, "Here we are now."),
    ]
    assert [u.end_ms for u in recommended(once)] == [2900, 6000, 16_000, 20_000]


@pytest.mark.parametrize(
    "texts",
    [
        ["we", "went", "home", "early", "that", "day"],
        ["we went home early", "we went home early\nthat day", "that day\nwe were all tired"],
        [
            "<u>we</u> went home early",
            "we <u>went</u> home early",
            "we went <u>home</u> early",
            "we went home <u>early</u>",
        ],
    ],
)
def test_no_word_lasts_an_hour_where_each_has_a_time(texts):
    cues = [(n * 600, n * 600 + 3_600_000, text) for n, text in enumerate(texts)]
    (utterance,) = recommended(cues)
    assert 2000 < utterance.end_ms < 10_000


def test_a_long_paragraph_and_long_music_keep_their_ends():
    paragraph, music = Cue(0, 60_000, "we went on and on " * 10), Cue(60_000, 600_000, "♪ la la ♪")
    assert with_plausible_ends([paragraph, music]) == [paragraph, music]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 7000), st.integers(0, 3000), st.sampled_from(["We went home.", "[Music]", "- Hi\n- Ho"])
        ),
        max_size=12,
    )
)
def test_cues_that_do_not_overlap_stay_as_they_are(drawn):
    cues, time_ms = [], 0
    for number, (length_ms, gap_ms, text) in enumerate(drawn):
        cues.append(Cue(time_ms, time_ms + length_ms, f"{text} {number}"))
        time_ms += length_ms + gap_ms
    assert with_plausible_ends(cues) == cues
    assert until_the_next(said_once(cues)) == cues


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 9000)), max_size=12))
def test_no_cue_holds_the_next_ones_words(drawn):
    cues = [Cue(start, start + length, f"word {n}") for n, (start, length) in enumerate(sorted(drawn))]
    cut = until_the_next(cues)
    assert all(cue.end_ms <= following.start_ms for cue, following in zip(cut, cut[1:], strict=False))
    assert sorted(" ".join(cue.text for cue in cut).split()) == sorted(" ".join(cue.text for cue in cues).split())


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["overlapping_ends.srt", "ends_far_too_late.srt"])
def test_every_utterance_ends_where_the_next_one_begins(shared_data: Path, name: str) -> None:
    utterances = segment(read_captions(shared_data / "field" / name), RECOMMENDED)
    assert [u.start_ms for u in utterances] == STARTS
    assert [u.end_ms for u in utterances[:-1]] == STARTS[1:]
    assert utterances[-1].end_ms <= 21_000


@pytest.mark.shared_data
def test_three_cues_at_once_are_one_utterance(shared_data: Path) -> None:
    first, second = segment(read_captions(shared_data / "field" / "same_times.srt"), RECOMMENDED)
    assert (first.start_ms, first.end_ms, len(first.text.split())) == (1000, 9000, 22)
    assert (second.start_ms, second.end_ms) == (9500, 12_500)


@pytest.mark.shared_data
def test_ordinary_captions_stay_as_they_are(shared_data: Path) -> None:
    for name in ("cue_tags.vtt", "captions_with_bom.vtt", "sample.vtt", "sample.srt", "styles.vtt"):
        track = read_captions(shared_data / "captions" / name)
        cues = list(track.cues)
        assert until_the_next(said_once(with_plausible_ends(cues))) == cues
        assert with_speakers(track) == track


def test_thousands_of_cues_that_begin_together_are_joined_in_no_time():
    """A file of 1 MB has 20,000; joined one by one they would take minutes."""
    cues = [Cue(0, 1000, f"word {number}") for number in range(20_000)]
    before = time.perf_counter()
    (joined,) = until_the_next(cues)
    assert time.perf_counter() - before < 3
    assert joined.text.count("\n") == 19_999
