"""Stored segments in which nothing can be heard: all have the same features, and are no repeats of each other."""

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from pipeline.files import local_path
from pipeline.models import Segment
from pipeline.stages.audio import read_slice
from pipeline.stages.errors import StageError


def silent_segments(keys: Iterable[int]) -> set[int]:
    """Return those of the segments, by primary key, whose sound has one value throughout."""
    segments = Segment.objects.filter(pk__in=keys).select_related("video").order_by("video_id", "position")
    silent: set[int] = set()
    for video, of_video in groupby(segments, key=lambda segment: segment.video):
        if not video.audio:
            continue
        try:
            with local_path(video.audio) as path:
                heard = [(segment.pk, read_slice(path, segment.start_ms, segment.end_ms)) for segment in of_video]
        except (OSError, StageError):
            continue  # What a missing recording held is not known; its features count.
        silent |= {pk for pk, samples in heard if np.ptp(samples) == 0}
    return silent
