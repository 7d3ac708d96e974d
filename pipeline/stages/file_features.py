"""Features of whole audio files, several at a time."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from pipeline.stages.audio import decode, read_slice
from pipeline.stages.errors import StageError
from pipeline.stages.features import get_extractor
from pipeline.stages.progress import ProgressCallback, ignore_progress

# Extraction is bound by one core per process, and a small machine has two.
PROCESSES = 2


def extract_file(path: Path, extractor_name: str) -> np.ndarray:
    """Features of one whole file of any audio format, decoded like a video's recording.

    Returns
    -------
    np.ndarray [shape=(n_features,), dtype=float64]

    Raises
    ------
    StageError
        The file cannot be decoded or is too short; the sentence names it.
    """
    extractor = get_extractor(extractor_name)
    with tempfile.TemporaryDirectory(prefix="crossmodal-") as folder:
        recording = decode(path, Path(folder) / "audio.wav")
        # Rounded up, so that the last part of a millisecond counts as well.
        end_ms = -(-recording.frames * 1000 // recording.sample_rate_hz)
        samples = read_slice(recording.path, 0, end_ms)
    try:
        return extractor.extract(samples, recording.sample_rate_hz)
    except StageError as error:
        raise StageError(f"{path}: {error.message}") from error


def extract_files(
    paths: Sequence[Path],
    extractor_name: str,
    *,
    processes: int = PROCESSES,
    progress: ProgressCallback = ignore_progress,
) -> np.ndarray:
    """Features of whole files, computed in several processes; rows in the order of `paths`.

    Parameters
    ----------
    paths : sequence of Path
    extractor_name : str
        One of `pipeline.stages.features.EXTRACTORS`.
    processes : int
        1 computes in this process.
    progress : callable
        Called with (files done, files in all).

    Returns
    -------
    np.ndarray [shape=(n_files, n_features), dtype=float64]

    Raises
    ------
    StageError
        For the first file that cannot be used; the rest is not computed.
    """
    rows = np.zeros((len(paths), len(get_extractor(extractor_name).feature_names)))
    names = [extractor_name] * len(paths)
    if min(processes, len(paths)) <= 1:
        for row, path in enumerate(paths):
            rows[row] = extract_file(path, extractor_name)
            progress(row + 1, len(paths))
        return rows
    pool = ProcessPoolExecutor(max_workers=min(processes, len(paths)))
    try:
        for row, features in enumerate(pool.map(extract_file, paths, names)):
            rows[row] = features
            progress(row + 1, len(paths))
    finally:
        # After an error or Ctrl-C, what has not begun must not be waited for.
        pool.shutdown(cancel_futures=True)
    return rows
