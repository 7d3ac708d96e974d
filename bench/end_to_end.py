"""A recording with captions to predictions, against the 2019 way of doing the same work.

Both sides do one recording's captions, text labels, audio features and predictions, in this one process with one
thread, on the same segments and with the same model. Ours decodes the recording once and works on all segments
together. The 2019 way starts FFmpeg for each segment, reads the WAV file, computes features with pyAudioAnalysis,
builds the analyzers for each text, and predicts one segment at a time; it does so for some of the segments, spread
evenly over the recording, because all would take hours. FFmpeg seeks before it decodes, which is the quick way.

The recording is a real interview of a minute, repeated; in each repetition its words stand in another order, so that
no text is met twice. Times are processor time, that of FFmpeg included. The two ways take turns, six each: ours does
the whole recording in each, the 2019 way a sixth of its segments.

Run: python bench/end_to_end.py INTERVIEW_FOLDER [--hours 1] [--segments 60]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import av
import numpy as np
from scipy.io import wavfile
from threadpoolctl import threadpool_limits

from pipeline.labels import LABELS
from pipeline.stages.audio import decode
from pipeline.stages.captions import read_captions
from pipeline.stages.features import extract_spans, get_extractor
from pipeline.stages.pattern_en import pattern_sentiment
from pipeline.stages.pyaudioanalysis import _library
from pipeline.stages.segmentation import SEGMENTATION_POLICIES, Utterance, segment
from pipeline.stages.sentiment import LABEL_POLICIES, decide, score_texts
from pipeline.stages.training import TrainingParameters, predict, train

POLICY = "recommended"
N_FEATURES = 136
SAMPLE_RATE_HZ = 16_000
# The two ways take turns, so that a machine that is slower for a while is so for both.
TURNS = 6


@dataclass
class Costs:
    """Processor seconds by kind of work, of this process and those it started."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def measure(self, name: str, work: Callable[[], Any]) -> Any:
        before = _processor_seconds()
        result = work()
        self.seconds[name] += _processor_seconds() - before
        return result

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def _processor_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def make_recording(source: Path, folder: Path, hours: float) -> tuple[Path, Path]:
    """The interview repeated as one MP3 file, and json3 captions with the words of each repetition in a new order."""
    sound, captions = source / "interview.mp3", source / "interview.en.json3"
    with av.open(str(sound)) as container:
        length_ms = 1000 * (container.duration or 0) // av.time_base
    repetitions = max(1, round(hours * 3_600_000 / length_ms))
    long_sound = folder / "long.mp3"
    inputs = folder / "inputs.txt"
    inputs.write_text(f"file '{sound.absolute()}'\n" * repetitions)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "concat", "-safe", "0", "-i", str(inputs), "-c", "copy", str(long_sound)],
        check=True,
    )
    rng = np.random.default_rng(0)
    document = json.loads(captions.read_text(encoding="utf-8"))
    events = []
    for repetition in range(repetitions):
        copy = json.loads(json.dumps([event for event in document["events"] if "segs" in event]))
        words = [part for event in copy for part in event["segs"] if part["utf8"].strip()]
        texts = [part["utf8"].strip() for part in words]
        for part, index in zip(words, rng.permutation(len(words)), strict=True):
            space = " " if part["utf8"].startswith(" ") else ""
            part["utf8"] = space + texts[index]
        for event in copy:
            event["tStartMs"] += repetition * length_ms
        events += copy
    long_captions = folder / "long.en.json3"
    long_captions.write_text(json.dumps({**document, "events": events}), encoding="utf-8")
    return long_sound, long_captions


def any_model() -> Any:
    """A linear SVM on 136 numbers; what it learned does not matter for how long it takes to predict."""
    rng = np.random.default_rng(0)
    y = np.repeat(LABELS, 200)
    X = rng.normal(size=(len(y), N_FEATURES)) + 0.5 * (np.arange(len(y)) // 200)[:, None]
    return train(X, y, np.arange(len(y)) % 10, TrainingParameters(c_values=(0.01,), folds=2)).pipeline


def our_way(sound: Path, captions: Path, model: Any, folder: Path, costs: Costs) -> tuple[list[Utterance], np.ndarray]:
    recording = costs.measure("decoding", lambda: decode(sound, folder / "long.wav"))
    utterances = costs.measure(
        "captions",
        lambda: segment(
            read_captions(captions), SEGMENTATION_POLICIES[POLICY], duration_ms=int(recording.duration_s * 1000)
        ),
    )
    kept = [utterance for utterance in utterances if utterance.kept]
    costs.measure("text labels", lambda: score_texts([utterance.text for utterance in kept], LABEL_POLICIES[POLICY]))
    spans = [(utterance.start_ms, utterance.end_ms) for utterance in kept]
    extractor = get_extractor("pyaudioanalysis-136")
    X = costs.measure("features", lambda: extract_spans(folder / "long.wav", spans, extractor))
    costs.measure("predictions", lambda: predict(model, X))
    return kept, X


def way_of_2019(sound: Path, kept: list[Utterance], model: Any, folder: Path, costs: Costs) -> np.ndarray:
    rows = []
    for number, utterance in enumerate(kept):
        clip = folder / f"temp{number}.wav"
        costs.measure("decoding", lambda: cut_with_ffmpeg(sound, utterance, clip))  # noqa: B023 - called at once
        costs.measure("text labels", lambda: score_with_new_analyzers(utterance.text))  # noqa: B023
        row = costs.measure("features", lambda: features_of_file(clip))  # noqa: B023
        costs.measure("predictions", lambda: predict(model, row[None, :]))  # noqa: B023
        rows.append(row)
    return np.array(rows)


def cut_with_ffmpeg(sound: Path, utterance: Utterance, clip: Path) -> None:
    start, length = utterance.start_ms / 1000, (utterance.end_ms - utterance.start_ms) / 1000
    options = ["-threads", "1", "-ss", f"{start:.3f}", "-t", f"{length:.3f}", "-i", str(sound)]
    subprocess.run(["ffmpeg", "-v", "error", *options, "-ac", "1", "-ar", "16000", "-y", str(clip)], check=True)


def score_with_new_analyzers(text: str) -> None:
    from textblob import TextBlob
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer().polarity_scores(text)["compound"]
    pattern: Any = pattern_sentiment()
    dict.clear(pattern)
    pattern.load()  # reads its lexicon again; TextBlob's is kept, as it lives in its module
    decide((vader, TextBlob(text).sentiment.polarity, pattern(text)[0]), LABEL_POLICIES[POLICY])


def features_of_file(clip: Path) -> np.ndarray:
    rate, signal = wavfile.read(clip)
    short = round(0.05 * rate)
    statistics, _, _ = _library().mid_feature_extraction(signal, rate, rate, rate, short, short)
    return np.asarray(statistics.mean(axis=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="with interview.mp3 and interview.en.json3")
    parser.add_argument("--hours", type=float, default=1.0, help="of audio")
    parser.add_argument("--segments", type=int, default=60, help="that the 2019 way is measured on")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        compare(arguments.folder, arguments.hours, arguments.segments)


def compare(source: Path, hours: float, segments: int) -> None:
    model = any_model()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound, captions = make_recording(source, folder, hours)
        # Libraries and lexicons are loaded before either clock runs.
        score_texts(["well"], LABEL_POLICIES[POLICY])
        score_with_new_analyzers("well")
        get_extractor("pyaudioanalysis-136").extract(np.ones(SAMPLE_RATE_HZ, dtype=np.float32), SAMPLE_RATE_HZ)
        _library()
        ours, theirs = Costs(), Costs()
        our_segments = their_segments = 0
        apart: list[float] = []
        for turn in range(TURNS):
            kept, X = our_way(sound, captions, model, folder, ours)
            our_segments += len(kept)
            chosen = np.unique(np.linspace(0, len(kept) - 1, segments).astype(int))[turn::TURNS]
            their_X = way_of_2019(sound, [kept[index] for index in chosen], model, folder, theirs)
            their_segments += len(chosen)
            apart += (np.abs(X[chosen] - their_X) / (np.abs(their_X) + 1e-9)).ravel().tolist()
    audio_s = sum(utterance.end_ms - utterance.start_ms for utterance in kept) / 1000
    print(f"{len(kept)} segments of {audio_s / 3600:.2f} h; the 2019 way on {their_segments} of them", file=sys.stderr)
    middle = np.median(apart)
    print(f"features of the two ways differ by {middle:.1e} in the middle (of other clip borders)", file=sys.stderr)
    for kind in ("decoding", "captions", "text labels", "features", "predictions"):
        mine, other = ours.seconds[kind] / our_segments, theirs.seconds[kind] / their_segments
        ratio = f"{other / mine:.1f}" if mine and other else "-"
        print(f"{kind}, CPU ms per segment: {1000 * mine:.2f}, {1000 * other:.2f}, {ratio}")
    mine, other = 60 * our_segments / ours.total, 60 * their_segments / theirs.total
    print(f"predictions per core-minute: {mine:,.0f}, {other:,.0f}, {mine / other:.1f}")


if __name__ == "__main__":
    main()
