"""What the tests of the pipeline's pages share."""

import io
import json
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile

from pipeline.models import Video
from pipeline.scores import evaluate_folds
from pipeline.stages.audio import SAMPLE_RATE_HZ

SRT = b"1\n00:00:01,000 --> 00:00:04,000\nThis is a lovely day for all of us.\n"


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Jobs that would have been queued; no queue server is asked."""
    jobs: list[tuple[Any, ...]] = []
    monkeypatch.setattr("pipeline.intake.enqueue_on_commit", lambda job, *pks: jobs.append((job, *pks)))
    return jobs


def give_audio(video: Video, duration_s: float = 10.0, form: str = "WAV") -> bytes:
    """A rising tone as the video's recording, and its peaks; returns the file's bytes."""
    n = int(duration_s * SAMPLE_RATE_HZ)
    samples = 0.5 * np.sin(np.cumsum(np.linspace(0.02, 0.4, n)))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE_HZ, format=form, subtype="PCM_16")
    video.audio.save(f"audio.{form.lower()}", ContentFile(buffer.getvalue()), save=False)
    peaks = {"duration_ms": int(1000 * duration_s), "peaks": [[-0.5, 0.5]] * 20}
    video.peaks.save("peaks.json", ContentFile(json.dumps(peaks).encode()), save=False)
    video.duration_s = duration_s
    video.save()
    return buffer.getvalue()


def make_scores() -> dict[str, Any]:
    """Stored scores of a run: 4 + 1 positive, 1 + 3 neutral, 2 + 1 negative, of four videos."""
    truth = ["positive"] * 5 + ["neutral"] * 4 + ["negative"] * 3
    predicted = ["positive"] * 4 + ["neutral"] + ["neutral"] * 3 + ["negative"] + ["negative"] * 2 + ["neutral"]
    groups = np.arange(len(truth)) % 4
    core = evaluate_folds(np.array(truth), np.array(predicted), groups)
    return {"best_c": 0.1, "score_by_c": {"0.1": 0.74, "1": 0.61}, "n": 12, "videos": 4, "out_of_fold": core}
