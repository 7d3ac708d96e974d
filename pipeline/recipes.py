"""The recipes that a training run may follow, in the columns of a run.

The values are those of `pipeline.stages.recipes`. They stand here again because the stages load scikit-learn, which
takes a web process two seconds and 150 MB; a test compares them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.stages.errors import StageError

RECOMMENDED = "recommended"
SVM_RBF = "svm-rbf"


@dataclass(frozen=True)
class RunRecipe:
    """What a recipe says of a run, beside its words on the page."""

    label: str
    description: str
    extractor: str
    normalise_videos: bool
    classifier: str
    balancing: str
    c_values: tuple[float, ...]
    gamma_values: tuple[float, ...]

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a run that it fills."""
        words = ("label", "description")
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name not in words
        }


RUN_RECIPES: dict[str, RunRecipe] = {
    RECOMMENDED: RunRecipe(
        label="Recommended",
        description="Hears how a voice moves, and compares each segment with the rest of its video.",
        extractor="crossmodal",
        normalise_videos=True,
        classifier=SVM_RBF,
        balancing="class-weight",
        c_values=(3.0, 10.0),
        gamma_values=(0.3, 0.6),
    ),
    "seed-2019": RunRecipe(
        label="Seed 2019",
        description="The model of the 2019 study, to compare with.",
        extractor="pyaudioanalysis-136",
        normalise_videos=False,
        classifier="svm-linear",
        balancing="smote",
        c_values=(0.001, 0.01, 0.1, 1.0, 10.0),
        gamma_values=(0.25, 1.0, 4.0),
    ),
}


def follow(recipe: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a run: what is given, and the recipe's value for what is not (None, or empty).

    The run bears the recipe's name only where nothing differs from it. StageError where a gamma is given that nothing
    would use.
    """
    columns = RUN_RECIPES[recipe].columns
    changes = {
        name: given[name] for name in columns if given.get(name) not in (None, "", []) and given[name] != columns[name]
    }
    followed = {**columns, **changes}
    if given.get("gamma_values") and followed["classifier"] != SVM_RBF:
        raise StageError(f"Only the classifier {SVM_RBF} has a gamma: choose it, or leave gamma out.")
    return {**followed, "recipe": "" if changes else recipe}
