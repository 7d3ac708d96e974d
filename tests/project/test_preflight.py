"""What is looked at before anything is started."""

import shutil
import socket
from pathlib import Path

import pytest

from crossmodal import preflight


def test_this_machine_is_ready(tmp_path: Path) -> None:
    preflight.check_python()
    preflight.check_folder(tmp_path / "new" / "var")
    preflight.check_space(tmp_path)
    preflight.check_port("127.0.0.1", 0, "")
    assert list((tmp_path / "new" / "var").iterdir()) == []


def test_an_old_python() -> None:
    with pytest.raises(preflight.NotReadyError, match=r"^Python 3\.9 is too old: Crossmodal needs 3\.11 or newer\.$"):
        preflight.check_python((3, 9))


def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(preflight.NotReadyError, match=r"^The folder /proc/nowhere cannot be written .*set VAR_DIR\.$"):
        preflight.check_folder(Path("/proc/nowhere"))


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(preflight.NotReadyError, match=r"^Only 1 MB are free where .*: make room"):
        preflight.check_space(tmp_path)


def test_a_taken_port() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            preflight.NotReadyError, match=rf"^Port {port} on 127\.0\.0\.1 .*in use.*: choose another\.$"
        ):
            preflight.check_port("127.0.0.1", port, "choose another")


def test_a_reserved_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(preflight.NotReadyError, match=r"^Port 80 is reserved for the system's own services: "):
        preflight.check_port("127.0.0.1", 80, "choose another")


def test_an_address_that_does_not_exist() -> None:
    with pytest.raises(preflight.NotReadyError, match=r"^no\.such\.host\.invalid is not an address of this machine"):
        preflight.check_port("no.such.host.invalid", 8000, "")


def test_an_address_of_another_machine() -> None:
    with pytest.raises(preflight.NotReadyError, match=r"^Port 8000 on 192\.0\.2\.1 cannot be used"):
        preflight.check_port("192.0.2.1", 8000, "choose another")
