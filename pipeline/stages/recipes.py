"""Named ways from audio features to a classifier, to be compared with each other on the same files."""

from dataclasses import dataclass

import numpy as np

from pipeline.stages.classifiers import CLASS_WEIGHT, SVM_RBF
from pipeline.stages.crossmodal_features import CrossmodalExtractor
from pipeline.stages.features import DEFAULT_EXTRACTOR
from pipeline.stages.normalising import HALF_OWN_SEGMENTS, GroupNormaliser
from pipeline.stages.training import TrainingParameters

__all__ = ["HALF_OWN_SEGMENTS", "RECIPES", "Recipe", "normalise_per_group"]


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
                c_values=(3.0, 10.0),
                gamma_values=(0.3, 0.6),
                balancing=CLASS_WEIGHT,
            ),
            normalise_groups=True,
        ),
    )
}


def normalise_per_group(X: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Standardise each feature within each group, so that voices and microphones are alike.

    No label is used, but all of a group's segments are: it suits recordings that are at hand as a whole. Where a large
    group is mostly of one class, what tells that class apart is still normalised away with the voice. See
    `pipeline.stages.normalising.GroupNormaliser` for the formula.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
    groups : np.ndarray [shape=(n,)]

    Returns
    -------
    np.ndarray [shape=(n, n_features), dtype=float64]
        A feature that is constant becomes 0.

    Raises
    ------
    StageError
        A feature is not a finite number.
    """
    normalised = np.zeros(X.shape)
    if not len(X):
        return normalised
    names, group_of = np.unique(groups, return_inverse=True)
    rows = [np.nonzero(group_of == group)[0] for group in range(len(names))]
    normaliser = GroupNormaliser.fit(X[of_group] for of_group in rows)
    for of_group in rows:
        normalised[of_group] = normaliser.apply(X[of_group])
    return normalised
