"""Models on disk: they come back as they were, and nothing else is ever loaded."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.svm import SVC

from pipeline.stages.artifact import read_artifact, write_artifact
from pipeline.stages.errors import StageError
from pipeline.stages.training import BALANCINGS, CLASSIFIERS, TrainingParameters, predict, train
from tests.stages.test_training import make_data


def fitted(**values: Any) -> Any:
    return train(*make_data(groups=4), TrainingParameters(c_values=(1.0,), folds=2, **values)).pipeline


@pytest.fixture
def pipeline() -> Any:
    return fitted()


def card_of(path: Path) -> dict[str, Any]:
    return {"artifact_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("balancing", BALANCINGS)
def test_every_model_predicts_the_same_after_its_way_through_a_file(
    tmp_path: Path, classifier: str, balancing: str
) -> None:
    model = fitted(classifier=classifier, balancing=balancing)
    card = write_artifact(tmp_path / "a.skops", model, {"features": ["a", "b"]})
    again = read_artifact(tmp_path / "a.skops", card)
    X = make_data(seed=5)[0]
    for before, after in zip(predict(model, X), predict(again, X), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_equal_models_have_equal_hashes_and_others_do_not(tmp_path: Path, classifier: str) -> None:
    hashes = [
        write_artifact(tmp_path / "a.skops", fitted(classifier=classifier, seed=seed), {})["artifact_sha256"]
        for seed in (1, 1, 2)
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_another_process_makes_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\nfrom tests.stages.test_artifact import fitted, write_artifact\n"
        f"write_artifact(Path({str(tmp_path / 'b.skops')!r}), fitted(classifier='gradient-boosting'), {{}})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120, env=environment)
    write_artifact(tmp_path / "a.skops", fitted(classifier="gradient-boosting"), {})
    assert (tmp_path / "a.skops").read_bytes() == (tmp_path / "b.skops").read_bytes()


def test_a_model_whose_segments_were_repeated_comes_back(tmp_path: Path) -> None:
    X, y, groups = make_data(groups=6, rows=10, shares=(0.0, 0.6, 0.4))
    y[[0, 10]] = "positive"
    model = train(X, y, groups, TrainingParameters(c_values=(1.0,), folds=3)).pipeline
    card = write_artifact(tmp_path / "a.skops", model, {})
    np.testing.assert_array_equal(predict(read_artifact(tmp_path / "a.skops", card), X)[1], predict(model, X)[1])


def test_a_model_holds_no_training_rows(tmp_path: Path) -> None:
    X, y, groups = make_data(groups=8, rows=60)
    model = train(X, y, groups, TrainingParameters(classifier="linear-fast", c_values=(1.0,), folds=3)).pipeline
    card = write_artifact(tmp_path / "a.skops", model, {})
    read_artifact(tmp_path / "a.skops", card)
    with zipfile.ZipFile(tmp_path / "a.skops") as archive:
        arrays = [np.load(io.BytesIO(archive.read(name))) for name in archive.namelist() if name.endswith(".npy")]
    assert max(array.size for array in arrays) <= 3 * X.shape[1]


def test_the_card_keeps_what_it_held_and_gains_hash_and_versions(tmp_path: Path, pipeline: Any) -> None:
    card = write_artifact(tmp_path / "a.skops", pipeline, {"seed": 3})
    assert card["seed"] == 3
    assert card["artifact_sha256"] == card_of(tmp_path / "a.skops")["artifact_sha256"]
    assert set(card["library_versions"]) >= {"python", "numpy", "scikit-learn", "imbalanced-learn", "skops"}
    assert json.loads(json.dumps(card)) == card
    assert [path.name for path in tmp_path.iterdir()] == ["a.skops"]


@pytest.mark.parametrize("value", [np.zeros(2), float("nan"), object()])
def test_a_card_that_json_cannot_hold_is_an_error_and_writes_nothing(
    tmp_path: Path, pipeline: Any, value: object
) -> None:
    with pytest.raises((TypeError, ValueError)):
        write_artifact(tmp_path / "a.skops", pipeline, {"value": value})
    assert list(tmp_path.iterdir()) == []


def test_a_changed_byte_is_noticed(tmp_path: Path, pipeline: Any) -> None:
    card = write_artifact(tmp_path / "a.skops", pipeline, {})
    content = bytearray((tmp_path / "a.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "a.skops").write_bytes(content)
    with pytest.raises(StageError, match="not the one its card describes"):
        read_artifact(tmp_path / "a.skops", card)


@pytest.mark.parametrize("card", [{}, {"artifact_sha256": None}, {"artifact_sha256": ""}])
def test_a_card_without_a_hash_opens_nothing(tmp_path: Path, pipeline: Any, card: dict[str, Any]) -> None:
    write_artifact(tmp_path / "a.skops", pipeline, {})
    with pytest.raises(StageError, match="not the one its card describes"):
        read_artifact(tmp_path / "a.skops", card)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="missing or cannot be read"):
        read_artifact(tmp_path / "a.skops", {})


@pytest.mark.parametrize("cut", [0, 10, -10])
def test_a_truncated_file_is_refused_even_with_its_own_hash(tmp_path: Path, pipeline: Any, cut: int) -> None:
    path = tmp_path / "a.skops"
    write_artifact(path, pipeline, {})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))


class Trap:
    """Unpickling or building it leaves a mark."""

    sprung: list[str] = []

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Trap.sprung.append, ("sprung",))

    def __setstate__(self, state: object) -> None:
        Trap.sprung.append("state")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.skops"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))
    assert Trap.sprung == []


def test_types_off_the_list_are_named_and_not_built(tmp_path: Path, pipeline: Any) -> None:
    path = tmp_path / "a.skops"
    pipeline.estimator.steps.append(("trap", Trap.__new__(Trap)))
    content = io.BytesIO()
    skops.io.dump(pipeline.estimator.steps, content)
    path.write_bytes(content.getvalue())
    with pytest.raises(StageError, match=r"not allowed \(.*test_artifact\.Trap"):
        read_artifact(path, card_of(path))
    assert Trap.sprung == []


def test_an_archive_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.pkl", pickle.dumps(Trap()))
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))
    assert Trap.sprung == []


@pytest.mark.parametrize("protocol", [-1, 99, "x"])
def test_a_schema_of_another_protocol_is_refused(tmp_path: Path, pipeline: Any, protocol: object) -> None:
    path = tmp_path / "a.skops"
    write_artifact(tmp_path / "whole.skops", pipeline, {})
    with zipfile.ZipFile(tmp_path / "whole.skops") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            schema = source.read(name)
            if name == "schema.json":
                schema = json.dumps({**json.loads(schema), "protocol": protocol}).encode()
            target.writestr(name, schema)
    with pytest.raises(StageError, match="damaged or not a model|not allowed"):
        read_artifact(path, card_of(path))


@pytest.mark.parametrize("change", ["nothing", "deep", "number"])
def test_a_schema_that_leads_nowhere_is_refused(tmp_path: Path, pipeline: Any, change: str) -> None:
    path = tmp_path / "a.skops"
    write_artifact(tmp_path / "whole.skops", pipeline, {})
    schema = {"nothing": b"{}", "number": b"7", "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000}[change]
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("schema.json", schema)
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))


def test_an_array_with_python_objects_in_it_is_refused(tmp_path: Path, pipeline: Any) -> None:
    """NumPy would unpickle it."""
    path = tmp_path / "a.skops"
    write_artifact(tmp_path / "whole.skops", pipeline, {})
    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "whole.skops") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, buffer.getvalue() if name.endswith(".npy") else source.read(name))
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))
    assert Trap.sprung == []


@pytest.mark.parametrize(
    "shape", ["(4,", "(-1,)", "(100000000000000,)", "()"], ids=["unfinished", "negative", "huge", "none"]
)
def test_an_array_with_a_strange_header_is_refused(tmp_path: Path, pipeline: Any, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    path = tmp_path / "a.skops"
    write_artifact(tmp_path / "whole.skops", pipeline, {})
    with zipfile.ZipFile(tmp_path / "whole.skops") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, array if name.endswith(".npy") else source.read(name))
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))


def test_an_archive_that_unpacks_to_more_than_its_size_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.skops"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("schema.json", "w") as member,
    ):
        for _ in range(100):
            member.write(b" " * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(StageError, match="damaged or not a model"):
            read_artifact(path, card_of(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10e6


@pytest.mark.parametrize("part", ["scaler", "classifier", "temperature", "classes"])
def test_a_model_without_one_of_its_parts_is_refused(tmp_path: Path, pipeline: Any, part: str) -> None:
    path = tmp_path / "a.skops"
    steps = dict(pipeline.estimator.steps)
    if part == "scaler":
        del steps["scaler"].scale_
    elif part == "classifier":
        pipeline.estimator.steps[-1] = ("classifier", SVC())
    elif part == "temperature":
        pipeline.temperature = float("nan")
    else:
        pipeline.estimator.steps[-1] = ("classifier", SVC().fit(np.eye(6), ["a", "b", "c"] * 2))
    write_artifact(path, pipeline, {})
    with pytest.raises(StageError, match="damaged or not a model"):
        read_artifact(path, card_of(path))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.skops")
    with pytest.raises(StageError, match="missing or cannot be read"):
        read_artifact(tmp_path / "a.skops", {})


def test_a_skops_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.skops"
    skops.io.dump(SVC().fit([[0.0], [1.0]], ["a", "b"]), path)
    with pytest.raises(StageError, match="something else than a model"):
        read_artifact(path, card_of(path))
