"""Vote tables as people have them: every cell is read, refused or said to be left out."""

import pytest

from annotation.errors import AnnotationError
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
