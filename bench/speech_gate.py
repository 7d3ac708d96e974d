"""How well the speech gate tells speech from music and silence, and how fast it is.

Run from the repository's root: python bench/speech_gate.py [--data ../shared/data]
Reads the clips of one second in `sound_classes` and `interview/interview.mp3` there.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.stages.audio import SAMPLE_RATE_HZ, decode
from pipeline.stages.segmentation import MIN_SPEECH_SHARE
from pipeline.stages.speech_gate import speech_shares

THRESHOLDS = (0.1, 0.15, MIN_SPEECH_SHARE, 0.25, 0.3, 0.5)


def shares_of(folder: Path, scratch: Path) -> np.ndarray:
    shares = []
    for path in sorted(folder.iterdir()):
        samples, rate_hz = sf.read(path)
        sf.write(scratch, resample_poly(samples, SAMPLE_RATE_HZ, rate_hz), SAMPLE_RATE_HZ)
        shares.append(speech_shares(scratch, [(0, 1000 * len(samples) // rate_hz)])[0])
    return np.array(shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parent.parent.parent / "shared" / "data")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name) / "clip.flac"
        found = {kind: shares_of(data / "sound_classes" / kind, scratch) for kind in ("speech", "music", "silence")}
        recording = decode(data / "interview" / "interview.mp3", Path(name) / "interview.flac")
        spans = [(start, start + 4000) for start in range(0, int(1000 * recording.duration_s) - 4000, 4000)]
        print("| least share | speech kept | music rejected | silence rejected |\n|---|---|---|---|")
        for least in THRESHOLDS:
            kept = {kind: (shares >= least).mean() for kind, shares in found.items()}
            print(f"| {least:g} | {kept['speech']:.1%} | {1 - kept['music']:.1%} | {1 - kept['silence']:.1%} |")
        for title, enough in (("gate (early answer)", MIN_SPEECH_SHARE), ("share of the whole span", None)):
            started = time.process_time()
            speech_shares(recording.path, spans, enough=enough)
            speed = 4 * len(spans) / (time.process_time() - started)
            print(f"{title}: {speed:,.0f} times real time, 1 times real time, {speed:,.0f}")


if __name__ == "__main__":
    main()
