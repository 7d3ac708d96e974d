"""Loudness, spectrum and voice of a segment, frame by frame, without regard to how loud it was recorded."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from pipeline.stages.pitch import PitchTracker
from pipeline.stages.voice_quality import NAMES as QUALITY_NAMES
from pipeline.stages.voice_quality import voice_quality

RATE_HZ = 16_000
# 32 ms windows every 10 ms; 40 ms for pitch, so that two periods of the lowest voice are nearly in it.
WINDOW_SAMPLES, HOP_SAMPLES, PITCH_WINDOW_SAMPLES = 512, 160, 640
FRAMES_PER_S = RATE_HZ / HOP_SAMPLES
# Bins of a constant offset, leaked through the Hann window: below 47 Hz there is hum and rumble, but no voice.
OFFSET_BINS = 2
N_MEL = 26
MEL_RANGE_HZ = (50.0, 7600.0)
N_MFCC = 13
# Zwicker's power law of loudness, with the exponent of perceptual linear prediction as eGeMAPS uses it.
LOUDNESS_EXPONENT = 0.23
# What lies more than 60 dB below the segment's own level is the room, the codec or padding.
FLOOR_DB = 60.0
FLOOR = 10 ** (-FLOOR_DB / 10)
LEVEL_PERCENTILE = 90
# A frame is active within 30 dB of the segment's level and 6 dB above its quietest twentieth, but where even that
# is loud (no pause at all) 15 dB below the level are enough. All of it is measured from the first to the last frame
# within 30 dB, so that silence around the speech does not move it.
ACTIVE_DB, ABOVE_QUIETEST_DB, SURELY_ACTIVE_DB = -30.0, 6.0, -15.0
QUIETEST_PERCENTILE = 5
# Boersma's default for voicing.
VOICED_PERIODICITY = 0.45
# Digital silence laid around every segment, so that one cut out of speech and one with silence around it have the
# same frames: three hops, with which the first window is nearly off the sound. The frames over that seam, which hear
# the cut, are left out again: windows three hops on from the first loud one lie within the sound.
AROUND_SAMPLES, SEAM_FRAMES = 3 * HOP_SAMPLES, 3
# Statistics over fewer frames say nothing: the most active or most periodic ones take the place of the missing.
FEWEST_FRAMES = 6
SEMITONE_ORIGIN_HZ = 55.0
# Keeps logarithms of frequencies from falling steeply towards 0 Hz.
FREQUENCY_OFFSET_HZ = 50.0
ACTIVE_NAMES = (
    "relative_loudness",
    "spectral_change",
    "centroid",
    "spread",
    "entropy",
    "rolloff85",
    *(f"mfcc{number}" for number in range(1, N_MFCC + 1)),
)
VOICED_NAMES = (
    "pitch",
    "hnr",
    "periodicity",
    "alpha_ratio",
    "hammarberg",
    "slope50_500",
    "slope500_1500",
    "slope1500_5000",
    "rolloff25",
    "voiced_relative_loudness",
    *(f"band{number}" for number in range(1, N_MEL + 1)),
    *QUALITY_NAMES,
)


@dataclass(frozen=True)
class Contours:
    """Of one segment, every 10 ms.

    Attributes
    ----------
    active : np.ndarray [shape=(19, n)]
        Rows as `ACTIVE_NAMES`, meant where `is_active`.
    voiced : np.ndarray [shape=(43, n)]
        Rows as `VOICED_NAMES`, meant where `is_voiced`; the rows of voice quality are 0 elsewhere.
    is_active, is_voiced : np.ndarray [shape=(n,), dtype=bool]
        Speech, and speech with a pitch; each true for `FEWEST_FRAMES` frames at least, if there are so many.
    is_surely_voiced : np.ndarray [shape=(n,), dtype=bool]
        The same without that least number.
    """

    active: np.ndarray
    voiced: np.ndarray
    is_active: np.ndarray
    is_voiced: np.ndarray
    is_surely_voiced: np.ndarray


@dataclass(frozen=True)
class Tables:
    window: np.ndarray
    frequencies_hz: np.ndarray
    mel: np.ndarray
    cosine: np.ndarray
    slopes: np.ndarray
    pitch: PitchTracker


def mel_of(frequency_hz: np.ndarray) -> np.ndarray:
    """Mel scale of O'Shaughnessy (1987)."""
    return 2595 * np.log10(1 + frequency_hz / 700)


@lru_cache(maxsize=1)
def tables() -> Tables:
    frequencies_hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / RATE_HZ)
    low, high = mel_of(np.array(MEL_RANGE_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, N_MEL + 2) / 2595) - 1)
    rise = (frequencies_hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - frequencies_hz) / np.diff(edges)[1:, None]
    slopes = np.zeros((len(frequencies_hz), 3))
    for column, (start_hz, end_hz) in enumerate(((50, 500), (500, 1500), (1500, 5000))):
        inside = _band(start_hz, end_hz)
        centred = frequencies_hz[inside] - frequencies_hz[inside].mean()
        slopes[inside, column] = 1000 * centred / (centred @ centred)
    return Tables(
        window=np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32),
        frequencies_hz=frequencies_hz.astype(np.float32),
        mel=np.maximum(0, np.minimum(rise, fall)).T.astype(np.float32),
        cosine=scipy.fft.dct(np.eye(N_MEL), type=2, norm="ortho", axis=-1)[:, 1 : N_MFCC + 1].astype(np.float32),
        slopes=slopes.astype(np.float32),
        pitch=PitchTracker(RATE_HZ, PITCH_WINDOW_SAMPLES),
    )


def contours(samples: np.ndarray) -> Contours:
    """Contours of one segment of at least one window, at 16 kHz [shape=(n,)]; a factor on all samples is no matter."""
    t = tables()
    samples = np.asarray(samples, dtype=np.float64)
    samples = samples - samples.mean()
    samples = np.pad((samples / (np.abs(samples).max() or 1.0)).astype(np.float32), AROUND_SAMPLES)
    spectrum = scipy.fft.rfft(_frames(samples, WINDOW_SAMPLES) * t.window, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    power[:, :OFFSET_BINS] = 0
    total = power.sum(axis=1)
    inside = _inside(total)
    level = float(np.percentile(total[inside], LEVEL_PERCENTILE)) or 1.0
    power /= np.float32(level)
    total /= np.float32(level)
    is_active = _activity(_decibels(total, FLOOR), inside)
    is_active[: inside.start + SEAM_FRAMES] = False
    is_active[max(inside.stop - SEAM_FRAMES, 0) :] = False

    margin = (PITCH_WINDOW_SAMPLES - WINDOW_SAMPLES) // 2
    pitch = t.pitch.track(_frames(np.pad(samples, margin), PITCH_WINDOW_SAMPLES)[: len(power)], is_active)
    is_surely_voiced = (pitch.periodicity > VOICED_PERIODICITY) & is_active
    # One voiced frame alone is a click or chance.
    around = np.concatenate([[False], is_surely_voiced, [False]])
    is_surely_voiced &= around[:-2] | around[2:]

    mel = power @ t.mel + np.float32(FLOOR / N_MEL)
    log_mel = np.log(mel)
    loudness = (mel**LOUDNESS_EXPONENT).sum(axis=1)
    is_active = _at_least(is_active, total)
    is_voiced = _at_least(is_surely_voiced, pitch.periodicity)
    active = [loudness, _spectral_change(log_mel, is_active), *_shape(power, total), *(log_mel @ t.cosine).T]
    quality = np.zeros((len(QUALITY_NAMES), len(power)))
    quality[:, is_voiced] = voice_quality(pitch.power[is_voiced] / np.float32(level), pitch.f0_hz[is_voiced], RATE_HZ)
    voiced = [
        12 * np.log2(pitch.f0_hz / SEMITONE_ORIGIN_HZ),
        10 * np.log10(pitch.periodicity / (1 - pitch.periodicity)),
        pitch.periodicity,
        *_tilt(power),
        _rolloff(np.cumsum(power, axis=1), total, 0.25),
        loudness,
        *log_mel.T,
        *quality,
    ]
    return Contours(
        active=np.array(active, dtype=np.float64),
        voiced=np.array(voiced, dtype=np.float64),
        is_active=is_active,
        is_voiced=is_voiced,
        is_surely_voiced=is_surely_voiced,
    )


def _frames(samples: np.ndarray, window_samples: int) -> np.ndarray:
    if len(samples) < window_samples:
        samples = np.pad(samples, (0, window_samples - len(samples)))
    return np.lib.stride_tricks.sliding_window_view(samples, window_samples)[::HOP_SAMPLES]


def _inside(total: np.ndarray) -> slice:
    """From the first to the last frame within `ACTIVE_DB` of the mean power, weighted by power.

    That mean hardly knows of silence, however long, and a single click moves it less than the maximum.
    """
    level = float(total @ total) / (float(total.sum()) or 1.0)
    places = np.nonzero(total >= level * 10 ** (ACTIVE_DB / 10))[0]
    return slice(int(places[0]), int(places[-1]) + 1)


def _activity(total_db: np.ndarray, inside: slice) -> np.ndarray:
    quietest_db = float(np.percentile(total_db[inside], QUIETEST_PERCENTILE))
    threshold_db = max(ACTIVE_DB, min(quietest_db + ABOVE_QUIETEST_DB, SURELY_ACTIVE_DB))
    return total_db > threshold_db


def _spectral_change(log_mel: np.ndarray, is_active: np.ndarray) -> np.ndarray:
    """From the frame before; where that is a pause, which may be of any depth, from the frame behind instead."""
    steps = np.sqrt(((log_mel[1:] - log_mel[:-1]) ** 2).mean(axis=1))
    change = np.concatenate([steps[:1], steps])
    begins = np.nonzero(is_active[:-1] & ~np.concatenate([[False], is_active[:-2]]))[0]
    change[begins] = np.where(is_active[begins + 1], steps[begins], 0)
    return change


def _at_least(chosen: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The chosen frames, or as many as make up `FEWEST_FRAMES` by the highest value."""
    if chosen.sum() >= FEWEST_FRAMES:
        return chosen
    result = chosen.copy()
    result[np.argsort(-by, kind="stable")[:FEWEST_FRAMES]] = True
    return result


def _shape(power: np.ndarray, total: np.ndarray) -> list[np.ndarray]:
    """Centroid and spread (ln Hz), entropy (nats), and the 85 % roll-off (ln Hz)."""
    frequencies_hz = tables().frequencies_hz
    share = power / (total + np.float32(1e-12))[:, None]
    centroid_hz = share @ frequencies_hz
    spread_hz = np.sqrt(np.maximum(share @ frequencies_hz**2 - centroid_hz**2, 0))
    entropy = -np.einsum("fk,fk->f", share, np.log(share + np.float32(1e-10)))
    return [
        np.log(centroid_hz + FREQUENCY_OFFSET_HZ),
        np.log(spread_hz + FREQUENCY_OFFSET_HZ),
        entropy,
        _rolloff(np.cumsum(power, axis=1), total, 0.85),
    ]


def _rolloff(cumulated: np.ndarray, total: np.ndarray, share: float) -> np.ndarray:
    bins = (cumulated > share * total[:, None]).argmax(axis=1)
    return np.log(bins * (RATE_HZ / WINDOW_SAMPLES) + FREQUENCY_OFFSET_HZ)


def _tilt(power: np.ndarray) -> list[np.ndarray]:
    """Alpha ratio and Hammarberg index (dB), slopes of three bands (dB per kHz)."""
    in_decibels = _decibels(power, FLOOR / 100)
    alpha = _decibels(power[:, _band(50, 1000)].sum(axis=1), FLOOR / 10) - _decibels(
        power[:, _band(1000, 5000)].sum(axis=1), FLOOR / 10
    )
    hammarberg = _decibels(power[:, _band(50, 2000)].max(axis=1), FLOOR / 10) - _decibels(
        power[:, _band(2000, 5000)].max(axis=1), FLOOR / 10
    )
    return [alpha, hammarberg, *(in_decibels @ tables().slopes).T]


def _decibels(power: np.ndarray, floor: float) -> np.ndarray:
    return 10 * np.log10(power + np.float32(floor))


def _band(start_hz: float, end_hz: float) -> slice:
    width_hz = RATE_HZ / WINDOW_SAMPLES
    return slice(int(np.ceil(start_hz / width_hz)), int(np.ceil(end_hz / width_hz)))
