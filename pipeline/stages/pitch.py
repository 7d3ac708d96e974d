"""Fundamental frequency and periodicity of frames, by normalised autocorrelation in two passes."""

from dataclasses import dataclass

import numpy as np
import scipy.fft

# Speaking voices of men, women and children, excited ones included.
LOWEST_HZ, HIGHEST_HZ = 60, 500
# Less than this share of the window is left at the longest lag.
FFT_LENGTH = 1024
# Periodicity lost per octave downwards, so that a multiple of the period does not win by rounding (Boersma 1993).
OCTAVE_COST = 0.02
# From this periodicity on a frame says where the voice lies.
SURE = 0.6
FEWEST_SURE = 6
# The second pass looks from 0.6 x the 35th to 2.2 x the 65th percentile of the first, as De Looze and Hirst (2008)
# propose (0.72 and 1.9), a little wider for lively voices.
LOW_PERCENTILE, HIGH_PERCENTILE = 35, 65
LOW_FACTOR, HIGH_FACTOR = 0.6, 2.2
# Energy far below the recording's own, in units of the window's energy: silence is not periodic.
SILENCE = 1e-8
LEAST, MOST = 1e-3, 1 - 1e-4


@dataclass(frozen=True)
class Pitch:
    """Of each frame.

    Attributes
    ----------
    f0_hz : np.ndarray [shape=(n,)]
        The best candidate, also where the frame is not voiced.
    periodicity : np.ndarray [shape=(n,)]
        Height of the autocorrelation's peak, from 0.001 to 0.9999.
    power : np.ndarray [shape=(n, 513), dtype=float32]
        Power spectrum of the window, finer than one for its length alone.
    """

    f0_hz: np.ndarray
    periodicity: np.ndarray
    power: np.ndarray


class PitchTracker:
    """Tracks pitch in windows of a fixed length.

    References
    ----------
    P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound", IFA Proceedings 17, 1993.
    C. De Looze, D. Hirst, "Detecting changes in key and range for the automatic modelling and coding of intonation",
    Speech Prosody 2008.
    """

    def __init__(self, sample_rate_hz: int, window_samples: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._window = np.hanning(window_samples + 1)[:-1].astype(np.float32)
        self._shortest, self._longest = sample_rate_hz // HIGHEST_HZ, sample_rate_hz // LOWEST_HZ
        own = scipy.fft.irfft(np.abs(scipy.fft.rfft(self._window, FFT_LENGTH)) ** 2)[: self._longest + 2]
        self._window_energy = float(own[0])
        self._correction = (own[0] / own).astype(np.float32)
        lags = np.arange(self._shortest, self._longest + 1)
        self._cost = (OCTAVE_COST * np.log2(lags / self._shortest)).astype(np.float32)
        self._lags = lags

    def track(self, frames: np.ndarray, is_active: np.ndarray) -> Pitch:
        """Pitch of consecutive frames.

        Parameters
        ----------
        frames : np.ndarray [shape=(n, window_samples), dtype=float32]
            Of a recording whose largest sample is 1.
        is_active : np.ndarray [shape=(n,), dtype=bool]
            Where there is speech.
        """
        centred = (frames - frames.mean(axis=1, keepdims=True)) * self._window
        spectrum = scipy.fft.rfft(centred, FFT_LENGTH, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        correlation = scipy.fft.irfft(power, axis=1)[:, : self._longest + 2]
        energy = correlation[:, :1] + np.float32(SILENCE * self._window_energy)
        correlation = correlation / energy * self._correction

        inner = correlation[:, self._shortest : self._longest + 1]
        is_peak = (inner >= correlation[:, self._shortest - 1 : self._longest]) & (
            inner >= correlation[:, self._shortest + 1 : self._longest + 2]
        )
        height = np.where(is_peak, inner - self._cost, np.float32(-1))
        first = self._best(correlation, height, power)
        sure = first.f0_hz[(first.periodicity > SURE) & is_active]
        if len(sure) < FEWEST_SURE:
            return first
        low, high = np.percentile(sure, [LOW_PERCENTILE, HIGH_PERCENTILE])
        in_range = (self._lags > self.sample_rate_hz / (HIGH_FACTOR * high)) & (
            self._lags < self.sample_rate_hz / (LOW_FACTOR * low)
        )
        return self._best(correlation, np.where(in_range, height, np.float32(-1)), power)

    def _best(self, correlation: np.ndarray, height: np.ndarray, power: np.ndarray) -> Pitch:
        """The highest peak of each frame, placed between the lags by a parabola."""
        lag = height.argmax(axis=1) + self._shortest
        rows = np.arange(len(lag))
        before, at, behind = (correlation[rows, lag + step].astype(np.float64) for step in (-1, 0, 1))
        curvature = before - 2 * at + behind
        is_curved = np.abs(curvature) > 1e-9
        shift = np.where(is_curved, (before - behind) / (2 * np.where(is_curved, curvature, 1.0)), 0.0).clip(-0.5, 0.5)
        periodicity = (at - (before - behind) * shift / 4).clip(LEAST, MOST)
        return Pitch(self.sample_rate_hz / (lag + shift), periodicity, power)
