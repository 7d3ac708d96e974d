"""The jobs `label_video` and `extract_features` as plain functions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import jobs, labelling, policies
from pipeline.choices import VideoState
from pipeline.models import TextLabel, Video
from pipeline.stages.features import DEFAULT_EXTRACTOR, read_features

pytestmark = pytest.mark.django_db


def test_kept_segments_get_labels_under_both_policies(segmented: Video, next_jobs: list[Any]) -> None:
    jobs.label_video(segmented.pk)
    assert Video.objects.get().state == VideoState.LABELLED
    labels = TextLabel.objects.filter(policy="recommended").order_by("segment__position")
    assert [label.label for label in labels] == ["positive", "neutral", "negative"]
    assert TextLabel.objects.filter(policy="seed-2019").count() == 3
    assert next_jobs == [("extract_features", segmented.pk)]

    Video.objects.update(state=VideoState.SEGMENTED)
    jobs.label_video(segmented.pk)
    assert TextLabel.objects.count() == 6


def test_labels_under_a_configured_policy_are_kept_with_its_parameters(
    segmented: Video, next_jobs: list[Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LABEL_POLICIES = {"brave": {"base": "seed-2019", "min_abs_mean": 0.1}}
    monkeypatch.setattr(labelling, "label_policies", policies.label_policies.__wrapped__)
    jobs.label_video(segmented.pk)
    assert TextLabel.objects.filter(policy="brave").count() == 3
    stored = Video.objects.get().label_policies
    thresholds = {name: parameters["min_abs_mean"] for name, parameters in stored.items()}
    assert thresholds == {"seed-2019": 0.25, "recommended": 0.25, "brave": 0.1}
    assert stored["recommended"]["rule"] == "two-voters"


def test_features_are_keyed_by_position(segmented: Video, next_jobs: list[Any]) -> None:
    Video.objects.update(state=VideoState.LABELLED)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    assert (video.state, video.features_extractor) == (VideoState.READY, DEFAULT_EXTRACTOR)
    table = read_features(Path(video.features.path))
    assert table.keys.tolist() == [0, 1, 2]
    assert table.X.shape == (3, 136)
    assert np.isfinite(table.X).all()

    first = video.features.name
    Video.objects.update(state=VideoState.LABELLED)
    jobs.extract_features(segmented.pk)
    again = Video.objects.get()
    assert again.features.name != first
    assert np.array_equal(read_features(Path(again.features.path)).X, table.X)


def test_a_video_without_kept_segments_is_ready_and_empty(segmented: Video, next_jobs: list[Any]) -> None:
    segmented.segments.update(exclusion="shorter than 2 s")
    jobs.label_video(segmented.pk)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    assert video.state == VideoState.READY
    assert read_features(Path(video.features.path)).X.shape[0] == 0


def test_features_of_another_extractor_are_computed_for_the_run(segmented: Video, next_jobs: list[Any]) -> None:
    jobs.label_video(segmented.pk)
    jobs.extract_features(segmented.pk)
    video = Video.objects.get()
    table = labelling.features_of(video, "pyaudioanalysis-reference")
    assert table.extractor == "pyaudioanalysis-reference"
    assert table.keys.tolist() == [0, 1, 2]
    assert Video.objects.get().features_extractor == DEFAULT_EXTRACTOR
