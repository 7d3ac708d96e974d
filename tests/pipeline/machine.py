"""One installation for tests of the whole path: settings, database and files of its own, real workers."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.conftest import ROOT


class Machine:
    """The processes that a test starts, and what they leave in the database."""

    def __init__(self, var_dir: Path, redis_url: str, settings: Mapping[str, str]) -> None:
        self.database = var_dir / "crossmodal.sqlite3"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "DJANGO_SETTINGS_MODULE": "crossmodal.settings",
            "DATABASE_URL": "",
            "VAR_DIR": str(var_dir),
            "REDIS_URL": redis_url,
            "SECRET_KEY": "tests-only-" + "x" * 40,
            **settings,
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.log_path = var_dir / "workers.log"
        self.log = self.log_path.open("wb")

    def manage(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def add(self, *urls: str) -> list[int]:
        document = self.manage("add_video", *urls, "--split", "train", "--format", "json")
        return [video["id"] for video in json.loads(document)["created"]]

    def start_worker(
        self, number: int = 1, *, queues: str = "download compute", **settings: str
    ) -> "subprocess.Popen[bytes]":
        """Have so many workers run, and return one of them; settings are for the new ones alone."""
        command = [sys.executable, "manage.py", "rqworker", *queues.split()]
        environment = {**self.environment, **settings}
        running = [worker for worker in self.workers if worker.poll() is None]
        while len(running) < number:
            worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log)
            self.workers.append(worker)
            running.append(worker)
        return running[-1]

    def stop_worker(self) -> None:
        """End the running worker as an operator does, after the job at hand."""
        self.workers[-1].terminate()
        self.workers[-1].wait(30)

    def stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.log.close()

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def change(self, statement: str, *values: Any) -> None:
        """Let time pass, most often: what is due in an hour is due now."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            connection.execute(statement, values)

    def video(self, pk: int) -> dict[str, Any]:
        return self.rows("SELECT * FROM pipeline_video WHERE id = ?", pk)[0]


def wait_for(condition: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
