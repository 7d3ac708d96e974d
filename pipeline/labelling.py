"""From segments to text labels, and to audio features."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.choices import VideoState
from pipeline.claims import finish, new_files, saving, show
from pipeline.files import local_path
from pipeline.models import Segment, TextLabel, Video
from pipeline.policies import label_policies
from pipeline.queues import enqueue_on_commit
from pipeline.stages.errors import StageError
from pipeline.stages.features import (
    DEFAULT_EXTRACTOR,
    FeatureTable,
    extract_spans,
    get_extractor,
    read_features,
    write_features,
)
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.sentiment import TextScore, score_texts


def label(video: Video) -> None:
    """The work of the job `label_video`: labels under every policy, so that they can be compared."""
    segments = list(video.segments.kept().order_by("position"))
    rows: list[TextLabel] = []
    policies = label_policies()
    for policy in policies.values():
        scores = score_texts(
            [segment.text for segment in segments], policy, progress=show(video, f"Labelling text ({policy.name})")
        )
        rows += _rows(segments, scores, policy.name)
    with saving(video):
        TextLabel.objects.filter(segment__video=video).delete()
        TextLabel.objects.bulk_create(rows, batch_size=500)
        parameters = {policy.name: policy.parameters for policy in policies.values()}
        finish(video, VideoState.LABELLED, label_policies=parameters)
    enqueue_on_commit("extract_features", video.pk)


def _rows(segments: list[Segment], scores: Iterable[TextScore], policy: str) -> list[TextLabel]:
    return [
        TextLabel(
            segment=segment,
            policy=policy,
            vader=score.vader,
            textblob=score.textblob,
            pattern=score.pattern,
            mean=score.mean,
            label=score.label,
            rejection=score.reason,
        )
        for segment, score in zip(segments, scores, strict=True)
    ]


def extract(video: Video) -> None:
    """The work of the job `extract_features`."""
    table = compute_features(video, DEFAULT_EXTRACTOR, progress=show(video, "Extracting features"))
    with tempfile.TemporaryDirectory(prefix="crossmodal-") as folder:
        path = Path(folder) / "features.npz"
        write_features(path, table)
        with new_files(video, features=path) as names, saving(video):
            finish(video, VideoState.READY, features_extractor=table.extractor, **names)


def compute_features(
    video: Video, extractor_name: str, *, progress: ProgressCallback = ignore_progress
) -> FeatureTable:
    """Features of the video's kept segments; the keys are their positions."""
    if not video.audio:
        raise StageError(f"“{video}” has no stored audio; fetch it again.")
    spans = list(video.segments.kept().order_by("position").values_list("position", "start_ms", "end_ms"))
    extractor = get_extractor(extractor_name)
    with local_path(video.audio) as path:
        X = extract_spans(path, [(start, end) for _, start, end in spans], extractor, progress=progress)
    keys = np.array([position for position, _, _ in spans], dtype=np.int64)
    return FeatureTable(X=X, names=tuple(extractor.feature_names), keys=keys, extractor=extractor_name)


def features_of(video: Video, extractor_name: str) -> FeatureTable:
    """The stored features, or new ones where another extractor made those (they are then not kept)."""
    if not video.features or video.features_extractor != extractor_name:
        return compute_features(video, extractor_name)
    with local_path(video.features) as path:
        return read_features(path)
