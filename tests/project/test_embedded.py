"""The private Valkey server of one machine."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from crossmodal import embedded
from crossmodal.env import MAX_SOCKET_PATH_BYTES, socket_path


def test_it_answers_on_a_socket_that_only_its_owner_can_use(tmp_path: Path) -> None:
    with embedded.running(tmp_path) as url:
        client = redis.Redis.from_url(url)
        client.set("word", "kept")
        assert client.get("word") == b"kept"
        assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o700
        assert client.config_get("port") == {"port": "0"}


def test_nothing_is_left_after_the_block(tmp_path: Path) -> None:
    with embedded.running(tmp_path) as url:
        pid = redis.Redis.from_url(url).info("server")["process_id"]
    assert not socket_path(tmp_path).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_keeps_nothing_between_two_starts(tmp_path: Path) -> None:
    with embedded.running(tmp_path) as url:
        redis.Redis.from_url(url).set("word", "gone")
    with embedded.running(tmp_path) as url:
        assert redis.Redis.from_url(url).get("word") is None


def test_a_second_server_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        embedded.running(tmp_path),
        pytest.raises(embedded.EmbeddedError, match="Another private Valkey server"),
        embedded.running(tmp_path),
    ):
        pass


def test_a_stale_socket_file_does_not_hinder_the_start(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(socket_path(tmp_path)))
    assert not embedded.answers(socket_path(tmp_path))
    with embedded.running(tmp_path) as url:
        assert redis.Redis.from_url(url).ping()


def test_a_server_left_over_from_a_killed_start_is_replaced(tmp_path: Path) -> None:
    left_over = subprocess.Popen(embedded.command(tmp_path), stdout=subprocess.DEVNULL)
    embedded.wait_until_ready(left_over, tmp_path)
    with embedded.running(tmp_path) as url:
        assert left_over.wait(5) == 0
        assert redis.Redis.from_url(url).info("server")["process_id"] != left_over.pid


def test_a_long_path_falls_back_to_a_private_temporary_folder(tmp_path: Path) -> None:
    var_dir = tmp_path / ("long-" * 30)
    path = socket_path(var_dir)
    assert len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES
    try:
        with embedded.running(var_dir) as url:
            assert redis.Redis.from_url(url).ping()
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        path.parent.rmdir()


def test_a_temporary_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    var_dir = tmp_path / ("wide-" * 30)
    folder = socket_path(var_dir).parent
    folder.mkdir()
    folder.chmod(0o777)
    try:
        with pytest.raises(embedded.EmbeddedError, match="is not private"), embedded.running(var_dir):
            pass
    finally:
        folder.rmdir()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time, pathlib; from crossmodal import embedded\n"
        "with embedded.running(pathlib.Path(sys.argv[1])): print('ready', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    assert embedded.answers(socket_path(tmp_path))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 5
    while embedded.answers(socket_path(tmp_path)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with embedded.running(tmp_path) as url:
        assert redis.Redis.from_url(url).ping()


def test_a_missing_wheel_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(embedded.EmbeddedError, match="set REDIS_URL"):
        embedded.find_program()
