"""The extractor `crossmodal`: robust statistics of how a segment is spoken."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pipeline.stages.contours import ACTIVE_NAMES, FRAMES_PER_S, RATE_HZ, VOICED_NAMES, Contours, contours
from pipeline.stages.errors import StageError
from pipeline.stages.pyaudioanalysis import SHORT_WINDOW_S, too_short

PERCENTILES = (5, 20, 50, 80, 95)
STATISTICS = ("mean", "std", *(f"p{percent}" for percent in PERCENTILES), "range20_80", "slope", "change")
CHANGE_STATISTICS = ("change_std", "change_range5_95")
# Changes from frame to frame are mostly of glottal pulses and noise; those within half a syllable and from syllable to
# syllable are of the speech.
LAGS_MS = (50, 120)
LAG_STATISTICS = tuple(f"{statistic}{lag_ms}" for lag_ms in LAGS_MS for statistic in ("change", "change_std"))
LAGGED_VOICED_NAMES = ("pitch", "voiced_relative_loudness", "hnr", "alpha_ratio")
# Jitter, shimmer and the like: of these contours, from frame to frame within the voice.
STEPPED_NAMES = ("pitch", "voiced_relative_loudness", "hnr", "band9")
STEP_STATISTICS = ("step_p20", "step_p50", "step_p80", "bend_p50", "bend_mean")
# A larger bend is an error of the pitch or the end of a sound.
LARGEST_BEND = 3.0
RHYTHM_NAMES = (
    "voiced_share",
    "active_share",
    "voiced_runs_per_s",
    "voiced_run_mean",
    "voiced_run_std",
    "loudness_peaks_per_s",
    "pitch_change_mean",
    "pitch_change_std",
    "pitch_slope_mean",
    "pitch_slope_std",
    "pitch_slope_max",
    "pitch_slope_min",
    "pitch_range_mean",
    "pitch_range_max",
)
# Runs of voice shorter than this have no slope worth the name: 60 ms.
SHORTEST_RUN = 6
# Longer segments are cut, and the parts' features averaged: memory does not grow, and a slope stays that of a phrase.
PART_SAMPLES = 30 * RATE_HZ
SHORTEST_SAMPLES = round(SHORT_WINDOW_S * RATE_HZ)


class CrossmodalExtractor:
    """Loudness, spectrum, voice and rhythm of a segment by percentiles, slopes and changes; see docs/features.md.

    No number depends on the recording's level, and pauses before, within and after the speech count for the rhythm
    alone. The numbers are finite for every sound, silence included.

    References
    ----------
    F. Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for Voice Research and Affective
    Computing", IEEE Transactions on Affective Computing 7(2), 2016.
    """

    name = "crossmodal"
    feature_names = (
        *(f"{name}_{statistic}" for statistic in STATISTICS for name in ACTIVE_NAMES),
        *(f"{name}_{statistic}" for statistic in CHANGE_STATISTICS for name in ACTIVE_NAMES),
        *(f"{name}_{statistic}" for statistic in STATISTICS for name in VOICED_NAMES),
        *RHYTHM_NAMES,
        *(f"{name}_{statistic}" for statistic in LAG_STATISTICS for name in (*ACTIVE_NAMES, *LAGGED_VOICED_NAMES)),
        *(f"{name}_{statistic}" for name in STEPPED_NAMES for statistic in STEP_STATISTICS),
    )

    def extract(self, samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
        """Features of one segment.

        Parameters
        ----------
        samples : np.ndarray [shape=(n,)]
            Between -1 and 1, mono.
        sample_rate_hz : int
            16,000, as every decoded recording has.

        Returns
        -------
        np.ndarray [shape=(n_features,), dtype=float64]
            In the order of `feature_names`; always finite.

        Raises
        ------
        StageError
            The segment is shorter than 50 ms or not of finite numbers, or its rate is another one.
        """
        return self.extract_blocks(
            lambda n: (samples[start : start + n] for start in range(0, len(samples), n)), sample_rate_hz
        )

    def extract_many(self, segments: Sequence[np.ndarray], sample_rate_hz: int) -> np.ndarray:
        """Features of several segments, float64 [shape=(n_segments, n_features)]; errors as in `extract`."""
        rows = np.zeros((len(segments), len(self.feature_names)))
        for row, samples in enumerate(segments):
            rows[row] = self.extract(samples, sample_rate_hz)
        return rows

    def extract_blocks(self, read: Callable[[int], Iterator[np.ndarray]], sample_rate_hz: int) -> np.ndarray:
        """Features of a segment of any length: the mean over its parts of 30 s, each weighted by its duration."""
        if sample_rate_hz != RATE_HZ:
            raise StageError(
                f"The extractor {self.name} needs sound at {RATE_HZ} Hz, and this has {sample_rate_hz} Hz; decode it "
                "first."
            )
        total, weight, seen = np.zeros(len(self.feature_names)), 0, 0
        for part in read(PART_SAMPLES):
            seen += len(part)
            if len(part) < SHORTEST_SAMPLES:
                continue
            if not np.isfinite(part).all():
                raise StageError("The sound of a segment is not made of finite numbers; its recording may be damaged.")
            total += len(part) * _features(contours(part))
            weight += len(part)
        if not weight:
            raise too_short(seen, sample_rate_hz)
        return total / weight


def _features(c: Contours) -> np.ndarray:
    active = c.active[:, c.is_active]
    return np.concatenate(
        [
            _statistics(active),
            _change_statistics(active),
            _statistics(c.voiced[:, c.is_voiced]),
            _rhythm(c),
            *(_lagged(c, lag_ms) for lag_ms in LAGS_MS),
            *(_steps(c, name) for name in STEPPED_NAMES),
        ]
    )


def _statistics(rows: np.ndarray) -> np.ndarray:
    """`STATISTICS` of each row over its frames [shape=(n_rows, n)], one statistic after the other."""
    percentiles = _percentiles(np.sort(rows, axis=1), PERCENTILES)
    time_s = np.arange(rows.shape[1]) / FRAMES_PER_S
    time_s = time_s - time_s.mean()
    slope = rows @ time_s / max(float(time_s @ time_s), np.finfo(float).tiny)
    change = np.abs(np.diff(rows, axis=1)).sum(axis=1) / max(1, rows.shape[1] - 1)
    return np.concatenate(
        [rows.mean(axis=1), rows.std(axis=1), *percentiles, percentiles[3] - percentiles[1], slope, change]
    )


def _change_statistics(rows: np.ndarray) -> np.ndarray:
    """Spread of the differences between neighbouring frames: standard deviation, and 5th to 95th percentile."""
    if rows.shape[1] < 2:
        return np.zeros(2 * len(rows))
    changes = np.diff(rows, axis=1)
    low, high = _percentiles(np.sort(changes, axis=1), (5, 95))
    return np.concatenate([changes.std(axis=1), high - low])


def _lagged(c: Contours, lag_ms: int) -> np.ndarray:
    """Mean size and standard deviation of the changes over a lag, between frames that both count."""
    lag = round(lag_ms * FRAMES_PER_S / 1000)
    voiced = c.voiced[[VOICED_NAMES.index(name) for name in LAGGED_VOICED_NAMES]]
    sizes, deviations = [], []
    for rows, chosen in ((c.active, c.is_active), (voiced, c.is_surely_voiced)):
        places = np.nonzero(chosen[lag:] & chosen[:-lag])[0]
        changes = rows[:, places + lag] - rows[:, places] if len(places) else np.zeros((len(rows), 1))
        sizes.append(np.abs(changes).mean(axis=1))
        deviations.append(changes.std(axis=1))
    return np.concatenate([*sizes, *deviations])


def _steps(c: Contours, name: str) -> np.ndarray:
    """`STEP_STATISTICS` of a contour: first and second differences of neighbouring voiced frames."""
    row, is_voiced = c.voiced[VOICED_NAMES.index(name)], c.is_surely_voiced
    if name == "voiced_relative_loudness":
        row = 10 * np.log10(row)
    steps = np.diff(row)[is_voiced[1:] & is_voiced[:-1]]
    bends = np.abs(np.diff(row, 2)[is_voiced[2:] & is_voiced[1:-1] & is_voiced[:-2]])
    steps, bends = (values if len(values) else np.zeros(1) for values in (steps, bends))
    low, high = _percentiles(np.sort(steps)[None], (20, 80))
    (size,) = _percentiles(np.sort(np.abs(steps))[None], (50,))
    (bend,) = _percentiles(np.sort(bends)[None], (50,))
    return np.concatenate([low, size, high, bend, [np.minimum(bends, LARGEST_BEND).mean()]])


def _percentiles(ordered: np.ndarray, percents: Sequence[int]) -> list[np.ndarray]:
    """Percentiles of each ordered row, interpolated linearly between ranks."""
    places = np.array(percents) / 100 * (ordered.shape[1] - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    values: np.ndarray = ordered[:, below] + (places - below) * (ordered[:, above] - ordered[:, below])
    return list(values.T)


def _rhythm(c: Contours) -> np.ndarray:
    """`RHYTHM_NAMES`, between the first and the last active frame."""
    places = np.nonzero(c.is_active)[0]
    inside = slice(int(places[0]), int(places[-1]) + 1)
    is_active, is_voiced = c.is_active[inside], c.is_surely_voiced[inside]
    loudness, pitch = c.active[0, inside], c.voiced[0, inside]
    duration_s = max(len(is_active), SHORTEST_RUN) / FRAMES_PER_S

    edges = np.diff(np.concatenate([[0], is_voiced.view(np.int8), [0]]))
    starts, ends = np.nonzero(edges == 1)[0], np.nonzero(edges == -1)[0]
    runs_s = (ends - starts) / FRAMES_PER_S if len(starts) else np.zeros(1)
    is_peak = (loudness[1:-1] > loudness[:-2]) & (loudness[1:-1] >= loudness[2:]) & is_active[1:-1]
    steps = np.diff(pitch)[is_voiced[1:] & is_voiced[:-1]]
    slopes, ranges = [], []
    for start, end in zip(starts, ends, strict=True):
        if end - start >= SHORTEST_RUN:
            time_s = np.arange(end - start) / FRAMES_PER_S
            time_s = time_s - time_s.mean()
            slopes.append(float(time_s @ pitch[start:end] / (time_s @ time_s)))
            ranges.append(float(np.ptp(pitch[start:end])))
    of_steps, of_slopes, of_ranges = (np.array(values) if len(values) else np.zeros(1) for values in
                                      (steps, slopes, ranges))  # fmt: skip
    return np.array(
        [
            is_voiced.mean(),
            is_active.mean(),
            len(starts) / duration_s,
            runs_s.mean(),
            runs_s.std(),
            is_peak.sum() / duration_s,
            np.abs(of_steps).mean(),
            of_steps.std(),
            of_slopes.mean(),
            of_slopes.std(),
            of_slopes.max(),
            of_slopes.min(),
            of_ranges.mean(),
            of_ranges.max(),
        ]
    )
