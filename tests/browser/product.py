"""The whole product as a user starts it: `manage.py up` with files of its own, nothing shared with the tests."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Product:
    """A running Crossmodal: where its pages are, its first login, and its database."""

    url: str
    password: str
    var_dir: Path
    env: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Standard output of a management command, which must succeed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.var_dir / 'crossmodal.sqlite3'}?mode=ro", uri=True, timeout=30) as database:
            return database.execute(sql, values).fetchall()

    def wait_for(self, sql: str, *values: Any, expected: Any, timeout_s: float) -> None:
        """Until the first column of the first row is as expected."""
        deadline = time.monotonic() + timeout_s
        while (rows := self.query(sql, *values)) != [(expected,)]:
            assert time.monotonic() < deadline, f"after {timeout_s} s still {rows}, not {expected}: {sql} {values}"
            time.sleep(0.5)


def _environment(var_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "crossmodal.settings",
        "VAR_DIR": str(var_dir),
        "STATIC_ROOT": str(var_dir / "static"),
        "DEMO_SITE_PORT": str(free_port()),
        **more,
    }


@contextmanager
def running_product(var_dir: Path, **more: str) -> Iterator[Product]:
    """Start everything, wait for the address, and stop it with a Ctrl-C at the end."""
    env, port, log = _environment(var_dir, **more), free_port(), var_dir.parent / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "up", "--port", str(port)],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while "is ready" not in (said := log.read_text()):
            assert up.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        login = re.search(r"sign in as \S+ with the password (\S+)", said)
        assert login, said
        yield Product(url=f"http://127.0.0.1:{port}", password=login[1], var_dir=var_dir, env=env)
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(timeout=60)
        finally:
            up.kill()
