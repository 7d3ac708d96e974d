"""The rows that a training run learns from, gathered on disk."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.extracting import features_of
from pipeline.labels import LABELS
from pipeline.models import TextLabel, TrainingRun, Video
from pipeline.silence import silent_segments
from pipeline.stages.errors import StageError
from pipeline.stages.feature_file import FeatureTable
from pipeline.stages.normalising import GroupNormaliser
from pipeline.stages.progress import ProgressCallback
from pipeline.stages.repeats import find_repeats, row_digests, united_groups
from pipeline.stages.row_file import RowFile

# Of the feature matrix while its fingerprint is taken: about 10 MB.
ROWS_AT_ONCE = 10_000
# Of pairs of videos with the same segments, so many are named.
MAX_NAMED = 5


@dataclass(frozen=True)
class TrainingData:
    """The rows that a model learns from.

    Attributes
    ----------
    X : np.ndarray [shape=(n, n_features), dtype=float64]
        Memory-mapped; standardised within each video where there is a normaliser.
    y : np.ndarray of str [shape=(n,)]
    groups : np.ndarray [shape=(n,), dtype=int64]
        Primary key of each row's video.
    segments : np.ndarray [shape=(n,), dtype=int64]
        Primary key of each row's segment.
    names : tuple of str
        Names of the features.
    fold_groups : np.ndarray [shape=(n,), dtype=int64]
        As `groups`, with videos that hold the same segments as one: they may not be on both sides of a fold.
    normaliser : GroupNormaliser or None
        Fitted on all kept segments of the videos, those without a label included.
    notes : tuple of str
        What was found in the data, one sentence each.
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    segments: np.ndarray
    names: tuple[str, ...]
    fold_groups: np.ndarray
    normaliser: GroupNormaliser | None = None
    notes: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """SHA-256 over keys, labels and feature bytes; the same data give the same fingerprint."""
        digest = hashlib.sha256()
        for group, segment, label in zip(self.groups, self.segments, self.y, strict=True):
            digest.update(f"{group} {segment} {label}\n".encode())
        for start in range(0, len(self.X), ROWS_AT_ONCE):
            digest.update(np.ascontiguousarray(self.X[start : start + ROWS_AT_ONCE], dtype="<f8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Part:
    """One video's share: which rows of its table have a label, and whose segments they are."""

    video: int
    rows: int
    chosen: list[int]
    labels: list[str]
    segments: list[int]


def gather(run: TrainingRun, folder: Path, progress: ProgressCallback) -> TrainingData:
    """Features and labels of all ready videos of the run's split, in the order of videos and positions.

    The rows are written to the folder, which must outlive their use.
    """
    parts: list[_Part] = []
    names: tuple[str, ...] = ()
    digests: list[Hashable] = []
    with RowFile(folder / "features") as rows_on_disk:
        for part, table in _labelled_videos(run, progress):
            names = table.names
            # Of the features as they are: standardised ones differ where two videos share but a part.
            digests += row_digests(table.X[part.chosen])
            # Standardising needs all of a video's kept segments, learning those with a label.
            rows_on_disk.append(table.X if run.normalise_videos else table.X[part.chosen])
            parts.append(part)
        X = rows_on_disk.mapped()
    if not parts:
        raise StageError(
            f"No ready video of the {run.get_split_display().lower()} split has a segment with a label; "
            "add videos and wait until they are ready."
        )
    normaliser = None
    if run.normalise_videos:
        X, normaliser = _normalised(X, parts, folder)
    groups = np.array([part.video for part in parts for _ in part.chosen], dtype=np.int64)
    segments = np.array([pk for part in parts for pk in part.segments], dtype=np.int64)
    digests = _without_silence(digests, groups, segments)
    fold_groups = united_groups(digests, groups)
    if len(np.unique(fold_groups)) < 2:
        # Nothing would be left to learn from; what the figures are worth is said.
        fold_groups = groups
    return TrainingData(
        X=X,
        y=np.array([label for part in parts for label in part.labels]),
        groups=groups,
        segments=segments,
        names=names,
        fold_groups=fold_groups,
        normaliser=normaliser,
        notes=_repeat_notes(digests, groups, fold_groups),
    )


def _without_silence(digests: list[Hashable], groups: np.ndarray, segments: np.ndarray) -> list[Hashable]:
    """Give silent segments, whose features are the same in all videos, a digest of their own."""
    firsts = {digests[first]: int(segments[first]) for first, _ in find_repeats(digests, groups.tolist()).across}
    silent = silent_segments(firsts.values())
    return [row if firsts.get(digest) in silent else digest for row, digest in enumerate(digests)]


def _repeat_notes(digests: list[Hashable], groups: np.ndarray, fold_groups: np.ndarray) -> tuple[str, ...]:
    """Say which videos hold the same segments, as one recording at two addresses does."""
    across = find_repeats(digests, groups.tolist()).across
    if not across:
        return ()
    shared = Counter((int(groups[first]), int(groups[row])) for first, row in across)
    pairs = [f"{first} and {second} ({n})" for (first, second), n in shared.most_common(MAX_NAMED)]
    more = f" and {len(shared) - MAX_NAMED} further pairs" if len(shared) > MAX_NAMED else ""
    apart = all(fold_groups[first] != fold_groups[row] for first, row in across)
    return (
        f"Videos with segments of exactly the same features, as one recording at two addresses has: "
        f"{', '.join(pairs)}{more}. "
        + (
            "All videos are so, and they could not be kept in one fold: the figures are too good. "
            if apart
            else "They were kept in one fold. "
        )
        + "Remove all but one of them, since their segments count twice.",
    )


def _labelled_videos(run: TrainingRun, progress: ProgressCallback) -> Iterator[tuple[_Part, FeatureTable]]:
    videos = list(Video.objects.in_split(run.split).ready().order_by("pk"))
    for done, video in enumerate(videos, start=1):
        labelled = TextLabel.objects.filter(
            segment__video=video, segment__exclusion="", policy=run.policy, label__in=LABELS
        ).values_list("segment__position", "segment_id", "label")
        rows = {position: (pk, label) for position, pk, label in labelled}
        if rows:
            table = features_of(video, run.extractor)
            chosen = [row for row, position in enumerate(table.keys.tolist()) if position in rows]
            found = [rows[int(table.keys[row])] for row in chosen]
            if chosen:
                yield (
                    _Part(video.pk, len(table.X), chosen, [label for _, label in found], [pk for pk, _ in found]),
                    table,
                )
        progress(done, len(videos))


def _normalised(X: np.ndarray, parts: list[_Part], folder: Path) -> tuple[np.ndarray, GroupNormaliser]:
    """The labelled rows, each video standardised by all of its rows; no more than one video is in memory."""
    ends = np.cumsum([part.rows for part in parts])
    slices = [slice(int(end) - part.rows, int(end)) for part, end in zip(parts, ends, strict=True)]
    normaliser = GroupNormaliser.fit(X[rows] for rows in slices)
    with RowFile(folder / "normalised") as rows_on_disk:
        for part, rows in zip(parts, slices, strict=True):
            rows_on_disk.append(normaliser.apply(X[rows])[part.chosen])
        return rows_on_disk.mapped(), normaliser
