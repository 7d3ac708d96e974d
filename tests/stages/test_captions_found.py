"""Captions as programs and people write them: times, encodings, markup, marks that touch words."""

import json
from pathlib import Path

import pytest

from pipeline.stages import captions as door
from pipeline.stages.captions import read_captions, segment
from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import read_srt, read_vtt
from pipeline.stages.errors import StageError
from pipeline.stages.segmentation import SEGMENTATION_POLICIES
from tests.stages.test_captions_wild import srt

SEED, RECOMMENDED = SEGMENTATION_POLICIES["seed-2019"], SEGMENTATION_POLICIES["recommended"]
CUE = "hello to you my friend"


@pytest.mark.parametrize(
    ("times", "start_ms", "end_ms"),
    [
        ("00:00:01,000 -> 00:00:04,000", 1000, 4000),
        ("00:00:01,000 –> 00:00:04,000", 1000, 4000),
        ("00:00:01,000 → 00:00:04,000", 1000, 4000),
        ("00:00:01,000-->00:00:04,000", 1000, 4000),
        ("00:00:01 --> 00:00:04", 1000, 4000),
        ("0:00:01.250000 --> 0:00:04", 1250, 4000),  # as Python writes times
        ("00:01,5 --> 00:04,25", 1500, 4250),
        ("00:00:01,000 --> 00:00:04,000 X1:100 X2:200", 1000, 4000),
    ],
)
@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_it_reads_times_as_programs_and_people_write_them(tmp_path, form, times, start_ms, end_ms):
    path = tmp_path / f"a.{form}"
    path.write_text(("WEBVTT\n\n" if form == "vtt" else "1\n") + f"{times}\n{CUE}\n")
    track = read_captions(path)
    assert (track.format, track.problems) == (form, ())
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues] == [(start_ms, end_ms, CUE)]


def test_a_numbered_cue_whose_time_is_no_time_is_reported():
    track = read_srt(f"1\n00:00:01,000 to 00:00:04,000\nLost words\n\n2\n00:00:05,000 --> 00:00:08,000\n{CUE}\n\n3\n\n")
    assert [cue.text for cue in track.cues] == [CUE]
    assert track.problems == ("line 1: text without a time is left out.",)


def test_a_cue_that_ends_where_it_begins_is_said_to():
    track = read_srt(f"00:00:01,000 --> 00:00:01,000\nLost\n\n00:00:05,000 --> 00:00:08,000\n{CUE}")
    assert track.problems == ("line 1: the cue ends where it begins, so it is left out.",)


def test_an_arrow_in_what_is_said_is_no_time():
    track = read_srt(f"1\n00:00:01,000 --> 00:00:04,000\nGo A --> B\n\n2\n00:00:05,000 --> 00:00:08,000\n{CUE}")
    assert [cue.text for cue in track.cues] == ["Go A --> B", CUE]
    assert track.problems == ()


def test_lesser_and_greater_in_what_is_said_are_no_tag():
    (cue,) = read_vtt("WEBVTT\n\n00:01.000 --> 00:04.000\nI <3 that 2 < 4 but <i>5</i> > 3<00:00:61.000> now<>\n").cues
    assert cue.text == "I <3 that 2 < 4 but 5 > 3 now"


def test_markup_of_other_formats_in_srt_is_dropped():
    (cue,) = read_srt(srt(r"{\an8}{i}So{/i} {y:i}be\Nit{Y:b} \hnow {ok}")).cues
    assert cue.text == "So be\nit\nnow {ok}"


@pytest.mark.parametrize("encoding", ["utf-32", "utf-16", "utf-8-sig"])
def test_it_reads_what_has_a_byte_order_mark(captions, encoding):
    assert read_captions(captions(srt("café").encode(encoding))).cues[0].text == "café"


def test_line_ends_that_were_translated_twice_divide_no_cue(captions):
    content = srt("Hello there\nmy friend", CUE).replace("\n", "\r\r\n")
    assert [cue.text for cue in read_captions(captions(content)).cues] == ["Hello there\nmy friend", CUE]


def test_one_damaged_place_in_utf_8_spoils_no_other_letter(captions):
    content = srt("I don’t know", "I can’t say").encode().replace(b"say", b"s\xffay") + b"\x1a"
    track = read_captions(captions(content))
    assert [cue.text for cue in track.cues] == ["I don’t know", "I can’t s\ufffday"]
    assert track.problems == ("line 7: characters that are damaged are read as “\ufffd”; their number: 1.",)


def test_half_a_character_at_the_end_of_utf_16_is_reported(captions):
    track = read_captions(captions(srt("Hello").encode("utf-16") + b"x"))
    assert track.problems == ("line 3: characters that are damaged are read as “\ufffd”; their number: 1.",)


def test_what_no_file_and_no_database_can_hold_is_replaced():
    track = read_json3(
        r'{"events":[{"tStartMs":0,"dDurationMs":3000,'
        r'"segs":[{"utf8":"a\ud800b c\u0000 d\u0008e f\u00adg \ud83d\ude00"}]}]}'
    )
    assert track.cues[0].text == "a\ufffdb c\ufffd de fg 😀"
    track.cues[0].text.encode()


def test_a_cue_that_shows_nothing_is_none():
    assert [cue.text for cue in read_srt(srt(" ", "<i></i>", CUE)).cues] == [CUE]


def test_the_same_cue_twice_is_said_once():
    once = srt("Hello there", CUE)
    track = read_srt(f"{once}\n\n{once}")
    assert [cue.text for cue in track.cues] == ["Hello there", CUE]
    assert track.problems == ("cues that are there again with the same times and text, and are left out: 2.",)


def test_a_cue_of_more_than_anybody_says_is_left_out_and_counted(captions):
    track = read_captions(captions(srt("w" * 4001, *[CUE] * 200)))
    assert len(track.cues) == 200
    assert track.problems == ("cues of more than 4000 characters, which are left out: 1.",)
    with pytest.raises(StageError, match="a whole transcript in one cue"):
        read_captions(captions(srt("w" * 6000)))


def test_a_pipe_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(door, "MAX_FILE_BYTES", 100_000)
    with pytest.raises(StageError, match="No captions can be read"):
        read_captions(Path("/dev/zero"))


# ---------------------------------------------------------------- speakers and tags that touch words


@pytest.mark.parametrize(
    ("text", "utterances"),
    [
        ('>>"Yes" she said', ['"Yes" she said']),
        (">>'Cause I can", ["'Cause I can"]),
        ("It rains today.>>And then?", ["It rains today.", "And then?"]),
        ("We go ((cheering)) home [[x]] now", ["We go", "((cheering))", "home", "[[x]]", "now"]),
        ("♪ la la >> Who sings?", ["Who sings?"]),
        ("♬ la ♬ so it goes", ["so it goes"]),
    ],
)
def test_no_word_is_lost_where_a_mark_or_a_tag_touches_it(text, utterances):
    assert [u.text for u in segment(read_srt(srt(text, seconds=9)), RECOMMENDED)] == utterances


# ---------------------------------------------------------------- json3


def test_another_speaker_that_youtube_has_heard_divides():
    lines = [("so", "what", "now"), ("yes", "we", "can"), (">> no", "we", "cannot")]
    events = [
        {
            "tStartMs": n * 2000,
            "dDurationMs": 4000,
            "segs": [
                {"utf8": f" {word}", "tOffsetMs": at * 300, **({} if at else {"isSpeakerChange": 1})}
                for at, word in enumerate(line)
            ],
        }
        for n, line in enumerate(lines)
    ]
    track = read_json3(json.dumps({"events": events}))
    assert [u.text for u in segment(track, RECOMMENDED)] == ["so what now", "yes we can", "no we cannot"]
    assert [u.text for u in segment(track, SEED)] == [
        "so what now",
        "so what now yes we can",
        "yes we can >> no we cannot",
    ]


def test_a_wrong_word_time_spoils_no_other():
    segs = [{"utf8": "so"}, {"utf8": " big", "tOffsetMs": 10**9}, {"utf8": " then"}, {"utf8": " now", "tOffsetMs": 900}]
    track = read_json3(json.dumps({"events": [{"tStartMs": 5000, "dDurationMs": 3000, "segs": segs}]}))
    assert [(w.text, w.start_ms) for w in track.cues[0].words] == [
        ("so", 5000),
        ("big", 5225),
        ("then", 5525),
        ("now", 5900),
    ]
    assert track.problems == ("event 1: a word's time is wrong, so the word shares the time of the one before it.",)


def test_rolling_json3_without_word_times_is_recognised():
    lines = ["one two", "three four", "five six", "seven"]
    events = [
        {
            "tStartMs": n * 2000,
            "dDurationMs": 2000,
            "segs": [{"utf8": f"{lines[n - 1]}\n{lines[n]}" if n else lines[n]}],
        }
        for n in range(4)
    ]
    track = read_json3(json.dumps({"events": events}))
    assert track.kind == "automatic"
    assert [word.text for cue in track.cues for word in cue.words] == " ".join(lines).split()


def test_text_that_is_no_list_of_pieces_is_reported():
    track = read_json3(
        json.dumps(
            {
                "events": [
                    {"tStartMs": 0, "dDurationMs": 9, "segs": {"utf8": "lost"}},
                    {"tStartMs": 9, "dDurationMs": 9, "segs": [{"utf8": "good"}]},
                ]
            }
        )
    )
    assert track.problems == ("event 1: its text is no list of pieces, so it is left out.",)


def test_all_times_fit_a_database():
    event = {"tStartMs": 10**9, "segs": [{"utf8": "w" * 10**7}]}
    track = read_json3(json.dumps({"events": [event, {**event, "dDurationMs": 10**9}]}))
    assert max(cue.end_ms for cue in track.cues) < 2**31
