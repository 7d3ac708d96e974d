"""The supervisor, with real processes."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossmodal import supervisor
from crossmodal.supervisor import Service, ServiceError, Supervisor, python_command, sessions_of

SLEEP = "import time; time.sleep(60)"
# What an RQ worker does with a job: the child leaves the process group but not the session.
FORKING = """
import os, signal, sys, time, pathlib
child = os.fork()
if child == 0:
    os.setpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
pathlib.Path(sys.argv[1]).write_text(str(child))
signal.signal(signal.SIGTERM, lambda *_: os.waitpid(child, 0))
time.sleep(60)
"""


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def chief(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.1)
    chief = Supervisor(tmp_path / "logs", said.append, grace_s=1.0)
    with chief.stopping_at_the_end():
        yield chief


def pid_of(service: Service) -> int:
    assert service.process is not None
    return service.process.pid


def look_after_until(chief: Supervisor, condition: Callable[[], bool]) -> None:
    def condition_after_a_round() -> bool:
        chief.look_after()
        return condition()

    wait_for(condition_after_a_round)


def test_a_dead_service_is_started_again(chief: Supervisor, said: list[str]) -> None:
    service = Service("sleeper", python_command("-c", SLEEP))
    chief.start(service)
    first = pid_of(service)
    os.kill(first, signal.SIGKILL)
    look_after_until(chief, lambda: service.process is not None and pid_of(service) != first)
    assert service.running
    assert said == [
        f"sleeper was ended by SIGKILL (log: {chief.log_of(service)}); starting it again in 0 s.",
    ]


def test_pauses_grow_and_are_bounded(chief: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.3)
    service = Service("failing", python_command("-c", "raise SystemExit('no such thing')"))
    chief.start(service)
    pauses = []
    for _ in range(4):
        wait_for(lambda: not service.running)
        before = time.monotonic()
        chief.look_after()
        pauses.append(service.next_start - before)
        service.next_start = 0.0
        chief.look_after()
    assert pauses == pytest.approx([0.1, 0.2, 0.3, 0.3], abs=0.05)


def test_the_last_line_of_the_log_is_given_as_the_reason(chief: Supervisor, said: list[str]) -> None:
    service = Service("failing", python_command("-c", "raise SystemExit('The port is taken.')"))
    chief.start(service)
    wait_for(lambda: not service.running)
    chief.look_after()
    assert said[0].startswith("failing ended with status 1: The port is taken. (log: ")


def test_waiting_for_a_dead_service_is_an_error(chief: Supervisor) -> None:
    service = Service("failing", python_command("-c", "raise SystemExit(3)"))
    chief.start(service)
    wait_for(lambda: not service.running)
    with pytest.raises(ServiceError, match="failing ended with status 3"):
        chief.fail_if_dead(service)


def test_services_that_need_another_are_started_again_with_it(chief: Supervisor) -> None:
    queue = Service("queue", python_command("-c", SLEEP))
    worker = Service("worker", python_command("-c", SLEEP), needs="queue")
    web = Service("web", python_command("-c", SLEEP))
    for service in (queue, worker, web):
        chief.start(service)
    before = [pid_of(service) for service in (queue, worker, web)]
    restarted: list[str] = []
    chief.on_restart = lambda service: restarted.append(service.name)
    os.kill(before[0], signal.SIGKILL)
    look_after_until(chief, lambda: restarted == ["queue", "worker"])
    assert [pid_of(service) == pid for service, pid in zip((queue, worker, web), before, strict=True)] == [
        False,
        False,
        True,
    ]


def test_stopping_leaves_no_process_behind(chief: Supervisor, tmp_path: Path) -> None:
    service = Service("worker", python_command("-c", FORKING, str(tmp_path / "child")))
    chief.start(service)
    wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")
    child = int((tmp_path / "child").read_text())
    leader = pid_of(service)
    assert sorted(sessions_of({leader})) == sorted([leader, child])
    began = time.monotonic()
    chief.stop()
    assert time.monotonic() - began >= chief.grace_s  # the job was given its time
    wait_for(lambda: not alive(child))
    assert not alive(leader)


def test_a_second_request_stops_at_once(chief: Supervisor, tmp_path: Path) -> None:
    chief.grace_s = 30
    service = Service("worker", python_command("-c", FORKING, str(tmp_path / "child")))
    chief.start(service)
    wait_for(lambda: (tmp_path / "child").exists())
    chief.stop_requests = 1
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    chief.stop()
    assert 0.2 < time.monotonic() - began < 5
    assert chief.stop_requests == 2


def test_a_process_left_by_a_dead_service_is_ended(chief: Supervisor, tmp_path: Path) -> None:
    service = Service("worker", python_command("-c", FORKING, str(tmp_path / "child")))
    chief.start(service)
    wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")
    child = int((tmp_path / "child").read_text())
    os.kill(pid_of(service), signal.SIGKILL)
    wait_for(lambda: not service.running)
    assert alive(child)
    chief.look_after()
    wait_for(lambda: not alive(child))


def test_the_queue_server_is_stopped_after_those_who_use_it(chief: Supervisor, tmp_path: Path) -> None:
    script = (
        "import signal, sys, time, pathlib\n"
        "def stop(*_): pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop); pathlib.Path(sys.argv[1] + sys.argv[2]).touch(); time.sleep(60)"
    )
    order = tmp_path / "order"
    chief.start(Service("queue", python_command("-c", script, str(order), "queue"), last=True))
    chief.start(Service("worker", python_command("-c", script, str(order), "worker ")))
    wait_for(lambda: (tmp_path / "orderqueue").exists() and (tmp_path / "orderworker ").exists())
    chief.stop()
    assert order.read_text() == "worker queue"


def test_services_are_stopped_also_when_the_terminal_was_closed(tmp_path: Path) -> None:
    def closed(text: str) -> None:
        raise OSError(5, "Input/output error")

    chief = Supervisor(tmp_path, closed)
    with chief.stopping_at_the_end():
        service = Service("sleeper", python_command("-c", SLEEP))
        chief.start(service)
        pid = pid_of(service)
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGHUP)).start()
        chief.run()
    assert not alive(pid)


def test_a_large_log_starts_over(chief: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MAX_LOG_BYTES", 100)
    service = Service("talker", python_command("-c", "print('x' * 200, flush=True); import time; time.sleep(60)"))
    chief.start(service)
    wait_for(lambda: chief.log_of(service).stat().st_size > 100)
    chief.look_after()
    assert chief.log_of(service).stat().st_size == 0
    assert (chief.log_dir / "talker.old.log").read_text() == "x" * 200 + "\n"


def test_a_service_that_cannot_be_started_now_is_started_later(chief: Supervisor, said: list[str]) -> None:
    problems = [OSError(errno.EAGAIN, "Resource temporarily unavailable"), subprocess.SubprocessError("preexec_fn")]

    def before() -> None:
        if service.failures and problems:
            raise problems.pop()

    service = Service("a", python_command("-c", SLEEP), before=before)
    chief.start(service)
    os.kill(pid_of(service), signal.SIGKILL)
    look_after_until(chief, lambda: not service.running)
    look_after_until(chief, lambda: service.running)
    assert not problems
    assert any("a cannot be started ([Errno 11]" in text for text in said)


def test_a_closed_terminal_is_no_reason_to_end_after_a_restart(chief: Supervisor) -> None:
    def on_restart(service: Service) -> None:
        raise BrokenPipeError

    chief.on_restart = on_restart
    service = Service("a", python_command("-c", SLEEP))
    chief.start(service)
    os.kill(pid_of(service), signal.SIGKILL)
    look_after_until(chief, lambda: not service.running)
    look_after_until(chief, lambda: service.running)


def test_a_large_log_on_a_full_disk_is_emptied_and_the_services_go_on(
    chief: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    service = Service("a", python_command("-c", f"print('x' * 1000, flush=True); {SLEEP}"))
    chief.start(service)
    wait_for(lambda: chief.log_of(service).stat().st_size > 1000)
    monkeypatch.setattr(supervisor, "MAX_LOG_BYTES", 100)
    monkeypatch.setattr(Path, "write_bytes", fail)
    chief.look_after()
    assert service.running
    assert [(path.name, path.stat().st_size) for path in chief.log_dir.iterdir()] == [("a.log", 0)]


def test_a_service_that_cannot_be_started_now_is_tried_again_later(
    chief: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, other = Service("a", python_command("-c", "")), Service("b", python_command("-c", SLEEP))
    chief.start(service)
    chief.start(other)
    wait_for(lambda: not service.running)

    def looked() -> bool:
        chief.look_after()
        return True

    looked()
    shutil.rmtree(chief.log_dir)
    chief.log_dir.touch()  # no log can be opened
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.2)
    wait_for(lambda: looked() and any("a cannot be started" in text for text in said))
    assert other.running
    chief.log_dir.unlink()
    wait_for(lambda: looked() and service.process is not None)


def test_signals_become_requests_to_stop(tmp_path: Path) -> None:
    chief = Supervisor(tmp_path, lambda text: None)
    before = signal.getsignal(signal.SIGTERM)
    with chief.stopping_at_the_end():
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        chief.run()
    assert chief.stop_requests == 1
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_services_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys, pathlib
        from crossmodal.supervisor import Service, Supervisor, python_command
        chief = Supervisor(pathlib.Path(sys.argv[1]) / "logs", print)
        with chief.stopping_at_the_end():
            service = Service("sleeper", python_command("-c", sys.argv[2]))
            chief.start(service)
            print(service.process.pid, flush=True)
            chief.run()
    """)
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), SLEEP], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    leader = int(parent.stdout.readline())
    assert alive(leader)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not alive(leader))
