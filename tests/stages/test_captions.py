"""Reading caption files: every format, damaged files, real files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.captions import CaptionTrack, Cue, read_captions, segment
from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import read_srt, read_vtt
from pipeline.stages.errors import StageError
from pipeline.stages.segmentation import SEGMENTATION_POLICIES

SEED, RECOMMENDED = SEGMENTATION_POLICIES["seed-2019"], SEGMENTATION_POLICIES["recommended"]


def words_of(track: CaptionTrack) -> list[tuple[str, int]]:
    return [(word.text, word.start_ms) for cue in track.cues for word in cue.words]


@pytest.fixture
def captions(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# ---------------------------------------------------------------- formats


def test_it_reads_srt(captions):
    path = captions("a.srt", "1\n00:00:01,500 --> 00:00:04,000\n<i>Hello</i> {\\an8}there\nAnn &amp; Bob\n")
    track = read_captions(path)
    assert (track.format, track.kind, track.problems) == ("srt", "manual", ())
    assert track.cues == (Cue(1500, 4000, "Hello there\nAnn & Bob"),)


def test_it_reads_vtt_with_all_its_decoration(captions):
    path = captions(
        "a.vtt",
        "\ufeffWEBVTT - a title\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\n"
        "NOTE\r\nnothing\r\n\r\nREGION\r\nid:bill\r\n\r\n"
        "chapter one\r\n00:01.500 --> 01:00:04.000 align:start position:0%\r\n"
        "<v Ann><b>Me &lt;3&nbsp;you</b>\u200b\r\n\r\n",
    )
    track = read_captions(path)
    assert (track.format, track.kind, track.problems) == ("vtt", "manual", ())
    assert track.cues == (Cue(1500, 3_604_000, "Me <3 you"),)


def test_it_reads_peoples_json3(captions):
    events = [
        {"tStartMs": 1000, "dDurationMs": 2500, "segs": [{"utf8": "Hello there\nmy friend"}]},
        {"tStartMs": 4000, "dDurationMs": 1000, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 5000, "dDurationMs": 2000, "segs": [{"utf8": "Good"}, {"utf8": "bye"}]},
    ]
    track = read_captions(captions("a.json3", json.dumps({"wireMagic": "pb3", "events": events})))
    assert (track.format, track.kind, track.problems) == ("json3", "manual", ())
    assert track.cues == (Cue(1000, 3500, "Hello there\nmy friend"), Cue(5000, 7000, "Goodbye"))


@pytest.mark.parametrize("name", ["a.srt", "a.vtt", "a.json3", "a.txt", "a"])
def test_the_content_tells_the_format_whatever_the_ending(captions, name):
    assert read_captions(captions(name, "1\n00:00:01,000 --> 00:00:02,000\nHi\n")).format == "srt"
    assert read_captions(captions(name, "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n")).format == "vtt"
    event = {"tStartMs": 0, "dDurationMs": 1000, "segs": [{"utf8": "Hi"}]}
    assert read_captions(captions(name, json.dumps({"events": [event]}))).format == "json3"


def test_it_reads_other_encodings_and_says_so(captions):
    srt = "1\n00:00:01,000 --> 00:00:02,000\ncafé\n"
    assert read_captions(captions("a.srt", srt.encode("utf-16"))).cues[0].text == "café"
    track = read_captions(captions("b.srt", srt.encode("cp1252")))
    assert track.cues[0].text == "café"
    assert track.problems == ("line 3: the file is not in UTF-8 and is read as Windows-1252; check its accents.",)


# ---------------------------------------------------------------- damage


def test_a_forgotten_empty_line_swallows_no_cue():
    srt = read_srt("1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:03,000 --> 00:00:04,000\nTwo\n")
    assert [cue.text for cue in srt.cues] == ["One", "Two"]
    vtt = read_vtt("WEBVTT\n00:01.000 --> 00:02.000\nOne\n00:03.000 --> 00:04.000\nTwo")
    assert [cue.text for cue in vtt.cues] == ["One", "Two"]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("00:00:0x.000 --> 00:00:04.000\nBad", "line 6: the time cannot be read, so this cue is left out."),
        ("00:00:61.000 --> 00:01:04.000\nBad", "line 6: the time cannot be read, so this cue is left out."),
        ("00:00:05.000 --> 00:00:04.000\nBad", "line 6: the cue ends before it begins, so it is left out."),
        ("00:00:03.000 --> 00:00:04.000", "line 6: the cue has no text."),
        ("Bad", "line 6: text without a time is left out."),
    ],
)
@pytest.mark.parametrize("form", ["vtt", "srt"])
def test_what_cannot_be_read_is_reported_with_its_line(bad, problem, form):
    good = "{}00:00:01.000 --> 00:00:02.000\nOne\n\n{}\n\n00:00:09.000 --> 00:00:10.000\nThree"
    if form == "vtt":
        track = read_vtt(good.format("WEBVTT\n\n", bad))
    else:
        track = read_srt(good.format("\n\n", bad).replace(".0", ",0"))
    assert [cue.text for cue in track.cues] == ["One", "Three"]
    assert track.problems == (problem,)


def test_broken_json3_gives_the_events_before_the_damage(captions):
    whole = json.dumps({"events": [{"tStartMs": n, "dDurationMs": 9, "segs": [{"utf8": str(n)}]} for n in range(5)]})
    track = read_captions(captions("a.json3", whole[: whole.index('"3"')]))
    assert [cue.text for cue in track.cues] == ["0", "1", "2"]
    assert track.problems == ("line 1: the JSON breaks off or is damaged; the events before that are read.",)


def test_wrong_json3_events_are_reported_with_their_number():
    events = [
        "what?",
        {"segs": [{"utf8": "no start"}]},
        {"tStartMs": 1000, "dDurationMs": 1000, "segs": [{"utf8": "good"}, {"utf8": 7}, None]},
    ]
    track = read_json3(json.dumps({"events": events}))
    assert [cue.text for cue in track.cues] == ["good"]
    assert track.problems == (
        "event 1: this is no caption event, so it is left out.",
        "event 2: the start time is missing or wrong, so its text is left out.",
        "event 3: a piece without text is left out.",
        "event 3: a piece without text is left out.",
    )


@pytest.mark.parametrize("start", ["NaN", "Infinity", "-1", "1e300", "true", '"5"', "null", "[]", "9" * 5000])
def test_json3_times_that_are_none_lose_their_event_only(start):
    good = '{"tStartMs": 0, "dDurationMs": 1000, "segs": [{"utf8": "good"}]}'
    bad = f'{{"tStartMs": {start}, "dDurationMs": 1000, "segs": [{{"utf8": "bad"}}]}}'
    track = read_json3(f'{{"events": [{good}, {bad}]}}')
    assert [cue.text for cue in track.cues] == ["good"]
    assert len(track.problems) == 1


def test_an_event_without_duration_lasts_as_long_as_its_words_take_but_not_into_the_next():
    events = [{"tStartMs": at, "segs": [{"utf8": "so much"}]} for at in (0, 500)]
    track = read_json3(json.dumps({"events": events}))
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(0, 500), (500, 500 + 2 * 200 + 6 * 80)]
    assert [problem.partition(":")[0] for problem in track.problems] == ["event 1", "event 2"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[" * 100_000, "No captions can be read"),
        ('{"events": ' + "[" * 100_000, "No captions can be read"),
        ("WEBVTT\n\n9999:00:00.000 --> 9999:00:01.000\nHi", "the time cannot be read"),
        (f"WEBVTT\n\n{'9' * 5000}:00:00.000 --> 00:01.000\nHi", "the time cannot be read"),
        ("", "is empty"),
        ("  \n", "is empty"),
        ("some text", "No captions can be read"),
        ("WEBVTT\n\n", "No captions can be read"),
        ('{"a": 1}', 'has a list named "events"'),
        ('{"a": ', "looks like JSON but cannot be read"),
        (b"\x00\x01\xff\xfe" * 50, "No captions can be read"),
    ],
)
def test_a_file_without_captions_is_refused_in_a_sentence(captions, content, sentence):
    with pytest.raises(StageError, match=sentence) as caught:
        read_captions(captions("a.vtt", content))
    assert caught.value.permanent


def test_a_missing_file_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(StageError, match="cannot be read: No such file"):
        read_captions(tmp_path / "absent.srt")


def test_many_problems_are_counted_not_listed(captions):
    track = read_captions(captions("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n" + "stray\n\n" * 60))
    assert len(track.problems) == 51
    assert track.problems[-1] == "… and 10 more problems."


@settings(deadline=None)  # The first example imports NLTK.
@given(st.text(alphabet="0123456789:.,-> \n[]<>♪{}\"'abWEBVTT", max_size=300), st.booleans())
def test_no_text_makes_a_reader_fall_over(text, heading):
    for reader in (read_srt, read_vtt):
        track = reader(("WEBVTT\n\n" if heading else "") + text)
        for policy in (SEED, RECOMMENDED):
            for utterance in segment(track, policy):
                assert utterance.start_ms < utterance.end_ms


# ---------------------------------------------------------------- real files


@pytest.mark.shared_data
@pytest.mark.parametrize("ending", ["vtt", "json3"])
def test_the_interview_gives_its_168_words_at_their_times(shared_data, ending):
    spoken = json.loads((shared_data / "interview" / "words.json").read_text())
    track = read_captions(shared_data / "interview" / f"interview.en.{ending}")
    assert (track.kind, track.problems, len(spoken)) == ("automatic", (), 168)
    words = words_of(track)
    assert [text for text, _ in words] == [word["text"] for word in spoken]
    assert all(abs(at - 1000 * word["start_s"]) <= 20 for (_, at), word in zip(words, spoken, strict=True))
    utterances = segment(track, RECOMMENDED)
    assert " ".join(u.text for u in utterances).split() == [word["text"] for word in spoken]


@pytest.mark.shared_data
def test_a_real_automatic_file_gives_its_2710_words_in_order(shared_data):
    path = shared_data / "captions" / "automatic_real.json3"
    events = json.loads(path.read_text())["events"]
    spoken = [seg["utf8"].strip() for event in events for seg in event.get("segs", []) if seg["utf8"].strip()]
    track = read_captions(path)
    assert [text for text, _ in words_of(track)] == spoken
    assert len(spoken) == 2710
    assert " ".join(u.text for u in segment(track, RECOMMENDED)).split() == spoken


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "cues", "problems"),
    [
        ("automatic_real.json3", 402, []),
        ("captions_with_bom.vtt", 4, []),
        ("cue_tags.vtt", 3, []),
        ("empty.vtt", 0, []),
        ("invalid.vtt", 7, ["line 1"]),
        ("invalid_format1.srt", 0, []),
        ("invalid_format2.srt", 0, []),
        ("invalid_timeframe.srt", 5, []),
        ("invalid_timeframe.vtt", 6, ["line 6"]),
        ("missing_caption_text.srt", 4, ["line 6"]),
        ("missing_timeframe.vtt", 6, ["line 6"]),
        ("sample.srt", 5, []),
        ("sample.vtt", 16, []),
        ("styles.vtt", 1, []),
        ("youtube_dl.vtt", 4, []),
    ],
)
def test_each_sample_file_gives_its_cues_or_a_clear_error(shared_data, name, cues, problems):
    path = shared_data / "captions" / name
    if not cues:
        with pytest.raises(StageError, match=name):
            read_captions(path)
        return
    track = read_captions(path)
    assert len(track.cues) == cues
    assert [problem.partition(":")[0] for problem in track.problems] == problems


@pytest.mark.shared_data
def test_an_older_automatic_file_keeps_its_untimed_words(shared_data):
    track = read_captions(shared_data / "captions" / "youtube_dl.vtt")
    assert [text for text, _ in words_of(track)] == ["yeah", "what", "this", "will", "happen", "is", "I'm", "telling"]


@pytest.mark.shared_data
def test_no_sample_file_is_missing_from_these_tests(shared_data):
    assert len(list((shared_data / "captions").iterdir())) == 15
