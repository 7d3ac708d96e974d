import io

import pytest
from django.contrib.auth.models import User

from annotation.errors import AnnotationError
from annotation.exporting import write_votes
from annotation.importing import UnknownWordsError, import_votes
from annotation.models import Campaign, Slot, Task, Vote

TABLE = """VideoId,segment,sentiment analysis,ana,bo,cy,text
7,0,positive,positive,neutral,positive,we went home happy
7,1,neutral,positive,neutral,negative,the train was there
8,0,negative,negative,Negative, negative ,"it rained, and rained"
"""


def load(table=TABLE, **options):
    return import_votes(io.StringIO(table, newline=""), **{"split": "train", "campaign_name": "Round", **options})


def test_a_table_becomes_tasks_votes_and_truth(db):
    report = load()
    assert (report.rows, report.votes, report.new_rows, report.new_votes) == (3, 9, 3, 9)
    assert (report.annotators, report.majority, report.no_majority) == (("ana", "bo", "cy"), 2, 1)
    tasks = Task.objects.order_by("position")
    assert list(tasks.values_list("imported_video", "imported_label", "imported_text", "state", "truth")) == [
        ("7", "positive", "we went home happy", "majority", "positive"),
        ("7", "neutral", "the train was there", "no-majority", ""),
        ("8", "negative", "it rained, and rained", "majority", "negative"),
    ]
    assert set(Vote.objects.values_list("origin", "condition")) == {("imported", "unknown")}
    assert Slot.objects.filter(filled=True).count() == 9


def test_the_same_table_again_adds_nothing(db):
    load()
    report = load()
    assert (report.new_rows, report.new_votes, report.rows, report.majority) == (0, 0, 3, 2)
    assert (Task.objects.count(), Vote.objects.count(), Campaign.objects.count(), User.objects.count()) == (3, 9, 1, 3)


def test_the_same_rows_in_another_order_add_nothing(db):
    load()
    heading, *rows = TABLE.splitlines(keepends=True)
    assert load(heading + "".join(reversed(rows))).new_votes == 0


@pytest.mark.parametrize(("video", "segment"), [("7", "0"), ("7", "0.0"), ("7.0", "0"), ("7", "00"), (" 7 ", "0,00")])
def test_a_segment_in_two_rows_is_refused_with_both(db, video, segment):
    table = TABLE + f'{video},"{segment}",positive,positive,neutral,positive,we went home happy\n'
    with pytest.raises(AnnotationError, match="Row 5 is segment 0 of the video 7 again, as row 2 is; leave one of"):
        load(table)
    assert not Campaign.objects.exists()


def test_numbers_with_a_fraction_are_the_same_segments(db):
    load()
    floats = TABLE.replace("7,0", "7.0,0.0").replace("7,1", "7.0,1.0").replace("8,0", "8.0,0.0")
    report = load(floats)
    assert (report.new_rows, report.new_votes) == (0, 0)
    assert load(floats, campaign_name="Floats").new_rows == 3
    again = Campaign.objects.get(name="Floats")
    assert set(again.tasks.values_list("imported_video", flat=True)) == {"7", "8"}


def test_a_video_written_in_two_ways_is_refused(db):
    with pytest.raises(AnnotationError, match=r"Row 3 writes the VideoId as “007”, row 2 as “7”; write it in one way"):
        load(TABLE.replace("7,1", "007,1"))


def test_annotators_become_people_who_cannot_sign_in(db):
    load()
    person = User.objects.get(username="ana")
    assert not person.is_active
    assert not person.has_usable_password()
    assert list(person.groups.values_list("name", flat=True)) == ["annotator"]


def test_a_user_of_the_name_is_used_as_they_are(factory):
    ana = factory.make_user("ana", role="admin")
    load()
    ana.refresh_from_db()
    assert ana.is_active
    assert ana.votes.count() == 3
    assert list(ana.groups.values_list("name", flat=True)) == ["admin"]


def test_empty_trailing_columns_and_a_line_break_in_the_heading_are_taken_as_found(db):
    table = 'VideoId,segment,sentiment analysis,ana,bo,cy,text,,"\n"\n7,0,neutral,neutral,neutral,neutral,words,,\n'
    assert load(table).votes == 3


def test_a_table_without_video_ids_keeps_each_row_as_a_group_of_its_own(db):
    table = (
        "sentiment analysis,ana,bo,cy,text\nneutral,neutral,neutral,neutral,one\nneutral,neutral,neutral,neutral,two\n"
    )
    load(table)
    assert len(set(Task.objects.values_list("imported_video", flat=True))) == 2
    assert load(table).new_rows == 0


def test_other_headings_and_their_order_do_not_matter(db):
    table = "Id,note,Predicted Label,ana,,bo,Text\n7,x,neutral,neutral,,positive,words\n"
    report = load(table)
    assert report.annotators == ("ana", "bo")
    assert Campaign.objects.get().votes_per_task == 2


def test_unknown_words_are_reported_and_nothing_is_imported(db):
    table = TABLE.replace("7,0,positive", "7,0,postive").replace("bo,cy,text", "bo,cy,text", 1)
    table = table.replace("negative,Negative", "negatve,Negative")
    with pytest.raises(UnknownWordsError) as caught:
        load(table)
    found = [(word.row, word.column, word.word, word.suggestion) for word in caught.value.unknown]
    assert found == [(2, "sentiment analysis", "postive", "positive"), (4, "ana", "negatve", "negative")]
    assert "Row 4, column “ana”: “negatve”, read as “negative”?" in caught.value.message
    assert not Campaign.objects.exists()
    assert not User.objects.exists()


def test_accepted_suggestions_are_read(db):
    report = load(TABLE.replace("8,0,negative,negative", "8,0,negative,negatve"), accept_suggestions=True)
    assert [word.suggestion for word in report.suggestions] == ["negative"]
    assert Vote.objects.filter(annotator__username="ana", label="negative").count() == 1


def test_a_word_like_no_class_is_never_accepted(db):
    with pytest.raises(UnknownWordsError, match="not every word has a suggested reading"):
        load(TABLE.replace("8,0,negative,negative", "8,0,negative,angry"), accept_suggestions=True)
    assert not Campaign.objects.exists()


def test_a_missing_vote_leaves_the_task_open(db):
    report = load(TABLE.replace("positive,neutral,positive,we", "positive,,positive,we"))
    assert (report.votes, report.awaiting, report.majority) == (8, 1, 1)


def test_a_changed_vote_is_refused(db):
    load()
    with pytest.raises(AnnotationError, match=r"Row 2 \(7/0#1\): “bo” voted neutral .* never changed"):
        load(TABLE.replace("positive,neutral,positive,we", "positive,negative,positive,we"))
    assert Vote.objects.count() == 9


def test_a_changed_text_is_refused(db):
    load()
    with pytest.raises(AnnotationError, match="another text or predicted label"):
        load(TABLE.replace("we went home", "we stayed"))


def test_the_split_of_a_campaign_is_kept(db):
    load()
    with pytest.raises(AnnotationError, match="belongs to the split “train”"):
        load(split="test")


def test_more_votes_than_a_campaign_takes_are_refused(factory):
    factory.make_campaign(name="Round", votes_per_task=2)
    with pytest.raises(AnnotationError, match="takes 2 votes per segment"):
        load()


def test_a_second_table_adds_another_listener(factory):
    factory.make_campaign(name="Round")
    load("VideoId,segment,sentiment analysis,ana,text\n7,0,neutral,neutral,words\n")
    report = load("VideoId,segment,sentiment analysis,bo,text\n7,0,neutral,positive,words\n")
    assert (report.new_rows, report.new_votes) == (0, 1)
    assert sorted(Slot.objects.values_list("slot", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("", "The table is empty"),
        ("a,b,c\n1,2,3\n", "The first row must name the columns"),
        ("sentiment analysis,text\nneutral,words\n", "The first row must name the columns"),
        ("sentiment analysis, ,text\nneutral,,words\n", "names an annotator"),
        ("sentiment analysis,ana,ana,text\nneutral,neutral,neutral,x\n", "Two columns are named “ana”"),
        ("sentiment analysis,ana,text\n\n,,\n", "no row below its heading"),
        ('sentiment analysis,ana,text\nneutral,neutral,"open\n', "is not CSV"),
        (f"VideoId,sentiment analysis,ana,text\n{'9' * 41},neutral,neutral,x\n", "too long"),
        (f"sentiment analysis,{'a' * 151},text\nneutral,neutral,x\n", "too long for an annotator"),
        ("sentiment analysis,ana,text\nneutral,neutral,x\0y\n", "NUL"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(db, table, sentence):
    with pytest.raises(AnnotationError, match=sentence):
        load(table)
    assert not Campaign.objects.exists()


def test_an_export_imports_again_to_the_same_votes(db):
    load()
    file = io.StringIO(newline="")
    write_votes(Campaign.objects.get(), file)
    load(file.getvalue(), campaign_name="Again")
    columns = ("imported_video", "imported_text", "imported_label", "state", "truth")
    first, again = (list(one.tasks.values_list(*columns)) for one in Campaign.objects.order_by("pk"))
    assert first == again


def test_an_export_of_drawn_segments_carries_their_text_labels_and_marks_simulated_votes(factory):
    video = factory.make_video(dataset_id="12")
    task = factory.make_task(segment=factory.make_segment(video, label="positive", text='She said "no", twice.'))
    factory.make_vote(task, "negative", annotator=factory.make_user("ana"))
    factory.make_vote(task, "neutral", annotator=factory.make_user("bo"), origin="simulated")
    file = io.StringIO(newline="")
    write_votes(task.campaign, file)
    assert file.getvalue().splitlines() == [
        "VideoId,segment,sentiment analysis,ana,bo (simulated),text",
        '12,0,positive,negative,neutral,"She said ""no"", twice."',
    ]
    load(file.getvalue(), campaign_name="Again")
    votes = Campaign.objects.get(name="Again").tasks.get().votes
    assert set(votes.values_list("annotator__username", "origin")) == {("ana", "imported"), ("bo", "simulated")}


@pytest.mark.shared_data
def test_the_votes_of_2019_give_the_confusions_of_2019(shared_data, db):
    with (shared_data / "seed2019" / "votes_train.csv").open(encoding="utf-8-sig", newline="") as lines:
        report = import_votes(lines, split="train", campaign_name="2019")
    assert (report.rows, report.votes, report.majority, report.no_majority) == (100, 300, 100, 0)
    assert report.annotators == ("yannis", "sophia", "giwrgos")
    order = ["positive", "neutral", "negative"]
    confusion = [[Task.objects.filter(truth=t, imported_label=p).count() for p in order] for t in order]
    assert confusion == [[24, 3, 1], [5, 33, 0], [3, 9, 22]]
    assert Task.objects.values("imported_video").distinct().count() == 8
