"""pyAudioAnalysis' 34 short-term features for many frames at once, with vectorised NumPy and SciPy.

The formulas are those of pyAudioAnalysis 0.3.14 (`ShortTermFeatures.feature_extraction`); tests hold every number
against the library. The library rebuilds its tables for every frame and walks frame by frame in Python; here tables
are built once per sampling rate, and a block of frames passes through each formula together, in memory that is
allocated once (fresh megabyte arrays cost more in page faults than the arithmetic on them).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from scipy.sparse import csr_array

from pipeline.stages.errors import StageError

# Added by the library wherever it divides or takes a logarithm.
EPSILON = float(np.finfo(np.float64).eps)
# Sub-blocks of both entropies, share of energy below the roll-off, cepstral coefficients kept: the library's.
N_BLOCKS = 10
ROLLOFF_SHARE = 0.90
N_MFCC = 13
N_CHROMA = 12
# Triangular filters of Malcolm Slaney's Auditory Toolbox (1998), as the library has them: 13 linear, 27 logarithmic.
FIRST_FILTER_HZ = 133.33
LINEAR_STEP_HZ = 200 / 3
LOGARITHMIC_STEP = 1.0711703
N_LINEAR, N_LOGARITHMIC = 13, 27
# Pitch of A0, where the library's chroma begins.
CHROMA_ORIGIN_HZ = 27.50
# The last mel filter ends at 6,855 Hz in bins that the library spaces up to the sampling rate, so below 8 kHz (the next
# rate in use) the library fails or leaves filters out.
LOWEST_RATE_HZ = 8_000
# Frames that pass through the formulas together: few enough to stay in a core's cache.
BLOCK_FRAMES = 96
# Below it the square of a magnitude loses digits, at last all of them.
LEAST_SQUARED = 1e-140
# Sums of some thousand terms taken in another order differ by less than this share.
ROUNDING = 1e-11
NAMES = (
    "zcr",
    "energy",
    "energy_entropy",
    "spectral_centroid",
    "spectral_spread",
    "spectral_entropy",
    "spectral_flux",
    "spectral_rolloff",
    *(f"mfcc_{number}" for number in range(1, N_MFCC + 1)),
    *(f"chroma_{number}" for number in range(1, N_CHROMA + 1)),
    "chroma_std",
)


@dataclass(frozen=True)
class Tables:
    """What depends only on the sampling rate and the window.

    Attributes
    ----------
    frequencies_hz : np.ndarray [shape=(n_bins,)]
        Of the bins as the library counts them, from 1.
    mel : csr_array [shape=(40, n_mel_bins)]
        Filter bank, cut behind its last bin above zero.
    cosine : csr_array [shape=(13, 40)]
        Orthonormal DCT-II, first coefficients.
    chroma_bins : np.ndarray [shape=(n_chroma_bins,)]
        Spectral bins that reach a chroma.
    chroma : csr_array [shape=(12, n_chroma_bins)]
        Weight of each of them in each chroma.
    """

    frequencies_hz: np.ndarray
    mel: csr_array
    cosine: csr_array
    chroma_bins: np.ndarray
    chroma: csr_array


@lru_cache(maxsize=8)
def tables(sample_rate_hz: int, window_samples: int) -> Tables:
    """Tables for a sampling rate in Hz and a window in samples.

    Raises
    ------
    StageError
        The rate is below `LOWEST_RATE_HZ`.
    """
    if sample_rate_hz < LOWEST_RATE_HZ:
        raise StageError(
            f"Audio features need a sampling rate of at least {LOWEST_RATE_HZ} Hz, and this sound has "
            f"{sample_rate_hz} Hz."
        )
    n_bins = window_samples // 2
    frequencies_hz = np.arange(1, n_bins + 1) * (sample_rate_hz / (2.0 * n_bins))
    mel = _mel_filters(sample_rate_hz, n_bins)
    n_mel_bins = int(np.nonzero(mel.any(axis=0))[0][-1]) + 1
    cosine = scipy.fft.dct(np.eye(len(mel)), type=2, norm="ortho", axis=-1)[:, :N_MFCC]
    chroma = _chroma_weights(sample_rate_hz, n_bins)
    chroma_bins = np.nonzero(chroma.any(axis=1))[0]
    return Tables(
        frequencies_hz=frequencies_hz,
        mel=csr_array(mel[:, :n_mel_bins]),
        cosine=csr_array(cosine.T),
        chroma_bins=chroma_bins,
        chroma=csr_array(chroma[chroma_bins].T),
    )


def _mel_filters(sample_rate_hz: int, n_bins: int) -> np.ndarray:
    """Triangles [shape=(40, n_bins)]; the library spaces the bins by ``sample_rate / n_bins``."""
    edges = np.empty(N_LINEAR + N_LOGARITHMIC + 2)
    edges[:N_LINEAR] = FIRST_FILTER_HZ + np.arange(N_LINEAR) * LINEAR_STEP_HZ
    edges[N_LINEAR:] = edges[N_LINEAR - 1] * LOGARITHMIC_STEP ** np.arange(1, N_LOGARITHMIC + 3)
    bins_hz = np.arange(n_bins) / n_bins * sample_rate_hz
    borders = (np.floor(edges * n_bins / sample_rate_hz) + 1).astype(int)
    filters = np.zeros((len(edges) - 2, n_bins))
    for row, (low, centre, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        height = 2.0 / (high - low)
        rise = slice(borders[row], borders[row + 1])
        fall = slice(borders[row + 1], borders[row + 2])
        filters[row, rise] = height / (centre - low) * (bins_hz[rise] - low)
        filters[row, fall] = height / (high - centre) * (high - bins_hz[fall])
    return filters


def _chroma_weights(sample_rate_hz: int, n_bins: int) -> np.ndarray:
    """Share of each bin's power in each chroma [shape=(n_bins, 12)].

    Where several bins fall on one semitone the library keeps only the last, divided by a count that it looks up at
    the semitone's own number; both are repeated here.
    """
    frequencies_hz = (np.arange(n_bins) + 1) * sample_rate_hz / (2 * n_bins)
    semitones = np.round(12.0 * np.log2(frequencies_hz / CHROMA_ORIGIN_HZ)).astype(int)
    _, which, counts = np.unique(semitones, return_inverse=True, return_counts=True)
    bins_on_semitone = counts[which]
    weights = np.zeros((n_bins, N_CHROMA))
    # A negative semitone counts from the end of the library's array.
    last_bin = {semitone % n_bins: position for position, semitone in enumerate(semitones.tolist())}
    for place, position in last_bin.items():
        weights[position, place % N_CHROMA] += 1.0 / bins_on_semitone[semitones[place]]
    return weights


class ShortTerm:
    """Computes the 34 features of frames, block by block, in memory of its own (one instance per thread)."""

    def __init__(self, sample_rate_hz: int, window_samples: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.window_samples = window_samples
        self.tables = tables(sample_rate_hz, window_samples)
        self._n_bins = window_samples // 2
        self._power, self._magnitude, self._scratch, self._share = (
            np.empty((BLOCK_FRAMES, self._n_bins)) for _ in range(4)
        )
        self._previous_share = np.zeros(self._n_bins)

    def features(self, frames: np.ndarray, is_first: np.ndarray) -> np.ndarray:
        """The library's 34 features of consecutive frames.

        Parameters
        ----------
        frames : np.ndarray [shape=(n, window_samples), dtype=float64]
            Without DC offset and divided by the peak, per segment.
        is_first : np.ndarray [shape=(n,), dtype=bool]
            True where a segment begins; its spectral flux is 0.

        Returns
        -------
        np.ndarray [shape=(n, 34), dtype=float64]
        """
        result = np.empty((len(frames), len(NAMES)))
        for start in range(0, len(frames), BLOCK_FRAMES):
            block = slice(start, start + BLOCK_FRAMES)
            self._time_domain(frames[block], result[block])
            self._frequency_domain(frames[block], is_first[block], result[block])
        return result

    def _time_domain(self, frames: np.ndarray, result: np.ndarray) -> None:
        """Zero-crossing rate, energy, entropy of energy (columns 0 to 2)."""
        signs = (frames > 0).view(np.int8) - (frames < 0).view(np.int8)
        steps = np.abs(signs[:, 1:] - signs[:, :-1])
        result[:, 0] = np.add.reduce(steps, axis=1, dtype=np.int32) / 2 / (self.window_samples - 1)
        blocks, total = _block_energies(frames)
        result[:, 1] = total / self.window_samples
        result[:, 2] = _entropy(blocks, total)

    def _frequency_domain(self, frames: np.ndarray, is_first: np.ndarray, result: np.ndarray) -> None:
        """Columns 3 to 33, from the magnitudes of the lower half of the spectrum divided by its length."""
        n, n_bins, t = len(frames), self._n_bins, self.tables
        power, magnitude, scratch, share = (
            array[:n] for array in (self._power, self._magnitude, self._scratch, self._share)
        )
        spectrum = scipy.fft.rfft(frames, axis=1)[:, :n_bins]
        np.multiply(spectrum.real, spectrum.real, out=power)
        np.multiply(spectrum.imag, spectrum.imag, out=scratch)
        power += scratch
        power *= 1.0 / n_bins**2
        np.sqrt(power, out=magnitude)

        # Spectral centroid and spread, of magnitudes divided by their largest.
        total, largest = magnitude.sum(axis=1), magnitude.max(axis=1)
        scale = 1.0 / np.where(largest == 0, EPSILON, largest)
        weight = total * scale + EPSILON
        centroid_hz = np.einsum("fk,k->f", magnitude, t.frequencies_hz) * scale / weight
        np.subtract(t.frequencies_hz, centroid_hz[:, None], out=scratch)
        scratch *= scratch
        spread_hz = np.sqrt(np.einsum("fk,fk->f", scratch, magnitude) * scale / weight)
        soft = np.nonzero(largest < LEAST_SQUARED)[0]
        for row in soft[spectrum[soft].any(axis=1)]:  # a loop over silent frames would take longer than all the rest
            centroid_hz[row], spread_hz[row] = _centre_and_spread(np.abs(spectrum[row]) / n_bins, t.frequencies_hz)
        result[:, 3] = centroid_hz / (self.sample_rate_hz / 2.0)
        result[:, 4] = spread_hz / (self.sample_rate_hz / 2.0)

        # Spectral entropy.
        length = n_bins // N_BLOCKS
        blocks = power[:, : N_BLOCKS * length].reshape(n, N_BLOCKS, length).sum(axis=2)
        energy = blocks.sum(axis=1) + power[:, N_BLOCKS * length :].sum(axis=1)
        result[:, 5] = _entropy(blocks, energy)

        # Spectral flux, between shares of the frame and of the one before it.
        np.divide(magnitude, (total + n_bins * EPSILON)[:, None], out=share)
        np.subtract(share[0], self._previous_share, out=scratch[0])
        np.subtract(share[1:], share[:-1], out=scratch[1:])
        scratch[is_first] = 0.0
        self._previous_share[:] = share[-1]
        result[:, 6] = np.einsum("fk,fk->f", scratch, scratch)

        # Spectral roll-off: the first bin above the threshold.
        np.cumsum(power, axis=1, out=scratch)
        scratch += EPSILON
        threshold = ROLLOFF_SHARE * energy
        reached = (scratch > threshold[:, None]).argmax(axis=1)
        rows = np.arange(n)
        margin = np.minimum(
            np.abs(scratch[rows, reached] - threshold), np.abs(scratch[rows, np.maximum(reached - 1, 0)] - threshold)
        )
        for row in np.nonzero((margin <= ROUNDING * threshold) & (energy > 0))[0]:
            reached[row] = _rolloff_bin(frames[row], n_bins)
        result[:, 7] = reached / n_bins

        # Without BLAS, whose sums depend on how many rows and threads there are.
        mel = t.mel @ np.ascontiguousarray(magnitude[:, : t.mel.shape[1]].T)
        mel += EPSILON
        result[:, 8:21] = (t.cosine @ np.log10(mel)).T

        chroma = t.chroma @ power.T[t.chroma_bins]
        chroma /= np.where(energy == 0, EPSILON, energy)
        result[:, 21:33] = chroma.T
        result[:, 33] = result[:, 21:33].std(axis=1)


def _centre_and_spread(magnitude: np.ndarray, frequencies_hz: np.ndarray) -> tuple[float, float]:
    """Spectral centroid and spread in Hz of one frame that is too soft for powers, but not silent."""
    shares = magnitude / magnitude.max()
    shares /= shares.sum() + EPSILON
    centre = float(shares @ frequencies_hz)
    return centre, float(np.sqrt((frequencies_hz - centre) ** 2 @ shares))


def _rolloff_bin(frame: np.ndarray, n_bins: int) -> int:
    """The roll-off of one frame in the library's own order of operations.

    Where a sum of powers equals the threshold but for rounding, as in the flat spectrum of a click, only the same
    rounding gives the same bin.
    """
    power = (np.abs(scipy.fft.fft(frame))[:n_bins] / n_bins) ** 2
    return int((np.cumsum(power) + EPSILON > ROLLOFF_SHARE * np.sum(power)).argmax())


def _block_energies(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies of the ten sub-blocks of each frame [shape=(n, 10)] and of the whole frame [shape=(n,)]."""
    length = frames.shape[1] // N_BLOCKS
    blocks = frames[:, : N_BLOCKS * length].reshape(len(frames), N_BLOCKS, length)
    energies = np.einsum("fbl,fbl->fb", blocks, blocks)
    rest = frames[:, N_BLOCKS * length :]
    return energies, energies.sum(axis=1) + np.einsum("fl,fl->f", rest, rest)


def _entropy(parts: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Shannon entropy in bits of the parts' shares in the total [shape=(n,)]."""
    shares = parts / (total + EPSILON)[:, None]
    return -np.einsum("fb,fb->f", shares, np.log2(shares + EPSILON))
