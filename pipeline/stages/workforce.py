"""Who does the fits: threads of this process, or a Dask cluster."""

import os
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import numpy as np
from joblib import Parallel, parallel_config

from pipeline.stages.errors import StageError

# Address of a Dask scheduler, such as tcp://10.0.0.5:8786.
SCHEDULER_VARIABLE = "DASK_SCHEDULER"
CONNECT_TIMEOUT_S = 10
# libsvm and BLAS let go of the interpreter lock, so folds are fitted in threads; more than four gain little on some
# thousand rows, because preparing the data is done under the lock.
THREADS = min(4, os.cpu_count() or 1)


@contextmanager
def workforce(X: np.ndarray, y: np.ndarray) -> Iterator[Any]:
    """A `joblib.Parallel` that gives results in the order of the tasks, one by one.

    Parameters
    ----------
    X, y : np.ndarray
        What every task gets; sent to each worker of a cluster once.

    Raises
    ------
    StageError
        A cluster is asked for and cannot be used, or is lost before the end.
    """
    address = os.environ.get(SCHEDULER_VARIABLE, "").strip()
    if not address:
        yield Parallel(n_jobs=THREADS, backend="threading", return_as="generator")
        return
    client = _connect(address)
    try:
        with parallel_config(backend="dask", client=client, scatter=[X, y]):
            yield Parallel(n_jobs=-1, return_as="generator")
    except (OSError, CancelledError) as error:
        raise StageError(
            f"The Dask cluster at {address} was lost during training; start it again, or unset {SCHEDULER_VARIABLE} to "
            "train on this machine.",
            permanent=False,
        ) from error
    finally:
        client.close()


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise StageError(
            f"{SCHEDULER_VARIABLE} is set, but the package “distributed” is not installed; install it, or unset the "
            "variable to train on this machine."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:  # a TimeoutError is an OSError
        raise StageError(
            f"No Dask scheduler answers at {address} ({SCHEDULER_VARIABLE}); start it, or unset the variable to train "
            "on this machine.",
            permanent=False,
        ) from error
    if not client.scheduler_info()["workers"]:
        client.close()
        raise StageError(f"The Dask scheduler at {address} has no workers; start some.", permanent=False)
    return client
