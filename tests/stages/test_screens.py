"""Lines that are shown again and again: each is said once, when it appears."""

import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.captions import read_captions, segment
from tests.stages.shown import LINES, SEED, Shown, every, recommended, told, track_of, words_of

ROLLED = [
    "good evening and welcome",
    "to the programme tonight we",
    "talk with a nurse who has",
    "worked for thirty years in",
    "the same small hospital and",
    "she has seen it all she says",
]
WORDS = " ".join(ROLLED).split()


def rolled(height: int, *, step_ms: int = 2000) -> list[Shown]:
    return every(step_ms, ["\n".join(ROLLED[max(0, n - height + 1) : n + 1]) for n in range(len(ROLLED))])


def starts_of_lines(cues: list[Shown]) -> list[int]:
    words = words_of(track_of(cues))
    assert [text for text, _, _ in words] == WORDS
    firsts = [sum(len(line.split()) for line in ROLLED[:n]) for n in range(len(ROLLED))]
    return [words[first][1] for first in firsts]


@pytest.mark.parametrize("height", [2, 3, 4])
def test_each_line_of_a_roll_up_is_said_once_when_it_appears(height):
    assert starts_of_lines(rolled(height)) == [n * 2000 for n in range(len(ROLLED))]


@pytest.mark.parametrize("height", [2, 3])
def test_cues_that_show_finished_lines_alone_add_nothing(height):
    cues: list[Shown] = []
    for start_ms, end_ms, text in rolled(height):
        finished = "\n".join(text.split("\n")[1 - height :])
        cues += [(start_ms, end_ms - 10, text), (end_ms - 10, end_ms, finished)]
    assert starts_of_lines(cues) == [n * 2000 for n in range(len(ROLLED))]


def test_ends_that_overlap_the_next_line_take_no_time_from_it():
    cues = [(start_ms, end_ms + 1500, text) for start_ms, end_ms, text in rolled(3)]
    words = words_of(track_of(cues))
    assert starts_of_lines(cues) == [n * 2000 for n in range(len(ROLLED))]
    assert all(end <= following for (_, _, end), (_, following, _) in zip(words, words[1:], strict=False))


def test_empty_cues_between_clear_nothing():
    cues: list[Shown] = []
    for start_ms, end_ms, text in rolled(3):
        cues += [(start_ms, end_ms - 200, text), (end_ms - 200, end_ms, " ")]
    assert starts_of_lines(cues) == [n * 2000 for n in range(len(ROLLED))]


def test_an_upper_line_that_was_corrected_is_not_said_again():
    corrected = [f"{line.capitalize().replace('thirty', '30')}," for line in ROLLED]
    cues = every(2000, [f"{corrected[n - 1]}\n{line}" if n else line for n, line in enumerate(ROLLED)])
    assert [text.strip(",").lower() for text, _, _ in words_of(track_of(cues))] == WORDS


def test_a_text_that_is_broken_at_other_places_is_said_once():
    cues = every(2000, [textwrap.fill(" ".join(WORDS[max(0, n - 14) : n]), 30) for n in range(5, len(WORDS) + 1, 5)])
    assert [text for text, _, _ in words_of(track_of(cues))] == WORDS[: len(WORDS) // 5 * 5]


def test_capitals_with_speaker_marks_roll():
    lines = ["DID YOU SEE HER THAT NIGHT", ">> NO, I WAS NOT AT HOME", "AND NOBODY TOLD ME ABOUT IT", ">> I SEE"]
    cues = every(2000, ["\n".join(lines[max(0, n - 2) : n + 1]) for n in range(4)])
    assert told(recommended(cues)) == [
        (0, 2000, "DID YOU SEE HER THAT NIGHT"),
        (2000, 6000, "NO, I WAS NOT AT HOME AND NOBODY TOLD ME ABOUT IT"),
        (6000, 8000, "I SEE"),
    ]


def test_a_line_that_grows_by_words_is_said_once():
    cues: list[Shown] = []
    for number, line in enumerate(LINES):
        words = line.split()
        cues += every(300, [" ".join(words[: n + 1]) for n in range(len(words))], number * 5000)
    track = track_of(cues)
    expected = [
        (word, number * 5000 + n * 300, number * 5000 + (n + 1) * 300)
        for number, line in enumerate(LINES)
        for n, word in enumerate(line.split())
    ]
    assert words_of(track) == expected


def test_a_line_that_grows_by_characters_is_said_once():
    cues: list[Shown] = []
    for number, line in enumerate(LINES):
        cues += every(100, [line[: n + 1] for n in range(len(line))], number * 8000)
    utterances = recommended(cues)
    assert [u.text for u in utterances] == list(LINES)
    assert [u.start_ms for u in utterances] == [0, 8000, 16_000]


def test_lines_that_are_added_below_are_said_once():
    cues = every(
        2000, ["We were on the road", "We were on the road\nfor weeks.", "It never rained", "It never rained\nat all."]
    )
    assert told(recommended(cues)) == [
        (0, 4000, "We were on the road for weeks."),
        (4000, 8000, "It never rained at all."),
    ]


def test_the_same_text_in_touching_cues_is_said_once_over_their_time():
    cues = [
        (1000, 4000, LINES[0]),
        (4000, 5200, LINES[0]),
        (5400, 8000, LINES[1]),
        (8000, 9500, LINES[1]),
        (9700, 12_000, "And that was all there was."),
    ]
    assert told(recommended(cues)) == [
        (1000, 5200, LINES[0]),
        (5400, 9500, LINES[1]),
        (9700, 12_000, "And that was all there was."),
    ]
    assert len(segment(track_of(cues), SEED)) == 5


def test_a_refrain_is_sung_as_often_as_it_is_shown():
    lines = [LINES[0], "We will, we will rock you", "We will, we will rock you", LINES[1], LINES[2]]
    assert " ".join(u.text for u in recommended(every(3000, lines))) == " ".join(lines)


def test_a_repeat_that_is_too_short_for_its_words_is_the_rest_of_the_cue():
    cues = [(0, 3000, LINES[0]), (3000, 4200, LINES[0]), (4500, 8000, LINES[1]), (8000, 11_000, LINES[2])]
    found = recommended([*cues, *every(3000, ["And then we all went home.", "Nobody said a word to us."], 11_000)])
    assert [u.text for u in found].count(LINES[0]) == 1
    assert (found[0].start_ms, found[0].end_ms) == (0, 4200)


def test_a_line_of_which_the_end_is_left_is_not_said_again():
    texts = [
        "I never thought",
        "I never thought the river",
        "never thought the river would go",
        "the river would go",
        "would go",
    ]
    assert [u.text for u in recommended(every(600, texts))] == ["I never thought the river would go"]


def test_words_told_apart_by_capitals_take_the_time_of_all_cues():
    lines = ["we went home early", "and nobody came with us"]
    cues: list[Shown] = []
    for number, line in enumerate(lines):
        words = line.split()
        shown = [" ".join([*words[:n], words[n].upper(), *words[n + 1 :]]) for n in range(len(words))]
        cues += every(600, shown, number * 4000)
    assert [(u.start_ms, u.end_ms, u.text.lower()) for u in recommended(cues)] == [
        (0, 2400, lines[0]),
        (4000, 7000, lines[1]),
    ]


def test_what_is_said_twice_is_kept_twice():
    cues = [
        (0, 800, "No."),
        (800, 1600, "No."),
        (2000, 4000, "Let's go, let's go"),
        (4500, 6500, "Let's go, let's go"),
        (7000, 9500, "I will not go there again."),
    ]
    said = " ".join(u.text for u in recommended(cues))
    assert said == "No. No. Let's go, let's go Let's go, let's go I will not go there again."


def test_one_word_a_cue_is_cut_like_words_with_times():
    words = ["I", "said", "that", "that", "was", "very", "very", "good", "and", "nobody", "there", "believed", "me"]
    track = track_of(every(300, words))
    assert words_of(track) == [(word, n * 300, (n + 1) * 300) for n, word in enumerate(words)]
    assert [u.text for u in recommended(every(300, words))] == [" ".join(words)]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["no", "yes", "we", "go", "home"]), min_size=3, max_size=5).map(" ".join),
        min_size=6,
        max_size=12,
    ).filter(lambda lines: all(a != b for a, b in zip(lines, lines[1:], strict=False))),
    st.integers(2, 4),
)
def test_every_word_of_rolling_lines_is_there_once(lines, height):
    cues = every(2000, ["\n".join(lines[max(0, n - height + 1) : n + 1]) for n in range(len(lines))])
    track = track_of(cues)
    assert track.kind == "automatic"
    assert [text for text, _, _ in words_of(track)] == " ".join(lines).split()


@pytest.mark.shared_data
def test_a_roll_up_of_three_lines_gives_each_line_once(shared_data: Path) -> None:
    track = read_captions(shared_data / "field" / "three_line_rollup.srt")
    words = " ".join(cue.text.split("\n")[-1] for cue in track.cues)
    assert [text for text, _, _ in words_of(track)] == words.split()
    assert [cue.words[0].start_ms for cue in track.cues] == [n * 2200 for n in range(8)]
