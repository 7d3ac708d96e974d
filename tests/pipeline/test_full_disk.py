"""Disks without room: told before work begins, told where it strikes all the same, and nothing half-written stays."""

import errno
import gc
import io
import sqlite3
import subprocess
import wave
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from redis.exceptions import OutOfMemoryError, ResponseError

from crossmodal import scratch
from pipeline import extracting, fetching, intake, jobs
from pipeline.choices import VideoState
from pipeline.claims import UPLOAD_ANOTHER
from pipeline.models import Video
from pipeline.queues import QueueUnavailable, has_workers
from pipeline.stages import disk
from pipeline.stages.audio import decode
from pipeline.stages.download_errors import explain
from pipeline.stages.errors import DiskFullError, StageError
from pipeline.stages.feature_file import FeatureTable
from pipeline.stages.row_file import RowFile
from tests.limited_disk import limited_disk
from tests.pipeline.conftest import Command, stored_files, vtt
from tests.pipeline.uploads import captions, recording, upload

MB = 10**6


class DiskFull(Exception):  # noqa: N818 - psycopg's name
    """As psycopg's."""


def because(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Have every disk say that it has so much room above the reserve."""
    monkeypatch.setattr(disk, "free_bytes", lambda folder: disk.RESERVE_BYTES + count)


def silence(path: Path, seconds: int = 60) -> Path:
    soundfile.write(path, np.zeros(seconds * 16_000, dtype=np.int16), 16_000, format="FLAC")
    return path


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where no more than a megabyte can be written, and nobody asks before for room."""
    monkeypatch.setattr(disk, "RESERVE_BYTES", -(10**15))
    with limited_disk(tmp_path / "full", 2**20) as mounted:
        if mounted:
            yield mounted.folder
            return
        import resource  # another real limit, where nothing can be mounted

        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
        yield tmp_path
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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


# ---------------------------------------------------------------- uploads


def send(client: Client, content: bytes, address: str = "/videos/upload/", **fields: Any) -> Any:
    form = {"recording": SimpleUploadedFile("talk.wav", content), "title": "My words", "split": "test", **fields}
    return client.post(address, {"policy": "recommended", **form})


def test_an_upload_without_room_is_refused_and_the_form_keeps_what_was_typed(
    admin_client: Client, queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 6 * MB)
    response = send(admin_client, b"x" * 7 * MB)
    page = response.content.decode()
    assert response.status_code == 507
    assert "has 106 MB left; this upload needs 7 MB" in page
    assert 'value="My words"' in page
    assert "Choose an audio or video file" not in page
    assert (Video.objects.count(), stored_files(), queued) == (0, set(), [])


def test_a_small_upload_without_room_is_refused_too(
    admin_client: Client, queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, -1)
    response = send(admin_client, b"small")
    assert response.status_code == 507
    assert "stay free for the database" in response.content.decode()
    assert (Video.objects.count(), stored_files(), queued) == (0, set(), [])


def test_an_upload_that_fills_the_disk_on_the_way_is_refused_and_leaves_nothing(
    admin_client: Client, queued: list[Any], full: Path, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(full)
    response = send(admin_client, b"x" * 6 * MB)
    page = response.content.decode()
    assert response.status_code == 507
    assert "Make room there" in page or "grew larger" in page
    assert 'value="My words"' in page
    assert (Video.objects.count(), stored_files(), queued) == (0, set(), [])
    assert not list(full.glob("*.upload*"))


def test_an_upload_that_fills_the_storage_is_refused_and_leaves_nothing(
    admin_client: Client, queued: list[Any], full: Path, settings: Any
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "crossmodal.storage.FolderStorage", "OPTIONS": {"location": full / "files"}},
    }
    response = send(admin_client, b"x" * 2 * MB)
    page = response.content.decode()
    assert response.status_code == 507
    assert "Make room there" in page or "grew larger" in page
    assert 'value="My words"' in page
    assert (Video.objects.count(), stored_files(), queued) == (0, set(), [])


def test_uploads_that_found_the_same_room_at_their_beginning_share_it(
    admin_client: Client, queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def shrinking(folder: Path) -> int:
        asked.append(1)
        return disk.RESERVE_BYTES + (100 * MB if len(asked) < 3 else -1)

    monkeypatch.setattr(disk, "free_bytes", shrinking)
    response = send(admin_client, b"x" * 9 * MB)
    assert (response.status_code, len(asked)) == (507, 3)
    assert (Video.objects.count(), stored_files(), queued) == (0, set(), [])


class BrokenOff(io.BytesIO):
    """The body of a request whose client goes away in the middle."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        self.read_bytes += size or 0
        if not (data := super().read(size)):
            raise ConnectionResetError
        return data


def test_an_upload_that_breaks_off_leaves_nothing_at_once(
    admin_client: Client, queued: list[Any], settings: Any, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    head = b'--X\r\nContent-Disposition: form-data; name="recording"; filename="a.wav"\r\n\r\n'
    broken = BrokenOff(head + b"x" * 6 * MB)
    client = Client(enforce_csrf_checks=True)  # the check reads the form first, and keeps quiet about the end of it
    client.cookies = admin_client.cookies
    client.cookies["csrftoken"] = "a" * 32
    gc.disable()
    try:
        form = "multipart/form-data; boundary=X"
        environment: dict[str, Any] = {"wsgi.input": broken, "CONTENT_LENGTH": str(9 * MB)}
        response = client.generic("POST", "/videos/upload/", b"replaced", form, **environment)
        assert (broken.read_bytes > 5 * MB, list(tmp_path.iterdir())) == (True, [])
    finally:
        gc.enable()
    assert response.status_code == 403
    assert (Video.objects.count(), stored_files(), queued) == (0, set(), [])


def test_other_forms_that_are_too_large_for_the_disk_say_so_on_a_page(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 5 * MB)
    admin_client.raise_request_exception = False
    response = admin_client.post("/videos/import/", {"file": SimpleUploadedFile("a.csv", b"x" * 6 * MB)})
    assert response.status_code == 507
    assert "The disk is full" in response.content.decode()


def test_captions_without_room_are_refused(factory: Any, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    video = factory.make_video(state=VideoState.NO_CAPTIONS)
    free(monkeypatch, -1)
    form = {"captions": SimpleUploadedFile("a.vtt", vtt().encode())}
    response = admin_client.post(f"/videos/{video.pk}/captions/", form)
    assert response.status_code == 422
    assert "stay free for the database" in response.content.decode()
    assert stored_files() == set()


def test_an_upload_is_counted_once_where_it_is_moved_into_storage(
    admin_client: Client, queued: list[Any], monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """The uploaded file is on the disk by then: as much again is not needed."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    room = disk.RESERVE_BYTES + 10 * MB
    monkeypatch.setattr(disk, "free_bytes", lambda folder: room - sum(f.stat().st_size for f in tmp_path.glob("*.up*")))
    response = send(admin_client, b"x" * 8 * MB)
    assert response.status_code == 302, response.content.decode()
    assert Path(Video.objects.get().source.path).stat().st_size == 8 * MB


def test_an_upload_is_counted_again_where_storage_is_another_disk(
    admin_client: Client, queued: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    with limited_disk(tmp_path / "other", 20 * MB) as mounted:
        if mounted is None:
            pytest.skip("nothing can be mounted here")
        settings.FILE_UPLOAD_TEMP_DIR = str(mounted.folder)
        asked: list[float] = []
        monkeypatch.setattr("pipeline.intake.check_storage", lambda needed_bytes, purpose: asked.append(needed_bytes))
        send(admin_client, b"x" * 6 * MB)
        assert asked == [6 * MB]


def test_what_a_job_made_is_moved_into_storage_and_not_copied(
    uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for one decoded recording is enough, where storage and temporary files share a disk."""
    made: dict[int, str] = {}
    really = fetching.audio.decode

    def decode(*args: Any, **options: Any) -> Any:
        found = really(*args, **options)
        made[found.path.stat().st_ino] = found.path.name
        return found

    monkeypatch.setattr("pipeline.fetching.audio.decode", decode)
    jobs.fetch_video(uploaded.pk)
    assert made == {Path(Video.objects.get(pk=uploaded.pk).audio.path).stat().st_ino: "audio.wav"}


def test_a_disk_that_became_read_only_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(path: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system", path)

    storage = default_storage
    monkeypatch.setattr("django.core.files.storage.filesystem.os.open", lambda path, *args: fail(path))
    monkeypatch.setattr("django.core.files.storage.filesystem.os.remove", fail)
    with pytest.raises(DiskFullError, match="can only be read, as after a fault"), disk.telling_of_full_disks():
        storage.save("video/a.wav", ContentFile(b"sound"))


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Path]:
    """A disk with much room and no more files to give."""
    folder = tmp_path / "crowded"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1g,nr_inodes=20", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_takes_no_more_files_is_told_apart_from_a_full_one(
    crowded: Path, admin_client: Client, settings: Any
) -> None:
    with pytest.raises(DiskFullError, match=r"takes no more files, however small \(its inodes are used up"):
        disk.check_room(crowded, 0, "a download")
    settings.VAR_DIR = crowded
    assert admin_client.get("/healthz").content == b"ok\ndisk: takes no more files"
    assert "its inodes are used up" in admin_client.get("/").content.decode()


# ---------------------------------------------------------------- health


def test_the_health_check_and_the_home_page_tell_of_a_disk_that_is_nearly_full(
    admin_client: Client, annotator_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert admin_client.get("/healthz").content == b"ok"
    monkeypatch.setattr("crossmodal.storage.free_bytes", lambda folder: disk.LOW_BYTES - 1)
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\ndisk: less than 300 MB left")
    assert "has 300 MB left. Below 100 MB nothing is fetched" in admin_client.get("/").content.decode()
    assert "MB left" not in annotator_client.get("/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_disk_so_full_that_the_database_cannot_be_opened_is_told_on_every_page(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OperationalError("disk I/O error")

    admin_client.raise_request_exception = False
    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", fail)
    monkeypatch.setattr("crossmodal.storage.free_bytes", lambda folder: 0)
    health = Client().get("/healthz")
    assert (health.status_code, health.content.decode().split("\n")) == (
        503,
        ["the database does not answer", "disk: less than 300 MB left"],
    )
    for address in ("/", "/videos/", "/campaigns/"):
        response = admin_client.get(address)
        assert response.status_code == 507
        assert "The disk is full" in response.content.decode()


# ---------------------------------------------------------------- uploaded sources


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_can_never_be_used_is_removed_at_once_and_may_come_again(
    admin_client: Client, next_jobs: list[Any], queued: list[Any]
) -> None:
    video = upload(recording(b"no sound at all"), None)
    jobs.fetch_video(video.pk)

    video = Video.objects.get(pk=video.pk)
    assert (video.state, video.error_permanent, bool(video.source)) == (VideoState.FAILED, True, False)
    assert video.error_message.endswith(UPLOAD_ANOTHER)
    assert stored_files() == set()
    assert not video.can_retry
    assert f"/videos/{video.pk}/retry/" not in admin_client.get("/videos/").content.decode()
    page = admin_client.post(f"/videos/{video.pk}/retry/", follow=True).content.decode()
    assert "Nothing of “A talk” is left to try again" in page
    assert not intake.retry(video)

    again = upload(recording(b"no sound at all"), None)
    assert list(Video.objects.all()) == [again]
    assert bool(again.source)


def test_an_upload_that_may_be_tried_again_is_kept(
    uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise StageError("Not now.", permanent=False)

    monkeypatch.setattr("pipeline.fetching.audio.decode", fail)
    for _ in range(4):
        Video.objects.filter(pk=uploaded.pk).update(waits_until=None)
        with suppress(StageError):  # the last try is told by the row alone
            jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert (video.state, video.can_retry, bool(video.source)) == (VideoState.FAILED, True, True)
    assert intake.retry(video)


@pytest.mark.django_db(transaction=True)
def test_a_video_removed_while_it_is_processed_leaves_no_file(
    uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = fetching.audio.decode

    def decode_late(*args: Any, **options: Any) -> Any:
        recording = really(*args, **options)
        intake.remove(Video.objects.get(pk=uploaded.pk))
        return recording

    monkeypatch.setattr("pipeline.fetching.audio.decode", decode_late)
    jobs.fetch_video(uploaded.pk)
    assert not Video.objects.exists()
    assert stored_files() == set()


@pytest.mark.django_db(transaction=True)
def test_removing_counts_the_files_that_a_job_has_stored_since(uploaded: Video, next_jobs: list[Any]) -> None:
    asked_for = Video.objects.get(pk=uploaded.pk)
    jobs.fetch_video(uploaded.pk)
    assert len(stored_files() - {Path(asked_for.source.path).name}) == 3
    intake.remove(asked_for)
    assert stored_files() == set()


def test_captions_that_come_too_late_leave_no_file(uploaded: Video, next_jobs: list[Any]) -> None:
    before = stored_files()
    with pytest.raises(StageError, match="not waiting for captions"):
        intake.attach_captions(uploaded, captions())
    assert stored_files() == before


@pytest.mark.django_db(transaction=True)
def test_the_admin_site_removes_files_with_their_rows(uploaded: Video, factory: Any, admin_client: Client) -> None:
    run = factory.make_run()
    run.artifact.save("model.skops", io.BytesIO(b"model"))
    User = type(factory.make_user("root"))
    User.objects.filter(username="ada").update(is_superuser=True)
    admin_client.post(f"/admin/pipeline/video/{uploaded.pk}/delete/", {"post": "yes"})
    admin_client.post(
        "/admin/pipeline/trainingrun/",
        {"action": "delete_selected", "_selected_action": [run.pk], "post": "yes"},
    )
    assert not Video.objects.exists()
    assert stored_files() == set()
    assert default_storage.listdir("trainingrun")[1] == []
