"""The command `label_report`: agreement and thresholds of a CSV file, no database."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from pipeline.checks import check_label_policies
from pipeline.policies import label_policies


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("label_report", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.csv"
    path.write_text('text,said\n"I love this, truly",positive\nthe table,Neutral\nnot good,negative\nOh!,negative\n')
    return path


def test_it_prints_one_json_object(lines):
    report = json.loads(run(lines, "--truth-column", "said", "--format", "json"))
    assert list(report) == ["policy", "texts", "agreement", "counts", "labels", "curve", "contributions"]
    assert report["policy"]["name"] == "recommended"
    assert report["policy"]["rule"] == "two-voters"
    assert report["counts"] == {"positive": 1, "neutral": 1, "negative": 1, "exclaimed": 1}
    assert report["labels"]["coverage"] == 0.75
    assert report["labels"]["precision"] == [1, 1, 1]
    assert report["labels"]["threshold"] is None
    assert report["labels"]["support"] == report["labels"]["given"] == [1, 1, 1]
    assert [(row["classifier"], row["judged"]) for row in report["contributions"]] == [
        ("vader", 4),
        ("textblob", 4),
        ("pattern", 4),
    ]
    assert [point["threshold"] for point in report["curve"]][:3] == [0, 0.05, 0.1]


def test_without_peoples_labels_there_is_nothing_to_be_precise_against(lines):
    report = json.loads(run(lines, "--format", "json"))
    assert (report["labels"], report["curve"]) == (None, [])
    assert report["contributions"][0]["accuracy"] is None


def test_it_prints_tables(lines):
    printed = run(lines, "--truth-column", "said").splitlines()
    assert printed[3].startswith("textblob, pattern")
    assert printed[4] == "1 positive, 1 neutral, 1 negative, 1 exclaimed"
    assert printed[7].split() == ["as", "set", "0.750", "1.000", "1.000", "1.000", "1.000", "1.000"]
    assert len(run(lines).splitlines()) == 5


def test_it_knows_the_policies_of_the_settings(lines, mine):
    report = json.loads(run(lines, "--policy", "mine", "--format", "json"))
    assert report["policy"]["min_abs_mean"] == 0.6


def test_a_wrong_setting_is_told(lines, mine):
    mine.LABEL_POLICIES = {"mine": {"min": 1}}
    sentence = "LABEL_POLICIES: The label policy “mine” has no parameter “min”"
    with pytest.raises(ImproperlyConfigured, match=sentence):
        label_policies()
    for command in ("label_report", "label_text"):
        with pytest.raises(CommandError, match=sentence):
            call_command(command, str(lines))
    with pytest.raises(SystemCheckError, match=sentence):
        call_command("check", stderr=StringIO())


def test_right_settings_pass_the_checks(mine):
    assert check_label_policies() == []


@pytest.mark.parametrize(
    ("content", "arguments", "sentence"),
    [
        ("a,b\n1,2\n", [], "has no column “text”; there are: a, b"),
        ("text,said\n", [], "There is no text"),
        ("text,said\nx,good\n", ["--truth-column", "said"], "Line 2 of .*: “good” is none of positive"),
        ("text\nx\n", ["--truth-column", "said"], "has no column “said”"),
        ("text\n\xff", [], "no CSV file in UTF-8"),
    ],
)
def test_a_file_that_does_not_fit_fails_in_a_sentence(lines, content, arguments, sentence):
    lines.write_bytes(content.encode("latin-1" if "\xff" in content else "utf-8"))
    with pytest.raises(CommandError, match=sentence):
        run(lines, *arguments)


def test_a_missing_file_fails_in_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "absent.csv")


def test_an_endless_text_fails_in_a_sentence(lines):
    lines.write_text("text,said\n" + "x" * 10_001 + ",positive\n")
    with pytest.raises(CommandError, match="Text 1 has 10,001 characters"):
        run(lines)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("text;said\nI love this;positive\n", "semicolons"),
        ("text\tsaid\nI love this\tpositive\n", "tabs"),
        ("text,said,Text\nI love this,positive,no\n", "more than one column"),
        ('text,said\n"two\nlines",positive\n\nx,good\n', r"Line 5 \(row 4\) of lines\.csv: “good” is none of"),
        ("text,said\n\n\nx,good\n", "Line 4 of lines.csv: “good”"),
        ("text,said\nx,\n", "Line 2 of lines.csv: the cell of “said” is empty"),
        ("text,said\nI love this, truly,positive\n", "more cells than"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_place(lines, content, sentence):
    lines.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=sentence):
        run(lines, "--truth-column", "said")


def test_blank_rows_are_skipped_and_labels_are_read_as_people_see_them(lines):
    lines.write_bytes("\r\n ,\r\ntext,said\r\n\r\nI don`t love this,neg\u00adative\u00a0\r\n,\r\n".encode())
    report = json.loads(run(lines, "--truth-column", "said", "--format", "json"))
    assert (report["texts"], report["counts"]["negative"]) == (1, 1)
    assert report["labels"]["precision"][2] == 1


def test_a_table_in_utf_16_with_any_line_end_is_read(lines):
    lines.write_bytes("text\rI love this\rthe table\r".encode("utf-16"))
    assert json.loads(run(lines, "--format", "json"))["counts"] == {"positive": 1, "neutral": 1, "negative": 0}


def test_texts_that_are_hardly_english_get_a_hint(lines, capsys):
    lines.write_text("text\n" + "das war aber wirklich eine sehr gute Sache für uns alle hier im Dorf\n" * 3)
    call_command("label_report", str(lines))
    assert "This is hardly English" in capsys.readouterr().err


def test_texts_that_are_marks_of_missing_values_are_told(lines, capsys):
    lines.write_text("text\nI love this table\nnan\nnan\n")
    call_command("label_report", str(lines))
    assert "Texts that are “nan” alone: 2; if that marks a missing value" in capsys.readouterr().err
