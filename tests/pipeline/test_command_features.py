"""`manage.py features`: files in, one .npz out, no database."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from django.core.management import CommandError, call_command

from pipeline.stages.features import DEFAULT_EXTRACTOR, get_extractor
from tests.stages.sounds import encode, sine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    sf.write(tmp_path / "a.wav", sine(440, 1.5), 16_000, subtype="PCM_16")
    encode(tmp_path / "b.mp3", sine(880, 1.5, 44_100)[None], 44_100, "libmp3lame")
    return [tmp_path / "a.wav", tmp_path / "b.mp3"]


def test_it_writes_numbers_names_and_paths_without_pickles(clips: list[Path], tmp_path: Path) -> None:
    paths = [str(clip) for clip in clips]
    call_command("features", *paths, "--out", str(tmp_path / "x.npz"))
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {"X", "names", "paths"}
        assert arrays["X"].shape == (2, 136)
        assert arrays["X"].dtype == np.float64
        assert tuple(arrays["names"]) == get_extractor(DEFAULT_EXTRACTOR).feature_names
        assert arrays["paths"].tolist() == paths
        expected = get_extractor(DEFAULT_EXTRACTOR).extract(sf.read(clips[0])[0], 16_000)
        np.testing.assert_array_equal(arrays["X"][0], expected)


def test_a_file_without_sound_fails_naming_it_and_writes_nothing(clips: list[Path], tmp_path: Path) -> None:
    (tmp_path / "c.mp3").write_bytes(b"no sound")
    with pytest.raises(CommandError, match=r"c\.mp3 cannot be read"):
        call_command("features", str(clips[0]), str(tmp_path / "c.mp3"), "--out", str(tmp_path / "x.npz"))
    assert not (tmp_path / "x.npz").exists()


def test_a_missing_folder_is_said_before_any_work(clips: list[Path], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("features", str(clips[0]), "--out", str(tmp_path / "none" / "x.npz"))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--help"], 0, "Example: manage.py features"),
        ([], 2, "--out"),
        (["a.wav", "--out", "x.npz", "--extractor", "nobody"], 2, "invalid choice"),
        (["none.wav", "--out", "x.npz"], 1, "There is no file none.wav"),
    ],
)
def test_its_exit_status_tells_usage_from_failure(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "features", *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == status, run.stderr
    assert said in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
