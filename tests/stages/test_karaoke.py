"""A cue per highlighted word: each line is one cue, and the highlight tells when its words are said."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.captions import SegmentationPolicy, read_captions, segment
from pipeline.stages.captions_text import read_srt, read_vtt
from pipeline.stages.karaoke import markup_of_words
from tests.stages.rolling import clock
from tests.stages.shown import LINES, RECOMMENDED, SEED, Shown, every, recommended, spoken, told, track_of, words_of

STYLES = [
    ("<u>", "</u>"),
    ("<b>", "</b>"),
    ('<font color="#00ff00">', "</font>"),
    ("<c.yellow>", "</c>"),
]
SPANS = [(1000, 4300), (4800, 7800), (8300, 11_900)]


def karaoke(before: str, after: str, *, gap_ms: int = 0, shown_between: bool = True, prefix: str = "") -> list[Shown]:
    """Each word is highlighted for 300 ms less `gap_ms`; between two words stands the line alone, or nothing."""
    cues: list[Shown] = []
    time_ms = 1000
    for line in LINES:
        words = line.split()
        for n, word in enumerate(words):
            text = " ".join([*words[:n], f"{before}{word}{after}", *words[n + 1 :]])
            end_ms = time_ms + 300 - (gap_ms if n < len(words) - 1 else 0)
            cues.append((time_ms, end_ms, prefix + text))
            if shown_between and end_ms < time_ms + 300:
                cues.append((end_ms, time_ms + 300, prefix + line))
            time_ms += 300
        time_ms += 500
    return cues


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("gaps", [{}, {"gap_ms": 40}, {"gap_ms": 120, "shown_between": False}])
@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_each_line_is_one_utterance_from_its_first_to_its_last_highlight(style, gaps, policy, form):
    track = track_of(karaoke(*style, **gaps), form)
    assert told(segment(track, policy)) == [(*span, line) for span, line in zip(SPANS, LINES, strict=True)]
    assert [text for text, _, _ in words_of(track)] == " ".join(LINES).split()
    ends = 300 - gaps.get("gap_ms", 0)
    assert words_of(track)[:2] == [("I", 1000, 1000 + ends), ("never", 1300, 1300 + ends)]


def test_the_name_in_front_of_every_cue_is_the_speaker():
    cues = karaoke("<u>", "</u>", gap_ms=40, prefix="[SPEAKER_00]: ")
    assert spoken(recommended(cues)) == [("SPEAKER_00", line) for line in LINES]
    voiced = recommended(karaoke("<u>", "</u>", prefix="<v Ann>"), "vtt")
    assert spoken(voiced) == [("Ann", line) for line in LINES]


def test_a_pause_of_the_highlight_is_a_pause():
    texts = ["<u>We</u> went home early", "We <u>went</u> home early", "We went <u>home</u> early"]
    cues = [(0, 500, texts[0]), (500, 900, texts[1]), (900, 2500, "We went home early"), (2500, 2900, texts[2])]
    assert words_of(track_of([*cues, (2900, 3500, "We went home <u>early</u>")])) == [
        ("We", 0, 500),
        ("went", 500, 900),
        ("home", 2500, 2900),
        ("early", 2900, 3500),
    ]


def test_a_line_that_is_highlighted_from_its_beginning_again_is_sung_twice():
    once = [cue for cue in karaoke("<u>", "</u>") if cue[1] <= SPANS[0][1]]
    again = [(start + 3300, end + 3300, text) for start, end, text in once]
    assert told(recommended([*once, *again])) == [(1000, 4300, LINES[0]), (4300, 7600, LINES[0])]


def test_words_that_were_highlighted_before_are_not_said_again():
    words = LINES[0].split()
    cues = every(300, [f"<c.done>{' '.join(words[: n + 1])}</c> {' '.join(words[n + 1 :])}" for n in range(len(words))])
    track = track_of(cues, "vtt")
    assert words_of(track) == [(word, n * 300, (n + 1) * 300) for n, word in enumerate(words)]


def test_the_highlight_is_the_colour_that_one_word_has():
    words = LINES[0].split()
    cues = every(
        300,
        [
            " ".join(f'<font color="{"#ff0" if at == n else "#fff"}">{word}</font>' for at, word in enumerate(words))
            for n in range(len(words))
        ],
    )
    assert words_of(track_of(cues)) == [(word, n * 300, (n + 1) * 300) for n, word in enumerate(words)]


def test_syllables_make_one_word():
    cues = every(
        400, ["<u>Riv</u>er banks are", "Riv<u>er</u> banks are", "River <u>banks</u> are", "River banks <u>are</u>"]
    )
    assert words_of(track_of(cues)) == [("River", 0, 800), ("banks", 800, 1200), ("are", 1200, 1600)]


def test_emphasis_that_differs_makes_no_karaoke():
    cues = [
        (0, 3000, "He <b>gave up</b> smoking last year."),
        (3500, 7000, "He gave up <b>smoking</b> last year."),
        (8000, 12_000, "<b>He</b> gave up smoking last year."),
    ]
    assert told(recommended(cues)) == [(start, end, "He gave up smoking last year.") for start, end, _ in cues]


def test_a_line_that_waits_below_is_sung_once():
    cues = every(
        500,
        [
            "<u>We</u> went\nhome early",
            "We <u>went</u>\nhome early",
            "<u>home</u> early\nand slept",
            "home <u>early</u>\nand slept",
            "<u>and</u> slept",
            "and <u>slept</u>",
        ],
    )
    words = ["We", "went", "home", "early", "and", "slept"]
    assert words_of(track_of(cues)) == [(word, n * 500, (n + 1) * 500) for n, word in enumerate(words)]


def test_emphasis_in_peoples_captions_is_no_highlight():
    track = track_of([(0, 2000, "I <i>never</i> said that."), (2000, 4000, "You <i>did</i> say that.")])
    assert track.kind == "manual"
    assert [cue.text for cue in track.cues] == ["I never said that.", "You did say that."]


def test_tags_at_words_are_told_whatever_is_damaged():
    assert markup_of_words("a <b>b <i>c</b> d</i> </u> e") == ("", "b", "b i", "i", "")
    assert markup_of_words("<v Ann>a <lang en>b") == ()
    assert len(markup_of_words("<b>a " * 30_000)) == 30_000


pieces = st.sampled_from(
    [
        "<u>",
        "</u>",
        "<b>",
        "</i>",
        "I ",
        "never ",
        "I",
        "\n",
        "Ann: ",
        "[S1]: ",
        "[Laughter] ",
        ">> ",
        "- ",
        ".",
        "<v Bob>",
        "{b}",
    ]
)
cues_of_anything = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 3000), st.lists(pieces, max_size=8).map("".join)), max_size=10
)


@settings(deadline=None)
@given(cues_of_anything, st.sampled_from(["srt", "vtt"]))
def test_no_cues_make_it_fall_over_and_no_end_is_before_its_start(drawn, form):
    reader = read_srt if form == "srt" else read_vtt
    track = reader("\n\n".join(f"{clock(start)} --> {clock(start + length)}\n{text}" for start, length, text in drawn))
    for policy in (SEED, RECOMMENDED):
        assert all(u.start_ms < u.end_ms and "\u2063" not in u.text + u.speaker for u in segment(track, policy))


@pytest.mark.shared_data
@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize("name", ["karaoke_font.srt", "karaoke_speaker.srt"])
def test_the_karaoke_of_whisper_and_stable_ts_gives_three_sentences(
    shared_data: Path, name: str, policy: SegmentationPolicy
) -> None:
    utterances = segment(read_captions(shared_data / "field" / name), policy)
    assert [u.text for u in utterances] == list(LINES)
    assert all(u.kept for u in utterances)
    speakers = ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"] if "speaker" in name else ["", "", ""]
    assert [u.speaker for u in utterances] == speakers
