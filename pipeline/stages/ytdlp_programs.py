"""No program but the JavaScript runtime is started while yt-dlp works."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from yt_dlp.downloader import dash, hls
from yt_dlp.downloader.external import ExternalFD, FFmpegFD
from yt_dlp.utils import Popen

from pipeline.stages.download_options import JsRuntime
from pipeline.stages.errors import StageError

# A folder that is not there. An empty text would mean the current folder to `os.get_exec_path`.
NO_PROGRAMS: Final = "/nonexistent"
# What a runtime needs to start and to write text; no setting of this installation is among them.
KEPT_VARIABLES: Final = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TMPDIR", "TZ")
# Python's audit events (PEP 578) of everything that starts a process.
STARTS: Final = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "pty.spawn",
        "os.startfile",
    }
)


@dataclass(frozen=True, eq=False)
class _Confined:
    """One extraction: its thread, the threads that were there before it, and the one program that it may start."""

    thread: int
    bystanders: frozenset[int]
    runtime: str


class _Confinement:
    """The extractions that go on in this process, and the search path that waits for the last of them to end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._going_on: tuple[_Confined, ...] = ()
        self._path: str | None = None

    def enter(self, confined: _Confined) -> None:
        with self._lock:
            if not self._going_on:
                self._path = os.environ.get("PATH")
                os.environ["PATH"] = NO_PROGRAMS
            self._going_on += (confined,)

    def leave(self, confined: _Confined) -> None:
        with self._lock:
            self._going_on = tuple(one for one in self._going_on if one is not confined)
            if self._going_on:
                return
            if self._path is None:
                os.environ.pop("PATH", None)
            else:
                os.environ["PATH"] = self._path

    def current(self) -> _Confined | None:
        """The extraction that the calling thread belongs to; a thread that it started belongs to it as well."""
        going_on = self._going_on
        if not going_on:
            return None
        thread = threading.get_ident()
        for one in going_on:
            if one.thread == thread:
                return one
        return next((one for one in going_on if thread not in one.bystanders), None)


_CONFINEMENT: Final = _Confinement()


@contextmanager
def confined(runtime: JsRuntime) -> Iterator[None]:
    """Let this thread start no program but the runtime by its full path, and search none, for a ``with`` block.

    Other threads that were there before go on as they are, but for the search path, which is the process's own.
    """
    bystanders = frozenset(thread.ident for thread in threading.enumerate() if thread.ident is not None)
    one = _Confined(threading.get_ident(), bystanders, str(runtime.path))
    _CONFINEMENT.enter(one)
    try:
        yield
    finally:
        _CONFINEMENT.leave(one)


def runtime_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the runtime sees of an environment: no keys, no passwords, no proxies.

    >>> runtime_environment({"LANG": "C", "SECRET_KEY": "s", "HTTPS_PROXY": "http://ann:secret@proxy"})["LANG"]
    'C'
    """
    kept = {name: environment[name] for name in KEPT_VARIABLES if name in environment}
    # Deno wants a folder for its caches and stops where there is no home; where it cannot make one it uses memory.
    return {**kept, "PATH": os.defpath, "DENO_DIR": "/dev/null/deno", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


def refusal(program: object) -> StageError:
    """The error for a program that something wanted to start."""
    name = Path(os.fsdecode(program)).name if isinstance(program, str | bytes | os.PathLike) else "another program"
    return StageError(
        f"The recording can be fetched with the help of {name[:80]} only, and no other program is started for a "
        "download; upload it as a file."
    )


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in STARTS or (one := _CONFINEMENT.current()) is None:
        return
    program = arguments[0] if arguments else None
    if event == "subprocess.Popen" and program == one.runtime:
        return
    raise refusal(program if event != "os.spawn" else arguments[1])


sys.addaudithook(_audit)
_plain_start = Popen.__init__


def _start(process: Any, args: Any, *rest: Any, **options: Any) -> None:
    """Take the place of yt-dlp's own way to start a program: the runtime, with an environment made for it."""
    one = _CONFINEMENT.current()
    command = [args] if isinstance(args, str | bytes | os.PathLike) else list(args)
    program = options.get("executable") or command[0]
    if one is None or rest or options.get("shell") or options.get("preexec_fn") or str(program) != one.runtime:
        raise refusal(program)
    _plain_start(process, args, **{**options, "env": runtime_environment(os.environ), "cwd": "/"})


def _refuse_external(downloader: Any, *args: Any, **options: Any) -> None:
    raise refusal(getattr(type(downloader), "EXE_NAME", None) or "ffmpeg")


class _NoFFmpeg:
    """Stands where yt-dlp's HLS downloader looks for FFmpeg, which would open what a playlist names unchecked."""

    def __init__(self, *args: Any, **options: Any) -> None:
        raise refusal("ffmpeg")

    @classmethod
    def available(cls, *args: Any) -> bool:
        return False


Popen.__init__ = _start
ExternalFD.real_download = _refuse_external
ExternalFD._call_downloader = FFmpegFD._call_downloader = _refuse_external
hls.FFmpegFD = _NoFFmpeg
# Both ask whether another downloader takes their fragments over.
hls.get_suitable_downloader = dash.get_suitable_downloader = lambda *args, **options: None
