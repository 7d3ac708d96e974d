"""Caption files of other programs: each is read with its times and words, or named as what it is."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.captions import SEGMENTATION_POLICIES, CaptionTrack, read_captions, segment
from pipeline.stages.errors import StageError

SAID = [(1000, 4000, "We had a very good summer."), (4500, 8900, "Nobody wanted to go home.")]


def read(tmp_path: Path, name: str, content: str | bytes) -> CaptionTrack:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_captions(path)


def spans(track: CaptionTrack) -> list[tuple[int, int, str]]:
    assert track.problems == ()
    return [(cue.start_ms, cue.end_ms, " ".join(cue.text.split())) for cue in track.cues]


def words(track: CaptionTrack) -> list[tuple[str, int]]:
    return [(word.text, word.start_ms) for cue in track.cues for word in cue.words]


# ---------------------------------------------------------------- a line or a block per cue


@pytest.mark.parametrize(
    ("name", "form", "content"),
    [
        (
            "a.sbv",
            "sbv",
            "0:00:01.000,0:00:04.000\nWe had a very\ngood summer.\n\n0:00:04.500,0:00:08.900\nNobody "
            "wanted to go home.\n",
        ),
        (
            "a.sbv",
            "sbv",
            "\ufeff0:00:01.000,0:00:04.000\r\nWe had a very\r\n\r\ngood summer.\r\n0:00:04.500, 0:00:08.900\r\n"
            "Nobody wanted<br>to go home.\r\n",
        ),
        (
            "a.txt",
            "whisper-log",
            "Detecting language: English\n[00:01.000 --> 00:04.000]  We had a very good summer.\n"
            "[00:04.500 --> 00:08.900]  Nobody wanted to go home.\n",
        ),
        (
            "a.log",
            "whisper-log",
            "[00:00:01.000 --> 00:00:04.000]   We had a very good summer.\n"
            "[00:00:04.500 --> 00:00:08.900]   Nobody wanted to go home.\n",
        ),
        (
            "a.sub",
            "sbv",
            "[INFORMATION]\n[TITLE]x\n[END INFORMATION]\n[SUBTITLE]\n[COLF]&HFFFFFF,[STYLE]no\n"
            "00:00:01.00,00:00:04.00\nWe had a very[br]good summer.\n\n"
            "00:00:04.50,00:00:08.90\nNobody wanted[br]to go home.\n",
        ),
        (
            "avid.txt",
            "srt",
            "00:00:01:00 00:00:04:00\nWe had a very\ngood summer.\n\n00:00:04:12 00:00:08:22\n"
            "Nobody wanted to go home.\n",
        ),
        (
            "faster.log",
            "whisper-log",
            "[1.00s -> 4.00s] We had a very good summer.\n[4.50s -> 8.90s]  Nobody wanted to go home.\n",
        ),
        (
            "x.log",
            "whisper-log",
            "Transcript: [1.0 --> 4]  We had a very good summer.\n"
            "Transcript: [4.5 --> 8.9]  Nobody wanted to go home.\n",
        ),
        (
            "jax.txt",
            "whisper-log",
            "[00:01.000 -> 00:04.000] We had a very good summer.\n[00:04.500 -> 00:08.900] Nobody wanted to go home.\n",
        ),
        (
            "a.tsv",
            "table",
            "start\tend\ttext\n1000\t4000\tWe had a very good summer.\n4500\t8900\tNobody wanted to go home.\n",
        ),
        (
            "a.csv",
            "table",
            'start,end,text\n1000,4000," We had a very good summer."\n4500,8900," Nobody wanted to go home."\n',
        ),
        (
            "labels.txt",
            "table",
            "1.000000\t4.000000\tWe had a very good summer.\n4.500000\t8.900000\tNobody wanted to go home.\n",
        ),
        (
            "a.sub",
            "microdvd",
            "{1}{1}25.000\n{25}{100}We had a very|good summer.\n{113}{223}{y:i}Nobody wanted|/to go home.\n",
        ),
        ("a.txt", "mpl2", "[10][40]We had a very|/good summer.\n[45][89]/Nobody wanted to go home.\n"),
        (
            "a.ttml",
            "ttml",
            '<?xml version="1.0" encoding="UTF-16"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
            'xml:lang="en"><head><metadata>'
            "<title>No words</title></metadata></head><body><div>"
            '<p begin="00:00:01.000" end="00:00:04.000">We had a very<br/>good\n   summer.</p>'
            '<p begin="4.5s" dur="4400ms"><span>Nobody</span> wanted to <span tts:color="red" '
            'xmlns:tts="http://www.w3.org/ns/ttml#styling">go home.</span></p></div></body></tt>',
        ),
        (
            "a.dfxp",
            "ttml",
            '<tt xmlns="http://www.w3.org/2006/10/ttaf1"><body><div><p begin="00:00:01,000" end="00:00:04,000">'
            'We had a very&nbsp;good summer.</p><p begin="00:00:04:15" end="00:00:08:27">Nobody wanted to go home.</p>'
            "</div></body></tt>",
        ),
        (
            "a.xml",
            "ttml",
            '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
            'ttp:frameRate="24" ttp:frameRateMultiplier="1000 1000" ttp:tickRate="10000000"><body '
            'begin="1s"><div begin="0s">'
            '<p begin="0t" end="30000000t">We had a very good summer.</p>'
            '<p begin="84f" end="189.6f">Nobody wanted to go home.</p></div></body></tt>',
        ),
        (
            "a.ttml",
            "ttml",
            '<tt xmlns="http://www.w3.org/ns/ttml"><body><div timeContainer="seq"><p begin="1s" '
            'dur="3s">We had a very good '
            'summer.</p><p begin="0.5s" dur="4.4s">Nobody wanted to go home.</p></div></body></tt>',
        ),
        (
            "a.ttml",
            "ttml",
            '<tt><body tts:textAlign="center"><div><p begin="00:00:01.000" end="00:00:04.000" '
            'region="r1">We had a very good '
            'summer.</p>\n<p><span begin="00:00:04.500" end="00:00:08.900">Nobody wanted to go home.</span></p>'
            "</div></body></tt>",
        ),
        (
            "a.srv1",
            "youtube-xml",
            '<?xml version="1.0" encoding="utf-8" ?><transcript><text start="1" dur="3">We had a '
            "&lt;i&gt;very&lt;/i&gt; good summer.</text>"
            '<text start="4.5" dur="4.4">Nobody wanted to go home.</text></transcript>',
        ),
        (
            "a.srv2",
            "youtube-xml",
            '<timedtext><window t="0" id="1" op="define"/><text t="1000" d="3000">We had a very good summer.</text>'
            '<text t="4500" d="4400">Nobody wanted to go home.</text></timedtext>',
        ),
        (
            "a.xml",
            "youtube-xml",
            '<timedtext format="3"><head><ws id="0"/></head><body><p t="1000" d="3000">We had a very\ngood summer.</p>'
            '<p t="4500" d="4400">Nobody wanted to go home.</p></body></timedtext>',
        ),
        (
            "a.ass",
            "ass",
            "[Script Info]\nTitle: x\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\n"
            "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
            "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,No words\n"
            "Dialogue: 0,0:00:04.50,0:00:08.90,Default,,0,0,0,,Nobody {\\b1}wanted{\\b0} to go home.\n"
            "Dialogue: 0,0:00:01.00,0:00:04.00,Default,,0,0,0,,{\\an8}We had a very\\Ngood\\hsummer.\n"
            "Dialogue: 0,0:00:01.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}\n",
        ),
        (
            "a.ssa",
            "ass",
            "[Script Info]\r\nScriptType: v4.00\r\n[Events]\r\nFormat: Marked, Start, End, Text\r\n"
            "Dialogue: Marked=0,0:00:01.00,0:00:04.00,We had a very good summer.\r\n"
            "Dialogue: Marked=0,0:00:04.50,0:00:08.90,Nobody wanted to go home.\r\n",
        ),
    ],
)
def test_each_format_gives_its_cues(tmp_path, name, form, content):
    track = read(tmp_path, name, content)
    if form == "whisper-log" and content.startswith("Detecting"):
        assert track.problems == ("line 1: text without a time is left out.",)
        track = CaptionTrack(track.cues, track.format, track.kind, ())
    found = spans(track)
    tolerance = 20 if form == "microdvd" or name == "avid.txt" else 0  # half a picture
    assert track.format == form
    assert [text for _, _, text in found] == [text for _, _, text in SAID]
    for (start_ms, end_ms, _), (expected_start_ms, expected_end_ms, _) in zip(found, SAID, strict=True):
        assert abs(start_ms - expected_start_ms) <= tolerance
        assert abs(end_ms - expected_end_ms) <= tolerance


@pytest.mark.parametrize(
    ("name", "content", "starts"),
    [
        ("a.lrc", "[ar:Ann]\n[00:01.00]We go to sea\n[00:05.50]and come home\n[00:09.00]\n", [1000, 5500]),
        ("a.lrc", "[offset:500]\n[00:01.50]We go to sea\n[00:06.00]and come home\n", [1000, 5500]),
        ("a.txt", "0:01\nWe go to sea\n0:05\nand come home\n", [1000, 5000]),
        ("a.txt", "(0:01) We go to sea\n(0:05) and come home", [1000, 5000]),
        ("a.txt", "00:00:01 - We go to sea\n00:00:05 - and come home", [1000, 5000]),
        ("a.txt", "00:00:01:We go to sea\n00:00:05:and come home", [1000, 5000]),
    ],
)
def test_lines_with_a_start_alone_last_until_the_next(tmp_path, name, content, starts):
    track = read(tmp_path, name, content)
    assert [(cue.start_ms, cue.text) for cue in track.cues] == list(
        zip(starts, ["We go to sea", "and come home"], strict=True)
    )
    assert track.cues[0].end_ms == starts[0] + 4 * 200 + 9 * 80
    assert track.problems == ()


def test_a_repeated_line_of_a_song_and_its_word_times_are_read(tmp_path):
    track = read(tmp_path, "a.lrc", "[00:01.00][00:09.00]Oh yes\n[00:05.00]<00:05.00>We <00:05.80>go <00:06.40>home\n")
    assert [cue.start_ms for cue in track.cues] == [1000, 5000, 9000]
    assert words(track)[2:5] == [("We", 5000), ("go", 5800), ("home", 6400)]


def test_sami_cues_last_until_the_next(tmp_path):
    content = (
        "<SAMI><HEAD><TITLE>x</TITLE></HEAD><BODY>\n<SYNC Start=1000><P Class=ENCC>We had a very<br>good summer.\n"
        "<SYNC Start=4000><P Class=ENCC>&nbsp;\n<SYNC Start=4500><P Class=ENCC>Nobody wanted to go "
        "home.\n</BODY></SAMI>"
    )
    track = read(tmp_path, "a.smi", content)
    assert [(cue.start_ms, cue.end_ms, " ".join(cue.text.split())) for cue in track.cues] == [
        SAID[0],
        (4500, 4500 + 5 * 200 + 21 * 80, SAID[1][2]),
    ]


def test_srv3_has_word_times_and_rolls_as_json3(tmp_path):
    content = (
        '<timedtext format="3"><body><w t="0" id="1"/><p t="1000" d="5000" w="1"><s ac="0">so</s><s '
        't="500" ac="0"> it</s>'
        '</p><p t="2990" d="3010" w="1" a="1">\n</p><p t="3000" d="3000" w="1"><s ac="0">goes</s></p>'
        "</body></timedtext>"
    )
    track = read(tmp_path, "a.srv3", content)
    assert (track.kind, words(track)) == ("automatic", [("so", 1000), ("it", 1500), ("goes", 3000)])


def test_karaoke_of_substation_gives_word_times(tmp_path):
    content = (
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:04.00,Default,,0,0,0,,{\\k50}so {\\kf30}it {\\k100}goes\n"
    )
    assert words(read(tmp_path, "a.ass", content)) == [("so", 1000), ("it", 1500), ("goes", 1800)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.ass",
            "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
            "Dialogue: 0,0:00:01.00,0:00:04.00,D,Ann,0,0,0,,We had a good summer\n"
            "Dialogue: 0,0:00:04.00,0:00:08.00,D,Bob,0,0,0,,and nobody came home\n",
        ),
        (
            "a.ttml",
            '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"><head><metadata>'
            '<ttm:agent xml:id="a"><ttm:name>Ann</ttm:name></ttm:agent><ttm:agent xml:id="b"/>'
            "</metadata></head><body><div>"
            '<p begin="1s" end="4s" ttm:agent="a">We had a good summer</p>'
            '<p begin="4s" end="8s" ttm:agent="b">and nobody came home</p></div></body></tt>',
        ),
        (
            "a.json",
            '{"segments":[{"start":1,"end":4,"text":" We had a good summer","speaker":"SPEAKER_00"},'
            '{"start":4,"end":8,"text":" and nobody came home","speaker":"SPEAKER_01"}]}',
        ),
    ],
)
def test_another_speaker_is_another_utterance(tmp_path, name, content):
    utterances = segment(read(tmp_path, name, content), SEGMENTATION_POLICIES["recommended"])
    assert [u.text for u in utterances] == ["We had a good summer", "and nobody came home"]
    names = ["SPEAKER_00", "SPEAKER_01"] if name == "a.json" else ["Ann", "Bob" if name == "a.ass" else "b"]
    assert [u.speaker for u in utterances] == names


# ---------------------------------------------------------------- JSON of recognisers

SEGMENTS: list[dict[str, Any]] = [
    {"id": 0, "start": 1.0, "end": 4.0, "text": " We had a very good summer.", "avg_logprob": float("nan")},
    {"id": 1, "start": 4.5, "end": 8.9, "text": " Nobody wanted to go home."},
]


@pytest.mark.parametrize(
    "document",
    [
        {"text": "…", "segments": SEGMENTS, "language": "en"},
        {"task": "transcribe", "duration": 9.0, "segments": SEGMENTS},
        SEGMENTS,
        {
            "result": 1,
            "transcription": [
                {
                    "timestamps": {"from": "00:00:01,000", "to": "00:00:04,000"},
                    "offsets": {"from": 1000, "to": 4000},
                    "text": SEGMENTS[0]["text"],
                },
                {"timestamps": {"from": "00:00:04,500", "to": "00:00:08,900"}, "text": SEGMENTS[1]["text"]},
            ],
        },
        {
            "speakers": [],
            "chunks": [
                {"timestamp": [1.0, 4.0], "text": SEGMENTS[0]["text"]},
                {"timestamp": [4.5, 8.9], "text": SEGMENTS[1]["text"]},
            ],
        },
        [{"text": s["text"], "start": s["start"], "duration": s["end"] - s["start"]} for s in SEGMENTS],
        {"body": [{"from": s["start"], "to": s["end"], "content": s["text"]} for s in SEGMENTS]},
        [{"start": str(s["start"]), "end": str(s["end"]), "text": s["text"]} for s in SEGMENTS],
        {
            "segments": [
                {"start": 1000, "end": 4000, "text": SAID[0][2]},
                {"start": 4500, "end": 8900, "text": SAID[1][2]},
            ]
        },
        [[{"text": SAID[0][2], "start": 1.0, "duration": 3.0}, {"text": SAID[1][2], "start": 4.5, "duration": 4.4}]],
        {
            "snippets": [
                {"text": f"<i>{said}</i>", "start": a / 1000, "duration": (b - a) / 1000} for a, b, said in SAID
            ]
        },
        [{"text": said, "offset": a, "duration": b - a, "lang": "en"} for a, b, said in SAID],
        {"captions": [{"content": said, "startTime": a, "duration": b - a} for a, b, said in SAID]},
        {
            "results": {
                "audio_segments": [
                    {"transcript": t, "start_time": f"{a / 1000}", "end_time": f"{b / 1000}"} for a, b, t in SAID
                ]
            }
        },
        {
            "results": [
                {
                    "alternatives": [
                        {"parts": [{"text": t, "startTime": f"{a / 1000}s", "endTime": f"{b / 1000}s"}]},
                        {"parts": [{"text": "worse", "startTime": "1s", "endTime": "2s"}]},
                    ]
                }
                for a, b, t in SAID
            ]
        },
        {"segments": [{"body": said, "startTime": a / 1000, "endTime": b / 1000} for a, b, said in SAID]},
        {
            "subtitles": [
                {"start": "00:00:01,000", "end": "00:00:04,000", "text": SAID[0][2]},
                {"start_ms": 4500, "end_ms": 8900, "text": SAID[1][2]},
            ]
        },
    ],
    ids=lambda document: str(document)[:30],
)
def test_json_of_recognisers_gives_its_segments(tmp_path, document):
    track = read(tmp_path, "a.json", json.dumps(document))
    assert (track.format, track.kind) == ("whisper", "manual")
    assert spans(track) == SAID


@pytest.mark.parametrize(
    "found",
    [
        [
            {"word": " so", "start": 1.0, "end": 1.4},
            {"word": " it", "start": 1.5, "end": 1.7},
            {"word": " goes.", "start": 2.0, "end": 2.5},
        ],
        [
            {"word": "so", "start": 1.0, "end": 1.4, "score": 0.9},
            {"word": "it", "start": 1.5, "end": 1.7},
            {"word": "goes.", "start": 2.0, "end": 2.5},
        ],
        [
            {"text": "so", "start": 1.0, "end": 1.4, "confidence": 0.9},
            {"text": "it", "start": 1.5, "end": 1.7},
            {"text": "goes.", "start": 2.0},
        ],
        [{"word": "so", "start": 1.0}, {"word": "it", "start": 1.5}, {"word": "goes", "start": 2.0}],
    ],
)
def test_words_of_a_recogniser_have_their_times(tmp_path, found):
    document = {"segments": [{"start": 1.0, "end": 4.0, "text": " so it goes.", "words": found, "tokens": [1, 2]}]}
    track = read(tmp_path, "a.json", json.dumps(document))
    if all("end" in word for word in found):
        assert [word.end_ms for word in track.cues[0].words] == [1400, 1700, 2500]
    assert track.kind == "automatic"
    assert words(track) == [("so", 1000), ("it", 1500), ("goes.", 2000)]


def test_a_word_without_times_shares_those_around_it(tmp_path):
    found = [{"word": "in", "start": 1.0, "end": 1.4}, {"word": "2014"}, {"word": "then", "start": 3.0, "end": 3.5}]
    track = read(
        tmp_path,
        "a.json",
        json.dumps({"segments": [{"start": 1.0, "end": 4.0, "text": "in 2014 then", "words": found}]}),
    )
    assert words(track) == [("in", 1000), ("2014", 1750), ("then", 3000)]


def test_whisper_cpp_joins_the_parts_of_a_word(tmp_path):
    tokens = [
        ("[_BEG_]", 0),
        (" My", 1000),
        (" Amer", 1500),
        ("icans", 1700),
        (",", 1900),
        (" ask", 2000),
        ("[_TT_150]", 3000),
    ]
    item = {
        "offsets": {"from": 1000, "to": 4000},
        "text": " My Americans, ask",
        "tokens": [{"text": text, "offsets": {"from": at, "to": at + 100}} for text, at in tokens],
    }
    track = read(tmp_path, "a.json", json.dumps({"transcription": [item]}))
    assert words(track) == [("My", 1000), ("Americans,", 1500), ("ask", 2000)]


def test_words_beside_the_segments_are_divided_among_them(tmp_path):
    found = [("so", 1.0), ("it", 1.5), ("goes", 2.0), ("home", 4.0), ("again", 4.5)]
    document = {
        "segments": [
            {"start": 1.0, "end": 3.0, "text": "So it goes."},
            {"start": 4.0, "end": 6.0, "text": "Home, again!"},
        ],
        "words": [{"word": word, "start": at, "end": at + 0.3} for word, at in found],
    }
    track = read(tmp_path, "a.json", json.dumps(document))
    assert words(track) == [("So", 1000), ("it", 1500), ("goes.", 2000), ("Home,", 4000), ("again!", 4500)]


@pytest.mark.parametrize(
    ("key", "speakers"),
    [
        ("speaker", ["Ann", "Bob"]),
        ("speaker_name", ["Ann", "Bob"]),
        ("speakerName", ["Ann", "Bob"]),
        ("speaker_id", ["Ann", "Bob"]),
        ("speaker", [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}]),
    ],
)
def test_a_recogniser_names_who_speaks_in_its_own_way(tmp_path, key, speakers):
    items = [
        {"start": a / 1000, "end": b / 1000, "text": text, key: speaker}
        for (a, b, text), speaker in zip(SAID, speakers, strict=True)
    ]
    found = segment(read(tmp_path, "a.json", json.dumps({"segments": items})), SEGMENTATION_POLICIES["recommended"])
    assert [(u.speaker, u.text) for u in found] == [("Ann", SAID[0][2]), ("Bob", SAID[1][2])]


def test_an_object_per_line_is_a_segment(tmp_path):
    content = "\n".join(json.dumps({"start": a / 1000, "end": b / 1000, "text": text}) for a, b, text in SAID)
    assert spans(read(tmp_path, "a.jsonl", content)) == SAID


def test_what_python_prints_of_a_list_is_read(tmp_path):
    items = [{"text": said, "start": a / 1000, "duration": (b - a) / 1000} for a, b, said in SAID]
    assert spans(read(tmp_path, "a.txt", repr([items]))) == SAID


def test_the_length_that_a_page_says_aloud_is_no_text(tmp_path):
    content = f"0:01\n1 second{SAID[0][2]}\n1:05\n1 minute, 5 seconds{SAID[1][2]}\n1:09\n9 seconds is not long\n"
    track = read(tmp_path, "a.txt", content)
    assert [cue.text for cue in track.cues] == [SAID[0][2], SAID[1][2], "9 seconds is not long"]


def test_a_text_without_times_is_named_with_a_way_out(tmp_path):
    with pytest.raises(StageError, match="verbose_json"):
        read(tmp_path, "a.json", json.dumps({"text": "We had a very good summer."}))


@pytest.mark.parametrize("key", ["words", "chunks", "result"])
def test_words_alone_are_put_into_lines(tmp_path, key):
    items: list[dict[str, Any]] = [{"text": f" w{n}", "timestamp": [n * 0.3, n * 0.3 + 0.2]} for n in range(15)]
    if key in {"words", "result"}:
        items = [{"word": item["text"], "start": item["timestamp"][0], "end": item["timestamp"][1]} for item in items]
    track = read(tmp_path, "a.json", json.dumps({key: items}))
    assert [len(cue.words) for cue in track.cues] == [10, 5]
    assert words(track)[10] == ("w10", 3000)


def test_a_segment_without_end_lasts_until_the_next(tmp_path):
    document = {
        "chunks": [
            {"timestamp": [1.0, None], "text": "So it goes on and on."},
            {"timestamp": [2.0, None], "text": "Yes"},
        ]
    }
    assert spans(read(tmp_path, "a.json", json.dumps(document))) == [
        (1000, 2000, "So it goes on and on."),
        (2000, 2000 + 200 + 3 * 80, "Yes"),
    ]


def test_damaged_json_gives_the_segments_before_the_damage(tmp_path):
    whole = json.dumps({"segments": SEGMENTS})
    track = read(tmp_path, "a.json", whole[:-20])
    assert [cue.start_ms for cue in track.cues] == [1000]
    assert track.problems == ("line 1: the JSON breaks off or is damaged; what stands before that is read.",)


def test_wrong_segments_are_reported_with_their_number(tmp_path):
    wrong = [
        {"start": start, "end": 2, "text": "a bad one"} for start in (-1, True, "x", None, 10**400, math.inf, math.nan)
    ]
    document = {"segments": ["?", {"text": "no time"}, *wrong, *SEGMENTS]}
    track = read(tmp_path, "a.json", json.dumps(document))
    assert len(track.cues) == 2
    assert track.problems == (
        "segment 1: this is no segment, so it is left out.",
        *(f"segment {number}: its times are missing or wrong, so it is left out." for number in range(2, 10)),
    )


# ---------------------------------------------------------------- files that are not read, and hostile ones


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.scc", "Scenarist_SCC V1.0\n\n00:00:01:00\t9420 94ae\n", r"Scenarist \(SCC\) file; convert it to SRT"),
        ("a.stl", b"850STL25.01" + b"0" * 500, "an EBU STL file; convert it to SRT"),
        ("a.stl", "//Font select\n$FontName = Arial\n00:00:01:00 , 00:00:04:00 , Hi\n", "a Spruce STL file"),
        ("a.idx", "# VobSub index file, v7\ntimestamp: 00:00:01:000, filepos: 0\n", "its captions are pictures"),
        ("a.TextGrid", 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n', "a TextGrid of Praat"),
        ("a.vtt", "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\n1.vtt\n", "a playlist"),
        ("a.sh", "#!/bin/bash\nffmpeg -i a.wav\n", "a script"),
        ("a.txt", "TITLE: x\nFCM: NON-DROP FRAME\n001 AX V C 00:00:00:00 00:00:03:00\n", "an edit list"),
        ("a.ctm", "rec 1 0.00 0.40 I\nrec 1 0.40 0.40 have\nrec 1 0.80 0.40 been\n", "a CTM file"),
        ("a.srt", "{\\rtf1\\ansi 1\\par\n00:00:00,000 --> 00:00:03,000\\par\nHello\\par}", "a text document"),
        ("a.sub", b"\x00\x00\x01\xba\x44\x00\x04" + bytes(range(256)), "subtitles as pictures"),
        ("a.rtf", "{\\rtf1\\ansi Hello there}", r"a text document \(RTF\); save the captions as a text file"),
        ("a.srt", b"%PDF-1.7\n%\xe2\xe3", "a PDF file"),
        ("a.srt", b"PK\x03\x04\x14\x00\x06\x00", "an archive or an office document"),
        ("a.srt", "<!DOCTYPE html><html><body>Not found</body></html>", "a web page"),
        ("a.xml", "<USFSubtitles><subtitle start='1'/></USFSubtitles>", "an XML file of a kind that is not read"),
        ("a.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00", "a recording; give it as the recording"),
        (
            "a.txt",
            "We had a very good summer by the sea, and nobody wanted to go home when it was over. " * 3,
            "without times",
        ),
        ("a.sub", "{25}{100}We had a good summer.\n", "MicroDVD file that does not give its pictures per second"),
        ("a.sub", "{1}{1}00.0\n{25}{100}We had a good summer.\n", "does not give its pictures per second"),
        ("a.json", '{"monologues": []}', 'one of Whisper a list named "segments"'),
        ("a.json", "[{}]", "No captions can be read"),
    ],
)
def test_what_is_not_read_is_named_with_a_way_out(tmp_path, name, content, what):
    with pytest.raises(StageError, match=what) as caught:
        read(tmp_path, name, content)
    assert caught.value.permanent


BOMB = "<!DOCTYPE tt [" + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12)) + "]>"


@pytest.mark.parametrize(
    "content",
    [
        f'{BOMB}<tt><body><div><p begin="1s" end="4s">&l11;</p></div></body></tt>',
        f'<?xml version="1.0"?>{BOMB}<transcript><text start="1" dur="3">&l11;</text></transcript>',
        '<!DOCTYPE tt [<!ENTITY x SYSTEM "file:///etc/passwd">]><tt><body><div><p begin="1s" '
        'end="4s">&x;</p></div></body></tt>',
        '<!DOCTYPE tt SYSTEM "http://127.0.0.1:9/x.dtd"><tt><body><div><p begin="1s" end="4s">&x;</p>'
        "</div></body></tt>",
    ],
)
def test_entities_of_a_hostile_file_are_not_followed(tmp_path, content):
    with pytest.raises(StageError):
        read(tmp_path, "a.ttml", content)


@pytest.mark.parametrize("opening", ["<tt><body>", "<transcript>"])
def test_elements_nested_too_deep_are_refused(tmp_path, opening):
    with pytest.raises(StageError, match="nests its elements too deep"):
        read(tmp_path, "a.xml", opening + "<div>" * 1_000_000)


def test_damaged_xml_gives_the_cues_before_the_damage(tmp_path):
    content = '<tt><body><div><p begin="1s" end="4s">We go & come</p><p begin="x" end="5s">Lost</p><p begin="5s" end='
    track = read(tmp_path, "a.ttml", content)
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues] == [(1000, 4000, "We go & come")]
    assert [problem.partition(":")[0] for problem in track.problems] == ["paragraph 2", "line 1"]


@pytest.mark.parametrize(
    "atom",
    [
        *(
            " ",
            "\t",
            "\u00a0",
            "-",
            "9",
            "1:",
            "1: ",
            ":",
            "#",
            ">",
            "<!--",
            "<!-- -->",
            "<?x ",
            "<!DOCTYPE",
            "{",
            "{\\p",
            "&",
            "&amp;amp;",
        ),
        *(
            "<br",
            "< i",
            "<c\n",
            "<sync start=1",
            "<p ",
            "[00:01.00]",
            "(0:01)",
            "0:01,",
            "{1}{1}",
            "[1][1]",
            "a:b ",
            "\\N",
            "'",
            "n 't ",
            "1\t",
        ),
    ],
)
@pytest.mark.parametrize(
    "opening", ["", "<SAMI>", "<tt>", "Dialogue: 0,0:00:01.00,0:00:04.00,,,,,,,", "0:00:01.000,0:00:04.000\n"]
)
def test_a_file_of_one_thing_takes_no_quadratic_time(tmp_path, opening, atom):
    started = time.process_time()
    with suppress(StageError):
        read(tmp_path, "a.txt", opening + atom * (300_000 // len(atom)))
    assert time.process_time() - started < 10
