"""Draw the segments of a campaign."""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count

from annotation.errors import AnnotationError
from annotation.models import Campaign, Task
from pipeline.choices import Split, VideoState
from pipeline.labels import LABELS
from pipeline.models import Segment, TextLabel
from pipeline.policies import policy_choices

# Method §7: 100 segments per split, drawn over all classes, in 2019.
DEFAULT_TOTAL = 100

# Label → video → segments, all primary keys.
Pool = dict[str, dict[int, list[int]]]


def labelled_segments(split: str, policy: str, videos: Collection[int] = ()) -> Pool:
    """Kept segments with a text label, of ready videos that can be heard; of these videos only where any are named."""
    pool: Pool = {label: defaultdict(list) for label in LABELS}
    rows = (
        Segment.objects.labelled(policy)
        .filter(video__split=split, video__state=VideoState.READY)
        .exclude(video__audio="")
        .order_by("pk")
        .values_list("text_labels__label", "video_id", "pk")
    )
    if videos:
        rows = rows.filter(video__in=videos)
    for label, video_pk, segment_pk in rows:
        pool[label][video_pk].append(segment_pk)
    return pool


def labelled_counts() -> list[tuple[str, str, list[int]]]:
    """Per split and policy, how many segments of each class could be drawn."""
    rows = (
        TextLabel.objects.filter(segment__exclusion="", segment__video__state=VideoState.READY, label__in=LABELS)
        .exclude(segment__video__audio="")
        .order_by()
        .values_list("segment__video__split", "policy", "label")
        .annotate(n=Count("pk"))
    )
    counts = {(split, policy, label): n for split, policy, label, n in rows}
    return [
        (split.label, words, [counts.get((split, policy, label), 0) for label in LABELS])
        for split in Split
        for policy, words in policy_choices()
    ]


def shares(available: Mapping[str, int], total: int) -> dict[str, int]:
    """Split a total over the classes as evenly as they allow; what one lacks goes to the others."""
    granted = dict.fromkeys(LABELS, 0)
    left = min(total, sum(available.values()))
    while left:
        growing = [label for label in LABELS if granted[label] < available[label]]
        for label in growing[:left]:
            granted[label] += 1
        left -= min(left, len(growing))
    return granted


def _draw(pool: Pool, wanted: Mapping[str, int], seed: int) -> list[tuple[int, str]]:
    """Segments with their class: each next one from a video drawn from least so far, then all shuffled."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    from_video: Counter[int] = Counter()
    drawn: list[tuple[int, str]] = []
    for label in LABELS:
        videos = {video: list(segments) for video, segments in pool[label].items()}
        for segments in videos.values():
            chance.shuffle(segments)
        order = list(videos)
        chance.shuffle(order)
        for _ in range(wanted[label]):
            video = min((v for v in order if videos[v]), key=lambda v: from_video[v])
            from_video[video] += 1
            drawn.append((videos[video].pop(), label))
    chance.shuffle(drawn)
    return drawn


def create_campaign(**columns: Any) -> Campaign:
    """A checked and saved campaign without tasks."""
    campaign = Campaign(**columns)
    try:
        campaign.full_clean()
        with transaction.atomic():
            campaign.save(force_insert=True)
    except ValidationError as error:
        raise AnnotationError(" ".join(error.messages)) from error
    except IntegrityError as error:  # the same name at the same moment
        raise AnnotationError("Campaign with this Name already exists.") from error
    return campaign


def sample_campaign(
    *,
    name: str,
    split: str,
    policy: str,
    per_class: int | None = None,
    total: int = DEFAULT_TOTAL,
    seed: int = 0,
    show_text: bool = False,
    guidelines: str = "",
    user: User | None = None,
    videos: Collection[int] = (),
) -> Campaign:
    """Make a campaign of segments drawn per class, with the draw recorded.

    With ``per_class``, that many of each class or as many as there are; otherwise ``total`` over all classes, as
    evenly as they allow. The same seed on the same segments draws the same ones in the same order. Primary keys in
    ``videos`` restrict the draw to these.
    """
    pool = labelled_segments(split, policy, videos)
    available = {label: sum(map(len, pool[label].values())) for label in LABELS}
    if not any(available.values()):
        raise AnnotationError(
            f"No ready video in the split “{split}” has a segment with a text label under the policy “{policy}”. "
            "Add videos, or wait until those there are ready."
        )
    if per_class is None:
        wanted = shares(available, total)
    else:
        wanted = {label: min(per_class, available[label]) for label in LABELS}
    drawn = _draw(pool, wanted, seed)
    if not drawn:
        raise AnnotationError("Ask for at least one segment.")
    video_of = {segment: video for label in LABELS for video, segments in pool[label].items() for segment in segments}
    sampling = {
        "method": "per-class" if per_class is not None else "even-over-classes",
        "asked": per_class if per_class is not None else total,
        "policy": policy,
        **({"only_videos": sorted(videos)} if videos else {}),
        "available": available,
        "drawn": wanted,
        "videos": len({video_of[segment] for segment, _ in drawn}),
    }
    with transaction.atomic():
        campaign = create_campaign(
            name=name,
            split=split,
            policy=policy,
            sampling=sampling,
            seed=seed,
            show_text=show_text,
            guidelines=guidelines,
            created_by=user,
        )
        Task.objects.bulk_create(
            [
                Task(campaign=campaign, segment_id=segment, position=position)
                for position, (segment, _) in enumerate(drawn)
            ]
        )
    return campaign
