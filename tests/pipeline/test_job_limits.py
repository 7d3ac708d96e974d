"""The limits of one job: how large they are, that they hold, and what is told where one is reached."""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import claims, job_limits, jobs
from pipeline.checks import check_job_limits
from pipeline.choices import RunState, VideoState
from pipeline.job_limits import DOWNLOAD_MEMORY_BYTES, GIB, MARGIN_BYTES, LimitReachedError, limits_of
from pipeline.models import TrainingRun, Video
from pipeline.stages.errors import StageError
from tests.conftest import ROOT
from tests.factories import Factory
from tests.pipeline.conftest import Downloader

FETCH, EXTRACT = "pipeline.jobs.fetch_video", "pipeline.jobs.extract_features"


@pytest.fixture(autouse=True)
def _own_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of this process is changed."""
    monkeypatch.setattr(job_limits, "_here", None)
    monkeypatch.setattr(job_limits, "_limit", lambda name, value: None)


@pytest.mark.parametrize(
    ("there", "given"),
    [(16 * GIB, DOWNLOAD_MEMORY_BYTES), (2 * GIB, int(1.8 * GIB)), (GIB, GIB)],
    ids=["machine", "container", "small"],
)
def test_a_download_meets_its_limit_before_its_container_does(
    there: int, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_limits, "memory_there", lambda: there)
    assert limits_of(FETCH).memory == given


def test_a_worker_says_that_its_container_is_too_small(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(job_limits, "memory_there", lambda: GIB)
    job_limits.warn_of_little_memory()
    assert not caplog.messages
    monkeypatch.setattr(job_limits, "memory_there", lambda: 200 * job_limits.MIB)
    job_limits.warn_of_little_memory()
    assert "There are 200 MB of memory here, and a worker needs 1.0 GB" in caplog.text


def test_a_download_has_the_same_limits_on_all_large_machines(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_limits, "memory_there", lambda: 16 * GIB)
    settings.MAX_VIDEO_BYTES, settings.MAX_UPLOAD_BYTES, settings.MAX_VIDEO_DURATION_S = 3 * GIB, 2 * GIB, 3600
    limits = limits_of(FETCH)
    assert limits.memory == DOWNLOAD_MEMORY_BYTES
    assert 0 <= limits.file - (3 * GIB + MARGIN_BYTES) < GIB / 10, "and a database in a file"


def test_a_long_recording_may_be_decoded(settings: Any) -> None:
    settings.MAX_VIDEO_BYTES, settings.MAX_UPLOAD_BYTES, settings.MAX_VIDEO_DURATION_S = 10**6, 10**6, 10**6
    assert limits_of(FETCH).file > 10**6 * 16_000 * 2


@pytest.mark.parametrize(
    ("there", "asked", "given"), [(16 * GIB, 0, 8 * GIB), (GIB, 0, GIB), (16 * GIB, 12 * GIB, 12 * GIB)]
)
def test_a_compute_job_gets_half_of_the_memory_or_what_is_set(
    there: int, asked: int, given: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_limits, "memory_there", lambda: there)
    settings.MAX_JOB_MEMORY_BYTES = asked
    assert limits_of(EXTRACT).memory == given
    assert limits_of(EXTRACT).file >= given


def test_the_memory_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = job_limits.memory_there()
    monkeypatch.setattr(job_limits, "CGROUPS", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    assert job_limits.memory_there() >= there
    (tmp_path / "memory.max").write_text("12345678\n")
    assert job_limits.memory_there() == 12345678


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_JOB_MEMORY_BYTES", -1), ("MAX_JOB_MEMORY_BYTES", 4), ("MAX_VIDEO_BYTES", 0), ("MAX_UPLOAD_BYTES", -5)],
)
def test_a_limit_under_which_no_job_could_end_is_told_at_the_start(name: str, value: int, settings: Any) -> None:
    assert check_job_limits() == []
    setattr(settings, name, value)
    (problem,) = check_job_limits()
    assert problem.msg.startswith(f"{name} is {value}; write ")


def hidden(error: Exception, *, wrapped_in: type[Exception] = StageError) -> Exception:
    outer = wrapped_in("The site's page could not be read.")
    outer.__cause__ = error
    return outer


ERRORS: dict[str, Callable[[], Exception]] = {
    "memory": MemoryError,
    "memory hidden by a stage": lambda: hidden(MemoryError()),
    "memory in a handler": lambda: hidden(MemoryError(), wrapped_in=KeyError),
    "file": lambda: OSError(errno.EFBIG, "File too large"),
    "file hidden by a stage": lambda: hidden(OSError(errno.EFBIG, "File too large")),
}


@pytest.mark.parametrize("kind", list(ERRORS))
def test_a_limit_ends_the_video_with_a_sentence_at_once(
    kind: str, online: Video, site: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    job_limits.limit_this_process(FETCH)
    site(error=ERRORS[kind]())
    jobs.fetch_video(online.pk)
    video = Video.objects.get()
    assert video.state == VideoState.FAILED
    needs = "more memory than the 2.0 GB that a job may take" if "memory" in kind else "a file of more than"
    assert needs in video.error_message
    assert "Traceback" not in caplog.text
    assert (video.deaths, video.can_retry) == (0, True)


def test_a_training_that_needs_too_much_says_what_to_do(
    run: TrainingRun, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MAX_JOB_MEMORY_BYTES = 3 * GIB
    job_limits.limit_this_process("pipeline.jobs.train")
    monkeypatch.setattr("pipeline.modelling.train", _needs_too_much)
    jobs.train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "than the 3.0 GB that a job may take; raise MAX_JOB_MEMORY_BYTES" in run.error_message


def _needs_too_much(*args: Any) -> None:
    raise MemoryError


def test_without_a_limit_the_machine_is_named(factory: Factory) -> None:
    video = factory.make_video(state=VideoState.EXTRACTING)
    claims.carry_out(video, _needs_too_much)
    assert "needs more memory than there is" in Video.objects.get().error_message


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(KeyError), job_limits.telling():
        raise KeyError
    with pytest.raises(LimitReachedError), job_limits.telling():
        raise LimitReachedError("Told inside.")


# In processes of their own, with the limits of the kernel.

PRELUDE = """
import django, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from pipeline import job_limits
"""


def in_a_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", PRELUDE + code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts all memory")
def test_the_limits_hold_and_are_lifted_for_the_telling(tmp_path: Path) -> None:
    said = in_a_process(f"""
import numpy
job_limits.DOWNLOAD_MEMORY_BYTES, job_limits.MARGIN_BYTES = 400 * job_limits.MIB, 0
from django.conf import settings
settings.MAX_VIDEO_BYTES = settings.MAX_UPLOAD_BYTES = settings.MAX_VIDEO_DURATION_S = 1000
job_limits.limit_this_process("{FETCH}")
def file():
    with open("{tmp_path}/large", "wb") as target:
        target.write(bytes(40_000_000))
for take in (lambda: bytearray(2**30), lambda: numpy.ones(2**27), lambda: [[] for _ in range(10**8)], file):
    try:
        with job_limits.telling():
            take()
    except job_limits.LimitReachedError as told:
        print(told, len(bytearray(2**30)) == 2**30, flush=True)
    job_limits.limit_this_process("{FETCH}")
""")
    lines = said.splitlines()
    assert [("memory" in line, "True" in line) for line in lines] == [(True, True)] * 3 + [(False, True)]
    assert (tmp_path / "large").stat().st_size < 40_000_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts all memory")
def test_the_javascript_runtime_works_under_the_limits_of_a_download() -> None:
    said = in_a_process(f"""
from pipeline.workers import load
load({{"download"}})
job_limits.limit_this_process("{FETCH}")
from pipeline.download_settings import download_options
from pipeline.stages.ytdlp_selftest import run_self_test
print(run_self_test(download_options()))
""")
    assert said.startswith("SelfTest(solved=True"), said


def test_a_system_without_such_limits_goes_on_without() -> None:
    said = in_a_process(f"""
job_limits.resource = None
job_limits.limit_this_process("{FETCH}")
print("went on")
""")
    assert said == "went on\n"
