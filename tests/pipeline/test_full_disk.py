"""Disks without room: told before work begins, told where it strikes all the same, and nothing half-written stays."""

import errno
import sqlite3
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from redis.exceptions import OutOfMemoryError, ResponseError

from crossmodal import scratch
from pipeline import extracting, fetching, jobs
from pipeline.choices import VideoState
from pipeline.models import Video
from pipeline.queues import QueueUnavailable, has_workers
from pipeline.stages import disk
from pipeline.stages.audio import decode
from pipeline.stages.download_errors import explain
from pipeline.stages.errors import DiskFullError, StageError
from pipeline.stages.feature_file import FeatureTable
from pipeline.stages.row_file import RowFile
from tests.pipeline.conftest import Command, stored_files
from tests.pipeline.disks import MB, free


class DiskFull(Exception):  # noqa: N818 - psycopg's name
    """As psycopg's."""


def because(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def silence(path: Path, seconds: int = 60) -> Path:
    soundfile.write(path, np.zeros(seconds * 16_000, dtype=np.int16), 16_000, format="FLAC")
    return path


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        because(RuntimeError("while writing"), OSError(errno.ENOSPC, "No space left on device")),
        because(OperationalError("database or disk is full"), sqlite3.OperationalError("database or disk is full")),
        because(OperationalError("disk I/O error"), sqlite3.OperationalError("disk I/O error")),
        because(
            OperationalError("unable to open database file"), sqlite3.OperationalError("unable to open database file")
        ),
        because(OperationalError("could not extend file"), DiskFull("could not extend file")),
        RuntimeError("unable to write data: [Errno 28] No space left on device"),
        OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        ResponseError("MISCONF Valkey is configured to save RDB snapshots, but it's unable to persist to disk."),
    ],
    ids=lambda error: f"{type(error).__name__}-{str(error)[:20]}",
)
def test_every_sign_of_a_full_disk_becomes_a_sentence_that_is_not_permanent(error: Exception) -> None:
    with pytest.raises(DiskFullError) as caught, disk.telling_of_full_disks():
        raise error
    assert not caught.value.permanent
    assert any(word in caught.value.message for word in ("full", "larger"))
    assert any(word in caught.value.message for word in ("ake room", "raise that limit"))


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "Permission denied"), OperationalError("locked"), ResponseError("ERR"), KeyError(1)]
)
def test_other_errors_are_left_alone(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, disk.telling_of_full_disks():
        raise error
    assert caught.value is error


def test_a_download_that_fills_the_disk_is_no_fault_of_the_site() -> None:
    error = explain(RuntimeError("ERROR: unable to write data: [Errno 28] No space left on device"))
    assert isinstance(error, DiskFullError)


def test_a_queue_server_without_memory_is_not_called_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr("pipeline.queues.get_connection", refuse)
    with pytest.raises(QueueUnavailable, match="its disk or its memory is full"):
        has_workers()


# ---------------------------------------------------------------- before anything is written


def test_room_is_counted_without_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 50 * MB)
    disk.check_room(tmp_path / "not" / "there yet", 50 * MB, "decoding")
    with pytest.raises(DiskFullError, match="has 150 MB left; decoding needs 51 MB, and 100 MB stay free"):
        disk.check_room(tmp_path, 51 * MB, "decoding")


def test_a_recording_is_decoded_only_where_its_sound_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is small as FLAC and large as WAV."""
    source = silence(tmp_path / "silence.flac", 600)
    assert source.stat().st_size < 0.1 * MB
    free(monkeypatch, 19 * MB)
    with pytest.raises(DiskFullError, match="decoding the recording needs 19 MB"):
        decode(source, tmp_path / "audio.wav")
    assert list(tmp_path.iterdir()) == [source]
    free(monkeypatch, 20 * MB)
    assert decode(source, tmp_path / "audio.wav").duration_s == 600


def test_a_recording_that_tells_no_length_is_stopped_when_the_room_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "endless.wav"
    with wave.open(str(source), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"\0" * 32_000 * 60)
    content = bytearray(source.read_bytes())
    content[40:44] = content[4:8] = b"\xff" * 4  # as programs write that do not know the length yet
    source.write_bytes(content)
    asked: list[int] = []

    def shrinking(folder: Path) -> int:
        asked.append(1)
        return disk.RESERVE_BYTES + (MB if len(asked) < 3 else -1)

    monkeypatch.setattr(disk, "free_bytes", shrinking)
    monkeypatch.setattr("pipeline.stages.decoding_pass._total_s", lambda container: 0)
    with pytest.raises(DiskFullError):
        decode(source, tmp_path / "audio.wav")
    assert len(asked) >= 3
    assert list(tmp_path.iterdir()) == [source]


def test_a_download_begins_only_where_there_is_room(
    online: Video, site: Any, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    site(error=AssertionError("it was asked for all the same"))
    free(monkeypatch, 20 * MB)
    with pytest.raises(StageError):
        jobs.fetch_video(online.pk)
    online.refresh_from_db()
    assert (online.state, online.error_permanent) == (VideoState.QUEUED, False)
    assert "a download needs 30 MB" in online.error_message


def test_tables_are_written_only_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 3 * MB)
    X = np.zeros((500, 1000))
    with RowFile(tmp_path / "rows") as file, pytest.raises(DiskFullError, match="table of the features"):
        file.append(X)
    table = FeatureTable(X=X, names=("a",) * 1000, keys=np.arange(500), extractor="pyaudioanalysis")
    with pytest.raises(DiskFullError, match="audio features"), extracting.written(table):
        pass


def test_an_export_begins_only_where_there_is_room(
    factory: Any, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.make_video(audio="video/a.wav", duration_s=3600)
    free(monkeypatch, 100 * MB)
    status, _, err = command("export_dataset", tmp_path / "out", "--split", "train")
    assert status == 1
    assert "the export needs 230 MB" in err
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- where it strikes all the same


def test_sound_that_cannot_be_written_leaves_no_file(full: Path, tmp_path: Path) -> None:
    source = silence(tmp_path / "silence.flac", 120)
    with pytest.raises(DiskFullError, match="The sound could not be written"):
        decode(source, full / "audio.wav")
    assert not list(full.glob("*audio*"))


def test_a_file_that_storage_has_no_room_for_leaves_nothing(full: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = full / "files"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "crossmodal.storage.FolderStorage", "OPTIONS": {"location": full / "files"}},
    }
    with pytest.raises(OSError, match=r"No space left|File too large"):
        default_storage.save("video/a.wav", ContentFile(b"x" * 2**21))
    assert not default_storage.exists("video/a.wav")


def test_a_job_that_fills_the_disk_is_tried_again(
    uploaded: Video, next_jobs: list[Any], full: Path, settings: Any
) -> None:
    settings.SCRATCH_DIR = full / "scratch"
    uploaded.source.save("long.flac", ContentFile(silence(full.parent / "long.flac", 120).read_bytes()))
    before = stored_files()
    with pytest.raises(DiskFullError):
        jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert (video.state, video.error_permanent) == (VideoState.QUEUED, False)
    assert "Make room there" in video.error_message
    assert video.source
    assert stored_files() == before
    assert not [path for path in settings.SCRATCH_DIR.rglob("*.wav") if path.is_file()]
    scratch.leave()


def test_a_database_without_room_is_told_by_the_job(
    uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(fetching, "replace_segments", fail)
    before = stored_files()
    with pytest.raises(DiskFullError):
        jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert "A disk is full" in video.error_message
    assert (video.state, stored_files()) == (VideoState.QUEUED, before)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), OperationalError("database or disk is full")]
)
def test_a_page_says_that_the_disk_is_full(
    error: Exception, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("pipeline.views.videos.intake.submit_urls", fail)
    admin_client.raise_request_exception = False
    form = {"urls": "https://youtu.be/i4b-_bNsajY", "split": "train", "policy": "recommended"}
    response = admin_client.post(reverse("submit_videos"), form)
    assert response.status_code == 507
    page = response.content.decode()
    assert "The disk is full" in page
    assert "make room" in page
