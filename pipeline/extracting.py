"""Audio features of videos: extracted once, kept in one file per video, read by extractor."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from crossmodal import scratch
from pipeline.choices import VideoState
from pipeline.claims import finish, new_files, saving, show
from pipeline.files import local_path
from pipeline.models import Video
from pipeline.stages.disk import check_room
from pipeline.stages.errors import StageError
from pipeline.stages.feature_file import (
    FeatureTable,
    read_all_features,
    read_features,
    stored_extractors,
    write_features,
)
from pipeline.stages.features import STORED_EXTRACTORS, extract_spans_by, get_extractor
from pipeline.stages.progress import ProgressCallback, ignore_progress

# Of writing a table beside those that others write meanwhile; each try finds what the one before it lost to.
MAX_TRIES = 3
T = TypeVar("T")
Spans = list[tuple[int, int, int]]  # position, start and end in milliseconds


class OvertakenError(Exception):
    """Another job replaced the file meanwhile."""


def extract(video: Video) -> None:
    """The work of the job `extract_features`."""
    tables = compute_features(video, kept_spans(video), STORED_EXTRACTORS, progress=show(video, "Extracting features"))
    with written(*tables) as path, new_files(video, features=path) as names, saving(video):
        finish(video, VideoState.READY, **names)


@contextlib.contextmanager
def written(*tables: FeatureTable) -> Iterator[Path]:
    """A file of these tables, for the length of a ``with`` block."""
    with scratch.temporary_folder() as folder:
        check_room(folder, sum(table.X.nbytes for table in tables), "writing the audio features")
        path = folder / "features.npz"
        write_features(path, *tables)
        yield path


def kept_spans(video: Video) -> Spans:
    return list(video.segments.kept().order_by("position").values_list("position", "start_ms", "end_ms"))


def compute_features(
    video: Video, spans: Spans, extractor_names: Sequence[str], *, progress: ProgressCallback = ignore_progress
) -> list[FeatureTable]:
    """Features of spans of the video by each extractor; the keys are their positions."""
    if not video.audio:
        raise StageError(f"“{video}” has no stored audio; fetch it again.")
    extractors = [get_extractor(name) for name in extractor_names]
    with local_path(video.audio) as path:
        of_each = extract_spans_by(path, [(start, end) for _, start, end in spans], extractors, progress=progress)
    keys = np.array([position for position, _, _ in spans], dtype=np.int64)
    return [
        FeatureTable(X=X, names=tuple(extractor.feature_names), keys=keys, extractor=extractor.name)
        for X, extractor in zip(of_each, extractors, strict=True)
    ]


def features_of(video: Video, extractor_name: str) -> FeatureTable:
    """The stored features of a ready video; where this extractor has none yet they are computed, and kept."""
    if table := _stored(video, extractor_name):
        return table
    spans = kept_spans(video)
    (table,) = compute_features(video, spans, [extractor_name])
    _keep(video, spans, table)
    return table


def _stored(video: Video, extractor_name: str) -> FeatureTable | None:
    """The table in the video's file, if there is one of the features that the extractor gives today."""

    def read(path: Path) -> FeatureTable | None:
        return read_features(path, extractor_name) if extractor_name in stored_extractors(path) else None

    table = _read(video, read)
    return table if table and table.names == tuple(get_extractor(extractor_name).feature_names) else None


def _keep(video: Video, spans: Spans, table: FeatureTable) -> None:
    """Store a table beside the others of the video's file, unless its segments have changed since.

    Two jobs may do so at once: each replaces only the file that it read, and begins anew where that was replaced.
    """
    for _ in range(MAX_TRIES):
        tables = _read(video, read_all_features) or []
        same = [other for other in tables if other.extractor == table.extractor]
        if kept_spans(video) != spans or any(other.names == table.names for other in same):
            return
        tables = [other for other in tables if other.extractor != table.extractor]
        former = video.features.name or ""
        with contextlib.suppress(OvertakenError), written(*tables, table) as path:
            with new_files(video, features=path) as names:
                ready = Video.objects.ready().filter(pk=video.pk, features=former)
                if not ready.update(features=names["features"]):
                    raise OvertakenError
            return
        if not _look_again(video):
            return


def _read(video: Video, read: Callable[[Path], T]) -> T | None:
    """What `read` makes of the video's file, or None where it has none; another try where a job replaced the file."""
    for _ in range(MAX_TRIES):
        if not video.features:
            return None
        try:
            with local_path(video.features) as path:
                return read(path)
        except FileNotFoundError as error:
            problem = StageError(f"The audio features of “{video}” are missing; extract them again.")
            problem.__cause__ = error
        except StageError as error:
            problem = error
        if not _look_again(video):
            raise problem
    raise problem


def _look_again(video: Video) -> bool:
    """Whether another job has given the video a new file, which the row then names."""
    name = Video.objects.filter(pk=video.pk).values_list("features", flat=True).first()
    if name is None or name == video.features.name:
        return False
    video.features = name
    return True
