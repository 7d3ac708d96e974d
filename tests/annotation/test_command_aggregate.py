"""The command `aggregate`: what it makes of votes, and what it says of tables it cannot use."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotation.aggregation import METHODS, aggregate, read_votes

VOTES = "task,worker,label\nt2,a,yes\nt2,b,yes\nt2,c,no\nt1,a,no\nt1,b,yes\n"


def run(tmp_path: Path, text: str, *options: str) -> str:
    path = tmp_path / "votes.csv"
    path.write_text(text, encoding="utf-8")
    out = io.StringIO()
    call_command("aggregate", str(path), *options, stdout=out)
    return out.getvalue()


def as_json(tmp_path: Path, text: str, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run(tmp_path, text, "--format", "json", *options))
    return rows


def test_a_majority_and_a_tie_are_told_apart(tmp_path: Path) -> None:
    assert as_json(tmp_path, VOTES) == [
        {"task": "t2", "label": "yes", "probability": pytest.approx(2 / 3), "tie": False},
        {"task": "t1", "label": "no", "probability": 0.5, "tie": True},
    ]


def test_text_says_ties_and_counts_them(tmp_path: Path) -> None:
    assert run(tmp_path, VOTES).splitlines() == [
        "t2  yes  0.6667",
        "t1  no  0.5000  tie",
        "2 tasks by 3 workers, 1 tied.",
    ]


def crowd(seed: int = 0) -> tuple[str, dict[str, str]]:
    """Two workers who know, and three who nearly always say the same wrong word."""
    rng = np.random.default_rng(seed)
    lines, truth = ["task,worker,label"], {}
    for number in range(60):
        task = f"t{number}"
        truth[task] = str(rng.choice(["positive", "neutral", "negative"]))
        for worker, skill in (("good", 0.97), ("better", 0.97), ("x", 0.05), ("y", 0.05), ("z", 0.05)):
            label = truth[task] if rng.random() < skill else str(rng.choice(["positive", "neutral", "negative"]))
            lines.append(f"{task},{worker},{label}")
    return "\n".join(lines), truth


@pytest.mark.parametrize("method", METHODS)
def test_models_of_the_workers_find_more_than_counting(tmp_path: Path, method: str) -> None:
    votes, truth = crowd()
    right = {
        name: sum(row["label"] == truth[row["task"]] for row in as_json(tmp_path, votes, "--method", name))
        for name in ("majority", method)
    }
    assert right[method] >= (right["majority"] if method == "majority" else 56)
    assert right["majority"] < 56


@pytest.mark.parametrize("method", METHODS)
def test_it_gives_what_crowd_kit_gives(tmp_path: Path, method: str) -> None:
    import pandas as pd
    from crowdkit.aggregation import MACE, DawidSkene, MajorityVote

    votes, _ = crowd(3)
    model = {"majority": MajorityVote(), "dawid-skene": DawidSkene(n_iter=100), "mace": MACE()}[method]
    expected = model.fit_predict_proba(pd.read_csv(io.StringIO(votes)))
    for row in as_json(tmp_path, votes, "--method", method):
        assert row["probability"] == pytest.approx(expected.loc[row["task"]].max())
        assert row["label"] == expected.loc[row["task"]].idxmax() or row["tie"]


@pytest.mark.parametrize("method", METHODS)
def test_a_perfect_standoff_is_a_tie_for_every_method(tmp_path: Path, method: str) -> None:
    votes = "task,worker,label\n1,a,x\n1,b,y\n2,a,y\n2,b,x\n"
    rows = as_json(tmp_path, votes, "--method", method)
    assert [row["task"] for row in rows] == ["1", "2"]
    if method == "majority":
        assert [(row["label"], row["tie"]) for row in rows] == [("x", True), ("x", True)]
    for row in rows:
        assert row["tie"] == (row["probability"] == pytest.approx(0.5, abs=1e-9))


@pytest.mark.parametrize("method", ["majority", "dawid-skene"])  # mace, which is slow, has run twice above
def test_the_same_votes_give_the_same_answer(tmp_path: Path, method: str) -> None:
    votes, _ = crowd(1)
    assert run(tmp_path, votes, "--method", method) == run(tmp_path, votes, "--method", method)


@pytest.mark.parametrize("method", METHODS)
def test_one_vote_of_one_worker_is_enough(tmp_path: Path, method: str) -> None:
    (row,) = as_json(tmp_path, "task,worker,label\n1,a,x\n", "--method", method)
    assert (row["task"], row["label"], row["tie"]) == ("1", "x", False)


def test_a_byte_order_mark_spaces_and_other_columns_do_no_harm(tmp_path: Path) -> None:
    text = '\ufefflabel, task ,note,worker\n"so, so",1,,a\nyes,2,hm,a\n'
    assert [(row["task"], row["label"]) for row in as_json(tmp_path, text)] == [("1", "so, so"), ("2", "yes")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "votes.csv: Row 1 has no column task or worker or label"),
        ("task,label\n1,x\n", "Row 1 has no column worker"),
        ("task;worker;label\n1;a;x\n", "in small letters and separated by commas"),
        ("task,task,worker,label\n1,2,a,x\n", "Row 1 has more than one column task; rename all but one"),
        ("task,worker,label\n", "no votes below its first row"),
        ("task,worker,label\n1,a,x\n2,a,\n", "Row 3, column label: the cell is empty"),
        ("task,worker,label\n1,a,x\n2\n", "Row 3, column worker: the cell is empty"),
        ("task,worker,label\n ,a,x\n", "Row 2, column task: the cell is empty"),
        ("task,worker,label\n1,a,x,y\n", "Row 2 has more cells"),
        ("task,worker,label\n1,a,x\n1,a,y\n", "Row 3, column worker: 'a' has voted on task '1' already, in row 2"),
        ('task,worker,label\n1,a,"x\n', "cannot be read as CSV"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error_with_row_and_column(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(tmp_path, text)


def test_a_missing_file_and_one_that_is_no_text_are_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        call_command("aggregate", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        call_command("aggregate", str(tmp_path))
    (tmp_path / "bad.csv").write_bytes(b"task,worker,label\n\xff\xfe,a,b\n")
    with pytest.raises(CommandError, match="cannot be read as UTF-8 text; save the table"):
        call_command("aggregate", str(tmp_path / "bad.csv"))


def test_blank_rows_are_passed_over(tmp_path: Path) -> None:
    (row,) = as_json(tmp_path, "task,worker,label\na,w1,positive\n\n,,\n , ,\na,w2,positive\n")
    assert (row["task"], row["label"], row["probability"]) == ("a", "positive", 1.0)


def test_rows_are_numbered_as_a_spreadsheet_does_with_the_line_where_it_is_another(tmp_path: Path) -> None:
    text = 'task,worker,label\r\n"a\r\nb",w1,x\r\n"a\r\nb",w2,x\r\n,w3,x\r\n'
    with pytest.raises(CommandError, match=r"Row 4 \(line 6 of the file\), column task: the cell is empty"):
        run(tmp_path, text)
    with pytest.raises(CommandError, match=r"Row 4 \(line 6 of the file\).* already, in row 3 \(line 4 of the file\)"):
        run(tmp_path, text.replace(",w3", '"a\r\nb",w2'))


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path: Path, separator: str, name: str) -> None:
    with pytest.raises(CommandError, match=f"votes.csv: The cells are separated by {name}"):
        run(tmp_path, VOTES.replace(",", separator))


def test_a_heading_twice_is_refused_also_where_it_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"more than one column Note; rename all but one \(“note” and “Note”\)"):
        run(tmp_path, "task,worker,label,note,Note\n1,a,x,,\n")


def test_a_column_that_is_not_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, "task,worker,label,note\n1,a,x,hm\n")
    assert capsys.readouterr().err == "The column “note” is not read.\n"


def test_utf16_is_read(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_bytes(VOTES.encode("utf-16"))
    call_command("aggregate", str(tmp_path / "votes.csv"), stdout=(out := io.StringIO()))
    assert out.getvalue().splitlines()[-1] == "2 tasks by 3 workers, 1 tied."


def test_a_seed_out_of_range_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="between 0 and"):
        run(tmp_path, VOTES, "--seed", "-1")


def test_an_unknown_method_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="'glad' is not one of majority"):
        aggregate(read_votes(io.StringIO(VOTES)), "glad")


def test_no_votes_are_no_labels() -> None:
    assert aggregate([], "majority") == []


def test_names_that_are_probably_one_are_told(tmp_path, capsys):
    table = tmp_path / "votes.csv"
    table.write_text("task,worker,label\n1,w1,Positive\n1.0,w2,positive\n1,w1\u200b,nan\n", encoding="utf-8")
    call_command("aggregate", str(table))
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "The tasks “1” and “1.0” differ only in how a number is written and count as two.",
        "The workers “w1” and “w1\u200b” differ in characters that nobody sees and count as two.",
        "The labels “Positive” and “positive” differ in case alone and count as two.",
        "Among the labels is “nan”, which counts as any other; if it marks a missing value, leave such rows out.",
    ]
