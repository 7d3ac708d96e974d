"""How long training takes against the number of segments, and how much memory the largest run needs.

Ours is `linear-fast`, theirs the linear SVM of 2019 (libsvm). Whole training runs have 5 grouped outer folds, 5 inner
ones in each, and 5 values of C: 151 fits. A single fit compares both where a run of libsvm would take hours.

Run: python bench/training.py [--rows 1000 10000 100000]
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from pipeline.labels import LABELS
from pipeline.stages.classifiers import PipelineFactory, Setting
from pipeline.stages.training import TrainingParameters, train

N_FEATURES = 136
ROWS_PER_VIDEO = 50  # so that 100,000 segments are of 2,000 videos
SHARES = (0.3, 0.5, 0.2)
# libsvm's time grows with the square of the rows; beyond these it is not run.
LIBSVM_RUN_UP_TO, LIBSVM_FIT_UP_TO = 1_000, 10_000


def write_corpus(path: Path, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Synthetic features: classes that overlap, voices that differ, a quarter of the columns skewed."""
    rng = np.random.default_rng(seed)
    groups = np.arange(n) // ROWS_PER_VIDEO
    columns = rng.choice(len(LABELS), n, p=SHARES)
    centres = 0.12 * rng.normal(size=(len(LABELS), N_FEATURES))
    mixture = rng.normal(size=(N_FEATURES, N_FEATURES)) / np.sqrt(N_FEATURES)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(n, N_FEATURES))
    for video in np.unique(groups):
        rows = np.flatnonzero(groups == video)
        voice = 0.3 * rng.normal(size=N_FEATURES)
        X[rows] = (rng.normal(size=(len(rows), N_FEATURES)) + centres[columns[rows]] + voice) @ mixture
    X[:, ::4] = np.exp(0.7 * X[:, ::4])
    X.flush()
    return np.load(path, mmap_mode="r"), np.asarray(LABELS)[columns], groups


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds by the clock and of processor time, and what the work gave."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - clock, time.process_time() - cpu, result


def one_fit(X: np.ndarray, y: np.ndarray, classifier: str) -> float:
    build = PipelineFactory.fitting([y], classifier, "class-weight", 0)
    with threadpool_limits(1):
        return timed(lambda: build(Setting(0.1), N_FEATURES).fit(X.astype(build.dtype), y))[1]


def run(X: np.ndarray, y: np.ndarray, groups: np.ndarray, classifier: str) -> tuple[float, float, Any]:
    return timed(lambda: train(X, y, groups, TrainingParameters(classifier=classifier)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 3_000, 10_000, 30_000, 100_000])
    for n in sorted(parser.parse_args().rows):
        with tempfile.TemporaryDirectory() as folder:
            X, y, groups = write_corpus(Path(folder) / "X.npy", n)
            report(n, X, y, groups)


def report(n: int, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
    ours, ours_cpu, result = run(X, y, groups, "linear-fast")
    f1 = f1_score(y, result.out_of_fold_labels, labels=LABELS, average="macro")
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if n <= LIBSVM_RUN_UP_TO:
        theirs, theirs_cpu, other = run(X, y, groups, "svm-linear")
        their_f1 = f1_score(y, other.out_of_fold_labels, labels=LABELS, average="macro")
        show(f"training {n} segments, CPU s", f"{ours_cpu:.1f}", f"{theirs_cpu:.1f}", f"{theirs_cpu / ours_cpu:.1f}")
        show(f"training {n} segments, s", f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.1f}")
        show(f"training {n} segments, macro F1 out of fold", f"{f1:.3f}", f"{their_f1:.3f}", f"{f1 / their_f1:.2f}")
    else:
        show(f"training {n} segments, CPU s", f"{ours_cpu:.1f}", "-", "-")
        show(f"training {n} segments, s", f"{ours:.1f}", "-", "-")
        show(f"training {n} segments, macro F1 out of fold", f"{f1:.3f}", "-", "-")
    show(f"training {n} segments, peak GB of the process so far", f"{peak_gb:.2f}", "-", "-")
    fit = one_fit(X, y, "linear-fast")
    if n <= LIBSVM_FIT_UP_TO:
        other_fit = one_fit(X, y, "svm-linear")
        show(f"one fit of {n} segments, CPU s", f"{fit:.2f}", f"{other_fit:.2f}", f"{other_fit / fit:.1f}")
    else:
        show(f"one fit of {n} segments, CPU s", f"{fit:.2f}", "-", "-")


def show(name: str, ours: str, theirs: str, ratio: str) -> None:
    print(f"{name}: {ours}, {theirs}, {ratio}", flush=True)


if __name__ == "__main__":
    main()
