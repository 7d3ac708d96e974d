"""Audio features: how fast, against pyAudioAnalysis on the same clips in the same process, and in how much memory.

Run as `.venv/bin/python bench/features.py`; the clips are read from `../shared/data` beside the repository.
"""

import os

# One core for both sides; must be said before NumPy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import soundfile as sf  # noqa: E402

from pipeline.stages.features import BatchExtractor, extract_spans, get_extractor  # noqa: E402

RATE_HZ = 16_000
ROUNDS = 3
HOURS = 10
LIMIT_MB = 1000
REPEAT = 5


def seconds(work: Callable[[], object]) -> float:
    """Processor time of the fastest of some rounds; on one core it is the time that passes on an idle machine."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def clips_in(folder: Path) -> list[np.ndarray]:
    return [sf.read(path, dtype="float32")[0] for path in sorted(folder.iterdir()) if path.suffix in (".wav", ".flac")]


def many(name: str, clips: list[np.ndarray]) -> np.ndarray:
    extractor = get_extractor(name)
    if isinstance(extractor, BatchExtractor):
        return extractor.extract_many(clips, RATE_HZ)
    return np.array([extractor.extract(clip, RATE_HZ) for clip in clips])


def speed(data: Path) -> None:
    clips = clips_in(data / "speech_valence")
    duration_s = sum(map(len, clips)) / RATE_HZ
    expected, found = many("pyaudioanalysis-reference", clips), many("pyaudioanalysis-136", clips)
    error = np.abs(found - expected) / (1e-9 * np.abs(expected) + 1e-12)
    print(f"pyaudioanalysis-136, largest difference in tolerances (1e-9 relative, 1e-12 absolute): {error.max():.2g}")
    theirs = seconds(lambda: many("pyaudioanalysis-reference", clips))
    ours = seconds(lambda: many("pyaudioanalysis-136", clips * REPEAT)) / REPEAT
    line("pyaudioanalysis-136, times real time on one core", duration_s / ours, duration_s / theirs)
    crossmodal = seconds(lambda: many("crossmodal", clips))
    line(
        "crossmodal, times real time on one core (theirs: pyAudioAnalysis)",
        duration_s / crossmodal,
        duration_s / theirs,
    )


def line(name: str, ours: float, theirs: float) -> None:
    print(f"{name}: {ours:.0f}, {theirs:.1f}, {ours / theirs:.2f}")


def memory(name: str) -> None:
    """Features of ten hours in spans of 10 s and as one span, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.flac"
        minute = np.random.default_rng(0).integers(-3000, 3000, 60 * RATE_HZ, dtype=np.int16)
        with sf.SoundFile(path, "w", RATE_HZ, channels=1, format="FLAC", subtype="PCM_16") as file:
            for _ in range(60 * HOURS):
                file.write(minute)
        for what, span_ms in (("in spans of 10 s", 10_000), ("as one span", HOURS * 3_600_000)):
            command = [sys.executable, __file__, "--measure", name, str(path), str(span_ms)]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            took_s, megabytes = map(float, run.stdout.split())
            line(f"{name}, MB for {HOURS} h of FLAC {what} (limit instead of theirs)", megabytes, LIMIT_MB)
            print(f"{name}, times real time with reading {HOURS} h of FLAC {what}: {HOURS * 3600 / took_s:.0f}")


def measure(name: str, path: str, span_ms: str) -> None:
    spans = [(start, start + int(span_ms)) for start in range(0, HOURS * 3_600_000, int(span_ms))]
    start = time.process_time()
    rows = extract_spans(Path(path), spans, get_extractor(name))
    took_s = time.process_time() - start
    if len(rows) != len(spans) or not np.isfinite(rows).all():
        raise SystemExit("Features are missing.")
    print(took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    speed(options.data)
    for name in ("pyaudioanalysis-136", "crossmodal"):
        memory(name)


if __name__ == "__main__":
    main()
