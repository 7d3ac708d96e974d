"""The job `label_video` as a plain function."""

from typing import Any

import pytest

from pipeline import jobs, labelling, policies
from pipeline.choices import VideoState
from pipeline.models import TextLabel, Video

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
