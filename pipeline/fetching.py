"""From an address or an uploaded file to decoded audio and segments."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from crossmodal import scratch
from pipeline.caption_fetching import ask_for_captions, captions_wait
from pipeline.choices import CaptionsKind, VideoState
from pipeline.claims import finish, new_files, saving, show, show_percent
from pipeline.download_settings import download_limits, download_options
from pipeline.files import local_path
from pipeline.hosts import check_host, private_origins
from pipeline.intake import already_there
from pipeline.models import Segment, Video
from pipeline.pacing import Turn, asking, site_of
from pipeline.queues import enqueue_on_commit
from pipeline.stages import audio, captions, speech_gate
from pipeline.stages.disk import check_room
from pipeline.stages.download import VideoIdentity, download
from pipeline.stages.errors import StageError

# Before the site tells how large a recording is: ten minutes of it, with its decoded sound.
SMALLEST_DOWNLOAD_BYTES = 30 * 10**6
NO_CAPTIONS = "There are no English captions; upload a caption file to go on."


@dataclass(frozen=True)
class Spoken:
    """Captions read and cut."""

    path: Path
    kind: str
    notes: tuple[str, ...]
    utterances: tuple[captions.Utterance, ...]


def fetch(video: Video, turn: Turn | None = None) -> None:
    """The work of the job `fetch_video`; `turn` is the right to ask the video's site, where that is needed."""
    with scratch.temporary_folder() as folder:
        if video.audio and video.captions:
            _segment_uploaded_captions(video)
        elif video.audio:
            _take_captions(video, folder, turn)
        elif video.source:
            _take_upload(video, folder)
        else:
            _take_download(video, folder, turn)


def _segment_uploaded_captions(video: Video) -> None:
    """The audio is there from before; only captions were added."""
    show(video, "Reading captions")
    with local_path(video.captions) as path:
        spoken = _read(path, video, CaptionsKind.UPLOADED, _milliseconds(video.duration_s))
    with local_path(video.audio) as recording:
        spoken = _gated(spoken, recording, video)
    _save(video, spoken, {})


def _take_captions(video: Video, folder: Path, turn: Turn | None) -> None:
    """The audio is there from before; the site kept the captions back then."""
    if not video.url:
        finish(video, VideoState.NO_CAPTIONS, error_message=NO_CAPTIONS)
        return
    found = ask_for_captions(video, folder, turn)
    if found is None:
        return
    spoken, problem = _read_downloaded(found.path, found.kind, video, _milliseconds(video.duration_s))
    if spoken:
        with local_path(video.audio) as recording:
            spoken = _gated(spoken, recording, video)
    _save(video, spoken, {}, problem=problem, captions_asks=0)


def _take_upload(video: Video, folder: Path) -> None:
    with local_path(video.source) as source:
        recording, files = _decode(video, source, folder)
    columns: dict[str, Any] = {
        "source": "",
        "duration_s": recording.duration_s,
        "sound_notes": list(recording.notes),
    }
    if not video.captions:
        _save(video, None, files, **columns)
        return
    with local_path(video.captions) as path:
        spoken = _read(path, video, CaptionsKind.UPLOADED, _milliseconds(recording.duration_s))
    _save(video, _gated(spoken, recording.path, video), files, **columns)


def _take_download(video: Video, folder: Path, turn: Turn | None) -> None:
    check_host(video.url)
    check_room(folder, SMALLEST_DOWNLOAD_BYTES, "a download")
    with asking(turn):
        found = download(
            video.url,
            folder=folder,
            limits=download_limits(),
            progress=show_percent(video, "Downloading"),
            private_origins=private_origins(),
            options=download_options(),
            check_page=check_host,
        )
    _check_identity(video, found.identity)
    recording, files = _decode(video, found.audio_path, folder)
    duration_ms = _milliseconds(recording.duration_s)
    spoken, problem = _read_downloaded(found.captions_path, found.captions_kind, video, duration_ms)
    _save(
        video,
        _gated(spoken, recording.path, video) if spoken else None,
        files,
        problem=problem,
        kept_back=found.captions_error,
        duration_s=recording.duration_s,
        sound_notes=list(recording.notes),
        title=found.title or video.title,
        url=found.identity.url,
        site=site_of(found.identity.url),
        extractor=found.identity.extractor,
        extractor_id=found.identity.extractor_id,
    )


def _check_identity(video: Video, identity: VideoIdentity) -> None:
    """An address may lead to another one, whose video may be here already, in the other split even."""
    if (identity.extractor, identity.extractor_id) == (video.extractor, video.extractor_id):
        return
    check_host(identity.url)
    if other := Video.objects.filter(extractor=identity.extractor, extractor_id=identity.extractor_id).first():
        raise StageError(already_there(other))


def _decode(video: Video, source: Path, folder: Path) -> tuple[audio.Recording, dict[str, Path]]:
    recording = audio.decode(
        source,
        folder / "audio.wav",
        max_duration_s=settings.MAX_VIDEO_DURATION_S,
        progress=show_percent(video, "Decoding"),
    )
    show(video, "Drawing the waveform")
    peaks = folder / "peaks.json"
    pairs = [[round(float(low), 4), round(float(high), 4)] for low, high in audio.peaks(recording.path)]
    content = {"duration_ms": _milliseconds(recording.duration_s), "peaks": pairs}
    peaks.write_text(json.dumps(content, separators=(",", ":")))
    return recording, {"audio": recording.path, "peaks": peaks}


def _milliseconds(duration_s: float | None) -> int:
    return int((duration_s or 0) * 1000)


def _read_downloaded(path: Path | None, kind: str, video: Video, duration_ms: int) -> tuple[Spoken | None, str]:
    """Captions that the site has but nobody can read are as good as none: better ones can be uploaded."""
    if path is None:
        return None, NO_CAPTIONS
    try:
        return _read(path, video, kind, duration_ms), ""
    except StageError as error:
        return None, f"The site's captions cannot be read ({error.message}) Upload a caption file to go on."


def _read(path: Path, video: Video, kind: str, duration_ms: int) -> Spoken:
    show(video, "Reading captions")
    track = captions.read_captions(path)
    if kind != CaptionsKind.UPLOADED and track.kind == CaptionsKind.AUTOMATIC:
        kind = CaptionsKind.AUTOMATIC  # what rolls is automatic, whatever the page says
    utterances = captions.segment(track, captions.SEGMENTATION_POLICIES[video.policy], duration_ms=duration_ms)
    problem = captions.nothing_usable(utterances)
    if not utterances:
        raise StageError(" ".join([problem, *track.problems[:1]]))
    return Spoken(path, kind, (problem, *track.problems) if problem else track.problems, utterances)


def _gated(spoken: Spoken, recording: Path, video: Video) -> Spoken:
    """Without the utterances in whose sound hardly anybody speaks, where the policy asks for that."""
    policy = captions.SEGMENTATION_POLICIES[video.policy]
    spans = [(utterance.start_ms, utterance.end_ms) for utterance in spoken.utterances if utterance.kept]
    if not policy.min_speech_share or not spans:
        return spoken
    progress = show(video, "Listening for speech")
    shares = speech_gate.speech_shares(recording, spans, enough=policy.min_speech_share, progress=progress)
    utterances = captions.without_speechless(spoken.utterances, shares.tolist(), policy)
    return replace(spoken, utterances=utterances)


def _save(
    video: Video,
    spoken: Spoken | None,
    files: dict[str, Path],
    *,
    problem: str = NO_CAPTIONS,
    kept_back: StageError | None = None,
    **columns: Any,
) -> None:
    """Everything in one short transaction, and the next job after it."""
    if spoken and not video.captions:
        files = {**files, "captions": spoken.path}
    source = video.source.name
    try:
        with new_files(video, **files) as names, saving(video):
            if spoken is None and kept_back:
                finish(video, **captions_wait(video, kept_back), **names, **columns)
            elif spoken is None:
                finish(video, VideoState.NO_CAPTIONS, error_message=problem, **names, **columns)
            else:
                replace_segments(video, spoken.utterances)
                notes = list(spoken.notes)
                finish(video, VideoState.SEGMENTED, captions_kind=spoken.kind, captions_notes=notes, **names, **columns)
    except IntegrityError as error:
        other = Video.objects.filter(extractor=columns.get("extractor"), extractor_id=columns.get("extractor_id"))
        if existing := other.exclude(pk=video.pk).first():
            raise StageError(already_there(existing)) from error
        raise
    if source and "source" in columns:
        transaction.on_commit(lambda: default_storage.delete(source))  # the decoded recording replaces it
    if spoken:
        enqueue_on_commit("label_video", video.pk)


def replace_segments(video: Video, utterances: tuple[captions.Utterance, ...]) -> None:
    """Store the utterances as the video's segments; the same ones as before stay, with their labels and votes."""
    segments = [
        Segment(
            video=video,
            position=position,
            start_ms=utterance.start_ms,
            end_ms=utterance.end_ms,
            text=utterance.text,
            speaker=utterance.speaker,
            exclusion=utterance.reason[:120],
            policy=video.policy,
        )
        for position, utterance in enumerate(utterances)
    ]
    columns = ("position", "start_ms", "end_ms", "text", "speaker", "exclusion", "policy")
    before = list(video.segments.order_by("position").values_list(*columns))
    if before == [tuple(getattr(segment, column) for column in columns) for segment in segments]:
        return
    try:
        video.segments.all().delete()
    except ProtectedError as error:
        raise StageError("People are voting on this video's segments, so they cannot be cut anew.") from error
    Segment.objects.bulk_create(segments, batch_size=500)
