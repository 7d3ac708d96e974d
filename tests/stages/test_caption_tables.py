"""Tables and transcripts: a cue per row, and paragraphs below a name and a time."""

import pytest

from pipeline.stages.captions import SegmentationPolicy, Utterance, read_captions, segment
from tests.stages.shown import RECOMMENDED, SEED, spoken

FIRST, SECOND, THIRD = "Hello there, my good old friend.", "Good morning to you too, sir.", "And what did they do then?"


@pytest.fixture
def utterances_of(tmp_path):
    def cut(content: str, name: str = "a.txt", policy: SegmentationPolicy = RECOMMENDED) -> tuple[Utterance, ...]:
        path = tmp_path / name
        path.write_text(content)
        track = read_captions(path)
        assert track.problems == ()
        return segment(track, policy)

    return cut


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize(
    "content",
    [
        f'start,end,speaker,text\n0,3000,0,"{FIRST}"\n3000,6000,1,"{SECOND}"\n6000,9000,?,"{THIRD}"\n',
        f"start\tend\tspeaker\ttext\n0.0\t3.0\t0\t{FIRST}\n3.0\t6.0\t1\t{SECOND}\n6.0\t9.0\t\t{THIRD}\n",
        f"Speaker;Start time;End time;Text\n0;0;3;{FIRST}\n1;3;6;{SECOND}\n;6;9;{THIRD}\n",
        f'text,start,end,speaker\n"{FIRST}",0:00,0:03.0,0\n"{SECOND}",0:03,0:06,1\n"{THIRD}",0:06,0:09,\n',
        f"start,end,speaker,text\n0,3000,0,{FIRST}\n3000,6000,1,{SECOND}\n6000,9000,,{THIRD}\n",
    ],
)
def test_a_table_names_who_speaks(utterances_of, content, policy):
    found = utterances_of(content, "a.csv", policy)
    assert [(u.start_ms, u.end_ms) for u in found] == [(0, 3000), (3000, 6000), (6000, 9000)]
    assert spoken(found) == [("0", FIRST), ("1", SECOND), ("", THIRD)]


@pytest.mark.parametrize(
    "head",
    [
        "{}  {}  \n{}",
        "{} ({}):\n{}",
        "{}: ({})\n{}",
        "[{}] {}\n{}",
        "{} [{}]\n{}",
        "{}, {}\n{}",
        "{} - {}\n\n{}",
        "{1} {0}\n{2}",
        "[{1}] {0}:\n{2}",
        "{1} - {0}\n{2}",
    ],
)
@pytest.mark.parametrize("name", ["Joy Miller", "Speaker 1", "Dr. J. Smith"])
def test_a_line_with_a_name_and_a_time_begins_a_turn(utterances_of, head, name):
    turns = [(name, "0:03", FIRST), ("Sam", "0:10", SECOND), (name, "1:02:05", THIRD)]
    content = "\n\n".join(head.format(*turn) for turn in turns)
    found = utterances_of(f"{content}\n\nTranscribed by https://otter.ai\n")
    assert spoken(found) == [(name, FIRST), ("Sam", SECOND), (name, THIRD)]
    assert [u.start_ms for u in found] == [3000, 10_000, 3_725_000]


def test_speech_behind_a_time_is_no_name(utterances_of):
    found = utterances_of(
        "0:03 Good morning\nto all of you out there\n0:07 Good morning\nto you too, my dear sir\n0:12 Well\nlet us go\n"
    )
    assert [u.text for u in found][0].startswith("Good morning to all")


def test_a_time_at_the_end_of_speech_makes_no_transcript(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(
        "We met him there at 10:30\nand we left again soon\nbut he came back at 9:15\nand we were not there\n"
    )
    with pytest.raises(Exception, match="No captions can be read"):
        read_captions(path)


def test_times_of_a_cutting_program_have_a_dash_between_them(utterances_of):
    content = "\n\n".join(
        f"00:00:{start:02}:00 - 00:00:{start + 3:02}:12\nSpeaker {n}\n{text}"
        for n, start, text in ((1, 3, FIRST), (2, 7, SECOND), (1, 11, THIRD))
    )
    found = utterances_of(content)
    assert spoken(found) == [("Speaker 1", FIRST), ("Speaker 2", SECOND), ("Speaker 1", THIRD)]
    assert [(u.start_ms, u.end_ms) for u in found] == [(3000, 6480), (7000, 10_480), (11_000, 14_480)]


def test_stars_around_a_name_are_no_text(utterances_of):
    found = utterances_of(f"[00:00:03] **Joy:** {FIRST}\n\n[00:00:08] **Sam:** {SECOND}\n\n[00:00:14] **Joy:** {THIRD}")
    assert spoken(found) == [("Joy", FIRST), ("Sam", SECOND), ("Joy", THIRD)]


def test_a_cell_without_end_is_reported(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f'start,end,text\n0,3000,{FIRST}\n3000,6000,"{"x" * 140_000}\n')
    track = read_captions(path)
    assert [cue.text for cue in track.cues] == [FIRST]
    assert track.problems == ("line 3: the time cannot be read, so this cue is left out.",)
