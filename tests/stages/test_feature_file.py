"""The array file of a video's features: what is written comes back, whatever else is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.stages import feature_file
from pipeline.stages.errors import StageError
from pipeline.stages.feature_file import (
    FeatureTable,
    read_all_features,
    read_features,
    stored_extractors,
    write_features,
)


class TestTables:
    table = FeatureTable(
        X=np.array([[1.5, -2.0], [np.pi, 1e-300], [0.0, 1e300]]),
        names=("a", "b ü"),
        keys=np.array([0, 4, 7]),
        extractor="x",
    )

    def test_a_table_comes_back_as_it_was(self, tmp_path: Path) -> None:
        write_features(tmp_path / "a.npz", self.table)
        again = read_features(tmp_path / "a.npz", "x")
        np.testing.assert_array_equal(again.X, self.table.X)
        np.testing.assert_array_equal(again.keys, self.table.keys)
        assert again.keys.dtype == np.int64
        assert (again.names, again.extractor) == (self.table.names, "x")
        assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]

    def test_a_table_without_rows_comes_back(self, tmp_path: Path) -> None:
        empty = FeatureTable(X=np.zeros((0, 2)), names=("a", "b"), keys=np.zeros(0, dtype=np.int64), extractor="x")
        write_features(tmp_path / "a.npz", empty)
        assert read_features(tmp_path / "a.npz", "x").X.shape == (0, 2)

    @pytest.mark.parametrize("content", [b"", b"text", pickle.dumps({"X": 1})], ids=["empty", "text", "pickle"])
    def test_a_foreign_file_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(StageError, match="missing or damaged"):
            read_features(tmp_path / "a.npz", "x")

    def test_a_missing_or_cut_off_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match="missing or damaged"):
            read_features(tmp_path / "a.npz", "x")
        write_features(tmp_path / "a.npz", self.table)
        content = (tmp_path / "a.npz").read_bytes()
        (tmp_path / "a.npz").write_bytes(content[: len(content) // 2])
        with pytest.raises(StageError, match="missing or damaged"):
            read_features(tmp_path / "a.npz", "x")

    @pytest.mark.parametrize("place", ["x/X", "extractor"])
    def test_a_pickle_inside_is_never_opened(self, tmp_path: Path, place: str) -> None:
        arrays = {"x/X": np.zeros((1, 1)), "x/names": np.array(["a"]), "x/keys": np.zeros(1, dtype=np.int64)}
        arrays[place] = np.array({"an": "object"}, dtype=object)
        np.savez(tmp_path / "a.npz", allow_pickle=True, **arrays)
        with pytest.raises(StageError, match="missing or damaged"):
            read_features(tmp_path / "a.npz", "x")

    @pytest.mark.parametrize(
        "change",
        [
            {"X": np.zeros(3)},
            {"X": np.zeros((3, 2), dtype=np.float32)},
            {"names": np.array(["a"])},
            {"keys": np.zeros(2, dtype=np.int64)},
            {"keys": np.zeros(3)},
            {"names": np.zeros(2)},
        ],
    )
    @pytest.mark.parametrize("form", ["one table", "several"])
    def test_arrays_that_do_not_fit_together_are_refused(
        self, tmp_path: Path, change: dict[str, np.ndarray], form: str
    ) -> None:
        arrays = {"X": self.table.X, "names": np.array(self.table.names), "keys": self.table.keys, **change}
        if form == "several":
            arrays = {f"x/{part}": array for part, array in arrays.items()}
        else:
            arrays["extractor"] = np.array("x")
        np.savez(tmp_path / "a.npz", allow_pickle=False, **arrays)
        with pytest.raises(StageError, match="holds no table"):
            read_features(tmp_path / "a.npz", "x")


class TestSeveralTables:
    first = TestTables.table
    second = FeatureTable(X=np.ones((3, 4)), names=("p", "q", "r", "s"), keys=np.array([0, 4, 7]), extractor="y-2")

    def test_each_comes_back_by_its_extractor(self, tmp_path: Path) -> None:
        write_features(tmp_path / "a.npz", self.first, self.second)
        assert stored_extractors(tmp_path / "a.npz") == ("x", "y-2")
        assert [table.extractor for table in read_all_features(tmp_path / "a.npz")] == ["x", "y-2"]
        again = read_features(tmp_path / "a.npz", "y-2")
        np.testing.assert_array_equal(again.X, self.second.X)
        assert again.names == self.second.names
        with pytest.raises(StageError, match="no features of the extractor z"):
            read_features(tmp_path / "a.npz", "z")

    def test_one_is_read_without_the_other(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_features(tmp_path / "a.npz", self.first, self.second)
        read: list[str] = []
        load = np.lib.npyio.NpzFile.__getitem__

        def noted(file: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
            read.append(name)
            return load(file, name)

        monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", noted)
        read_features(tmp_path / "a.npz", "x")
        assert read
        assert all(name.startswith("x/") for name in read)

    def test_the_single_table_of_a_former_version_is_read(self, tmp_path: Path) -> None:
        table = self.first
        arrays = {"X": table.X, "names": np.array(table.names), "keys": table.keys, "extractor": np.array("x")}
        feature_file.write_arrays(tmp_path / "a.npz", **arrays)
        assert stored_extractors(tmp_path / "a.npz") == ("x",)
        np.testing.assert_array_equal(read_features(tmp_path / "a.npz", "x").X, table.X)
        with pytest.raises(StageError, match="no features of the extractor y-2"):
            read_features(tmp_path / "a.npz", "y-2")
