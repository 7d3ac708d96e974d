"""`manage.py crossvalidate`: a labelled table of files in, one report out, no database."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from django.core.management import CommandError, call_command
from sklearn.metrics import f1_score

from evaluation.metrics import evaluate
from pipeline.labels import LABELS
from tests.stages.sounds import sine

ROOT = Path(__file__).resolve().parents[2]
PITCH_HZ = {"positive": 440, "neutral": 210, "negative": 90}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Six clips of each of four speakers; pitch follows the label."""
    rng = np.random.default_rng(0)
    lines = ["path,label,group"]
    (tmp_path / "clips").mkdir()
    for speaker in "abcd":
        for number in range(6):
            label = LABELS[number % 3]
            tone = sine(PITCH_HZ[label] * rng.uniform(0.9, 1.1), 1.0, amplitude=0.3)
            sf.write(tmp_path / "clips" / f"{speaker}{number}.wav", tone + 0.05 * rng.normal(size=16_000), 16_000)
            lines.append(f"clips/{speaker}{number}.wav,{label},{speaker}")
    (tmp_path / "clips.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "clips.csv"


def crossvalidate(manifest: Path, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("crossvalidate", str(manifest), *arguments, "--format", "json", stdout=out)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def change(manifest: Path, line: int, text: str) -> None:
    lines = manifest.read_text().splitlines()
    lines[line - 1] = text
    manifest.write_text("\n".join(lines))


@pytest.mark.parametrize("recipe", ["seed-2019", "recommended"])
def test_it_prints_the_report_of_out_of_fold_predictions(manifest: Path, recipe: str) -> None:
    document = crossvalidate(manifest, "--recipe", recipe, "--folds", "groups")
    assert document["labels"] == list(LABELS)
    assert document["confusion"] == [[8, 0, 0], [0, 8, 0], [0, 0, 8]]
    assert document["support"] == [8, 8, 8]
    assert (document["n"], document["groups"]) == (24, 4)
    assert document["averages"]["macro"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert document["baseline"]["accuracy"] == pytest.approx(1 / 3)
    facts = document["recipe"]
    assert (facts["name"], facts["folds"], facts["fold_scheme"]) == (recipe, 4, "leave-one-group-out")
    assert len(facts["best_c_by_fold"]) == 4
    assert set(facts["best_c_by_fold"]) <= set(facts["c_values"])


def test_its_report_is_the_one_that_evaluate_prints(manifest: Path) -> None:
    document = crossvalidate(manifest, "--recipe", "seed-2019", "--folds", "3", "--seed", "5")
    labels = [line.split(",")[1] for line in manifest.read_text().splitlines()[1:]]
    groups = [line.split(",")[2] for line in manifest.read_text().splitlines()[1:]]
    same = json.loads(json.dumps(evaluate(labels, labels, groups, seed=5).as_dict()))
    assert set(document) == {*same, "recipe"}
    assert all(document[key] == same[key] for key in ("labels", "support", "baseline", "n", "groups"))
    pairs = [
        (truth, predicted)
        for truth, row in zip(LABELS, document["confusion"], strict=True)
        for predicted, count in zip(LABELS, row, strict=True)
        for _ in range(count)
    ]
    expected = f1_score(*zip(*pairs, strict=True), labels=LABELS, average="macro")
    assert document["averages"]["macro"]["f1"] == pytest.approx(expected)
    assert document["recipe"]["seed"] == 5
    assert document["recipe"]["folds"] == 3


def test_options_replace_parts_of_the_recipe_and_adjustments_are_noted(manifest: Path) -> None:
    document = crossvalidate(
        manifest, "--classifier", "logistic", "--features", "pyaudioanalysis-reference", "--folds", "9"
    )
    facts = document["recipe"]
    assert (facts["classifier"], facts["features"]) == ("logistic", "pyaudioanalysis-reference")
    assert any(note.startswith("4 folds instead of 9") for note in facts["notes"])


def test_what_standardising_within_groups_means_is_noted(manifest: Path) -> None:
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    assert any("standardised within each group by all of its files" in note for note in notes)
    assert not any("have fewer than" in note for note in notes)
    assert not any("of one class" in note for note in notes)
    assert not any(
        "standardised within" in note for note in crossvalidate(manifest, "--recipe", "seed-2019")["recipe"]["notes"]
    )
    lines = manifest.read_text().splitlines()
    manifest.write_text(
        "\n".join([lines[0], *(",".join([*line.split(",")[:2], line.split(",")[1] + line[6]]) for line in lines[1:])])
    )
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    assert any(note.startswith("12 of 12 groups are of one class") for note in notes)
    assert any(note.startswith("12 of 12 groups have fewer than 5 files") for note in notes)


def test_the_same_seed_prints_the_same(manifest: Path) -> None:
    assert crossvalidate(manifest, "--seed", "7") == crossvalidate(manifest, "--seed", "7")


def test_its_text_shows_confusion_averages_and_baseline(manifest: Path) -> None:
    out = io.StringIO()
    call_command("crossvalidate", str(manifest), "--folds", "3", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("24 files in 4 groups; recipe recommended: svm-rbf on crossmodal, 3 folds")
    assert any(line.split() == ["negative", "0", "0", "8"] for line in lines)
    assert any(line.split() == ["macro", "1.0000", "1.0000", "1.0000"] for line in lines)
    assert any(line.startswith("Always answering") for line in lines)


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        (3, "clips/a1.wav,happy,a", "Line 3 of clips.csv: the label 'happy' is not one of positive, neutral, negative"),
        (4, "clips/none.wav,neutral,a", "Line 4 of clips.csv: there is no file 'clips/none.wav'"),
        (5, "clips/a3.wav,positive,", "Line 5 of clips.csv: the group is empty"),
        (6, "clips/a4.wav", "Line 6 of clips.csv: the label '' is not one of"),
        (1, "file,label,speaker", "clips.csv has no column path or group; it needs path, label, group"),
    ],
)
def test_a_bad_table_is_refused_naming_the_line(manifest: Path, line: int, text: str, said: str) -> None:
    change(manifest, line, text)
    with pytest.raises(CommandError) as caught:
        crossvalidate(manifest)
    assert said in str(caught.value)


def test_a_spreadsheets_table_is_read(manifest: Path) -> None:
    text = manifest.read_text().replace("\n", "\r\n") + ",,\r\n\r\n"
    manifest.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert crossvalidate(manifest, "--folds", "2")["n"] == 24


def test_an_empty_a_missing_and_a_binary_table_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    with pytest.raises(CommandError, match="cannot be read"):
        crossvalidate(table)
    table.write_text("path,label,group\n")
    with pytest.raises(CommandError, match="has no rows"):
        crossvalidate(table)
    table.write_bytes(b"path,label,group\n\xff\xfe\x00")
    with pytest.raises(CommandError, match="cannot be read as a CSV table"):
        crossvalidate(table)


def second_line(manifest: Path, path: str, group: str) -> None:
    """Add a row for a clip; the label is the one of the first clips."""
    manifest.write_text(f"{manifest.read_text()}{path},positive,{group}\n")


def hard_link(clip: Path, other: Path) -> None:
    other.hardlink_to(clip)


def symbolic_link(clip: Path, other: Path) -> None:
    other.symlink_to(clip)


def copy(clip: Path, other: Path) -> None:
    other.write_bytes(clip.read_bytes())


def other_format(clip: Path, other: Path) -> None:
    samples, rate = sf.read(clip, dtype="int16")
    sf.write(other, samples, rate, format="FLAC", subtype="PCM_16")


WAYS = [
    (hard_link, "are the same file"),
    (symbolic_link, "are the same file"),
    (copy, "hold the same bytes"),
    (other_format, "have exactly the same features"),
]


@pytest.mark.parametrize(("make", "how"), WAYS)
def test_a_clip_in_two_groups_is_refused_naming_both(manifest: Path, make: Any, how: str) -> None:
    make(manifest.parent / "clips/a0.wav", manifest.parent / "clips/again.wav")
    second_line(manifest, "clips/again.wav", "b")
    said = rf"Line 2 and line 26 \(a0.wav, again.wav\) of clips.csv {how} but stand in the groups “a” and “b”"
    with pytest.raises(CommandError, match=said):
        crossvalidate(manifest)


@pytest.mark.parametrize("path", ["clips/a0.wav", "./clips/a0.wav", "clips/../clips/a0.wav", "clips//a0.wav"])
def test_one_path_written_in_any_way_is_the_same_file(manifest: Path, path: str) -> None:
    second_line(manifest, path, "d")
    second_line(manifest, "clips/b1.wav", "d")
    said = r"Line 2 and line 26 \(a0.wav\) of clips.csv are the same file .* “a” and “d”.* The same holds of 1 more"
    with pytest.raises(CommandError, match=said):
        crossvalidate(manifest)


@pytest.mark.parametrize(("make", "how"), WAYS)
def test_a_clip_twice_in_one_group_is_noted_once(manifest: Path, make: Any, how: str) -> None:
    make(manifest.parent / "clips/a0.wav", manifest.parent / "clips/again.wav")
    second_line(manifest, "clips/again.wav", "a")
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    (note,) = [note for note in notes if "count again" in note]
    assert "Line 2 and line 26 (a0.wav, again.wav)" in note


def test_a_clip_with_two_labels_in_one_group_is_noted(manifest: Path) -> None:
    copy(manifest.parent / "clips/a0.wav", manifest.parent / "clips/again.wav")
    manifest.write_text(f"{manifest.read_text()}clips/again.wav,negative,a\n")
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    assert (
        "Of these, some have two labels, of which one must be wrong: Line 2 and line 26 (a0.wav, again.wav)." in notes
    )


def test_a_clip_at_another_loudness_in_another_group_is_noted(manifest: Path) -> None:
    samples, rate = sf.read(manifest.parent / "clips/a0.wav")
    sf.write(manifest.parent / "clips/quiet.flac", samples / 2, rate)
    second_line(manifest, "clips/quiet.flac", "b")
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    (note,) = [note for note in notes if "sound nearly the same" in note]
    assert note.endswith("listen: Line 2 and line 26 (a0.wav, quiet.flac).")


def test_files_without_sound_are_noted_and_are_no_repeats(manifest: Path) -> None:
    for number, group in enumerate("abc"):
        sf.write(manifest.parent / f"clips/silent{number}.wav", np.zeros(16_000 + 1_000 * number), 16_000)
        second_line(manifest, f"clips/silent{number}.wav", group)
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    (note,) = [note for note in notes if note.startswith("Nothing can be heard in Line 26 (silent0.wav); Line 27")]
    assert not [note for note in notes if "sound" in note]


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("1.0", "The groups “1” and “1.0” differ only in how a number is written and count as two."),
        (
            "nan",
            "Among the groups is “nan”, which counts as any other; if it marks a missing value, leave such rows out.",
        ),
    ],
)
def test_groups_that_are_probably_not_meant_are_noted(manifest: Path, group: str, said: str) -> None:
    manifest.write_text(manifest.read_text().replace(",a\n", ",1\n"))
    change(manifest, 2, f"clips/a0.wav,positive,{group}")
    assert said in crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]


def test_a_path_with_the_slashes_of_windows_is_told(manifest: Path) -> None:
    change(manifest, 2, "clips\\a0.wav,positive,a")
    with pytest.raises(CommandError, match="Line 2 of clips.csv: there is no file .*; write “/” for"):
        crossvalidate(manifest)


def test_headings_in_capitals_are_told(manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace("path,label,group", "Path,Label,Group"))
    with pytest.raises(CommandError, match="in small letters. Its first row reads: Path, Label, Group"):
        crossvalidate(manifest)


def test_groups_that_differ_in_case_alone_are_noted(manifest: Path) -> None:
    change(manifest, 2, "clips/a0.wav,positive,A")
    notes = crossvalidate(manifest, "--folds", "2")["recipe"]["notes"]
    assert "The groups “A” and “a” differ in case alone and count as two." in notes


def test_a_note_is_printed_too(manifest: Path) -> None:
    second_line(manifest, "clips/a0.wav", "a")
    call_command("crossvalidate", str(manifest), "--folds", "2", stdout=(out := io.StringIO()))
    assert "Rows that are the same file as an earlier one of their group, and count again: Line 2" in out.getvalue()


def test_columns_that_are_not_read_are_noted(manifest: Path) -> None:
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([f"{lines[0]},take", *(f"{line},1" for line in lines[1:])]))
    assert "The column “take” of clips.csv was not read." in crossvalidate(manifest)["recipe"]["notes"]


@pytest.mark.parametrize(
    ("change_text", "said"),
    [
        (lambda text: text.replace(",", ";"), "clips.csv: The cells are separated by semicolons"),
        (lambda text: text.replace(",", "\t"), "clips.csv: The cells are separated by tabs"),
        (lambda text: text.replace("label,group", "label,group,Group"), "more than one column Group"),
        (lambda text: text.replace("a2.wav,", "a2,b.wav,"), "Line 4 has more cells than the first row has columns"),
        (lambda text: text.replace("clips/a1", '"clips/a1'), "Line 3 cannot be read as CSV"),
        (
            lambda text: text.replace("a\n", '"a\nb"\n', 1) + "x.wav,neutral,c\n",
            r"Line 27 \(row 26\) of clips.csv: there",
        ),
    ],
)
def test_a_table_with_a_fault_is_refused_in_words(manifest: Path, change_text: Any, said: str) -> None:
    manifest.write_text(change_text(manifest.read_text()))
    with pytest.raises(CommandError, match=said):
        crossvalidate(manifest)


def test_one_group_is_refused_in_a_sentence(manifest: Path) -> None:
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(lines[:1] + [line[: line.rindex(",")] + ",one" for line in lines[1:]]))
    with pytest.raises(CommandError, match="needs at least two"):
        crossvalidate(manifest)


@pytest.mark.parametrize("folds", ["1", "many", "-3"])
def test_folds_that_make_no_sense_are_refused(manifest: Path, folds: str) -> None:
    with pytest.raises(CommandError, match="neither a number of folds from 2 on nor 'groups'"):
        crossvalidate(manifest, f"--folds={folds}")


def test_wrong_usage_has_its_own_exit_status(manifest: Path) -> None:
    command = [sys.executable, "manage.py", "crossvalidate", str(manifest), "--recipe", "none"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "invalid choice: 'none'" in run.stderr


def test_it_tells_what_was_changed_in_a_file(manifest: Path) -> None:
    tone = sine(440, 1.0)
    sf.write(manifest.parent / "clips" / "a0.wav", np.stack([tone, -tone], axis=1), 16_000)
    err = io.StringIO()
    call_command("crossvalidate", str(manifest), "--folds", "2", stdout=io.StringIO(), stderr=err)
    assert "a0.wav: The channels are in opposite phase for 0:01" in err.getvalue()
    assert "a1.wav" not in err.getvalue()
