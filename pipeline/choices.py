"""Choices of the pipeline's columns, and the order in which a video passes its states."""

from django.db import models


class Split(models.TextChoices):
    TRAIN = "train", "Train"
    TEST = "test", "Test"


class Policy(models.TextChoices):
    """Named sets of rules of method.md; the values are the stages' policy names."""

    RECOMMENDED = "recommended", "Recommended"
    SEED_2019 = "seed-2019", "Seed 2019"


class VideoState(models.TextChoices):
    """The states of a video in the order it passes them; ``-ing`` states are held by a running job.

    A stored video is a row of an imported list that nobody asked to fetch yet. One whose captions wait has its
    recording; the site has captions and would not give them yet.
    """

    STORED = "stored", "Stored, not fetched"
    QUEUED = "queued", "Waiting to be fetched"
    FETCHING = "fetching", "Fetching"
    CAPTIONS_WAIT = "captions-wait", "Captions wait"
    NO_CAPTIONS = "no-captions", "No English captions"
    SEGMENTED = "segmented", "Waiting for text labels"
    LABELLING = "labelling", "Labelling text"
    LABELLED = "labelled", "Waiting for audio features"
    EXTRACTING = "extracting", "Extracting features"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class CaptionsKind(models.TextChoices):
    MANUAL = "manual", "Written by people"
    AUTOMATIC = "automatic", "Automatic"
    UPLOADED = "uploaded", "Uploaded"


class RunState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Training"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


# Waiting state → the state a job claims from it.
CLAIMS: dict[str, str] = {
    VideoState.QUEUED: VideoState.FETCHING,
    VideoState.SEGMENTED: VideoState.LABELLING,
    VideoState.LABELLED: VideoState.EXTRACTING,
}
# Captions that wait are asked for by the job that fetches, and by it alone; nothing is unfinished meanwhile.
CLAIMED: dict[str, str] = {**CLAIMS, VideoState.CAPTIONS_WAIT: VideoState.FETCHING}
RUNNING_STATES = list(CLAIMS.values())
WAITING_STATES = list(CLAIMS)
