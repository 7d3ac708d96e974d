"""Features of whole audio files, several at a time."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from pipeline.stages.audio import decode, read_slice
from pipeline.stages.errors import StageError
from pipeline.stages.features import get_extractor
from pipeline.stages.progress import ProgressCallback, ignore_progress

# Extraction is bound by one core per process, and a small machine has two.
PROCESSES = 2

NoteCallback = Callable[[Path, str], None]


def ignore_note(path: Path, note: str) -> None:
    """Tell nobody."""


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
    return _extract_noted(path, extractor_name)[0]


def _extract_noted(path: Path, extractor_name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Features of one file, and what was lost or changed when it was decoded."""
    extractor = get_extractor(extractor_name)
    with tempfile.TemporaryDirectory(prefix="crossmodal-") as folder:
        recording = decode(path, Path(folder) / "audio.wav")
        # Rounded up, so that the last part of a millisecond counts as well.
        end_ms = -(-recording.frames * 1000 // recording.sample_rate_hz)
        samples = read_slice(recording.path, 0, end_ms)
    try:
        return extractor.extract(samples, recording.sample_rate_hz), recording.notes
    except StageError as error:
        raise StageError(f"{path}: {error.message}") from error


def is_silent(path: Path) -> bool:
    """Whether a file that can be decoded holds one value throughout, so that nothing can be heard."""
    with tempfile.TemporaryDirectory(prefix="crossmodal-") as folder:
        recording = decode(path, Path(folder) / "audio.wav")
        samples = read_slice(recording.path, 0, -(-recording.frames * 1000 // recording.sample_rate_hz))
    return bool(np.ptp(samples) == 0)


def extract_files(
    paths: Sequence[Path],
    extractor_name: str,
    *,
    processes: int = PROCESSES,
    progress: ProgressCallback = ignore_progress,
    tell: NoteCallback = ignore_note,
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
    tell : callable
        Called with (file, sentence) for what was lost or changed when a file was decoded.

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
            rows[row], notes = _extract_noted(path, extractor_name)
            for note in notes:
                tell(path, note)
            progress(row + 1, len(paths))
        return rows
    pool = ProcessPoolExecutor(max_workers=min(processes, len(paths)))
    try:
        for row, (features, notes) in enumerate(pool.map(_extract_noted, paths, names)):
            rows[row] = features
            for note in notes:
                tell(paths[row], note)
            progress(row + 1, len(paths))
    finally:
        # After an error or Ctrl-C, what has not begun must not be waited for.
        pool.shutdown(cancel_futures=True)
    return rows
