"""From segments to text labels."""

from collections.abc import Iterable

from pipeline.choices import VideoState
from pipeline.claims import finish, saving, show
from pipeline.models import Segment, TextLabel, Video
from pipeline.policies import label_policies
from pipeline.queues import enqueue_on_commit
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
