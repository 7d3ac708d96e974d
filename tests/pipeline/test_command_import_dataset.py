"""`import_dataset`."""

import json
from pathlib import Path

import pytest

from pipeline.models import Video
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db
HEADING = "Id,URL,Title,Audio,Captions,Polarity,Pickle"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "dataset.csv"
    rows = ["0,https://youtu.be/i4b-_bNsajY,One,a,c,p,k", "1,https://evil.example/,Two,a,c,p,k"]
    path.write_text("\n".join(["\ufeff" + HEADING, *rows, ""]))
    return path


def test_it_imports_and_names_what_it_refuses(dataset: Path, command: Command) -> None:
    status, out, _ = command("import_dataset", dataset, "--split", "train", "--policy", "seed-2019")
    assert status == 0
    assert out.startswith("Queued: 1 video.\nNot taken: line 3: https://evil.example/\n")
    video = Video.objects.get()
    assert (video.dataset_id, video.split, video.policy, video.state) == ("0", "train", "seed-2019", "queued")


def test_it_can_store_without_fetching(dataset: Path, command: Command) -> None:
    status, out, _ = command("import_dataset", dataset, "--split", "test", "--no-fetch", "--format", "json")
    assert status == 0
    assert json.loads(out)["created"][0]["state"] == "stored"
    assert Video.objects.get().state == "stored"


def test_a_second_import_takes_nothing_and_fails(dataset: Path, command: Command) -> None:
    command("import_dataset", dataset, "--split", "train")
    status, out, err = command("import_dataset", dataset, "--split", "test")
    assert status == 1
    assert "already in the train split" in out
    assert "Nothing was taken" in err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"a,b\n1,2\n", "Line 1"), (f"{HEADING}\n0,u\n".encode(), "Line 2"), (b"\xff\xfe\x00", "not in UTF-8")],
)
def test_a_bad_file_is_a_sentence(content: bytes, sentence: str, tmp_path: Path, command: Command) -> None:
    path = tmp_path / "dataset.csv"
    path.write_bytes(content)
    status, out, err = command("import_dataset", path, "--split", "train")
    assert (status, out) == (1, "")
    assert sentence in err
    assert "Traceback" not in err


def test_a_missing_file_is_a_sentence(tmp_path: Path, command: Command) -> None:
    status, _, err = command("import_dataset", tmp_path / "none.csv", "--split", "train")
    assert status == 1
    assert "cannot be read" in err


def test_a_column_that_is_not_read_is_named(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "dataset.csv"
    path.write_text(f"{HEADING},Channel\n0,https://youtu.be/i4b-_bNsajY,One,a,c,p,k,Some\n")
    status, _, err = command("import_dataset", path, "--split", "train")
    assert (status, err.splitlines()[0]) == (0, "The column “Channel” is not read.")


@pytest.mark.parametrize(
    ("dataset_id", "sentence"),
    [
        ("0.0", "The Id “0.0” is a whole number with a fraction; write it as 0."),
        ("nan", "The Id “nan” marks a missing value; write the Id, or leave the cell empty."),
    ],
)
def test_an_id_that_a_program_changed_is_refused(
    dataset_id: str, sentence: str, tmp_path: Path, command: Command
) -> None:
    path = tmp_path / "dataset.csv"
    path.write_text(f"{HEADING}\n{dataset_id},https://youtu.be/i4b-_bNsajY,One,a,c,p,k\n")
    status, out, _ = command("import_dataset", path, "--split", "train")
    assert status == 1
    assert sentence in out


def test_what_nobody_sees_is_no_part_of_an_address(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "dataset.csv"
    path.write_text(f"{HEADING}\n\u200e0,\u200bhttps://youtu.be/i4b-_bNsajY\ufeff,One,a,c,p,k\n", encoding="utf-8")
    status, _, _ = command("import_dataset", path, "--split", "train")
    assert status == 0
    assert Video.objects.get().dataset_id == "0"
