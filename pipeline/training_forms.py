"""What people type to start a training run or to let its model predict, checked in one place."""

import math
import re
from typing import Any

from django import forms

from pipeline.choices import Policy, Split
from pipeline.forms import PageForm
from pipeline.policies import policy_choices
from pipeline.recipes import RECOMMENDED, RUN_RECIPES, SVM_RBF, RunRecipe, follow
from pipeline.stages.errors import StageError

MAX_VALUES = 12
# The names are those of the stages. They stand here again, with their words, because the stages load scikit-learn,
# which takes a web process two seconds and 150 MB; a test compares them.
CLASSIFIERS = {
    "svm-linear": "Linear SVM",
    SVM_RBF: "RBF SVM",
    "linear-fast": "Fast linear model, for more than 20,000 segments",
    "logistic": "Logistic regression",
    "gradient-boosting": "Gradient boosting",
}
FOLD_SCHEMES = {
    "stratified-group": "Stratified, never splitting a video",
    "leave-one-group-out": "Leave one video out",
}
BALANCINGS = {"smote": "SMOTE", "none": "None", "class-weight": "Class weights"}
EXTRACTORS = {
    "pyaudioanalysis-136": "136 short-term features",
    "crossmodal": "784 features of voice and rhythm",
    "pyaudioanalysis-reference": "pyAudioAnalysis itself",
}
NORMALISING = {True: "Within each video", False: "Over all videos alike"}
AS_RECIPE = ("", "As in the recipe")


def parse_values(text: str, name: str) -> list[float]:
    """``"0.01, 0.1, 1"`` → ``[0.01, 0.1, 1.0]``, in rising order and each once; `name` is for the sentences."""
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    values = set()
    for word in words:
        try:
            value = float(word)
        except ValueError as error:
            raise forms.ValidationError(f"“{word}” is not a number. Write values such as 0.1, 1, 10.") from error
        if not math.isfinite(value) or value <= 0:
            raise forms.ValidationError(f"{name[0].upper()}{name[1:]} must be above 0; “{word}” is not.")
        values.add(value)
    if not values:
        raise forms.ValidationError(f"Write at least one value of {name}, such as 0.1.")
    if len(values) > MAX_VALUES:
        raise forms.ValidationError(f"These are {len(values)} values of {name}; try at most {MAX_VALUES} in one run.")
    return sorted(values)


def in_words(recipe: RunRecipe) -> dict[str, str]:
    """What a recipe fills into each field of the form, as people read it."""
    return {
        "extractor": EXTRACTORS[recipe.extractor],
        "normalise_videos": NORMALISING[recipe.normalise_videos],
        "classifier": CLASSIFIERS[recipe.classifier],
        "balancing": BALANCINGS[recipe.balancing],
        "c_values": ", ".join(f"{c:g}" for c in recipe.c_values),
        "gamma_values": ", ".join(f"{gamma:g}" for gamma in recipe.gamma_values),
    }


def _of_recipe(words: dict[str, str], **options: Any) -> forms.ChoiceField:
    """A choice whose first entry, nothing, stands for the recipe's value."""
    return forms.ChoiceField(choices=[AS_RECIPE, *words.items()], required=False, **options)


def _values(label: str, help_text: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"placeholder": AS_RECIPE[1], "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=200, widget=widget, help_text=help_text)


class TrainingForm(PageForm):
    """A recipe fills what is left empty, so that choosing one is enough."""

    split = forms.ChoiceField(choices=Split.choices, initial=Split.TRAIN, help_text="Videos the model learns from.")
    policy = forms.ChoiceField(
        choices=policy_choices, initial=Policy.RECOMMENDED, label="Text labels", help_text="Whose labels it learns."
    )
    recipe = forms.ChoiceField(
        choices=[(name, recipe.label) for name, recipe in RUN_RECIPES.items()],
        initial=RECOMMENDED,
        required=False,
        widget=forms.RadioSelect,
    )
    extractor = _of_recipe(EXTRACTORS, label="Audio features")
    normalise_videos = _of_recipe(
        {"yes": NORMALISING[True], "no": NORMALISING[False]},
        label="Normalise features",
        help_text="By all of a video’s segments, without labels.",
    )
    classifier = _of_recipe(CLASSIFIERS)
    balancing = _of_recipe(BALANCINGS, label="Class balance", help_text="Within training folds only.")
    c_values = _values("Values of C", "The best by macro F1 is taken.")
    gamma_values = _values("Values of gamma", "Of the RBF SVM alone, times 1 / number of features.")
    fold_scheme = forms.ChoiceField(choices=list(FOLD_SCHEMES.items()), initial="stratified-group", label="Folds by")
    folds = forms.IntegerField(
        label="Number of folds", min_value=2, max_value=50, initial=5, help_text="Fewer where there are fewer videos."
    )
    seed = forms.IntegerField(
        label="Random seed", min_value=0, max_value=2**31 - 1, initial=0, help_text="Same seed, same model."
    )

    DETAILS = (
        "extractor",
        "normalise_videos",
        "classifier",
        "balancing",
        "c_values",
        "gamma_values",
        "fold_scheme",
        "folds",
        "seed",
    )

    def clean_normalise_videos(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["normalise_videos"])

    def clean_c_values(self) -> list[float]:
        text = self.cleaned_data["c_values"]
        return parse_values(text, "C") if text else []

    def clean_gamma_values(self) -> list[float]:
        text = self.cleaned_data["gamma_values"]
        return parse_values(text, "gamma") if text else []

    def clean(self) -> dict[str, Any]:
        """The columns of a run."""
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        try:
            return {**given, **follow(given["recipe"] or RECOMMENDED, given)}
        except StageError as error:
            self.add_error("gamma_values", error.message)
        return given

    @property
    def recipes(self) -> list[dict[str, Any]]:
        """Each recipe's button with what it stands for."""
        return [
            {"radio": radio, "recipe": recipe, "words": in_words(recipe)}
            for radio, recipe in zip(self["recipe"], RUN_RECIPES.values(), strict=True)
        ]

    @property
    def recipe_words(self) -> dict[str, dict[str, str]]:
        """What each recipe fills in, for the page's script."""
        return {name: in_words(recipe) for name, recipe in RUN_RECIPES.items()}

    @property
    def details(self) -> list[forms.BoundField]:
        return [self[name] for name in self.DETAILS]

    @property
    def details_are_open(self) -> bool:
        """Where something in them was changed, or is wrong."""
        return self.is_bound and any(name in self.errors or name in self.changed_data for name in self.DETAILS)


class PredictForm(PageForm):
    split = forms.ChoiceField(choices=Split.choices, initial=Split.TEST)
