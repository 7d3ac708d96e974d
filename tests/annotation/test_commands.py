import json

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Campaign, Task, Vote

TABLE = "VideoId,segment,sentiment analysis,ana,bo,cy,text\n7,0,postive,positive,neutral,positive,words\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text(TABLE)
    return path


def run(capsys, *arguments):
    call_command(*arguments)
    return capsys.readouterr().out


def test_import_votes_prints_one_json_document(db, table, capsys):
    arguments = ["import_votes", str(table), "--split", "train", "--campaign", "A", "--accept-suggestions"]
    result = json.loads(run(capsys, *arguments, "--format", "json"))
    assert result == {
        "campaign": "A",
        "rows": 1,
        "votes": 3,
        "new_rows": 1,
        "new_votes": 3,
        "annotators": ["ana", "bo", "cy"],
        "majority": 1,
        "no_majority": 0,
        "awaiting": 0,
        "suggestions": [{"row": 2, "column": "sentiment analysis", "word": "postive", "suggestion": "positive"}],
    }


def test_import_votes_says_what_it_read_as_suggested(db, table, capsys):
    out = run(capsys, "import_votes", str(table), "--split", "train", "--campaign", "A", "--accept-suggestions")
    assert "Row 2, column “sentiment analysis”: “postive”, read as “positive”?" in out
    assert "3 votes on 1 segments were added" in out
    assert "Annotators' columns: ana, bo, cy." in out


def test_import_votes_says_what_is_not_read_and_that_no_video_is_known(db, table, capsys):
    table.write_text("sentiment analysis,ana,text,mood\nneutral,neutral,words,calm\n")
    arguments = ["import_votes", str(table), "--split", "train", "--campaign", "A"]
    out = run(capsys, *arguments)
    assert "The column “mood” is not read: its cells are not classes (“calm”)." in out
    assert "No row names a video, so intervals over videos" in out
    result = json.loads(run(capsys, *arguments, "--format", "json"))
    assert result["unread"] == ["The column “mood” is not read: its cells are not classes (“calm”)."]
    assert result["without_video"] == 1
    assert result["notes"] == ["No row names a video, so intervals over videos cannot be given for this table."]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_import_votes_reads_what_spreadsheets_save(db, table, capsys, encoding):
    text = TABLE.replace("postive", "positive").replace("\n", "\r\n") + ",,,,,,\r\n"
    table.write_bytes(text.encode(encoding))
    out = run(capsys, "import_votes", str(table), "--split", "train", "--campaign", "A", "--votes-per-segment", "4")
    assert "3 votes on 1 segments were added: 0 with a majority, 0 without, 1 with votes missing" in out


def test_import_votes_names_another_separator(db, table):
    table.write_text(TABLE.replace(",", ";"))
    with pytest.raises(CommandError, match="separated by semicolons"):
        call_command("import_votes", str(table), "--split", "train", "--campaign", "A")


def test_import_votes_fails_on_unknown_words_and_keeps_nothing(db, table):
    with pytest.raises(CommandError, match="“postive”") as caught:
        call_command("import_votes", str(table), "--split", "train", "--campaign", "A")
    assert caught.value.returncode == 1
    assert not Campaign.objects.exists()


def test_import_votes_reads_a_byte_order_mark(db, table, capsys):
    table.write_text("\ufeff" + TABLE.replace("postive", "positive"))
    out = run(capsys, "import_votes", str(table), "--split", "train", "--campaign", "A", "--format", "json")
    assert json.loads(out)["rows"] == 1
    assert Task.objects.get().imported_video == "7"


def test_import_votes_says_that_a_file_is_not_there(db, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_votes", str(tmp_path / "none.csv"), "--split", "train", "--campaign", "A")


def test_import_votes_says_that_a_file_is_not_text(db, table):
    table.write_bytes(b"sentiment analysis,ana,text\nneutral,neutral,\xff\xfe\n")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("import_votes", str(table), "--split", "train", "--campaign", "A")


def test_sample_campaign_prints_what_was_drawn(factory, capsys):
    video = factory.make_video(audio="video/sound.flac")
    for label in ("positive", "neutral", "neutral"):
        factory.make_segment(video, label=label)
    arguments = ["sample_campaign", "--name", "A", "--split", "train", "--per-class", "1", "--seed", "3"]
    result = json.loads(run(capsys, *arguments, "--format", "json"))
    assert result == {
        "campaign": "A",
        "id": Campaign.objects.get().pk,
        "split": "train",
        "policy": "recommended",
        "seed": 3,
        "segments": 2,
        "method": "per-class",
        "asked": 1,
        "available": {"positive": 1, "neutral": 2, "negative": 0},
        "drawn": {"positive": 1, "neutral": 1, "negative": 0},
        "videos": 1,
    }


def test_sample_campaign_reads_guidelines_from_a_file(factory, tmp_path):
    factory.make_segment(factory.make_video(audio="video/sound.flac"))
    path = tmp_path / "guidelines.txt"
    path.write_text("Hear it twice.")
    call_command("sample_campaign", "--name", "A", "--split", "train", "--guidelines", str(path), "--show-text")
    assert (Campaign.objects.get().guidelines, Campaign.objects.get().show_text) == ("Hear it twice.", True)


def test_sample_campaign_fails_with_a_sentence_where_there_is_nothing(db):
    with pytest.raises(CommandError, match="Add videos"):
        call_command("sample_campaign", "--name", "A", "--split", "test")


@pytest.mark.parametrize("size", [["--per-class", "0"], ["--total", "-1"], ["--total", "5", "--per-class", "2"]])
def test_sample_campaign_refuses_sizes_that_make_no_sense(db, size):
    with pytest.raises(CommandError):
        call_command("sample_campaign", "--name", "A", "--split", "test", *size)


def test_rebuild_truth_mends_and_counts(factory, capsys):
    task = factory.make_task(factory.make_campaign(name="A"))
    for _ in range(3):
        factory.make_vote(task, "positive")
    assert json.loads(run(capsys, "rebuild_truth", "--format", "json")) == {"changed": {"A": 1}}
    assert json.loads(run(capsys, "rebuild_truth", "--campaign", "A", "--format", "json")) == {"changed": {"A": 0}}
    task.refresh_from_db()
    assert task.truth == "positive"
    assert Vote.objects.count() == 3


def test_rebuild_truth_says_that_a_campaign_is_not_there(db):
    with pytest.raises(CommandError, match="no campaign named “B”"):
        call_command("rebuild_truth", "--campaign", "B")
