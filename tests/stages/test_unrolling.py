"""Rolling captions: every spoken word is there once, and with its own time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.captions import SEGMENTATION_POLICIES, CaptionTrack, segment
from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import read_srt, read_vtt
from tests.stages.rolling import TimedLine, rolling_json3, rolling_vtt

SEED, RECOMMENDED = SEGMENTATION_POLICIES["seed-2019"], SEGMENTATION_POLICIES["recommended"]


def words_of(track: CaptionTrack) -> list[tuple[str, int]]:
    return [(word.text, word.start_ms) for cue in track.cues for word in cue.words]


@st.composite
def spoken_lines(draw: st.DrawFn) -> list[TimedLine]:
    """Lines of few different words, so that words, lines and pairs of lines repeat."""
    lines: list[TimedLine] = []
    time_ms = draw(st.integers(100, 2000))
    for _ in range(draw(st.integers(1, 12))):
        line = []
        for word in draw(st.lists(st.sampled_from(["no", "yes", "I'm"]), min_size=1, max_size=3)):
            line.append((word, time_ms))
            time_ms += draw(st.integers(100, 3000))
        lines.append(line)
    return lines


@settings(deadline=None)  # The first example imports NLTK.
@given(spoken_lines())
def test_every_spoken_word_of_rolling_captions_is_there_once_with_its_time(lines):
    spoken = [word for line in lines for word in line]
    end_ms = spoken[-1][1] + 400
    for track in (read_vtt(rolling_vtt(lines, end_ms)), read_json3(rolling_json3(lines, end_ms))):
        assert track.problems == ()
        if track.kind == "automatic":
            assert words_of(track) == spoken
        utterances = segment(track, RECOMMENDED)
        if any(len(line) > 1 for line in lines) or track.format == "json3":
            assert " ".join(u.text for u in utterances).split() == [word for word, _ in spoken]


@settings(deadline=None)  # The first example imports NLTK.
@given(spoken_lines())
def test_both_shapes_of_rolling_captions_give_seed_2019_the_same_segments(lines):
    lines = [[("so", line[0][1] - 50), *line] for line in lines]
    end_ms = lines[-1][-1][1] + 400
    vtt = segment(read_vtt(rolling_vtt(lines, end_ms)), SEED)
    json3 = segment(read_json3(rolling_json3(lines, end_ms)), SEED)
    assert [u for u in vtt if u.end_ms - u.start_ms > 10] == list(json3)


def test_a_finalising_cue_adds_no_word_and_a_repeated_word_stays():
    lines = [[("no", 0)], [("no", 500)], [("no", 1000)], [("I", 1500), ("said", 1800)]]
    track = read_vtt(rolling_vtt(lines, 3000))
    assert words_of(track) == [("no", 0), ("no", 500), ("no", 1000), ("I", 1500), ("said", 1800)]


def test_a_word_ends_at_the_next_one_or_after_the_time_it_can_take():
    lines = [[("Hi", 0), ("there", 200), ("everybody", 4000)]]
    (cue,) = read_vtt(rolling_vtt(lines, 4300)).cues
    assert [(word.start_ms, word.end_ms) for word in cue.words] == [(0, 200), (200, 200 + 200 + 5 * 80), (4000, 4300)]


def test_rolling_captions_without_word_times_are_recognised():
    lines = [[("one", 0), ("two", 900)], [("three", 2000), ("four", 2500)], [("five", 4000), ("six", 4500)]]
    srt = rolling_vtt(lines, 6000, word_times=False).partition("\n\n")[2].replace(".", ",")
    track = read_srt(srt.replace(" align:start position:0%", ""))
    assert track.kind == "automatic"
    assert [word for word, _ in words_of(track)] == ["one", "two", "three", "four", "five", "six"]


def test_words_that_share_one_time_divide_it_by_their_length():
    track = read_vtt("WEBVTT\n\n00:10.000 --> 00:12.000\nWhen the <00:11.000>moon\n")
    assert words_of(track) == [("When", 10_000), ("the", 10_000 + 1000 * 5 // 9), ("moon", 11_000)]


def test_a_masked_word_is_a_word():
    track = read_vtt(
        "WEBVTT\n\n00:00.000 --> 00:04.000\nwhat<00:01.000><c> the</c><00:02.000><c> [&nbsp;__&nbsp;]</c>\n"
    )
    assert words_of(track) == [("what", 0), ("the", 1000), ("[__]", 2000)]


def test_peoples_captions_that_repeat_a_word_do_not_roll():
    blocks = "".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\nNo.\n\n" for n in range(1, 9))
    track = read_srt(blocks)
    assert track.kind == "manual"
    assert " ".join(u.text for u in segment(track, RECOMMENDED)) == " ".join(["No."] * 8)
