"""Fixtures of the pipeline's tests: a private queue server, and tiny recordings."""

import math
import struct
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from crossmodal import embedded
from pipeline.stages import disk, speech_gate
from tests.limited_disk import limited_disk
from tests.pipeline.list_fixtures import feeds, worker
from tests.pipeline.page_fixtures import queued

__all__ = ["feeds", "queued", "worker"]


from collections.abc import Callable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from pipeline import caption_fetching, fetching, intake, jobs, labelling
from pipeline.choices import RunState, VideoState
from pipeline.labels import LABELS
from pipeline.models import TrainingRun, Video
from pipeline.queues import QueueUnavailable
from pipeline.stages.download import Captions, Download, VideoIdentity
from pipeline.stages.feature_file import FeatureTable, write_features
from pipeline.stages.features import DEFAULT_EXTRACTOR, get_extractor
from tests.factories import Factory

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


@pytest.fixture(autouse=True)
def heard_as_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tone of `write_wav` passes for speech; tests of the speech gate undo this."""
    monkeypatch.setattr(speech_gate, "speech_shares", lambda path, spans, **options: np.ones(len(spans)))


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


# ---------------------------------------------------------------- jobs

Downloader = Callable[..., None]


@pytest.fixture
def next_jobs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the jobs queued, instead of a queue server."""
    calls: list[tuple[Any, ...]] = []
    for module in (fetching, labelling):
        monkeypatch.setattr(module, "enqueue_on_commit", lambda *call: calls.append(call))
    return calls


@pytest.fixture
def uploaded(factory: Factory, wav: Path) -> Video:
    """A video whose recording and captions were uploaded."""
    video = factory.make_video(
        state=VideoState.QUEUED, extractor="upload", url="", captions_kind="uploaded", duration_s=None
    )
    video.source.save("talk.wav", ContentFile(wav.read_bytes()))
    video.captions.save("talk.vtt", ContentFile(vtt().encode()))
    return video


@pytest.fixture
def online(factory: Factory) -> Video:
    return factory.make_video(state=VideoState.QUEUED, title="", duration_s=None, captions_kind="")


@pytest.fixture
def no_pause(settings: Any) -> None:
    """Downloads of one site follow each other at once."""
    settings.DOWNLOAD_PAUSE_S = {"": 0}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, wav: Path, no_pause: None) -> Downloader:
    """Sets what the next download brings or raises."""

    def brings(captions: str | None = None, **changes: Any) -> None:
        def download(url: str, *, folder: Path, **options: Any) -> Download:
            if "error" in changes:
                raise changes["error"]
            if "meanwhile" in changes:
                changes["meanwhile"]()
            recording = folder / "recording"
            recording.write_bytes(wav.read_bytes())
            path = folder / "recording.en.vtt" if captions is not None else None
            if path and captions is not None:
                path.write_text(captions)
            identity = changes.get("identity") or VideoIdentity("youtube", url.rpartition("=")[2], url)
            kind = changes.get("kind", "manual" if path else "")
            return Download(recording, path, kind, "A talk", 13.0, identity, changes.get("kept_back"))

        def download_captions(url: str, *, folder: Path, **options: Any) -> Captions:
            if "error" in changes:
                raise changes["error"]
            path = folder / "recording.en.vtt" if captions is not None else None
            if path and captions is not None:
                path.write_text(captions)
            return Captions(path, changes.get("kind", "manual" if path else ""), changes.get("kept_back"))

        monkeypatch.setattr(fetching, "download", download)
        monkeypatch.setattr(caption_fetching, "download_captions", download_captions)

    return brings


def stored_files() -> set[str]:
    return set(default_storage.listdir("video")[1]) if default_storage.exists("video") else set()


@pytest.fixture
def segmented(uploaded: Video, next_jobs: list[Any]) -> Video:
    jobs.fetch_video(uploaded.pk)
    next_jobs.clear()
    return Video.objects.get(pk=uploaded.pk)


NAMES = tuple(get_extractor(DEFAULT_EXTRACTOR).feature_names)
# Features of made-up tables that differ between segments; the others are 0.
USED = 20


def make_ready_video(factory: Factory, tmp_path: Path, seed: int, n: int = 12, **columns: Any) -> Video:
    """A ready video whose features tell the classes apart; each fifth segment has no label."""
    random = np.random.default_rng(seed)
    video = factory.make_video(**columns)
    X = np.zeros((n, len(NAMES)))
    for position in range(n):
        number = position % 3
        factory.make_segment(video, label=None if position % 5 == 4 else LABELS[number])
        loc = [3.0 * number, -2.0 * number] + [0.0] * (USED - 2)
        X[position, :USED] = random.normal(loc=loc, scale=0.5)
    path = tmp_path / f"features-{seed}.npz"
    write_features(path, FeatureTable(X=X, names=NAMES, keys=np.arange(n), extractor=DEFAULT_EXTRACTOR))
    video.features.save("features.npz", ContentFile(path.read_bytes()))
    return video


@pytest.fixture
def videos(factory: Factory, tmp_path: Path) -> list[Video]:
    return [make_ready_video(factory, tmp_path, seed) for seed in range(4)]


@pytest.fixture
def run(factory: Factory) -> TrainingRun:
    return factory.make_run(state=RunState.QUEUED, c_values=[0.1, 1.0], folds=2, seed=3)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*job: Any) -> None:
        raise QueueUnavailable

    monkeypatch.setattr(intake, "enqueue_on_commit", fail)


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
