"""Uploads where a disk has no room: refused with a sentence, nothing half-stored, and the health check tells."""

import errno
import gc
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from pipeline import fetching, jobs
from pipeline.choices import VideoState
from pipeline.models import Video
from pipeline.stages import disk
from pipeline.stages.errors import DiskFullError
from tests.limited_disk import limited_disk
from tests.pipeline.conftest import stored_files, vtt
from tests.pipeline.disks import MB, free


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
