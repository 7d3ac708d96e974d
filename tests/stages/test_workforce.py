"""Training on a Dask cluster: the same result, by other processes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from pipeline.stages import workforce
from pipeline.stages.errors import StageError
from pipeline.stages.training import TrainingParameters, train
from tests.stages.test_training import make_data

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = TrainingParameters(c_values=(0.01, 1.0), folds=3)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers, each a process of its own that can import the stages."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    environment = {
        **{name: value for name, value in os.environ.items() if name != workforce.SCHEDULER_VARIABLE},
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    }
    commands = [
        ["scheduler", "--host", address, "--no-dashboard", "--no-jupyter"],
        *[
            [
                "worker",
                address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--name",
                name,
                "--host",
                "127.0.0.1",
            ]
            for name in ("first", "second")
        ],
    ]
    log = (folder / "log").open("wb")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + role, *options],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
        for role, *options in commands
    ]
    try:
        wait_for_workers(address, 2)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            stop(process)
        log.close()


def stop(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:  # a worker whose scheduler went first keeps calling it
        process.kill()
        process.wait(timeout=10)


def wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    for _ in range(120):
        try:
            with Client(address, timeout=2, set_as_default=False) as client:
                client.wait_for_workers(count, timeout=60)
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the cluster did not start")


@pytest.mark.parametrize("classifier", ["svm-linear", "linear-fast"])
def test_a_cluster_of_two_workers_gives_the_same_result(
    scheduler: str, monkeypatch: pytest.MonkeyPatch, classifier: str
) -> None:
    from distributed import Client

    X, y, groups = make_data(distance=1)
    parameters = TrainingParameters(classifier=classifier, c_values=(0.01, 1.0), folds=3)
    here = train(X, y, groups, parameters)
    monkeypatch.setenv(workforce.SCHEDULER_VARIABLE, scheduler)
    told: list[int] = []
    there = train(X, y, groups, parameters, progress=lambda done, total: told.append(done))
    np.testing.assert_array_equal(there.out_of_fold_probabilities, here.out_of_fold_probabilities)
    np.testing.assert_array_equal(there.out_of_fold_labels, here.out_of_fold_labels)
    assert (there.best_c, there.score_by_c, there.notes) == (here.best_c, here.score_by_c, here.notes)
    assert told == list(range(1, 26))
    with Client(scheduler, set_as_default=False) as client:
        assert [client.run(did_fits)[worker] for worker in client.scheduler_info()["workers"]] == [True, True]


def did_fits() -> bool:
    """On a worker: whether it has loaded what fits models."""
    return "pipeline.stages.fitting" in sys.modules


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(workforce, "CONNECT_TIMEOUT_S", 0.5)
    monkeypatch.setenv(workforce.SCHEDULER_VARIABLE, "tcp://127.0.0.1:9")
    with pytest.raises(StageError, match="No Dask scheduler answers at tcp://127.0.0.1:9") as caught:
        train(*make_data(), PARAMETERS)
    assert not caught.value.permanent


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setenv(workforce.SCHEDULER_VARIABLE, "tcp://127.0.0.1:9")
    with pytest.raises(StageError, match="package “distributed” is not installed"):
        train(*make_data(), PARAMETERS)


def test_an_empty_variable_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workforce.SCHEDULER_VARIABLE, " ")
    assert len(train(*make_data(), PARAMETERS).best_c_by_fold) == 3


@pytest.mark.parametrize("error", [ConnectionResetError("closed"), CancelledError()])
def test_a_cluster_that_is_lost_on_the_way_is_said(
    scheduler: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Distributed's own errors for a scheduler that is gone are of these kinds."""
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError

    assert issubclass(CommClosedError, OSError)
    assert issubclass(FutureCancelledError, CancelledError)
    monkeypatch.setenv(workforce.SCHEDULER_VARIABLE, scheduler)
    X, y, _ = make_data(groups=2)
    with (
        pytest.raises(StageError, match="was lost during training; start it again") as caught,
        workforce.workforce(X, y),
    ):
        raise error
    assert not caught.value.permanent
