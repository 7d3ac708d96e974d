"""What comes in: addresses, lists, uploads, and the orders to train and to predict. Pages and commands share it.

Everything is stored before anything is queued, so that work survives a queue server that is not there. Where one
video is concerned QueueUnavailable then tells so; for many at once it stands in `Intake.problem`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.contrib.auth.models import AnonymousUser, User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction

from crossmodal import scratch
from crossmodal.storage import bytes_taken, check_storage
from pipeline import predicting
from pipeline.choices import CaptionsKind, Policy, RunState, Split, VideoState
from pipeline.claims import JOB_OF_STATE
from pipeline.dataset import DatasetRow, read_dataset
from pipeline.endings import nothing_counted
from pipeline.hosts import check_url
from pipeline.models import TrainingRun, Video
from pipeline.pacing import site_of
from pipeline.queues import QueueUnavailable, bring_forward_on_commit, enqueue_on_commit
from pipeline.removal import remove, remove_run
from pipeline.stages import captions as caption_stage
from pipeline.stages.caption_names import CAPTION_ENDINGS
from pipeline.stages.disk import telling_of_full_disks
from pipeline.stages.download import VideoIdentity
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import ListAddressError

__all__ = [
    "Intake",
    "Refusal",
    "attach_captions",
    "check_url",
    "import_dataset",
    "predict_all",
    "remove",
    "remove_run",
    "retry",
    "start_run",
    "store_upload",
    "submit_urls",
]

UPLOAD = "upload"


@dataclass(frozen=True)
class Refusal:
    """A line or row as given, why nothing came of it, and the list that it names where it names one."""

    text: str
    reason: str
    list_url: str = ""


@dataclass(frozen=True)
class Intake:
    """What came of many addresses; `problem` says when they could not be queued."""

    created: tuple[Video, ...]
    refused: tuple[Refusal, ...]
    problem: str = ""


def already_there(video: Video) -> str:
    split = video.get_split_display().lower()
    return f"This video is already in the {split} split as “{video}” (#{video.pk})."


def _find(identity: VideoIdentity) -> Video | None:
    return Video.objects.filter(extractor=identity.extractor, extractor_id=identity.extractor_id).first()


def _create(identity: VideoIdentity, **columns: Any) -> Video:
    """A new video; StageError naming the one that is there, also when it came a moment ago."""
    if existing := _find(identity):
        raise StageError(already_there(existing))
    try:
        with transaction.atomic():
            return Video.objects.create(
                url=identity.url,
                site=site_of(identity.url),
                extractor=identity.extractor,
                extractor_id=identity.extractor_id,
                **columns,
            )
    except IntegrityError as error:
        if existing := _find(identity):
            raise StageError(already_there(existing)) from error
        raise


def _enqueue_all(videos: Iterable[Video]) -> str:
    """Queue the fetching; the sentence to show where that is not possible."""
    try:
        for video in videos:
            enqueue_on_commit("fetch_video", video.pk)
    except QueueUnavailable as error:
        return error.message
    return ""


def submit_urls(
    urls: Iterable[str], *, split: str, policy: str = Policy.RECOMMENDED, titles: Mapping[str, str] | None = None
) -> Intake:
    """Take each address that may be fetched and is not there yet; `titles` by address stand until it is fetched."""
    created: list[Video] = []
    refused: list[Refusal] = []
    for line in urls:
        text = line.strip()
        if not text:
            continue
        try:
            title = (titles or {}).get(text, "")
            created.append(_create(check_url(text), submitted_url=text, split=split, policy=policy, title=title))
        except StageError as error:
            refused.append(_refusal(text, error))
    return Intake(tuple(created), tuple(refused), _enqueue_all(created))


def _refusal(text: str, error: StageError) -> Refusal:
    return Refusal(text, error.message, error.list_address.url if isinstance(error, ListAddressError) else "")


def import_dataset(file: TextIO, *, split: str, policy: str = Policy.RECOMMENDED, fetch: bool = True) -> Intake:
    """Take the rows of a dataset.csv; without `fetch` the videos are stored and nothing is downloaded.

    Raises StageError where the file as a whole cannot be read; nothing is stored then.
    """
    created: list[Video] = []
    refused: list[Refusal] = []
    state = VideoState.QUEUED if fetch else VideoState.STORED
    for row in list(read_dataset(file)):
        try:
            created.append(_create_from_row(row, split=split, policy=policy, state=state))
        except StageError as error:
            refused.append(_refusal(f"line {row.line}: {row.url}", error))
    return Intake(tuple(created), tuple(refused), _enqueue_all(created) if fetch else "")


def _create_from_row(row: DatasetRow, *, split: str, **columns: Any) -> Video:
    if row.problem:
        raise StageError(f"{row.problem[0].upper()}{row.problem[1:]}.")
    identity = check_url(row.url)
    same_id = Video.objects.filter(split=split, dataset_id=row.id).exclude(dataset_id="").first()
    if same_id and not _find(identity):
        raise StageError(f"The Id {row.id} is taken in this split by “{same_id}” (#{same_id.pk}).")
    return _create(
        identity,
        split=split,
        submitted_url=row.url[:500],
        title=row.cells["Title"].strip()[:500],
        dataset_id=row.id,
        dataset_row=row.cells,
        **columns,
    )


@telling_of_full_disks()
def store_upload(
    recording: "UploadedFile[bytes]", captions: "UploadedFile[bytes] | None", *, split: str, title: str, policy: str
) -> Video:
    """Store a recording, and captions where given, as a new video; the same file again is refused.

    Raises QueueUnavailable when it is stored but could not be queued.
    """
    digest = hashlib.sha256()
    for chunk in recording.chunks():
        digest.update(chunk)
    recording.seek(0)
    identity = VideoIdentity(UPLOAD, digest.hexdigest(), "")
    if (existing := _find(identity)) and not (existing.state == VideoState.FAILED and existing.is_lost_upload):
        raise StageError(already_there(existing))
    if captions:
        check_captions(captions)
    check_storage(bytes_taken(recording, captions), "this upload")
    if existing:
        remove(existing)  # nothing of it could be used, and another try is wanted
    video = Video(title=title.strip()[:500] or Path(recording.name or "Recording").stem[:500])
    names = []
    try:
        video.source.save(recording.name or "recording", recording, save=False)
        names.append(video.source.name)
        kind = ""
        if captions:
            video.captions.save(_caption_name(captions), captions, save=False)
            names.append(video.captions.name)
            kind = CaptionsKind.UPLOADED
        columns = {"title": video.title, "source": video.source.name, "captions": video.captions.name or ""}
        video = _create(identity, split=split, policy=policy, captions_kind=kind, **columns)
    except BaseException:
        for name in names:
            default_storage.delete(str(name))
        raise
    enqueue_on_commit("fetch_video", video.pk)
    bring_forward_on_commit("fetch_video", video.pk)
    return video


def _caption_name(captions: "UploadedFile[bytes]") -> str:
    return f"captions{Path(captions.name or '').suffix.lower()}"


def check_captions(captions: "UploadedFile[bytes]") -> None:
    """StageError where the file is no captions at all, told at once and not by a job a minute later."""
    suffix = Path(_caption_name(captions)).suffix
    with scratch.temporary_folder() as folder:
        path = folder / f"captions{suffix if suffix in CAPTION_ENDINGS else ''}"
        with path.open("wb") as target:
            for chunk in captions.chunks():
                target.write(chunk)
        caption_stage.read_captions(path)
    captions.seek(0)


@telling_of_full_disks()
def attach_captions(video: Video, captions: "UploadedFile[bytes]") -> None:
    """Give captions to a video that has none; it goes on from there. Raises StageError, QueueUnavailable."""
    check_captions(captions)
    check_storage(bytes_taken(captions), "this upload")
    old = video.captions.name
    video.captions.save(_caption_name(captions), captions, save=False)
    taken = False
    try:
        taken = video.enter(
            VideoState.QUEUED,
            only_from=[VideoState.NO_CAPTIONS, VideoState.CAPTIONS_WAIT],
            captions=video.captions.name,
            captions_kind=CaptionsKind.UPLOADED,
            attempts=0,
            **nothing_counted(),
            captions_asks=0,
            waits_until=None,
            error_message="",
        )
    finally:
        if not taken:
            default_storage.delete(str(video.captions.name))
    if not taken:
        raise StageError("This video is not waiting for captions.")
    if old:
        default_storage.delete(old)
    enqueue_on_commit("fetch_video", video.pk)
    bring_forward_on_commit("fetch_video", video.pk)  # its job may have waited for the site, which is not needed now


def retry(video: Video) -> bool:
    """Send a video on its way again from the stage where it stands; False if it is not one that waits for that.

    It failed, is merely stored, or its captions wait.
    """
    if video.is_lost_upload:
        return False
    state = VideoState.SEGMENTED if video.segments.exists() else VideoState.QUEUED
    only_from = [VideoState.FAILED, VideoState.STORED, VideoState.CAPTIONS_WAIT]
    columns = {"attempts": 0, **nothing_counted(), "error_message": "", "error_permanent": False, "waits_until": None}
    if not video.enter(state, only_from=only_from, **columns):
        return False
    enqueue_on_commit(JOB_OF_STATE[state], video.pk)
    return True


def start_run(parameters: dict[str, Any], user: User | AnonymousUser | None = None) -> TrainingRun:
    """Store a training run and queue it. Raises QueueUnavailable when it could not be queued."""
    creator = user if isinstance(user, User) else None
    run = TrainingRun.objects.create(**parameters, created_by=creator)
    enqueue_on_commit("train", run.pk)
    return run


def predict_all(run: TrainingRun, split: str) -> int:
    """Queue predictions for all ready videos of a split; how many."""
    if run.state != RunState.DONE:
        raise StageError(f"Run {run.pk} has no model yet; wait until its training is done.")
    if split not in Split.values:
        raise StageError(f"There is no split “{split}”.")
    videos = list(Video.objects.in_split(split).ready().values_list("pk", flat=True))
    predicting.want(run, videos)
    for pk in videos:
        enqueue_on_commit("predict_video", run.pk, pk)
    return len(videos)
