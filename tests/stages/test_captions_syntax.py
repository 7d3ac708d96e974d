"""SRT and WebVTT as programs and people write them: every word that a player shows is read once, at its time."""

from pathlib import Path

import pytest

from pipeline.stages.captions import SEGMENTATION_POLICIES, read_captions, segment
from pipeline.stages.captions_text import read_srt, read_vtt

ONE, TWO = "00:00:01,000 --> 00:00:04,000", "00:00:05,000 --> 00:00:08,000"
# What each of the files below says.
SAID = [(1000, 4000, "It was late"), (5000, 8000, "Good day")]


def read(tmp_path: Path, name: str, content: str | bytes) -> list[tuple[int, int, str]]:
    """The cues of a file without problems, lines joined."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    track = read_captions(path)
    assert track.problems == ()
    return [(cue.start_ms, cue.end_ms, " ".join(cue.text.split())) for cue in track.cues]


# ---------------------------------------------------------------- empty lines and numbers


@pytest.mark.parametrize(
    "content",
    [
        f"1\n{ONE}\nIt was\n\nlate\n\n2\n{TWO}\nGood day\n",
        f"1\n{ONE}\n\nIt was late\n\n2\n{TWO}\n\n\nGood day\n",
        f"1\n{ONE}\nIt was\n\n\n\nlate\n\n2\n{TWO}\nGood\n\nday\n",
        f"1\n\n{ONE}\n\nIt was\nlate\n\n2\n\n{TWO}\n\nGood day\n\n\n",
        f"1\n\n{ONE}\n\nIt was\n\nlate\n\n\n\n2\n\n{TWO}\n\nGood day\n",
        f"1\r\n\r\n{ONE}\r\n\r\nIt was late\r\n\r\n\r\n\r\n2\r\n\r\n{TWO}\r\n\r\nGood day\r\n\r\n",
        f"1\r\r\n{ONE}\r\r\nIt was late\r\r\n\r\r\n2\r\r\n{TWO}\r\r\nGood day",
        f"1\r{ONE}\rIt was late\r\r2\r{TWO}\rGood day\r",
        f"1\n{ONE}\nIt was\u2028late\n\n2\n{TWO}\nGood\x0bday\x85",
        f"{ONE}\nIt was\n\nlate\n\n{TWO}\nGood day\n",
        f"1 {ONE} It was late\n2 {TWO} Good day\n",
        f"1\n{ONE}\nIt was late\n \n2\n{TWO}\nGood day\n",
        f"\ufeff1\n{ONE}\nIt was late\n\n\ufeff2\n\ufeff{TWO}\nGood\ufeff day\n",
        f"1\n{ONE}\nIt was late\n2\n{TWO}\nGood day\n",
        f"1 {ONE}\nIt was late\n\n2 {TWO}\nGood day\n",
        f"1. {ONE}\nIt was late\n\n2. {TWO}\nGood day\n",
        f"1.\n{ONE}\nIt was late\n\n2.\n{TWO}\nGood day\n",
        f"#1\n{ONE}\nIt was late\n\n#2\n{TWO}\nGood day\n",
        f"1\n{ONE}\nIt was late\n\n1\n{TWO}\nGood day\n",
        f"1\n{ONE}\nIt was late\n\n{TWO}\nGood day\n",
        f"7\n{ONE} It was late\n\n8\n{TWO} Good day\n\n9\n",
        f"1\n{ONE}\nIt\twas\u00a0late\u3000\n\n2\n{TWO}\n\u200eGood\u200f day\n",
    ],
)
def test_lines_belong_to_the_cue_that_shows_them(tmp_path, content):
    assert read(tmp_path, "a.srt", content) == SAID


def test_a_number_that_is_glued_to_the_text_above_is_none_of_its_words(tmp_path):
    said = read(tmp_path, "a.srt", f"1\n{ONE}\nIt was late.2\n{TWO}\nGood day\n")
    assert said == [(1000, 4000, "It was late."), (5000, 8000, "Good day")]


@pytest.mark.parametrize(
    "content",
    [
        f"1\n{ONE}\nIt was in\n1984\n\n2\n{TWO}\nGood day\n",
        f"1\n{ONE}\nIt was in\n\n1984\n\n2\n{TWO}\nGood day\n",
        f"1\n{ONE}\nIt was in\n1984\n2\n{TWO}\nGood day\n",
        f"{ONE}\nIt was in\n1984\n\n{TWO}\nGood day\n",
        f"1\n{ONE}\nIt was in\n1984\n\n{TWO}\nGood day\n\n3\n00:00:09,000 --> 00:00:10,000\n\u200b",
        f"1\n\n{ONE}\n\nIt was in\n\n1984\n\n\n\n2\n\n{TWO}\n\nGood day\n",
        f"1\n{ONE}\nIt was in\n\n1984\n2\n{TWO}\nGood day\n",
    ],
)
def test_a_number_that_somebody_says_is_no_cue_number(tmp_path, content):
    assert read(tmp_path, "a.srt", content) == [(1000, 4000, "It was in 1984"), (5000, 8000, "Good day")]


def test_a_cue_may_say_a_number_alone(tmp_path):
    assert read(tmp_path, "a.srt", f"1\n{ONE}\n1984\n\n2\n{TWO}\nGood day\n")[0] == (1000, 4000, "1984")


@pytest.mark.parametrize("lost", ["00:00:05,000 to 00:00:08,000\nLost", "2\n00:00:05,000\nLost", "2\nLost"])
def test_a_cue_whose_time_is_lost_is_reported_and_not_said_with_another(lost):
    track = read_srt(f"1\n{ONE}\nIt was late\n\n{lost}\n\n3\n00:00:09,000 --> 00:00:12,000\nBye")
    assert [cue.text for cue in track.cues] == ["It was late", "Bye"]
    assert track.problems == ("line 5: text without a time is left out.",)


@pytest.mark.parametrize(
    "content",
    [
        "WEBVTT\n\nKind: captions\n\n\n\nNOTE\n\nhi\n\n\n\n{one}\n\nIt was\n\nlate\n\n\n\n{two}\n\nGood day\n",
        "WEBVTT\n\n1\n{one}\nIt was\n\nlate\n\n2\n{two}\n\nGood day\n",
        "WEBVTT\n{one}\nIt was late\n\nNOTE see\nbelow\n\n1984\n{two}\nGood day",
        "WEBVTT\n\n{one}\nIt was late\n{two}\nGood day",
        "WEBVTT\n\nan intro\n{one}\nIt was late\n\nSTYLE\n::cue {{}}\n\n{two}\nGood day",
        "\n\ufeffWEBVTT\n\n{one}\nIt was late\n\n\ufeffWEBVTT\n\n{two}\nGood day",
    ],
)
def test_vtt_with_lines_out_of_place_is_read(tmp_path, content):
    one, two = ONE.replace(",", "."), TWO.replace(",", ".")
    assert read(tmp_path, "a.vtt", content.format(one=one, two=two)) == SAID


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("times", "start_ms", "end_ms"),
    [
        ("00:00:01,000 - > 00:00:04,000", 1000, 4000),
        ("00:00:01,000 -- > 00:00:04,000", 1000, 4000),
        ("00:00:01,000 - - > 00:00:04,000", 1000, 4000),
        ("00:00:01,000 —> 00:00:04,000", 1000, 4000),
        ("00:00:01,000 => 00:00:04,000", 1000, 4000),
        ("00:00:01,000 -->> 00:00:04,000", 1000, 4000),
        ("1.000 --> 4.25", 1000, 4250),
        ("00:00:01,000 ⇒ 00:00:04,000", 1000, 4000),
        ("00:00:01,000 --&gt; 00:00:04,000", 1000, 4000),
        ("00:00:01.000 --> 00:00:04.000align:start position:0%", 1000, 4000),
        ("00:00:01.000 --> 00:00:04.000line:90%", 1000, 4000),
        ("00:00:01,000 --> 00:00:04,000  X1:201 X2:516 Y1:397 Y2:423", 1000, 4000),
        ("00:00:01,249.0999999999999 --> 00:00:04,251.79999999999995", 1249, 4251),
        ("00:00:01,49.0999999 --> 00:00:04,5.25", 1049, 4005),
        ("00:00:01,1000 --> 00:00:03,999", 2000, 3999),
        ("00:00:60,000 --> 00:60:00,000", 60_000, 3_600_000),
        ("00 : 00 : 01 , 000 --> 00 : 00 : 04 , 000", 1000, 4000),
        ("00:00:01:500 --> 00:00:04:250", 1500, 4250),
        ("00:00:01;500 --> 00:00:04;250", 1500, 4250),
        ("00,00,01,500 --> 00,00,04,000", 1500, 4000),
        ("00.00.01,500 --> 00.00.04,000", 1500, 4000),
        ("00:01:500 --> 00:04:000", 1500, 4000),
        ("00:00:01:12 --> 00:00:04:29", 1480, 4966),
        ("0:0:1,5 --> 0:0:4", 1500, 4000),
        ("-00:00:01,000 --> 00:00:04,000", 0, 4000),
        ("００：００：０１，０００ －－＞ ００：００：０４，０００", 1000, 4000),
        ("00:00:01,000\u00a0-->\u00a000:00:04,000\u200b", 1000, 4000),
        ("\t00:00:01,000\t-->\t00:00:04,000\t", 1000, 4000),
        ("00:00:01,000. --> 00:00:04,000.", 1000, 4000),
    ],
)
def test_it_reads_times_of_every_shape(tmp_path, times, start_ms, end_ms):
    assert read(tmp_path, "a.srt", f"1\n{times}\nHello there\n") == [(start_ms, end_ms, "Hello there")]


@pytest.mark.parametrize("times", ["00:00:61,000 --> 00:01:05,000", "00:00:0x,000 --> 00:00:04,000", "1:2 --> x"])
def test_a_time_that_no_clock_shows_is_reported(times):
    track = read_srt(f"1\n{times}\nLost\n\n2\n{TWO}\nGood day")
    assert [cue.text for cue in track.cues] == ["Good day"]
    assert track.problems == ("line 2: the time cannot be read, so this cue is left out.",)


# ---------------------------------------------------------------- markup


@pytest.mark.parametrize("form", ["srt", "vtt"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one<br>two<br/>three<br />four<BR>five", "one two three four five"),
        (r"one\Ntwo\hthree", "one two three"),
        ("one&nbsp;two&#160;three", "one two three"),
        ("<p>one</p><p>two</p>", "one two"),
        ("one</br>two<br clear=all>three", "one two three"),
        ('< i >one< /i > <I>two</I> <font color = "#fff">three</font>', "one two three"),
        ("<c.yellow.bg_blue>one</c> <lang en>two</lang>", "one two"),
        ("one <c\n> two</c> <font\ncolor=red>three</font>", "one two three"),
        ("<ruby>one<rt>two</rt></ruby> three", "one two three"),
        (r"{\an8}{\i1}one{\i0} two", "one two"),
        ("&lt;i&gt;one&lt;/i&gt; &amp;lt;3", "one <3"),
        ("I don&amp;#39;t &amp;amp; won&amp;apos;t", "I don't & won't"),
        ("one </i", "one"),
        ("I <3 that 2 < 4 & 5 > 3", "I <3 that 2 < 4 & 5 > 3"),
        ("salt &pepper &notice", "salt &pepper &notice"),
        ("a < b\nand c > d", "a < b and c > d"),
        ("if a < b and b > c, so < i think > is", "if a < b and b > c, so < i think > is"),
        ("ﬁne ｗｏｒｄｓ cafe\u0301", "fine words café"),
        ("so\u00adft\u200b wo\u200drds\ufeff", "soft words"),
    ],
)
def test_what_a_player_shows_is_read(tmp_path, form, text, shown):
    content = f"WEBVTT\n\n{ONE.replace(',', '.')}\n{text}\n" if form == "vtt" else f"1\n{ONE}\n{text}\n"
    assert read(tmp_path, f"a.{form}", content) == [(1000, 4000, shown)]


def test_word_times_survive_a_tag_over_two_lines():
    track = read_vtt(f"WEBVTT\n\n{ONE.replace(',', '.')}\nso<00:00:01.300><c> many</c><00:00:02.000><c\n> people</c>\n")
    assert [(word.text, word.start_ms) for word in track.cues[0].words] == [
        ("so", 1000),
        ("many", 1300),
        ("people", 2000),
    ]


@pytest.mark.parametrize("time", ["< 00:00:02.000 >", "<00:00:02.000 >", "<00:00:02.000", "<00:02.000>"])
def test_word_times_that_are_written_badly_are_read(time):
    (cue,) = read_vtt(f"WEBVTT\n\n{ONE.replace(',', '.')}\nso {time}<c>many</c>\n").cues
    assert [(word.text, word.start_ms) for word in cue.words] == [("so", 1000), ("many", 2000)]


def test_word_times_in_srt_are_no_text():
    (cue,) = read_srt(f"1\n{ONE}\nso<00:00:02,000><c> many</c>\n").cues
    assert (cue.text, [word.start_ms for word in cue.words]) == ("so many", [1000, 2000])


# ---------------------------------------------------------------- cues without a duration


ZERO = "00:00:05,200 --> 00:00:05,200"


@pytest.mark.parametrize("policy", SEGMENTATION_POLICIES.values(), ids=str)
def test_words_of_a_cue_without_duration_stay_in_their_sentence(policy):
    track = read_srt(
        "1\n00:00:01,000 --> 00:00:05,200\nWhen my grandmother heard about the wedding\n\n"
        f"2\n{ZERO}\nshe was not\n\n3\n{ZERO}\nat all\n\n"
        "4\n00:00:05,200 --> 00:00:08,600\nhappy about the whole affair.\n"
    )
    assert track.problems == ()
    text = " ".join(u.text for u in segment(track, policy))
    assert text == "When my grandmother heard about the wedding she was not at all happy about the whole affair."
    assert (track.cues[1].start_ms, track.cues[1].end_ms) == (5200, 8600)


def test_words_of_a_cue_without_duration_before_a_short_silence_begin_with_it():
    track = read_srt(
        f"1\n00:00:01,000 --> 00:00:04,000\nI was\n\n2\n{ZERO}\nlate\n\n3\n00:00:06,000 --> 00:00:08,000\nagain."
    )
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues] == [
        (1000, 4000, "I was"),
        (5200, 8000, "late\nagain."),
    ]


@pytest.mark.parametrize("said", ["1.5 -> 2.5 percent", "Go A --> B", "3 -> 4", "2.0 --> better"])
def test_an_arrow_between_numbers_that_somebody_says_is_no_time(tmp_path, said):
    assert read(tmp_path, "a.srt", f"1\n{ONE}\n{said}\n") == [(1000, 4000, said)]


def test_text_of_an_unfinished_sentence_goes_on_below_an_empty_line():
    track = read_srt(f"{ONE}\nIt was late,\n\nAnn said.\n\n{TWO}\nGood day")
    assert [cue.text for cue in track.cues] == ["It was late,\nAnn said.", "Good day"]


def test_words_of_a_last_cue_without_duration_belong_to_the_one_before():
    track = read_srt(f"1\n00:00:01,000 --> 00:00:05,200\nWe did not go\n\n2\n{ZERO}\nhome.\n")
    assert [(cue.end_ms, cue.text) for cue in track.cues] == [(5200, "We did not go\nhome.")]


def test_a_line_that_is_shown_for_no_time_is_not_said_twice():
    track = read_srt(
        f"1\n00:00:01,000 --> 00:00:05,200\nWe go\n\n2\n{ZERO}\nWe go\n\n3\n00:00:05,200 --> 00:00:08,000\nto sea"
    )
    assert [cue.text for cue in track.cues] == ["We go", "to sea"]


def test_where_no_cue_has_a_duration_their_words_tell_how_long_they_last():
    track = read_srt("1\n00:00:01,000 --> 00:00:01,000\nSo it is\n\n2\n00:00:02,000 --> 00:00:02,000\nGood day\n")
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(1000, 2000), (2000, 2000 + 2 * 200 + 7 * 80)]
    assert track.problems == ("most cues end where they begin; their ends are estimated from the text.",)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("arrow_with_space.srt", [(1000, 4000), (4500, 8900)]),
        ("blank_line_after_time.srt", [(1000, 5000), (6000, 9500)]),
        ("blank_line_in_text.srt", [(1000, 5000), (6000, 9500)]),
        ("br.srt", [(0, 3800), (4000, 7000)]),
        ("br.vtt", [(0, 3800), (4000, 7000)]),
        ("long_fraction.srt", [(1249, 4251), (4500, 8900)]),
        ("settings_glued.vtt", [(1000, 4000), (4500, 8900)]),
        ("zero_duration.srt", [(1000, 8600), (8800, 12000)]),
    ],
)
def test_files_that_people_reported_are_read(shared_data, name, said):
    track = read_captions(shared_data / "field" / name)
    utterances = segment(track, SEGMENTATION_POLICIES["recommended"])
    assert [(u.start_ms, u.end_ms) for u in utterances if u.kept] == said
    assert track.problems == ()


@pytest.mark.shared_data
def test_a_double_spaced_file_keeps_its_eight_cues(shared_data):
    track = read_captions(shared_data / "field" / "double_spaced.srt")
    assert (len(track.cues), track.problems) == (8, ())
    assert sum(len(cue.text.split()) for cue in track.cues) == 59


@pytest.mark.parametrize(
    "content",
    [
        "1 00:00:01,000 --> 00:00:04,000 It was late 2 00:00:05,000 --> 00:00:08,000 Good day",
        "1\\r\\n00:00:01,000 --> 00:00:04,000\\r\\nIt was late\\r\\n\\r\\n"
        "2\\r\\n00:00:05,000 --> 00:00:08,000\\r\\nGood day\\r\\n",
        '"1\\n00:00:01,000 --> 00:00:04,000\\nIt was late\\n\\n2\\n00:00:05,000 --> 00:00:08,000\\nGood day"',
        "```srt\n1\n00:00:01,000 --> 00:00:04,000\nIt was late\n\n2\n00:00:05,000 --> 00:00:08,000\nGood day\n```\n",
        "1\n1.0s --> 4.0s\nIt was late\n\n2\n5.0s --> 8s\nGood day\n",
        "WEBVTT 00:01.000 --> 00:04.000\nIt was late\n\n00:05.000 --> 00:08.000\nGood day\n",
        "WEBVTT\n\nNOTE 00:00.000 --> 00:00.500 is silent\n\n00:01.000 --> 00:04.000\nIt was late\n\n"
        "a 00:05.000 --> 00:08.000\nGood day\n",
    ],
)
def test_lost_line_breaks_lose_no_cue(tmp_path, content):
    assert read(tmp_path, "a.srt", content) == SAID
