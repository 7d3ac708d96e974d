"""How a voice sounds, tense or soft, clear or hoarse: harmonics and cepstrum of voiced frames."""

import numpy as np
import scipy.fft

from pipeline.stages.pitch import FFT_LENGTH

# Regions of the first formant, and of the second and third; eGeMAPS looks for the harmonics nearest to formants, which
# would take as long to track as all the rest.
LOW_FORMANT_HZ, HIGH_FORMANT_HZ = (300, 1000), (2000, 3500)
HARMONICITY_BANDS_HZ = ((0, 1000), (1000, 2500), (2500, 5000))
# 60 to 500 Hz as durations at 16 kHz, where the peak of the cepstrum is looked for.
QUEFRENCIES = (32, 270)
# A harmonic is the highest of so many bins on either side of its place (16 Hz each), the cepstrum's peak likewise.
REACH_BINS = 2
# 90 dB below the segment's level; powers are relative to it.
LEAST_POWER = 1e-9
NAMES = (
    "h1_h2",
    "h1_low_formant",
    "h1_high_formant",
    "cepstral_peak",
    *(f"harmonicity{low}_{high}" for low, high in HARMONICITY_BANDS_HZ),
)


def voice_quality(power: np.ndarray, f0_hz: np.ndarray, rate_hz: int) -> np.ndarray:
    """Contours of voice quality.

    Parameters
    ----------
    power : np.ndarray [shape=(n, 513)]
        Power spectra of voiced frames, relative to the segment's level.
    f0_hz : np.ndarray [shape=(n,)]
        Their fundamental frequencies.
    rate_hz : int

    Returns
    -------
    np.ndarray [shape=(7, n)]
        Rows as `NAMES`: dB, dB, dB, dB, and shares from -1 to 1.

    References
    ----------
    J. Hillenbrand, R. A. Houde, "Acoustic Correlates of Breathy Vocal Quality: Dysphonic Voices and Continuous
    Speech", Journal of Speech and Hearing Research 39(2), 1996 (cepstral peak, first harmonic).
    """
    width_hz = rate_hz / FFT_LENGTH
    power = power + np.float32(LEAST_POWER)
    in_decibels = 10 * np.log10(power)
    first = _highest(in_decibels, np.rint(f0_hz / width_hz))
    second = _highest(in_decibels, np.rint(2 * f0_hz / width_hz))
    cepstrum = scipy.fft.irfft(in_decibels, axis=1)[:, slice(*QUEFRENCIES)]
    peak = _highest(cepstrum, np.rint(rate_hz / f0_hz) - QUEFRENCIES[0])
    # A sum of cosines at the period of the voice is the autocorrelation there: near 1 if all power is harmonic.
    phase = np.outer((2 * np.pi / FFT_LENGTH * rate_hz) / f0_hz, np.arange(power.shape[1]))
    harmonic = power * np.cos(phase.astype(np.float32))
    return np.array(
        [
            first - second,
            first - in_decibels[:, _bins(LOW_FORMANT_HZ, width_hz)].max(axis=1),
            first - in_decibels[:, _bins(HIGH_FORMANT_HZ, width_hz)].max(axis=1),
            peak - cepstrum.mean(axis=1),
            *(
                harmonic[:, _bins(band, width_hz)].sum(axis=1) / power[:, _bins(band, width_hz)].sum(axis=1)
                for band in HARMONICITY_BANDS_HZ
            ),
        ]
    )


def _highest(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Of each row the highest value within `REACH_BINS` of its place."""
    columns = places.astype(int)[:, None] + np.arange(-REACH_BINS, REACH_BINS + 1)
    found: np.ndarray = np.take_along_axis(rows, columns.clip(0, rows.shape[1] - 1), axis=1).max(axis=1)
    return found


def _bins(band_hz: tuple[int, int], width_hz: float) -> slice:
    return slice(int(np.ceil(band_hz[0] / width_hz)), int(np.ceil(band_hz[1] / width_hz)))
