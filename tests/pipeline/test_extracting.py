"""The job `extract_features`, and the tables of features that it and others keep in one file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from pipeline import extracting, jobs
from pipeline.choices import VideoState
from pipeline.models import Video
from pipeline.stages.errors import StageError
from pipeline.stages.feature_file import FeatureTable, read_features, stored_extractors, write_arrays, write_features
from pipeline.stages.features import DEFAULT_EXTRACTOR, STORED_EXTRACTORS
from tests.pipeline.conftest import stored_files

pytestmark = pytest.mark.django_db
CROSSMODAL = "crossmodal"


@pytest.fixture
def ready(segmented: Video, next_jobs: list[Any]) -> Video:
    jobs.label_video(segmented.pk)
    jobs.extract_features(segmented.pk)
    return Video.objects.get()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The extractors of each time that features are computed."""
    calls: list[tuple[str, ...]] = []
    real = extracting.compute_features

    def compute(video: Video, spans: Any, names: Any, **options: Any) -> Any:
        calls.append(tuple(names))
        return real(video, spans, names, **options)

    monkeypatch.setattr(extracting, "compute_features", compute)
    return calls


def replace_by_former(video: Video, tmp_path: Path) -> FeatureTable:
    """Give the video a file as former versions wrote it: one table, whose extractor is an array."""
    table = read_features(Path(video.features.path), DEFAULT_EXTRACTOR)
    arrays = {"X": table.X, "names": np.array(table.names), "keys": table.keys}
    write_arrays(tmp_path / "former.npz", **arrays, extractor=np.array(DEFAULT_EXTRACTOR))
    video.features.save("features.npz", ContentFile((tmp_path / "former.npz").read_bytes()))
    return table


def test_the_job_keeps_a_table_of_each_extractor_keyed_by_position(
    segmented: Video, next_jobs: list[Any], computed: list[tuple[str, ...]]
) -> None:
    Video.objects.update(state=VideoState.LABELLED)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    assert video.state == VideoState.READY
    assert computed == [STORED_EXTRACTORS]
    assert stored_extractors(Path(video.features.path)) == STORED_EXTRACTORS == (DEFAULT_EXTRACTOR, CROSSMODAL)
    for name, n_features in ((DEFAULT_EXTRACTOR, 136), (CROSSMODAL, 784)):
        table = read_features(Path(video.features.path), name)
        assert table.keys.tolist() == [0, 1, 2]
        assert table.X.shape == (3, n_features)
        assert np.isfinite(table.X).all()

    first = video.features.name
    before = extracting.features_of(video, CROSSMODAL).X
    Video.objects.update(state=VideoState.LABELLED)
    jobs.extract_features(segmented.pk)
    again = Video.objects.get()
    assert again.features.name != first
    assert np.array_equal(extracting.features_of(again, CROSSMODAL).X, before)


def test_a_video_without_kept_segments_is_ready_and_empty(segmented: Video, next_jobs: list[Any]) -> None:
    segmented.segments.update(exclusion="shorter than 2 s")
    jobs.label_video(segmented.pk)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    assert video.state == VideoState.READY
    assert read_features(Path(video.features.path), DEFAULT_EXTRACTOR).X.shape[0] == 0


def test_stored_tables_are_read_and_nothing_is_computed(ready: Video, computed: list[tuple[str, ...]]) -> None:
    for name in STORED_EXTRACTORS:
        assert extracting.features_of(ready, name).extractor == name
    assert computed == []


def test_a_former_file_is_read_and_the_other_table_computed_once_and_kept(
    ready: Video, tmp_path: Path, computed: list[tuple[str, ...]], django_capture_on_commit_callbacks: Any
) -> None:
    expected = extracting.features_of(ready, CROSSMODAL)
    former = replace_by_former(ready, tmp_path)
    assert np.array_equal(extracting.features_of(ready, DEFAULT_EXTRACTOR).X, former.X)
    assert computed == []

    with django_capture_on_commit_callbacks(execute=True):
        table = extracting.features_of(ready, CROSSMODAL)
    assert computed == [(CROSSMODAL,)]
    assert np.array_equal(table.X, expected.X)
    video = Video.objects.get()
    assert ready.features.name == video.features.name
    assert Path(str(video.features.name)).name in stored_files()
    assert len([name for name in stored_files() if name.endswith(".npz")]) == 2  # of `ready`, and the new one
    assert np.array_equal(extracting.features_of(video, CROSSMODAL).X, expected.X)
    assert np.array_equal(extracting.features_of(video, DEFAULT_EXTRACTOR).X, former.X)
    assert len(computed) == 1


def test_a_table_of_an_extractors_former_features_is_replaced(
    ready: Video, tmp_path: Path, computed: list[tuple[str, ...]], django_capture_on_commit_callbacks: Any
) -> None:
    expected = extracting.features_of(ready, CROSSMODAL)
    names = ("loudness_mean", "mel1_mean")
    former = FeatureTable(X=expected.X[:, :2], names=names, keys=expected.keys, extractor=CROSSMODAL)
    write_features(tmp_path / "former.npz", read_features(Path(ready.features.path), DEFAULT_EXTRACTOR), former)
    ready.features.save("features.npz", ContentFile((tmp_path / "former.npz").read_bytes()))
    with django_capture_on_commit_callbacks(execute=True):
        assert extracting.features_of(ready, CROSSMODAL).names == expected.names
    video = Video.objects.get()
    assert set(stored_extractors(Path(video.features.path))) == set(STORED_EXTRACTORS)
    assert np.array_equal(extracting.features_of(video, CROSSMODAL).X, expected.X)
    assert computed == [(CROSSMODAL,)]


@pytest.mark.parametrize("other", [CROSSMODAL, "pyaudioanalysis-reference"])
def test_two_jobs_at_once_lose_neither_table(
    other: str, ready: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """While this job computes the crossmodal features, another one keeps the same ones, or others."""
    replace_by_former(ready, tmp_path)
    meanwhile_in(monkeypatch, lambda: extracting.features_of(Video.objects.get(), other))
    with django_capture_on_commit_callbacks(execute=True):
        table = extracting.features_of(Video.objects.get(), CROSSMODAL)
    video = Video.objects.get()
    kept = stored_extractors(Path(video.features.path))
    assert sorted(kept) == sorted({DEFAULT_EXTRACTOR, CROSSMODAL, other})
    assert np.array_equal(read_features(Path(video.features.path), CROSSMODAL).X, table.X)
    assert len([name for name in stored_files() if name.endswith(".npz")]) == 2  # of `ready`, and the last one


def meanwhile_in(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let another job act while a new table is written, that is after the old file was read."""
    real = extracting.write_features

    def write(path: Path, *tables: FeatureTable) -> None:
        monkeypatch.setattr(extracting, "write_features", real)
        act()
        real(path, *tables)

    monkeypatch.setattr(extracting, "write_features", write)


def test_features_of_other_segments_are_not_kept(
    ready: Video, tmp_path: Path, computed: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_by_former(ready, tmp_path)
    real = extracting.compute_features

    def compute(video: Video, *arguments: Any, **options: Any) -> Any:
        tables = real(video, *arguments, **options)
        video.segments.filter(position=0).update(end_ms=2500)
        return tables

    monkeypatch.setattr(extracting, "compute_features", compute)
    extracting.features_of(ready, CROSSMODAL)
    assert stored_extractors(Path(Video.objects.get().features.path)) == (DEFAULT_EXTRACTOR,)


@pytest.mark.parametrize("columns", [{"state": VideoState.FAILED}, None], ids=["failed", "removed"])
def test_nothing_is_kept_of_a_video_that_is_no_longer_ready(
    columns: dict[str, Any] | None, ready: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_by_former(ready, tmp_path)
    files = stored_files()
    rows = Video.objects.filter(pk=ready.pk)
    meanwhile_in(monkeypatch, lambda: rows.update(**columns) if columns else rows.delete())
    assert extracting.features_of(ready, CROSSMODAL).X.shape == (3, 784)
    assert stored_files() == files


def test_a_file_that_another_job_has_just_replaced_is_looked_up_again(ready: Video, tmp_path: Path) -> None:
    stale = Video.objects.get()
    name = str(stale.features.name)
    replace_by_former(ready, tmp_path)
    default_storage.delete(name)
    assert extracting.features_of(stale, DEFAULT_EXTRACTOR).keys.tolist() == [0, 1, 2]


def test_a_missing_file_is_a_sentence(ready: Video) -> None:
    default_storage.delete(str(ready.features.name))
    with pytest.raises(StageError, match="missing or damaged; extract the features again"):
        extracting.features_of(ready, DEFAULT_EXTRACTOR)
