"""Fixtures of the pipeline's tests: a private queue server, and tiny recordings."""

import math
import struct
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from crossmodal import embedded
from tests.pipeline.page_fixtures import queued

__all__ = ["queued"]

RATE_HZ = 16_000
# Three cues of three seconds that the three classifiers agree on, one that is too short, one with too few words.
CUES = [
    (0, 3000, "What a wonderful and happy day we had together."),
    (3000, 6000, "The train leaves from platform nine at seven."),
    (6000, 9000, "It was a terrible and horrible disaster for everybody."),
    (9700, 10700, "This great cue is much too short."),
    (11400, 13900, "Yes indeed."),
]


def vtt(cues: list[tuple[int, int, str]] = CUES) -> str:
    def clock(ms: int) -> str:
        return f"{ms // 60000:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"

    return "WEBVTT\n\n" + "\n".join(f"{clock(start)} --> {clock(end)}\n{text}\n" for start, end, text in cues)


def write_wav(path: Path, seconds: float = 14.0) -> Path:
    """A tone that grows louder and higher, so that no two seconds are alike."""
    samples = (
        int((4000 + 1500 * n / RATE_HZ) * math.sin(2 * math.pi * (200 + 20 * n / RATE_HZ) * n / RATE_HZ))
        for n in range(int(seconds * RATE_HZ))
    )
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", max(-32768, min(32767, sample))) for sample in samples))
    return path


@pytest.fixture(scope="session")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("recordings") / "talk.wav")


@pytest.fixture(scope="session")
def _queue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded.running(tmp_path_factory.mktemp("queues") / "var") as url:
        yield url


@pytest.fixture
def redis(_queue_server: str, settings: Any) -> Iterator["Redis"]:
    """A private queue server, empty, that the pipeline's queues use."""
    settings.REDIS_URL = _queue_server
    client = Redis.from_url(_queue_server)
    client.flushall()
    yield client
    client.close()


class Command:
    """Runs a management command as the shell would: exit status, standard output, standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, name: str, *arguments: Any) -> tuple[int, str, str]:
        self.capsys.readouterr()
        try:
            call_command(name, *map(str, arguments))
            status = 0
        except CommandError as error:
            print(error, file=sys.stderr)  # noqa: T201
            status = error.returncode
        except SystemExit as error:
            status = int(error.code or 0)
        out, err = self.capsys.readouterr()
        return status, out, err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)
