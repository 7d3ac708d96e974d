"""The command `label_text`: texts in, polarities and labels out, no database."""

import json
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def run(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("label_text", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("I love this\r\n\nthe table, “there”\nnot good\n", encoding="utf-8")
    return path


def test_it_prints_one_json_list(texts):
    out, err = run(texts, "--policy", "recommended", "--format", "json")
    rows = json.loads(out)
    assert [list(row) for row in rows] == [["text", "vader", "textblob", "pattern", "mean", "label", "reason"]] * 3
    assert [row["text"] for row in rows] == ["I love this", "the table, “there”", "not good"]
    assert [(row["label"], row["reason"]) for row in rows] == [("positive", ""), ("neutral", ""), ("negative", "")]
    assert rows[0]["vader"] == 0.6369
    assert rows[2]["mean"] == pytest.approx((-0.3412 - 0.35) / 2)
    assert err.strip() == "Empty lines left out: 1"


def test_seed_2019_scores_without_stop_words(texts):
    rows = json.loads(run(texts, "--policy", "seed-2019", "--format", "json")[0])
    assert rows[2]["text"] == "not good"
    assert rows[2]["label"] == "positive"


def test_it_reads_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"so sad and terrible")))
    (row,) = json.loads(run("-", "--format", "json")[0])
    assert row["label"] == "negative"


def test_it_prints_a_table(texts):
    assert run(texts)[0].splitlines() == [
        "  VADER TextBlob pattern    mean  label             text",
        "  0.637    0.500   0.500   0.568  positive          I love this",
        "  0.000    0.000   0.000   0.000  neutral           the table, “there”",
        " -0.341   -0.350  -0.350  -0.346  negative          not good",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "There is no text in"),
        (b"\n \n", "There is no text in"),
        (b"one\n\xff\xfe", "Line 2 of .* is not in UTF-8"),
    ],
)
def test_a_file_without_texts_fails_in_a_sentence(texts, content, sentence):
    texts.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        run(texts)


def test_a_missing_file_fails_in_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "absent.txt")


def test_it_refuses_an_unknown_policy(texts):
    with pytest.raises(CommandError, match="invalid choice"):
        run(texts, "--policy", "mine")


def test_an_endless_text_fails_in_a_sentence(texts):
    texts.write_text("" + "x" * 10_001 + "\n")
    with pytest.raises(CommandError, match="Text 1 has 10,001 characters"):
        run(texts)


GERMAN = (
    "Ich habe gestern mit meiner Schwester gesprochen, und sie war so froh, dass wir endlich nach Hause kommen dürfen."
)


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n", "\u2028", "\x85", "\v", "\f"])
def test_any_line_end_ends_a_text(texts, end):
    texts.write_bytes(end.join(["I love this", "I hate this", "We left at nine.", ""]).encode())
    rows = json.loads(run(texts, "--format", "json")[0])
    assert [(row["text"], row["label"]) for row in rows] == [
        ("I love this", "positive"),
        ("I hate this", "negative"),
        ("We left at nine.", "neutral"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_any_encoding_is_read(texts, encoding):
    texts.write_bytes("I don’t love this at all\rso naïve".encode(encoding))
    out, err = run(texts, "--format", "json")
    rows = json.loads(out)
    assert [(row["text"], row["label"]) for row in rows] == [
        ("I don’t love this at all", "negative"),
        ("so naïve", rows[1]["label"]),
    ]
    assert ("Windows-1252" in err) == (encoding == "cp1252")


@pytest.mark.parametrize(
    "text",
    ["I don`t love this", "I don´t love this", "I don′t love this", "I don‛t love this", "I donʼt lo\u200bve this"],
)
def test_every_apostrophe_holds_the_negation(texts, text):
    texts.write_text(text, encoding="utf-8")
    (row,) = json.loads(run(texts, "--format", "json")[0])
    assert (row["text"], row["label"]) == (text, "negative")


def test_texts_that_are_hardly_english_get_a_hint(texts):
    texts.write_text(f"{GERMAN}\nDas war gut.\n", encoding="utf-8")
    out, err = run(texts, "--format", "json")
    assert err.startswith("This is hardly English: ")
    assert [row["hint"] for row in json.loads(out)] == [err.strip()] * 2
    assert "hardly English" in run(texts)[1]


def test_a_device_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("pipeline.management.commands.label_text.MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"x" * 1001)))
    with pytest.raises(CommandError, match="too large for texts to label"):
        run("-")
