"""Corpora made from EmoDB that stand for other recordings, speakers and sizes; each the same whenever it is made."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import scipy.signal
import soundfile as sf

RATE_HZ = 16_000
# EmoDB's letters; boredom (L) has no place among three classes.
CLASS_OF = {"F": "positive", "N": "neutral", "W": "negative", "E": "negative", "A": "negative", "T": "negative"}
# Continuous valence, from -1 to 1, cut so that each third of the range is a class.
NEUTRAL_VALENCE = 1 / 3


@dataclass(frozen=True)
class Clip:
    """A clip in memory at 16 kHz, float32 [shape=(n,)]; `emotion` is EmoDB's letter, or empty."""

    samples: np.ndarray
    label: str
    group: str
    emotion: str


Corpus = list[Clip]
Change = Callable[[np.ndarray, np.random.Generator, np.random.Generator], np.ndarray]


def emodb(data: Path) -> Corpus:
    """The clips of three classes, grouped by speaker."""
    corpus = []
    for path in sorted((data / "emodb").glob("*.flac")):
        if path.stem[5] in CLASS_OF:
            samples = np.asarray(sf.read(path, dtype="float32")[0])
            corpus.append(Clip(samples, CLASS_OF[path.stem[5]], path.stem[:2], path.stem[5]))
    return corpus


def speech_valence(data: Path) -> Corpus:
    """47 clips by valence in three classes; their speakers are not known, so each is a group of its own."""
    with (data / "speech_valence" / "valence.csv").open(newline="") as file:
        valence = {name: float(value) for name, value in csv.reader(file)}
    corpus = []
    for name, value in sorted(valence.items()):
        label = "positive" if value > NEUTRAL_VALENCE else "negative" if value < -NEUTRAL_VALENCE else "neutral"
        samples = np.asarray(sf.read(data / "speech_valence" / name, dtype="float32")[0])
        corpus.append(Clip(samples, label, name, ""))
    return corpus


def pseudo_corpora(original: Corpus) -> dict[str, Corpus]:
    """Every corpus by its name, the original first."""
    corpora = {"original": original}
    for number, (name, change) in enumerate(CHANGES.items()):
        corpora[name] = _changed(original, change, number)
    conditions = [_as_is, *(CHANGES[name] for name in MIXED)]
    speakers = sorted({clip.group for clip in original})
    corpora["a condition per speaker"] = [
        _changed([clip], conditions[speakers.index(clip.group) % len(conditions)], 1000 + row)[0]
        for row, clip in enumerate(original)
    ]
    corpora["two clips joined"] = _joined(original)
    rng = np.random.default_rng(7)
    for draw in (1, 2, 3):
        chosen = set(rng.choice(speakers, size=4, replace=False).tolist())
        corpora[f"four speakers, draw {draw}"] = [clip for clip in original if clip.group in chosen]
    corpora["balanced classes"] = _balanced(original, rng)
    corpora["mostly neutral and positive"] = [
        clip for clip in original if clip.label != "negative" or rng.random() < 0.25
    ]
    share = dict(zip(speakers, np.linspace(0.15, 1, len(speakers)), strict=True))
    corpora["unequal groups"] = [clip for clip in original if rng.random() < share[clip.group]]
    corpora["groups of four clips"] = _small_groups(original, 4, rng)
    return corpora


def _changed(corpus: Corpus, change: Change, number: int) -> Corpus:
    """Each clip changed by two generators: one that is the clip's own, one that its group's clips all have alike."""
    groups = sorted({clip.group for clip in corpus})
    result = []
    for row, clip in enumerate(corpus):
        own = np.random.default_rng([number, row])
        of_group = np.random.default_rng([number, groups.index(clip.group), 99])
        samples = change(clip.samples.astype(np.float64), own, of_group)
        result.append(Clip(samples.astype(np.float32), clip.label, clip.group, clip.emotion))
    return result


def _as_is(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    return samples


def _low_pass(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    return np.asarray(scipy.signal.sosfiltfilt(scipy.signal.butter(8, 3800, fs=RATE_HZ, output="sos"), samples))


def _telephone(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """300 to 3,400 Hz, 8 bits of logarithmic steps (mu-law of G.711, by its formula)."""
    band = scipy.signal.sosfiltfilt(scipy.signal.butter(4, (300, 3400), "band", fs=RATE_HZ, output="sos"), samples)
    band = band / max(np.abs(band).max(), 1e-9) * 0.5
    steps = np.round(np.sign(band) * np.log1p(255 * np.abs(band)) / np.log(256) * 127) / 127
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255)


def _noisy(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """Noise 10 to 20 dB below the speech; its colour, white to brown, is the group's."""
    spectrum = np.fft.rfft(own.normal(size=len(samples)))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (of_group.uniform(0, 2) / 2)
    noise = np.fft.irfft(spectrum, len(samples))
    ratio = np.sqrt((samples**2).mean() / (noise**2).mean()) * 10 ** (-own.uniform(10, 20) / 20)
    return np.asarray(samples + ratio * noise)


def _reverberant(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """A room of the group's own: decaying noise after the direct sound, 0.25 to 0.7 s until it is 60 dB lower."""
    time_s = np.arange(RATE_HZ) / RATE_HZ
    room = of_group.normal(size=len(time_s)) * 10 ** (-3 * time_s / of_group.uniform(0.25, 0.7))
    room *= 0.7 / np.sqrt((room**2).sum())
    room[0] = 1
    return np.asarray(scipy.signal.fftconvolve(samples, room)[: len(samples)])


def _microphone(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """A filter of the group's own: smooth, up to some 12 dB up or down."""
    frequencies = np.linspace(0, RATE_HZ / 2, 10)
    gains = 10 ** (of_group.normal(0, 6, size=10).clip(-12, 12) / 20)
    response = scipy.signal.firwin2(257, frequencies, gains, fs=RATE_HZ)
    return np.asarray(scipy.signal.fftconvolve(samples, response, mode="same"))


def _level(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """40 dB quieter to clipped, in 16 bits."""
    return np.round((samples * 10 ** (own.uniform(-40, 6) / 20)).clip(-1, 1) * 32_767) / 32_767


def _coded(codec: str, container: str, rate_hz: int, bits_per_s: int) -> Change:
    def change(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
        file = io.BytesIO()
        output: Any  # PyAV's types allow for pictures and subtitles too
        with av.open(file, "w", format=container) as output:
            stream = output.add_stream(codec, rate=rate_hz, layout="mono")
            stream.bit_rate = bits_per_s
            resampled = scipy.signal.resample_poly(samples, rate_hz, RATE_HZ).clip(-1, 1).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(resampled[None], format="fltp", layout="mono")
            frame.sample_rate = rate_hz
            resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=rate_hz)
            for part in resampler.resample(frame):
                output.mux(stream.encode(part))
            output.mux(stream.encode(None))
        file.seek(0)
        source: Any
        with av.open(file) as source:
            to_float = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
            frames = [part for frame in source.decode(audio=0) for part in to_float.resample(frame)]
            frames += to_float.resample(None)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])

    return change


def _sub_span(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    length = min(len(samples), round(own.uniform(0.8, 2) * RATE_HZ))
    start = own.integers(0, len(samples) - length + 1)
    return samples[start : start + length]


def _padded(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """Up to 1.5 s of silence before and after, half the time digital, else with noise 50 dB below the peak."""
    before, after = (round(own.uniform(0, 1.5) * RATE_HZ) for _ in range(2))
    padded = np.concatenate([np.zeros(before), samples, np.zeros(after)])
    if own.random() < 0.5:
        padded += own.normal(size=len(padded)) * np.abs(samples).max() * 10 ** (-50 / 20)
    return padded


def _other_voices(samples: np.ndarray, own: np.random.Generator, of_group: np.random.Generator) -> np.ndarray:
    """Pitch, formants and pace together moved by the group's own factor."""
    parts = round(100 * of_group.uniform(0.8, 1.25))
    return np.asarray(scipy.signal.resample_poly(samples, parts, 100))


CHANGES: dict[str, Change] = {
    "below 3.8 kHz": _low_pass,
    "telephone": _telephone,
    "noise": _noisy,
    "reverberation": _reverberant,
    "microphones": _microphone,
    "levels": _level,
    "MP3 at 32 kbit/s": _coded("libmp3lame", "mp3", 22_050, 32_000),
    "Opus at 12 kbit/s": _coded("libopus", "ogg", 48_000, 12_000),
    "spans of 0.8 to 2 s": _sub_span,
    "silence around": _padded,
    "other voices": _other_voices,
}
MIXED = ("telephone", "noise", "reverberation", "MP3 at 32 kbit/s")


def _joined(corpus: Corpus) -> Corpus:
    """Clips of one speaker and emotion two by two, a quarter of a second apart."""
    result, waiting = [], dict[tuple[str, str], Clip]()
    pause = np.zeros(RATE_HZ // 4, dtype=np.float32)
    for clip in corpus:
        key = (clip.group, clip.emotion)
        if key in waiting:
            samples = np.concatenate([waiting.pop(key).samples, pause, clip.samples])
            result.append(Clip(samples, clip.label, clip.group, clip.emotion))
        else:
            waiting[key] = clip
    return result


def _balanced(corpus: Corpus, rng: np.random.Generator) -> Corpus:
    counts = [sum(clip.label == label for clip in corpus) for label in CLASS_OF.values()]
    chosen: Corpus = []
    for label in sorted(set(CLASS_OF.values())):
        of_class = [clip for clip in corpus if clip.label == label]
        chosen += [of_class[row] for row in rng.choice(len(of_class), size=min(counts), replace=False)]
    return chosen


def _small_groups(corpus: Corpus, size: int, rng: np.random.Generator) -> Corpus:
    """Each speaker's clips in groups of some, as if most people had spoken a little only."""
    result, speakers = [], sorted({clip.group for clip in corpus})
    for speaker in speakers:
        own = [clip for clip in corpus if clip.group == speaker]
        for place, row in enumerate(rng.permutation(len(own))):
            clip = own[row]
            result.append(Clip(clip.samples, clip.label, f"{speaker}-{place // size:02}", clip.emotion))
    return result
