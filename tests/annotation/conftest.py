"""Segments that can really be heard, and campaigns of them."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile as sf
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from annotation import assignment
from annotation.models import Campaign, Slot
from pipeline.models import Video
from tests.factories import Factory

SAMPLE_RATE_HZ = 16_000


def flac(seconds: float, seed: int = 0) -> bytes:
    """Soft noise: 16 kHz mono FLAC."""
    samples = np.random.default_rng(seed).normal(0, 0.05, int(seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    file = io.BytesIO()
    sf.write(file, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def claimed(campaign: Campaign, annotator: User) -> Slot:
    """A slot where the test knows that there is one."""
    slot = assignment.claim(campaign, annotator)
    assert slot is not None
    return slot


@pytest.fixture
def make_audible_video(factory: Factory) -> Callable[..., Video]:
    """A ready video with sound; segments made on it lie 4 s apart, 3 s long."""

    def make(seconds: float = 60.0, **columns: object) -> Video:
        video = factory.make_video(duration_s=seconds, **columns)
        video.audio.save("sound.flac", ContentFile(flac(seconds, seed=video.pk)), save=True)
        return video

    return make


@pytest.fixture
def make_audible_campaign(factory: Factory, make_audible_video: Callable[..., Video]) -> Callable[..., Campaign]:
    """A campaign whose tasks can be heard."""

    def make(n_tasks: int = 3, **columns: object) -> Campaign:
        campaign = factory.make_campaign(**columns)
        video = make_audible_video(seconds=4.0 * n_tasks)
        for _ in range(n_tasks):
            factory.make_task(campaign, factory.make_segment(video))
        return campaign

    return make
