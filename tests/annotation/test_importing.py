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
    assert Vote.objects.filter(annotator__imported_listener__name="ana", label="negative").count() == 1


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
    assert set(votes.values_list("annotator__imported_listener__name", "origin")) == {
        ("ana", "imported"),
        ("bo", "simulated"),
    }


def exported(campaign):
    file = io.StringIO(newline="")
    write_votes(campaign, file)
    return file.getvalue()


def test_a_table_without_video_ids_comes_back_as_it_was(db):
    table = "sentiment analysis,ana,bo,text\nneutral,neutral,neutral,one\nneutral,positive,neutral,one\n"
    report = load(table)
    assert report.without_video == 2
    assert "No row names a video, so intervals over videos cannot be given for this table." in report.notes
    export = exported(Campaign.objects.get())
    assert export.splitlines()[1] == ",,neutral,neutral,neutral,one"
    again = load(export)
    assert (again.new_rows, again.new_votes) == (0, 0)


def test_an_export_of_an_earlier_version_comes_back_too(db):
    load("sentiment analysis,ana,bo,text\nneutral,neutral,neutral,one\n")
    key = Task.objects.get().imported_key
    again = load(f"VideoId,segment,sentiment analysis,ana,bo,text\n{key},,neutral,neutral,neutral,one\n")
    assert (again.new_rows, again.new_votes, again.without_video) == (0, 0, 1)


def test_rows_that_an_earlier_version_took_as_two_come_back(db):
    load()
    campaign = Campaign.objects.get()
    two = {"imported_video": "7", "imported_text": "we went home happy", "imported_label": "positive"}
    campaign.tasks.create(position=3, imported_key="7/0.0#1", **two)
    campaign.tasks.create(position=4, imported_key="7/0#2", **two)
    assert load(exported(campaign)).new_rows == 0


def test_an_export_of_drawn_segments_adds_nothing_where_it_came_from(factory):
    video = factory.make_video()
    task = factory.make_task(segment=factory.make_segment(video, position=4, text=" Two\r\nlines "))
    ana = factory.make_user("ana")
    factory.make_vote(task, "negative", annotator=ana)
    report = load(exported(task.campaign), campaign_name=task.campaign.name)
    assert (report.new_rows, report.new_votes, Task.objects.count(), Vote.objects.count()) == (0, 0, 1, 1)
    label = exported(task.campaign).replace("negative", "positive")
    with pytest.raises(AnnotationError, match="“ana” voted negative before, positive in this table"):
        load(label, campaign_name=task.campaign.name)


def test_rows_about_a_stored_segment_are_about_that_segment(factory):
    video = factory.make_video(dataset_id="7")
    segment = factory.make_segment(video, position=1, text="the train was there")
    factory.make_segment(video, position=0, text="another text")
    load()
    assert [task.segment for task in Task.objects.order_by("position")] == [None, segment, None]
    assert load().new_rows == 0


def test_numbers_that_no_database_holds_are_of_no_stored_video(db):
    load(TABLE.replace("7,", f"video-{'9' * 30},").replace("8,0", "8,99999999999999999999"))
    assert not Task.objects.exclude(segment=None).exists()


def test_a_vote_that_was_taken_back_is_not_brought_back(factory):
    load(TABLE)
    vote = Vote.objects.get(annotator__imported_listener__name="bo", task__position=0)
    factory_id = "7f6e4d0e-0000-4000-8000-000000000001"
    Vote.objects.create(task=vote.task, annotator=vote.annotator, retracts=vote, client_id=factory_id)
    with pytest.raises(AnnotationError, match=r"Row 2 \(7/0#1\): “bo” took that vote back"):
        load(TABLE)


def test_a_name_that_differs_in_case_alone_within_a_campaign_is_refused(db):
    load()
    with pytest.raises(AnnotationError, match="“ANA” differs in case alone from “ana”, whose votes"):
        load(TABLE.replace("ana", "ANA"))


def test_how_many_votes_a_segment_needs_can_be_said(db):
    report = load(votes_per_task=5)
    assert Campaign.objects.get().votes_per_task == 5
    assert (report.majority, report.awaiting) == (0, 3)


def test_a_video_that_lost_the_zeros_before_its_number_is_refused(db):
    load(TABLE.replace("\n7,", "\n007,"))
    with pytest.raises(AnnotationError, match="Row 2 has the VideoId “7”, this campaign “007”"):
        load()
    assert Task.objects.count() == 3


def test_more_votes_than_a_campaign_takes_are_refused_with_their_number(db):
    people = [f"p{n}" for n in range(16)]
    table = f"sentiment analysis,{','.join(people)},text\npositive,{'positive,' * 16}fun\n"
    with pytest.raises(AnnotationError, match="has 16 votes; a campaign takes at most 15"):
        load(table)
    assert not Campaign.objects.exists()


def test_a_campaign_without_votes_comes_back(factory):
    task = factory.make_task(segment=factory.make_segment(factory.make_video(dataset_id="7")))
    report = load(exported(task.campaign), campaign_name="Again")
    assert report.sentence() == "The table has no votes; 1 of its 1 segments were added."


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
