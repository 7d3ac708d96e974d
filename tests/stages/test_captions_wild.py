"""Captions as found in the wild: voices, disorder, transcripts in one cue, and files that nobody wrote."""

import json
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.stages import captions as door
from pipeline.stages.captions import CaptionTrack, read_captions, segment
from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import read_srt, read_vtt
from pipeline.stages.errors import StageError
from pipeline.stages.segmentation import SEGMENTATION_POLICIES

SEED, RECOMMENDED = SEGMENTATION_POLICIES["seed-2019"], SEGMENTATION_POLICIES["recommended"]


def srt(*texts: str, seconds: int = 3) -> str:
    return "\n\n".join(
        f"{n + 1}\n00:{n * seconds // 60:02}:{n * seconds % 60:02},000 --> "
        f"00:{(n + 1) * seconds // 60:02}:{(n + 1) * seconds % 60:02},000\n{text}"
        for n, text in enumerate(texts)
    )


# ---------------------------------------------------------------- voices


def test_another_voice_is_another_speaker():
    track = read_vtt(
        "WEBVTT\n\n00:00.000 --> 00:03.000\n<v Ann>We went to the sea\n\n"
        "00:03.000 --> 00:06.000\n<v.loud Ann>and it was cold.</v>\n\n"
        "00:06.000 --> 00:14.000\n<v Ann>Was it not cold then?</v> <v Bob>I found it warm enough.</v>\n"
    )
    assert [u.text for u in segment(track, RECOMMENDED)] == [
        "We went to the sea and it was cold.",
        "Was it not cold then?",
        "I found it warm enough.",
    ]
    assert [u.text for u in segment(track, SEED)] == [
        "We went to the sea",
        "and it was cold.",
        "Was it not cold then? I found it warm enough.",
    ]


def test_a_speaker_mark_that_somebody_wrote_stays_for_seed_2019():
    track = read_srt(srt(">> We went to the sea"))
    assert segment(track, SEED)[0].text == ">> We went to the sea"
    assert segment(track, RECOMMENDED)[0].text == "We went to the sea"


# ---------------------------------------------------------------- order and times


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize("form", ["srt", "vtt", "json3"])
def test_cues_out_of_order_are_put_in_order_and_that_is_told(policy, form):
    texts = ["This is the first one.", "Here comes the second one.", "And now the third one."]
    times = [(0, 3), (4, 7), (8, 11)]
    order = (2, 0, 1)
    if form == "json3":
        events = [{"tStartMs": times[n][0] * 1000, "dDurationMs": 3000, "segs": [{"utf8": texts[n]}]} for n in order]
        track = read_json3(json.dumps({"events": events}))
    else:
        blocks = [f"00:00:{times[n][0]:02}.000 --> 00:00:{times[n][1]:02}.000\n{texts[n]}" for n in order]
        text = "\n\n".join(blocks)
        track = read_vtt(f"WEBVTT\n\n{text}") if form == "vtt" else read_srt(text.replace(".000", ",000"))
    assert [u.text for u in segment(track, policy)] == texts
    assert track.problems == ("1 cues begin before the one above them; all are put in the order of their times.",)


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
def test_times_past_the_end_of_the_recording_are_cut_off_or_rejected(policy):
    track = read_srt(srt(*[f"Nobody can hear sentence number {n} completely." for n in range(4)]))
    spoken = segment(track, policy, duration_ms=8_500)
    assert [(u.end_ms, u.reason) for u in spoken] == [
        (3000, ""),
        (6000, ""),
        (8500, ""),
        (12_000, "after the end of the recording"),
    ]


# ---------------------------------------------------------------- a transcript in one cue


@pytest.mark.parametrize("cues", [["word " * 2000], ["Hello there.", "word " * 500, "Bye."], ["word " * 151] * 3])
def test_a_transcript_in_one_cue_is_refused_and_that_is_said(captions, cues):
    with pytest.raises(StageError, match=r"a\.srt holds a whole transcript in one cue") as caught:
        read_captions(captions(srt(*cues)))
    assert caught.value.permanent


def test_one_long_cue_among_good_ones_is_no_transcript(captions):
    assert len(
        read_captions(captions(srt("word " * 151, *["and eleven more words for you in this good cue"] * 20))).cues
    )
    assert len(read_captions(captions(srt("word " * 150))).cues) == 1


# ---------------------------------------------------------------- what nobody wrote


def try_everything(track: CaptionTrack) -> None:
    for policy in (SEED, RECOMMENDED):
        utterances = segment(track, policy, duration_ms=3_600_000)
        assert all(utterance.start_ms < utterance.end_ms or utterance.reason for utterance in utterances)
        assert [u.start_ms for u in utterances] == sorted(u.start_ms for u in utterances)


pieces = st.lists(
    st.sampled_from(
        [
            *(
                "WEBVTT",
                "\n",
                "\n\n",
                "1\n",
                "NOTE ",
                "STYLE\n",
                " ",
                "\t",
                "\0",
                "\ufeff",
                "♪",
                ">>",
                "- ",
                "[Music]",
                "[",
            ),
            *(
                "(",
                ")",
                "]",
                "<",
                ">",
                "<c>",
                "</c>",
                "<c.color00FFFF>",
                "<v Ann>",
                "<v>",
                "<00:00:01.000>",
                "<b",
                "&amp;",
            ),
            *("&#x110000;", "&", "00:00:01.000 --> 00:00:04.000", "00:00:02,000 --> 00:00:01,000", " --> ", "-->"),
            *(
                "99:99:99.999 --> 00:01.000",
                "00:01.5 --> 00:09.000 align:start",
                "don’t",
                "word",
                "Dr.",
                "no!",
                "{\\an8}",
            ),
        ]
    ),
    max_size=40,
).map("".join)
bounded = settings(deadline=10_000, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@bounded
@given(pieces)
def test_no_srt_or_vtt_makes_a_reader_fall_over(text):
    for reader in (read_srt, read_vtt):
        try_everything(reader(text))


times: st.SearchStrategy[Any] = st.one_of(
    st.integers(-10, 10_000), st.integers(), st.floats(), st.none(), st.text(max_size=3), st.booleans()
)
segs = st.one_of(
    st.none(),
    st.integers(),
    st.fixed_dictionaries({}, optional={"utf8": st.one_of(pieces, st.none(), st.integers()), "tOffsetMs": times}),
)
events = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "tStartMs": times,
            "dDurationMs": times,
            "aAppend": st.integers(0, 1),
            "segs": st.one_of(st.none(), st.text(max_size=3), st.lists(segs, max_size=5)),
        },
    ),
)


@bounded
@given(st.lists(events, max_size=8), st.integers(0, 50))
def test_no_json3_makes_the_reader_fall_over(found, cut_off):
    text = json.dumps({"events": found})
    try_everything(read_json3(text))
    with suppress(StageError):
        try_everything(read_json3(text[: len(text) - cut_off]))


@bounded
@given(
    st.one_of(
        st.binary(max_size=400),
        pieces.map(str.encode),
        pieces.map(lambda text: text.encode("utf-16")),
        st.tuples(
            st.sampled_from([b"WEBVTT\n\n", b'{"events":[', b"\xff\xfe", b"\xfe\xff", b""]), st.binary(max_size=200)
        ).map(b"".join),
    )
)
def test_no_bytes_make_the_door_fall_over(captions, content):
    with suppress(StageError):
        try_everything(read_captions(captions(content)))


HEADING = "WEBVTT\n\n00:01.000 --> 00:09.000\n"


@pytest.mark.parametrize(
    "atom", ["<", "[", "[_", "(a", "♪a", ">>", "&", "-->", "<v A>a", "<00:00:01.000>", "n't ", "a.", "\\"]
)
def test_a_line_of_one_thing_takes_no_quadratic_time(captions, atom):
    started = time.process_time()
    for opening in (HEADING, '{"events":[{"tStartMs":0,"dDurationMs":9,"segs":[{"utf8":"'):
        with suppress(StageError):
            try_everything(read_captions(captions(opening + atom * (100_000 // len(atom)))))
    assert time.process_time() - started < 30


def test_memory_grows_with_the_file_alone(captions):
    event = {"tStartMs": 0, "dDurationMs": 1000, "segs": [{"utf8": "word", "tOffsetMs": 1}]}
    path = captions(json.dumps({"events": [{**event, "tStartMs": n * 500} for n in range(10_000)]}))
    tracemalloc.start()
    read_captions(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * path.stat().st_size


def test_a_file_too_large_for_captions_is_refused_unread(captions, monkeypatch):
    monkeypatch.setattr(door, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    with pytest.raises(StageError, match="too large for captions"):
        read_captions(captions("x" * 1001))
