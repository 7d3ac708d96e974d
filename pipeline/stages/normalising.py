"""Features that are comparable between voices and microphones: standardised within each video, without labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.stages import training
from pipeline.stages.calibration import TemperatureScaled
from pipeline.stages.errors import StageError

# A group of this many segments is standardised half by its own mean and variance and half by those of all. Tiny groups
# keep what tells their class apart: with one class per group, full standardisation would leave chance alone.
HALF_OWN_SEGMENTS = 5
# Less variance than this share of a feature's squared size is rounding.
CONSTANT = 1e-24


@dataclass(frozen=True, eq=False)
class GroupNormaliser:
    """What a corpus says of its features, and how a group (a video, a speaker) is standardised with it.

    Mean and variance of a group of n segments are drawn towards those of the corpus, with the share
    ``w = n / (n + half_own_segments)`` of their own. The name and module of this class are written into stored models,
    so they must stay.

    Attributes
    ----------
    mean : np.ndarray [shape=(n_features,), dtype=float64]
        Of all segments.
    variance : np.ndarray [shape=(n_features,), dtype=float64]
        Within all groups.
    largest : np.ndarray [shape=(n_features,), dtype=float64]
        Largest absolute value of each feature: a variance far below its square is rounding.
    half_own_segments : int
        Segments of a group that counts half by itself.
    segments, groups : int
        How many the corpus has.

    References
    ----------
    B. Efron, C. Morris, "Stein's Estimation Rule and Its Competitors", JASA 68(341), 1973 (shrinkage).
    """

    mean: np.ndarray
    variance: np.ndarray
    largest: np.ndarray
    half_own_segments: int
    segments: int
    groups: int

    @classmethod
    def fit(cls, groups: Iterable[np.ndarray]) -> "GroupNormaliser":
        """Learn from the rows of each group [shape=(n, n_features)], one group in memory at a time.

        Raises
        ------
        StageError
            There is no segment, or a feature is not a finite number.

        References
        ----------
        T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for Computing the Sample Variance", The American
        Statistician 37(3), 1983 (means and squares of parts put together).
        """
        segments, n_groups, bad = 0, 0, 0
        mean = total = within = largest = np.zeros(0)
        for X in groups:
            if not len(X):
                continue
            if not segments:
                mean, total, within, largest = (np.zeros(X.shape[1]) for _ in range(4))
            not_finite = int((~np.isfinite(X)).any(axis=1).sum())
            if not_finite:
                bad, segments = bad + not_finite, segments + len(X)
                continue
            squares = len(X) * X.var(axis=0)
            shift = X.mean(axis=0) - mean
            total = total + squares + shift**2 * (segments * len(X) / (segments + len(X)))
            mean = mean + shift * (len(X) / (segments + len(X)))
            within = within + squares
            largest = np.maximum(largest, np.abs(X).max(axis=0))
            segments, n_groups = segments + len(X), n_groups + 1
        if bad:
            raise StageError(
                f"{bad} of {segments} segments have features that are not finite numbers; extract them again."
            )
        if not segments:
            raise StageError("There is no segment to normalise features by.")
        # Where each group is a single segment, nothing varies within groups.
        variance = within / (segments - n_groups) if segments > n_groups else total / segments
        return cls(mean, variance, largest, HALF_OWN_SEGMENTS, segments, n_groups)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Standardise one group by all of its segments.

        Parameters
        ----------
        X : np.ndarray [shape=(n, n_features)]
            All segments of the group: its mean and variance are those of these rows.

        Returns
        -------
        np.ndarray [shape=(n, n_features), dtype=float64]
            A feature that is constant becomes 0.
        """
        if not len(X):
            return np.zeros(X.shape)
        own = len(X) / (len(X) + self.half_own_segments)
        centre = own * X.mean(axis=0) + (1 - own) * self.mean
        variance = own * X.var(axis=0) + (1 - own) * self.variance
        is_constant = variance <= CONSTANT * self.largest**2
        normalised: np.ndarray = (X - centre) / np.sqrt(np.where(is_constant, 1.0, variance))
        normalised[:, is_constant] = 0.0
        return normalised


@dataclass(frozen=True, eq=False)
class NormalisedModel:
    """A model for features that are standardised within each video, and what they are standardised with.

    The name and module of this class are written into stored models, so they must stay.

    Attributes
    ----------
    normaliser : GroupNormaliser
        Fitted on the corpus that the classifier learnt from.
    classifier : TemperatureScaled
        Fitted on features that the normaliser made.
    """

    normaliser: GroupNormaliser
    classifier: TemperatureScaled


def predict_video(model: Any, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of all segments of one video, whichever kind of model it is.

    Parameters
    ----------
    model : TemperatureScaled or NormalisedModel
        What `artifact.read_artifact` gives.
    X : np.ndarray [shape=(n, n_features)]
        As extracted, of all kept segments of the video, since some models standardise by them.

    Returns
    -------
    labels : np.ndarray of str [shape=(n,)]
    probabilities : np.ndarray [shape=(n, 3), dtype=float64]
        In the order of `pipeline.labels.LABELS`.

    Raises
    ------
    StageError
        The features are not finite or not as many as the model was trained on.
    """
    if not isinstance(model, NormalisedModel):
        return training.predict(model, X)
    # Features of another number are left as they are: the classifier refuses them in a sentence.
    fits = X.ndim == 2 and X.shape[1] == len(model.normaliser.mean)
    return training.predict(model.classifier, model.normaliser.apply(X) if fits else X)
