"""What the machine knows: videos, segments, weak labels, training runs and predictions."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from pipeline import labels
from pipeline.choices import (
    CLAIMED,
    RUNNING_STATES,
    WAITING_STATES,
    CaptionsKind,
    Policy,
    RunState,
    Split,
    VideoState,
)
from pipeline.download_site import DownloadSite
from pipeline.files import server_made_name
from pipeline.progress_columns import Endings, Progress
from pipeline.video_queries import VideoQuerySet

__all__ = ["DownloadSite", "Prediction", "Segment", "TextLabel", "TrainingRun", "Video", "VideoQuerySet"]


class Video(Endings, Progress):
    """One recording with captions, in exactly one split."""

    split = models.CharField(max_length=5, choices=Split.choices)
    url = models.URLField(max_length=500, blank=True, help_text="Canonical address; empty for an uploaded recording.")
    submitted_url = models.CharField(max_length=500, blank=True, help_text="The address as it was submitted.")
    site = models.CharField(max_length=255, blank=True, db_index=True, help_text="Whose downloads take turns.")
    extractor = models.CharField(max_length=80)
    extractor_id = models.CharField(max_length=255)
    dataset_id = models.CharField(max_length=40, blank=True, help_text="Id in the 2019 dataset.csv.")
    dataset_row = models.JSONField(
        null=True, blank=True, help_text="The imported row of dataset.csv, exported as it came."
    )
    title = models.CharField(max_length=500, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    policy = models.CharField(max_length=40, default=Policy.RECOMMENDED, help_text="How captions become segments.")
    state = models.CharField(max_length=16, choices=VideoState.choices, default=VideoState.QUEUED, db_index=True)
    state_since = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Tries of the present stage.")
    waits_until = models.DateTimeField(null=True, blank=True, help_text="Not tried again before.")
    captions_asks = models.PositiveSmallIntegerField(default=0, help_text="Times the site kept its captions back.")
    error_message = models.TextField(blank=True)
    error_permanent = models.BooleanField(default=False)
    captions_kind = models.CharField(max_length=10, choices=CaptionsKind.choices, blank=True)
    label_policies = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="Parameters of each policy, by name, when the segments were labelled.",
    )
    captions_notes = models.JSONField(default=list, blank=True, help_text="What could not be read in the captions.")
    sound_notes = models.JSONField(
        default=list, blank=True, help_text="What was lost or changed when the recording was decoded."
    )
    source = models.FileField(upload_to=server_made_name, blank=True, help_text="Uploaded recording before decoding.")
    audio = models.FileField(upload_to=server_made_name, blank=True, help_text="WAV (formerly FLAC), 16 kHz, mono.")
    captions = models.FileField(upload_to=server_made_name, blank=True)
    peaks = models.FileField(upload_to=server_made_name, blank=True, help_text="JSON: waveform peaks.")
    features = models.FileField(
        upload_to=server_made_name, blank=True, help_text="NPZ: a table of each extractor, one row per kept segment."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[VideoQuerySet] = VideoQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["extractor", "extractor_id"], name="video_in_one_split_only"),
            models.UniqueConstraint(
                fields=["split", "dataset_id"], condition=~Q(dataset_id=""), name="video_dataset_id_once_per_split"
            ),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="video_split_known"),
            models.CheckConstraint(condition=Q(state__in=VideoState.values), name="video_state_known"),
        ]

    def __str__(self) -> str:
        return self.title or self.submitted_url or self.url or f"Video {self.pk}"

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING_STATES

    @property
    def is_unfinished(self) -> bool:
        return self.state in RUNNING_STATES or self.state in WAITING_STATES

    @property
    def is_lost_upload(self) -> bool:
        """Whether nothing is left to try again: an uploaded file that cannot be used is removed."""
        return not (self.url or self.source or self.audio)

    @property
    def can_retry(self) -> bool:
        waits = self.state in (VideoState.FAILED, VideoState.STORED, VideoState.CAPTIONS_WAIT)
        return waits and not self.is_lost_upload

    @property
    def takes_captions(self) -> bool:
        return self.state in (VideoState.NO_CAPTIONS, VideoState.CAPTIONS_WAIT)

    @property
    def asks_site(self) -> bool:
        """Whether the next step asks something of the site; as `VideoQuerySet.awaiting_site`."""
        return bool(self.url) and not self.source and not (self.audio and self.captions)

    @property
    def is_due(self) -> bool:
        """Whether the job that fetches has something to do now."""
        if self.state == VideoState.CAPTIONS_WAIT:
            return self.waits_until is None or self.waits_until <= timezone.now()
        return self.state == VideoState.QUEUED

    def enter(self, state: str, *, only_from: Iterable[str] | None = None, **columns: Any) -> bool:
        """Change the state by a conditional update; False where another process was first."""
        rows = Video.objects.filter(pk=self.pk)
        if only_from is not None:
            rows = rows.filter(state__in=list(only_from))
        columns = {"state": state, "state_since": timezone.now(), **columns}
        if not rows.update(**columns):
            return False
        for name, value in columns.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self, name, value)
        return True

    def claim(self, waiting: str) -> bool:
        """Take the video from a waiting state into the running one of the same stage."""
        return self.enter(
            CLAIMED[waiting],
            only_from=[waiting],
            attempts=F("attempts") + 1,
            waits_until=None,
            error_message="",
            error_permanent=False,
            progress_what="",
            progress_done=0,
            progress_total=0,
        )


class SegmentQuerySet(models.QuerySet["Segment"]):
    def kept(self) -> "SegmentQuerySet":
        return self.filter(exclusion="")

    def labelled(self, policy: str) -> "SegmentQuerySet":
        """Kept segments that the policy gave a label."""
        return self.kept().filter(text_labels__policy=policy, text_labels__label__in=labels.LABELS)


class Segment(models.Model):
    """One utterance of a video: kept, or excluded with the reason."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="segments")
    position = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    text = models.TextField(help_text="As spoken.")
    speaker = models.CharField(
        max_length=120, blank=True, help_text="Who speaks, as the captions name them; no part of the text."
    )
    exclusion = models.CharField(max_length=120, blank=True, help_text="Why it is not used; empty for a kept segment.")
    policy = models.CharField(max_length=40)

    objects: ClassVar[SegmentQuerySet] = SegmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["video_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["video", "position"], name="segment_position_once_per_video"),
            models.CheckConstraint(condition=Q(start_ms__lt=F("end_ms")), name="segment_starts_before_it_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.video_id}/{self.position}"

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def is_kept(self) -> bool:
        return not self.exclusion


class TextLabel(models.Model):
    """What the three sentiment classifiers say about a segment's text under one policy."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="text_labels")
    policy = models.CharField(max_length=40)
    vader = models.FloatField()
    textblob = models.FloatField()
    pattern = models.FloatField()
    mean = models.FloatField()
    label = models.CharField(max_length=8, choices=labels.CHOICES, blank=True, help_text="Empty where rejected.")
    rejection = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "policy"], name="textlabel_once_per_policy"),
            models.CheckConstraint(
                condition=(Q(label="") & ~Q(rejection="")) | (Q(label__in=labels.LABELS) & Q(rejection="")),
                name="textlabel_label_or_rejection",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.policy}: {self.label or self.rejection}"


class TrainingRun(Endings, Progress):
    """One audio model: what it was trained on, how, and how well it does on videos it did not see."""

    split = models.CharField(max_length=5, choices=Split.choices, default=Split.TRAIN)
    policy = models.CharField(max_length=40, default=Policy.RECOMMENDED, help_text="Whose text labels it learns.")
    recipe = models.CharField(max_length=40, blank=True, help_text="Followed unchanged; empty where anything differs.")
    extractor = models.CharField(max_length=40)
    normalise_videos = models.BooleanField(
        default=False, help_text="Features are standardised within each video, without labels."
    )
    classifier = models.CharField(max_length=40, default="svm-linear")
    balancing = models.CharField(max_length=20, default="smote")
    c_values = models.JSONField(default=list)
    gamma_values = models.JSONField(
        default=list, blank=True, help_text="Widths of the RBF kernel, as multiples of 1 / number of features."
    )
    folds = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(2), MaxValueValidator(50)])
    fold_scheme = models.CharField(max_length=40, default="stratified-group")
    seed = models.PositiveIntegerField(default=0)
    data_fingerprint = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.QUEUED, db_index=True)
    claims = models.PositiveIntegerField(default=0, help_text="Times a job took it; a result counts for the last one.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Tries.")
    error_message = models.TextField(blank=True)
    scores = models.JSONField(default=dict, blank=True)
    card = models.JSONField(default=dict, blank=True)
    artifact = models.FileField(upload_to=server_made_name, blank=True)
    predictions_wanted = models.JSONField(
        default=dict, blank=True, help_text="Videos still to be predicted, with how often that was taken up again."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(state__in=RunState.values), name="trainingrun_state_known")]

    def __str__(self) -> str:
        return f"Run {self.pk} ({self.classifier}, {self.policy})"


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def out_of_fold(self) -> "PredictionQuerySet":
        """Predictions on segments whose video the predicting model did not see in training."""
        return self.filter(fold__isnull=False)


class Prediction(models.Model):
    """What a training run's model says about a segment's audio."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="predictions")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="predictions")
    label = models.CharField(max_length=8, choices=labels.CHOICES)
    p_positive = models.FloatField()
    p_neutral = models.FloatField()
    p_negative = models.FloatField()
    fold = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty where the final model predicted.")

    objects: ClassVar[PredictionQuerySet] = PredictionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "segment"], name="prediction_once_per_run")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.segment_id}: {self.label}"
