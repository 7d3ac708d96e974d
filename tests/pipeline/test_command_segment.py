"""The command `segment`: a file in, utterances out, no database."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from pipeline.stages import speech_gate
from pipeline.stages.speech_gate import speech_shares

POLICIES = ("recommended", "seed-2019")
SRT = """1
00:00:00,000 --> 00:00:03,000
I really love it here.

2
00:00:0x,000 --> 00:00:09,000
Lost

3
00:00:10,000 --> 00:00:11,500
[Laughing]
"""


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "a.srt"
    path.write_text(SRT)
    return path


def run(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("segment", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_prints_one_json_list_and_problems_apart(captions):
    out, err = run(captions, "--policy", "recommended", "--format", "json")
    assert json.loads(out) == [
        {"start_ms": 0, "end_ms": 3000, "text": "I really love it here.", "kept": True, "reason": ""},
        {"start_ms": 10_000, "end_ms": 11_500, "text": "[Laughing]", "kept": False, "reason": "only tags"},
    ]
    assert err.strip() == "a.srt: line 6: the time cannot be read, so this cue is left out."


def test_it_prints_a_table(captions):
    out, _ = run(captions)
    assert out.splitlines()[1:] == [
        "  0:00.000   0:03.000  kept                 I really love it here.",
        "  0:10.000   0:11.500  not kept: only tags  [Laughing]",
        "1 of 2 utterances kept",
    ]


def test_policies_differ(captions):
    captions.write_text("1\n00:00:00,000 --> 00:00:03,000\nIt is what it is\n")
    reasons = [json.loads(run(captions, "--policy", policy, "--format", "json")[0])[0]["reason"] for policy in POLICIES]
    assert reasons == ["", "fewer than 4 words without stop-words"]


@pytest.mark.parametrize(("content", "sentence"), [(b"", "is empty"), (b"some text", "No captions can be read")])
def test_a_file_without_captions_fails_in_a_sentence(captions, content, sentence):
    captions.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        run(captions)


def test_a_missing_file_fails_in_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "absent.srt")


@pytest.mark.parametrize("arguments", [("a.srt", "--policy", "mine"), ("a.srt", "--format", "xml")])
def test_it_refuses_unknown_words(arguments):
    with pytest.raises(CommandError, match="invalid choice"):
        run(*arguments)


@pytest.mark.shared_data
@pytest.mark.parametrize("ending", ["vtt", "json3"])
def test_a_real_interview_is_cut_at_its_sentences(shared_data: Path, ending: str) -> None:
    out, err = run(shared_data / "interview" / f"interview.en.{ending}", "--format", "json")
    rows = json.loads(out)
    spoken = [word["text"] for word in json.loads((shared_data / "interview" / "words.json").read_text())]
    assert err == ""
    assert " ".join(row["text"] for row in rows).split() == spoken
    kept = [row for row in rows if row["kept"]]
    assert len(kept) == 11
    assert all(2000 <= row["end_ms"] - row["start_ms"] <= 12_000 for row in kept)
    assert all(row["text"][-1] in ".?" for row in kept)


def test_with_the_recording_it_listens_for_speech_and_ends_with_it(captions, wav, monkeypatch):
    monkeypatch.setattr(speech_gate, "speech_shares", speech_shares)  # in place of the suite's stand-in
    captions.write_text(
        "1\n00:00:00,000 --> 00:00:03,000\nI really love it here.\n\n"
        "2\n00:00:20,000 --> 00:00:23,000\nNobody can hear this any more.\n"
    )
    for policy, first in (("recommended", "hardly any speech"), ("seed-2019", "")):
        rows = json.loads(run(captions, "--recording", wav, "--policy", policy, "--format", "json")[0])
        assert rows[0]["reason"] == first
    assert rows[1]["reason"] == "after the end of the recording"


def test_a_recording_without_sound_fails_in_a_sentence(captions):
    with pytest.raises(CommandError, match=r"\.$"):
        run(captions, "--recording", captions)


def test_captions_that_are_hardly_english_get_a_hint(captions):
    text = "Wir haben gestern mit der ganzen Familie gegessen und es war schön."
    blocks = [f"{n + 1}\n00:00:{5 * n:02},000 --> 00:00:{5 * n + 4:02},000\n{text}\n" for n in range(3)]
    captions.write_text("\n".join(blocks), encoding="utf-8")
    out, err = run(captions)
    assert err.startswith("a.srt: This is hardly English: ")
    assert "3 of 3 utterances kept" in out


def test_it_reads_captions_of_other_programs(tmp_path):
    path = tmp_path / "whisper.json"
    path.write_text('{"segments": [{"start": 1.0, "end": 4.0, "text": " We had a very good summer."}]}')
    (row,) = json.loads(run(path, "--format", "json")[0])
    assert (row["start_ms"], row["end_ms"], row["text"]) == (1000, 4000, "We had a very good summer.")


SPEAKERS = """1
00:00:00,000 --> 00:00:03,000
Joy Miller: Where were you on that day?

2
00:00:03,000 --> 00:00:06,000
Sam: I was at work until nine.

3
00:00:06,000 --> 00:00:09,000
Joy Miller: And the bus was late?
"""


def test_it_prints_who_speaks_where_the_captions_name_it(captions):
    captions.write_text(SPEAKERS)
    rows = json.loads(run(captions, "--format", "json")[0])
    assert [list(row)[-1] for row in rows] == ["speaker"] * 3
    assert [(row["speaker"], row["text"]) for row in rows][:2] == [
        ("Joy Miller", "Where were you on that day?"),
        ("Sam", "I was at work until nine."),
    ]
    lines = run(captions)[0].splitlines()
    assert [line.index(word) for line, word in zip(lines, ["speaker", "Joy", "Sam"], strict=False)] == [29] * 3
    assert [line.index(word) for line, word in zip(lines, ["text", "Where", "I was"], strict=False)] == [41] * 3


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Elephants never forget rivers. " * 20, "None of .* faster than anybody speaks"),
        ("[Music]", "None of 1 utterances can be used; the reason of 1: only tags"),
    ],
)
def test_captions_that_give_nothing_fail_in_a_sentence_after_the_list(captions, text, sentence, policy):
    captions.write_text(f"1\n00:00:00,000 --> 00:00:02,000\n{text}\n")
    out = StringIO()
    with pytest.raises(CommandError, match=sentence):
        call_command("segment", str(captions), "--policy", policy, "--format", "json", stdout=out)
    assert json.loads(out.getvalue())


def test_a_transcript_in_a_word_timed_cue_of_seconds_fails_in_a_sentence(tmp_path):
    words = "".join(f"<00:00:00.{n % 1000:03}><c> wonderful</c>" for n in range(500))
    (tmp_path / "a.vtt").write_text(f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nso{words}\n")
    with pytest.raises(CommandError, match=r"a\.vtt: No utterance can be made of these captions"):
        run(tmp_path / "a.vtt")
