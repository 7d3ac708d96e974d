"""Vote tables as people have them: every cell is read, refused or said to be left out."""

import pytest

from annotation.errors import AnnotationError
from annotation.labelwords import suggested
from annotation.listeners import Listener, exact_heading, listener_of, plain_heading
from annotation.votetable import VoteTable, canonical_key, read_table, segment_of_key

START = "VideoId,segment,sentiment analysis"


def read(*lines: str, **options: bool) -> VoteTable:
    return read_table(["\n".join(lines)], **options)


def votes(table: VoteTable) -> dict[str, list[str]]:
    return {one.name: [row.votes[i] for row in table.rows] for i, one in enumerate(table.listeners)}


# ---------------------------------------------------------------- columns


def test_annotators_may_stand_after_the_text() -> None:
    table = read(f"{START},A,text,B,C", "1,0,positive,positive,we had fun,negative,neutral")
    assert votes(table) == {"A": ["positive"], "B": ["negative"], "C": ["neutral"]}
    assert table.unread == ()


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        (f"Z,{START},A,text", "negative,1,0,positive,positive,fun"),
        ("VideoId,Z,segment,sentiment analysis,A,text", "1,negative,0,positive,positive,fun"),
        ("text,VideoId,segment,Z,sentiment analysis,A", "fun,1,0,negative,positive,positive"),
        ("A,text,Z,sentiment analysis,segment,VideoId", "positive,fun,negative,positive,0,1"),
    ],
)
def test_annotators_may_stand_anywhere(heading: str, row: str) -> None:
    table = read(heading, row)
    assert votes(table) == {"A": ["positive"], "Z": ["negative"]}
    assert (table.rows[0].video, table.rows[0].segment, table.rows[0].text) == ("1", "0", "fun")


def test_an_annotators_misspelt_word_after_the_text_is_listed_with_its_reading() -> None:
    table = read(f"{START},A,text,B", "1,0,positive,positive,x,postive", "1,1,positive,positive,y,negative")
    assert [str(word) for word in table.unknown] == ["Row 2, column “B”: “postive”, read as “positive”?"]
    assert votes(read(f"{START},A,text,B", "1,0,positive,positive,x,postive", accept_suggestions=True))["B"] == [
        "positive"
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["a loud street", "", "he laughs"], "its cells are not classes (“a loud street”)"),
        (["1", "-1", "0"], "its cells are not classes (“1”)"),
        (["well", "positive", "he laughs"], "only 1 of its 3 cells are classes (“well”)"),
    ],
)
def test_a_column_of_other_things_is_not_read_and_said(cells: list[str], said: str) -> None:
    rows = [f"1,{n},positive,positive,x,{cell}" for n, cell in enumerate(cells)]
    table = read(f"{START},A,text,extra", *rows)
    assert table.unread == (f"The column “extra” is not read: {said}.",)
    assert votes(table) == {"A": ["positive"] * 3}


@pytest.mark.parametrize("heading", ["Notes", "comment", "confidence"])
def test_remarks_among_the_annotators_are_not_read_and_said(heading: str) -> None:
    table = read(f"{START},A,{heading},text", "1,0,positive,positive,loud,x")
    assert table.unread == (f"The column “{heading}” is not read: its cells are not classes (“loud”).",)
    assert list(votes(table)) == ["A"]


def test_other_words_among_the_annotators_are_never_left_out() -> None:
    table = read(f"{START},A,B,text", "1,0,positive,positive,1,x")
    assert [(word.column, word.word) for word in table.unknown] == [("B", "1")]


@pytest.mark.parametrize("heading", ["majority", "Majority vote", "ground_truth", "consensus"])
def test_what_was_reckoned_from_the_votes_is_nobodys_vote(heading: str) -> None:
    for columns in (f"A,text,{heading}", f"A,{heading},text"):
        cells = "positive,fun,negative" if columns.endswith(heading) else "positive,negative,fun"
        table = read(f"{START},{columns}", f"1,0,positive,{cells}")
        assert list(votes(table)) == ["A"]
        assert table.unread == (f"The column “{heading}” is not read.",)


def test_of_two_names_for_one_thing_the_clearer_counts() -> None:
    table = read(f"id,{START},A,text,transcript", "31,7,0,positive,positive,fun,we had fun")
    assert (table.rows[0].video, table.rows[0].text) == ("7", "fun")
    assert table.unread == ("The column “id” is not read.", "The column “transcript” is not read.")
    with pytest.raises(AnnotationError, match="The columns “Video Id” and “VideoId” mean the same"):
        read(f"Video Id,{START},A,text", "31,7,0,positive,positive,fun")


def test_the_row_numbers_of_a_data_frame_are_not_read_and_said() -> None:
    table = read(f",{START},A,text", "0,7,0,positive,positive,fun")
    assert table.unread == ("Column 1, which has no heading, is not read (“0”).",)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"{START},A,,text", "7,0,positive,positive,neutral,fun"], "Column 5 holds votes and has no heading"),
        ([f"{START},A,text,,", "7,0,positive,positive,well, we left,"], "Row 2 has a cell in column 6, .*: “we left”"),
        (
            [f"{START},A,text", "7,0,positive,positive,well, fun", "7,1,neutral,neutral,a", "7,2,neutral,neutral,a,b"],
            r"Row 2 has more cells than the first row has columns \(6 and 5\).* The same holds of row 4",
        ),
        ([f"{START},A,text,B", "7,0,positive,positive,well, fun,neutral"], "Row 2 has more cells"),
        (
            [f"{START},A,text", "7,0,positive,positive,we had", "fun"],
            "Row 3 ends before the column “text”: it has 1 of",
        ),
        ([f"{START};A;text".replace(",", ";"), "7;0;neutral;neutral;fun"], "separated by semicolons"),
        ([f"{START},A,text".replace(",", "\t"), "7\t0\tneutral\tneutral\tfun"], "separated by tabs"),
        (
            [f"{START},A,text", "7,0,neutral,neutral,x", ",1,neutral,neutral,y"],
            "Row 3 names the segment 1 and no video",
        ),
    ],
)
def test_what_would_be_cut_or_lost_is_refused(lines: list[str], said: str) -> None:
    with pytest.raises(AnnotationError, match=said):
        read(*lines)


def test_votes_that_end_before_the_row_does_are_missing_votes() -> None:
    table = read(f"{START},A,text,B", "7,0,positive,positive,fun", "7,1,positive,positive,fun,neutral")
    assert votes(table) == {"A": ["positive", "positive"], "B": ["", "neutral"]}


def test_a_segment_without_a_video_is_not_read_and_said() -> None:
    table = read("segment,sentiment analysis,A,text", "3,positive,positive,fun")
    assert table.unread == ("The column “segment” is not read, since no row names a video.",)
    assert (table.rows[0].video, table.rows[0].segment) == ("", "")


def test_rows_are_numbered_by_the_file() -> None:
    heading = f'{START},A,text,"\n"'
    table = read(heading, '7,0,positive,positive,"two\nlines",', "", ",,,,,", "7,1,positive,hapy,x,")
    assert str(table.unknown[0]).startswith("Row 5 (line 7 of the file), column “A”: “hapy”")


@pytest.mark.parametrize("number", ["9" * 5000, "1" * 30])
def test_a_number_of_many_digits_is_refused(number: str) -> None:
    with pytest.raises(AnnotationError, match="too long for a video and segment number"):
        read(f"{START},A,text", f"7,{number},positive,positive,x")


# ---------------------------------------------------------------- people


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Rater A", "Rater_A"),
        ("Rater A", "rater_a"),
        ("Rater_A", "RATER A"),
        ("Ｒater", "Rater "),
        ("José", "JOSE\u0301"),
    ],
)
def test_two_headings_that_become_one_person_are_refused(first: str, second: str) -> None:
    with pytest.raises(AnnotationError, match="would become one person|differ in case, spaces or the form of letters"):
        read(f"{START},{first},{second},text", "7,0,positive,positive,positive,fun")


def test_one_person_may_have_simulated_votes_beside_their_own_on_other_segments() -> None:
    heading = f"{START},ana,ana (simulated),text"
    table = read(heading, "7,0,positive,positive,,x", "7,1,positive,,neutral,y")
    assert [(one.username, one.simulated) for one in table.listeners] == [("ana", False), ("ana", True)]
    with pytest.raises(AnnotationError, match="Row 2: “ana” has both a simulated vote and one of their own"):
        read(heading, "7,0,positive,positive,positive,x")


@pytest.mark.parametrize("simulated", [False, True])
@pytest.mark.parametrize("username", ["ana", "a b", " a", "ana (simulated)", "annotator: x (person)", "x\ny", "text"])
def test_headings_of_accounts_are_read_as_these_accounts(username: str, simulated: bool) -> None:
    for heading in (plain_heading(username, simulated=simulated), exact_heading(username, simulated=simulated)):
        listener = listener_of(heading)
        assert (listener.username, listener.simulated) == (username, simulated)
    assert plain_heading("ana", simulated=False) == "ana"


def test_a_name_that_grows_in_its_account_is_measured_there() -> None:
    assert listener_of("ﷺ").username == Listener("ﷺ", simulated=False).username
    with pytest.raises(AnnotationError, match="too long for an annotator"):
        listener_of("ﷺ" * 140)


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("stored", "now"),
    [
        ("7/0#1", "7/0#1"),
        ("7.0/0.0#1", "7/0#1"),
        ("7/00#2", "7/0#2"),
        ("a/b/3.0#1", "a/b/3#1"),
        ("text-0123456789abcdef#1", "text-0123456789abcdef#1"),
    ],
)
def test_stored_keys_are_compared_as_they_would_be_made_now(stored: str, now: str) -> None:
    assert canonical_key(stored) == now


def test_the_segment_is_what_follows_the_video() -> None:
    assert segment_of_key("a/b/3#1", "a/b") == "3"
    assert segment_of_key("7/#1", "7") == ""
    assert segment_of_key("text-0123#1", "") == ""


# ---------------------------------------------------------------- cells as people and programs write them


@pytest.mark.parametrize(
    "word", ["not positive", "Non-negative", "nonnegative", "unpositive", "isn't negative", "no, neutral"]
)
def test_a_negated_class_is_not_read_as_that_class(word: str) -> None:
    assert suggested(word) == ""


@pytest.mark.parametrize(
    ("word", "label"),
    [("pos", "positive"), ("NEG", "negative"), ("Neu.", "neutral"), ("neut", "neutral"), ("positiv", "positive")],
)
def test_the_beginning_of_a_class_is_suggested_as_that_class(word: str, label: str) -> None:
    assert suggested(word) == label


def test_beginnings_that_two_classes_share_are_not_guessed() -> None:
    assert [suggested(word) for word in ("ne", "n", "p", "po", "")] == [""] * 5


def test_a_column_of_abbreviations_after_the_text_is_an_annotators() -> None:
    table = read(f"{START},A,text,B", "1,0,positive,positive,fun,pos", "1,1,positive,negative,sad,neg")
    assert [one.name for one in table.listeners] == ["A", "B"]
    assert [(word.word, word.suggestion) for word in table.unknown] == [("pos", "positive"), ("neg", "negative")]


@pytest.mark.parametrize("mark", ["NA", "NaN", "nan", "None", "<NA>", "#N/A", "n/a", "null", "-"])
def test_a_mark_of_a_missing_value_is_refused_with_what_to_do(mark: str) -> None:
    table = read(f"{START},A,B,text", f"1,0,positive,{mark},positive,fun")
    assert str(table.unknown[0]).endswith("leave the cell empty where there is none.")


def test_a_column_of_a_few_votes_among_missing_marks_is_an_annotators() -> None:
    rows = (f"1,{n},positive,positive,fun,{'negative' if n == 0 else 'NA'}" for n in range(5))
    table = read(f"{START},A,text,B", *rows)
    assert [one.name for one in table.listeners] == ["A", "B"]
    assert len(table.unknown) == 4


@pytest.mark.parametrize("cell", ["\u200bpositive", "positive\u200e", "\ufeffPositive", "positive&nbsp;", "ｐositive"])
def test_what_nobody_sees_makes_no_other_class(cell: str) -> None:
    assert votes(read(f"{START},A,text", f"1,0,positive,{cell},fun")) == {"A": ["positive"]}


@pytest.mark.parametrize(
    "heading", ["gold", "Gold", "majority_label", "final label", "y_true", "consensus label", "target", "True Label"]
)
def test_a_class_that_was_derived_is_nobodys_vote(heading: str) -> None:
    table = read(f"{START},A,text,{heading}", "1,0,positive,positive,fun,negative")
    assert votes(table) == {"A": ["positive"]}
    assert table.unread == (f"The column “{heading}” is not read.",)


@pytest.mark.parametrize("heading", ["Utterance", "transcript", "Transcription"])
def test_the_text_has_other_names(heading: str) -> None:
    assert read(f"{START},A,{heading}", "1,0,positive,positive,fun").rows[0].text == "fun"


# ---------------------------------------------------------------- videos and segments


def test_what_nobody_sees_makes_no_other_segment() -> None:
    table = read(f"{START},A,text", "1,0,positive,positive,fun", "1\u200b,\u200e0,positive,negative,fun")
    assert [(row.video, row.segment) for row in table.rows] == [("1", "0"), ("1", "0")]
    assert table.rows[1].again == "Row 2"


@pytest.mark.parametrize("video", ["1.23457E+11", "1,2E+12", "5E+10"])
def test_a_number_that_a_spreadsheet_shortened_is_refused(video: str) -> None:
    with pytest.raises(AnnotationError, match="Row 2: a spreadsheet shortened the VideoId"):
        read(f"{START},A,text", f'"{video}",0,positive,positive,fun')


def test_marks_of_missing_values_among_the_videos_are_said() -> None:
    rows = ("nan,0,positive,positive,fun", "nan,1,positive,positive,fun", "1,NA,positive,positive,fun")
    table = read(f"{START},A,text", *rows)
    assert table.notes == (
        "“nan” in 2 cells of the column VideoId is taken as a name; leave cells empty that name none.",
        "“NA” in 1 cell of the column segment is taken as a name; leave cells empty that name none.",
    )


def test_what_nobody_sees_makes_no_other_annotator() -> None:
    assert listener_of("\u202e\ufeffAnn\u200b") == listener_of("Ann")
    assert (
        listener_of("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627").username
        == "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    )
    assert listener_of(plain_heading("\u200bAnn", simulated=False)).username == "\u200bAnn"
    with pytest.raises(AnnotationError, match="differ in case, spaces or the form|are named “Ann”"):
        read(f"{START},Ann,\u202aAnn,text", "1,0,positive,positive,neutral,fun")


@pytest.mark.parametrize(
    "heading", ["task,worker,label", "annotation_id,annotator,id,sentiment,text", "HITId,WorkerId,x"]
)
def test_a_table_with_a_row_per_vote_is_refused_with_what_to_do(heading: str) -> None:
    with pytest.raises(
        AnnotationError, match="A table with a row per vote must be turned into one with a row per segment"
    ):
        read(heading, ",".join("a" for _ in heading.split(",")))


def test_numbers_of_rows_that_are_taken_for_videos_are_told() -> None:
    rows = ["sentiment analysis,A,text", "positive,positive,fun", "positive,negative,sad"]
    numbered = read(*(f"{first},{row}" for first, row in zip(("id", "1", "2"), rows, strict=True)))
    assert "Each row has a value of its own in the column “id” and counts as a video" in numbered.notes[0]
    assert read(*(f"{first},{row}" for first, row in zip(("id", "1", "1"), rows, strict=True))).notes == ()
    assert read(*(f"{first},{row}" for first, row in zip(("row", "1", "2"), rows, strict=True))).notes == ()
