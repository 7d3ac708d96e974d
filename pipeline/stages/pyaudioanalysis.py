"""pyAudioAnalysis 0.3.14 as an extractor of features, imported without the packages it never calls here."""

import warnings
from functools import cache, cached_property
from types import ModuleType
from typing import Any

import numpy as np

from pipeline.stages.errors import StageError
from pipeline.stages.stand_ins import stand_ins

# Method §5: short-term window = step = 50 ms, mid-term window = step = 1 s.
SHORT_WINDOW_S = 0.050
MID_WINDOW_S = 1.0
# The library reads 16-bit WAV files and divides by this; see `ShortTermFeatures.feature_extraction`.
INT16_SCALE = 2.0**15


@cache
def _library() -> Any:
    """`pyAudioAnalysis.MidTermFeatures`, imported once.

    It plots with matplotlib, reads tags with eyed3, other formats with pydub and AIFF files with aifc (gone since
    Python 3.13); none of that is called for features, so empty modules stand in while it is imported.
    """
    names = ("aifc", "eyed3", "pydub", "matplotlib", "matplotlib.pyplot")
    modules = {name: ModuleType(name) for name in names}
    modules["matplotlib"].pyplot = modules["matplotlib.pyplot"]  # type: ignore[attr-defined]
    modules["pydub"].AudioSegment = None  # type: ignore[attr-defined]
    with stand_ins(modules), warnings.catch_warnings():
        # It imports from `scipy.fftpack.realtransforms`.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="pyAudioAnalysis")
        from pyAudioAnalysis import MidTermFeatures
    return MidTermFeatures


class LibraryExtractor:
    """The 136 numbers of method §5, computed by pyAudioAnalysis itself.

    34 short-term features and their deltas over windows of 50 ms, their mean and standard deviation over windows of
    1 s (the last one may be shorter), averaged over the segment. The library removes the segment's own DC offset and
    divides by its own peak first.

    References
    ----------
    T. Giannakopoulos, "pyAudioAnalysis: An Open-Source Python Library for Audio Signal Analysis",
    PLOS ONE 10(12), 2015. doi:10.1371/journal.pone.0144610
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names as the library gives them: ``zcr_mean`` ... ``delta chroma_std_std``."""
        window = np.zeros(800)
        return tuple(_library().mid_feature_extraction(window, 16_000, 16_000, 16_000, 800, 800)[2])

    def extract(self, samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
        """Features of one segment.

        Parameters
        ----------
        samples : np.ndarray [shape=(n,)]
            Between -1 and 1, mono.
        sample_rate_hz : int
            Samples per second.

        Returns
        -------
        np.ndarray [shape=(136,), dtype=float64]
            In the order of `feature_names`; always finite.

        Raises
        ------
        StageError
            The segment is shorter than one window of 50 ms, for which the library has no features either.
        """
        short, mid = round(SHORT_WINDOW_S * sample_rate_hz), round(MID_WINDOW_S * sample_rate_hz)
        if len(samples) < short:
            raise too_short(len(samples), sample_rate_hz)
        signal = np.asarray(samples, dtype=np.float64) * INT16_SCALE
        statistics, _, _ = _library().mid_feature_extraction(signal, sample_rate_hz, mid, mid, short, short)
        features: np.ndarray = statistics.mean(axis=1)
        if not np.isfinite(features).all():
            raise StageError("The audio features of a segment are not finite numbers; its sound may be damaged.")
        return features


def too_short(n_samples: int, sample_rate_hz: int) -> StageError:
    """The error for a segment of less than one window."""
    length_ms = 1000 * n_samples / sample_rate_hz
    return StageError(
        f"A segment of {length_ms:.0f} ms is too short for audio features; they need at least "
        f"{1000 * SHORT_WINDOW_S:.0f} ms."
    )
