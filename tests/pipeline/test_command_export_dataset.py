"""`export_dataset`."""

import json
from pathlib import Path

import pytest

from tests.factories import Factory
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db


def test_it_writes_both_splits_and_says_how_many(factory: Factory, tmp_path: Path, command: Command) -> None:
    factory.make_segment(factory.make_video(), label="positive")
    factory.make_video(split="test")
    factory.make_video(split="test")
    status, out, _ = command("export_dataset", tmp_path / "corpus")
    assert status == 0
    assert "1 video in train, 2 videos in test" in out
    assert (tmp_path / "corpus" / "train" / "dataset_train.csv").is_file()
    assert (tmp_path / "corpus" / "train" / "subtitles" / "0.srt").is_file()


def test_one_split_alone(factory: Factory, tmp_path: Path, command: Command) -> None:
    factory.make_video()
    status, out, _ = command("export_dataset", tmp_path, "--split", "test", "--format", "json")
    assert status == 0
    assert json.loads(out) == {"folder": str(tmp_path), "videos": {"test": 0}}
    assert not (tmp_path / "train").exists()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").write_text("here")
    status, _, err = command("export_dataset", tmp_path / "file")
    assert status == 1
    assert "cannot be written" in err
