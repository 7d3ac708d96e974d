"""Named ways from audio features to a classifier, to be compared with each other on the same files."""

from dataclasses import dataclass

import numpy as np

from pipeline.stages.classifiers import CLASS_WEIGHT, SVM_RBF
from pipeline.stages.crossmodal_features import CrossmodalExtractor
from pipeline.stages.features import DEFAULT_EXTRACTOR
from pipeline.stages.training import TrainingParameters


@dataclass(frozen=True)
class Recipe:
    """A named way from features to a classifier.

    Attributes
    ----------
    name, description : str
    extractor : str
        One of `pipeline.stages.features.EXTRACTORS`.
    parameters : TrainingParameters
    normalise_groups : bool
        Whether features are standardised within each group first, see `normalise_per_group`.
    """

    name: str
    description: str
    extractor: str
    parameters: TrainingParameters
    normalise_groups: bool


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="seed-2019",
            description="the 2019 features, standardised, balanced by SMOTE, linear SVM",
            extractor=DEFAULT_EXTRACTOR,
            parameters=TrainingParameters(),
            normalise_groups=False,
        ),
        Recipe(
            name="recommended",
            description="the features of the extractor crossmodal, standardised within each group as far as the group "
            "is large, classes weighted, RBF-kernel SVM",
            extractor=CrossmodalExtractor.name,
            parameters=TrainingParameters(
                classifier=SVM_RBF,
                c_values=(1.0, 3.0, 10.0, 30.0),
                gamma_values=(0.3, 0.6, 1.0, 2.0),
                balancing=CLASS_WEIGHT,
            ),
            normalise_groups=True,
        ),
    )
}
# A group of this many segments is standardised half by its own mean and variance and half by those of all. Tiny groups
# keep what tells their class apart: with one class per group, full standardisation would leave chance alone.
HALF_OWN_SEGMENTS = 5
# Less variance than this share of a feature's squared size is rounding.
CONSTANT = 1e-24


def normalise_per_group(X: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Standardise each feature within each group, so that voices and microphones are alike.

    No label is used, but all of a group's segments are: it suits recordings that are at hand as a whole. Mean and
    variance of a group of n segments are drawn towards the mean of all segments and the variance within all groups,
    with the share ``w = n / (n + 5)`` of their own. Where a large group is mostly of one class, what tells that class
    apart is still normalised away with the voice.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
    groups : np.ndarray [shape=(n,)]

    Returns
    -------
    np.ndarray [shape=(n, n_features), dtype=float64]
        A feature that is constant becomes 0.

    References
    ----------
    B. Efron, C. Morris, "Stein's Estimation Rule and Its Competitors", JASA 68(341), 1973 (shrinkage).
    """
    if not len(X):
        return np.zeros(X.shape)
    names, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.array([X[group_of == group].mean(axis=0) for group in range(len(names))])
    variances = np.array([X[group_of == group].var(axis=0) for group in range(len(names))])
    degrees = len(X) - len(names)
    common = (sizes @ variances) / degrees if degrees else X.var(axis=0)
    least = CONSTANT * np.abs(X).max(axis=0) ** 2
    share = (sizes / (sizes + HALF_OWN_SEGMENTS))[:, None]
    centre = share * means + (1 - share) * X.mean(axis=0)
    variance = share * variances + (1 - share) * common
    is_constant = variance <= least
    scale = np.sqrt(np.where(is_constant, 1.0, variance))
    normalised: np.ndarray = (X - centre[group_of]) / scale[group_of]
    normalised[is_constant[group_of]] = 0.0
    return normalised
