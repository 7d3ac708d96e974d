"""Named ways from audio features to a classifier, to be compared with each other on the same files."""

from dataclasses import dataclass

import numpy as np

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
        # Of linear and RBF kernel, SMOTE and class weights, with and without normalisation, the best on EmoDB with one
        # speaker left out (nested macro F1 0.76; seed-2019: 0.62).
        Recipe(
            name="recommended",
            description="the 2019 features, standardised within each group, balanced by SMOTE, RBF-kernel SVM",
            extractor=DEFAULT_EXTRACTOR,
            parameters=TrainingParameters(classifier="svm-rbf", c_values=(0.1, 1.0, 10.0, 100.0)),
            normalise_groups=True,
        ),
    )
}


def normalise_per_group(X: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Standardise each feature within each group, so that voices and microphones are alike.

    No label is used, but all of a group's segments are: it suits recordings that are at hand as a whole, with many
    segments of all classes. Where a group is mostly of one class, what tells that class apart is normalised away with
    the voice. A feature that is constant within a group becomes 0, so a group of one row says nothing any more.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
    groups : np.ndarray [shape=(n,)]

    Returns
    -------
    np.ndarray [shape=(n, n_features), dtype=float64]
    """
    normalised = np.zeros(X.shape)
    for group in np.unique(groups):
        rows = groups == group
        spread = X[rows].std(axis=0)
        normalised[rows] = (X[rows] - X[rows].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return normalised
