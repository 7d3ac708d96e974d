"""One process that starts the others, restarts what dies, and leaves nothing behind when it ends.

Every service leads a session of its own, so that a Ctrl-C reaches the supervisor alone, and so that whatever a
service started (a worker's job runs in its own process group) can be found by its session and ended with it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from crossmodal.processes import die_with_parent

POLL_S = 0.2
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
# A service that ran this long before it died starts again with the first pause.
STABLE_S = 60.0
# How long jobs that are nearly done may take to finish after the first Ctrl-C.
GRACE_S = 8.0
MAX_LOG_BYTES = 10 * 1024 * 1024

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ServiceError(Exception):
    """A service cannot run; the message says which, why, and where its log is."""


@dataclass
class Service:
    """A child process: how to start it, and what became of it."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None  # run ahead of each start, to clear what the last one left
    needs: str = ""  # started again when this other service had to be
    last: bool = False  # stopped after all others
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


def sessions_of(leaders: set[int]) -> list[int]:
    """Processes that belong to the sessions of these leaders, the leaders included."""
    if Path("/proc/self").exists():
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    else:
        pids = [int(word) for word in subprocess.check_output(["ps", "-axo", "pid="]).split()]
    members = []
    for pid in pids:
        try:
            if os.getsid(pid) in leaders:
                members.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return members


def kill_sessions(leaders: set[int]) -> None:
    """Kill what is alive in these sessions."""
    for pid in sessions_of(leaders) if leaders else []:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


class Supervisor:
    """Keeps services alive until it is asked to stop."""

    def __init__(
        self, log_dir: Path, say: Callable[[str], None], *, cwd: Path | None = None, grace_s: float = GRACE_S
    ) -> None:
        self.log_dir = log_dir
        self.cwd = cwd
        self._say = say
        self.grace_s = grace_s
        self.services: list[Service] = []
        self.stop_requests = 0
        self.on_restart: Callable[[Service], None] = lambda service: None

    def say(self, text: str) -> None:
        """Tell whoever watches; a terminal that was closed must not keep the services from being stopped."""
        with suppress(OSError):
            self._say(text)

    # ------------------------------------------------------------ one service

    def log_of(self, service: Service) -> Path:
        return self.log_dir / f"{service.name}.log"

    def start(self, service: Service) -> None:
        """Start a service and keep it in the list of those to look after."""
        if service.before is not None:
            service.before()
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with self.log_of(service).open("ab") as log:
            service.process = subprocess.Popen(
                list(service.command),
                cwd=self.cwd,
                env={**os.environ, **service.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        service.started = time.monotonic()
        if service not in self.services:
            self.services.append(service)

    def fail_if_dead(self, service: Service) -> None:
        """ServiceError when a service that is being waited for has ended."""
        if service.process is not None and (status := service.process.poll()) is not None:
            raise ServiceError(self.describe_end(service, status))

    def describe_end(self, service: Service, status: int) -> str:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return f"{service.name} {how}{self.last_words(service)} (log: {self.log_of(service)})"

    def last_words(self, service: Service) -> str:
        """The last line of a service's log, often the reason of its end."""
        try:
            lines = self.log_of(service).read_bytes()[-4000:].decode(errors="replace").split("\n")
        except OSError:
            return ""
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last[:200]}" if last else ""

    # ------------------------------------------------------------ while running

    def look_after(self) -> None:
        """One round: note who died, start again whose pause is over, keep logs small."""
        now = time.monotonic()
        for service in self.services:
            if service.process is not None and (status := service.process.poll()) is not None:
                kill_sessions({service.process.pid})
                service.process = None
                service.failures = 1 if now - service.started > STABLE_S else service.failures + 1
                pause = min(FIRST_PAUSE_S * 2 ** (service.failures - 1), LONGEST_PAUSE_S)
                service.next_start = now + pause
                self.say(f"{self.describe_end(service, status)}; starting it again in {pause:.0f} s.")
            elif service.process is None and now >= service.next_start:
                self.start_again(service)
            with suppress(OSError):  # on a full disk the log stays long until there is room
                self.shorten_log(service)

    def start_again(self, service: Service) -> None:
        """Start a service that died; where the machine has no room for it now, try later."""
        try:
            self.start(service)
        except (OSError, subprocess.SubprocessError) as error:
            service.failures += 1
            pause = min(FIRST_PAUSE_S * 2 ** (service.failures - 1), LONGEST_PAUSE_S)
            service.next_start = time.monotonic() + pause
            self.say(f"{service.name} cannot be started ({error}); trying again in {pause:.0f} s.")
            return
        self.restart_dependants(service)
        with suppress(OSError):  # a terminal that was closed, as in `say`
            self.on_restart(service)

    def restart_dependants(self, service: Service) -> None:
        for other in self.services:
            if other.needs == service.name and other.running:
                assert other.process is not None  # noqa: S101
                other.failures = 0
                other.started = 0.0
                other.process.send_signal(signal.SIGTERM)

    def shorten_log(self, service: Service) -> None:
        """Start a log over once it is large; the service appends, so it goes on at the new beginning."""
        log = self.log_of(service)
        if not log.exists() or log.stat().st_size <= MAX_LOG_BYTES:
            return
        old = log.with_suffix(".old.log")
        try:
            old.write_bytes(log.read_bytes())
        except OSError:  # where a disk is full, old lines are what can be spared
            old.unlink(missing_ok=True)
        os.truncate(log, 0)

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Look after the services until the first Ctrl-C, SIGTERM or SIGHUP."""
        while not self.stop_requests:
            self.look_after()
            between()
            time.sleep(POLL_S)

    # ------------------------------------------------------------ stopping

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop_requests += 1

    @contextmanager
    def stopping_at_the_end(self) -> Iterator["Supervisor"]:
        """Turn signals into requests to stop, and stop every service when the block ends, however it ends."""
        before = {number: signal.signal(number, self.request_stop) for number in STOP_SIGNALS}
        try:
            yield self
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask everything to end, wait a little, then kill; a second request kills at once."""
        if any(service.running for service in self.services):
            self.say("Stopping. (Ctrl-C again stops at once.)")
        for group in ([s for s in self.services if not s.last], [s for s in self.services if s.last]):
            running = [service for service in group if service.running]
            for service in running:
                assert service.process is not None  # noqa: S101
                service.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + self.grace_s
            while any(service.running for service in running):
                if time.monotonic() > deadline or self.stop_requests > 1:
                    break
                time.sleep(0.05)
            kill_sessions({service.process.pid for service in group if service.process is not None})
            for service in group:
                if service.process is not None:
                    service.process.wait()


def python_command(*arguments: str) -> list[str]:
    """A command line of this Python, which children must share."""
    return [sys.executable, *arguments]
