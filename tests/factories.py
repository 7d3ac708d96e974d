"""Rows for tests, with sensible values for all that a test does not care about."""

import itertools
import uuid
from typing import Any

from django.contrib.auth.models import Group, User

from annotation.models import Campaign, Slot, Task, Vote
from pipeline.choices import VideoState
from pipeline.labels import LABELS, NEUTRAL
from pipeline.models import Prediction, Segment, TextLabel, TrainingRun, Video

_numbers = itertools.count(1)
POLARITY = {"positive": 0.5, "neutral": 0.0, "negative": -0.5}


class Factory:
    def make_user(self, name: str = "", role: str = "annotator", **columns: Any) -> User:
        name = name or f"person-{next(_numbers)}"
        user = User.objects.create_user(name, password="correct horse battery", is_staff=role == "admin", **columns)
        if role:
            user.groups.add(Group.objects.get_or_create(name=role)[0])
        return user

    def make_video(self, **columns: Any) -> Video:
        number = next(_numbers)
        columns = {
            "split": "train",
            "extractor": "youtube",
            "extractor_id": f"video{number:06d}",
            "url": f"https://www.youtube.com/watch?v=video{number:06d}",
            "title": f"Interview {number}",
            "duration_s": 90.0,
            "state": VideoState.READY,
            "captions_kind": "manual",
            **columns,
        }
        return Video.objects.create(**columns)

    def make_segment(self, video: Video | None = None, label: str | None = NEUTRAL, **columns: Any) -> Segment:
        """A segment with a text label under both policies; ``label=None`` makes none."""
        video = video or self.make_video()
        position = columns.pop("position", video.segments.count())
        columns = {
            "start_ms": 4000 * position,
            "end_ms": 4000 * position + 3000,
            "text": f"This is sentence number {position}.",
            "policy": video.policy,
            **columns,
        }
        segment = Segment.objects.create(video=video, position=position, **columns)
        for policy in ("recommended", "seed-2019"):
            if label:
                self.make_text_label(segment, label=label, policy=policy)
        return segment

    def make_text_label(self, segment: Segment, label: str = NEUTRAL, **columns: Any) -> TextLabel:
        polarity = POLARITY[label]
        columns = {
            "policy": "recommended",
            "vader": polarity,
            "textblob": polarity,
            "pattern": polarity,
            "mean": polarity,
            **columns,
        }
        return TextLabel.objects.create(segment=segment, label=label, **columns)

    def make_run(self, **columns: Any) -> TrainingRun:
        columns = {"extractor": "pyaudioanalysis-136", "c_values": [0.1, 1.0], "state": "done", **columns}
        return TrainingRun.objects.create(**columns)

    def make_prediction(self, run: TrainingRun, segment: Segment, label: str = NEUTRAL, **columns: Any) -> Prediction:
        shares = {f"p_{name}": 0.8 if name == label else 0.1 for name in LABELS}
        return Prediction.objects.create(run=run, segment=segment, label=label, **{**shares, **columns})

    def make_campaign(self, **columns: Any) -> Campaign:
        return Campaign.objects.create(**{"name": f"Campaign {next(_numbers)}", "split": "train", **columns})

    def make_task(self, campaign: Campaign | None = None, segment: Segment | None = None, **columns: Any) -> Task:
        campaign = campaign or self.make_campaign()
        if segment is None and not columns.get("imported_key"):
            segment = self.make_segment()
        return Task.objects.create(campaign=campaign, segment=segment, position=campaign.tasks.count(), **columns)

    def make_vote(self, task: Task, label: str = NEUTRAL, annotator: User | None = None, **columns: Any) -> Vote:
        """A standing vote in a filled slot; the task's ground truth is left as it is."""
        annotator = annotator or self.make_user()
        Slot.objects.create(task=task, slot=task.slots.count() + 1, annotator=annotator, filled=True)
        return Vote.objects.create(task=task, annotator=annotator, label=label, client_id=uuid.uuid4(), **columns)
