"""What the form for a new run makes of typed values and of the recipe."""

from typing import Any

import pytest
from django import forms

from pipeline import training_forms
from pipeline.recipes import RUN_RECIPES, follow
from pipeline.stages.errors import StageError
from pipeline.training_forms import TrainingForm, in_words, parse_values

OWN = {"split": "train", "policy": "recommended", "fold_scheme": "stratified-group", "folds": "5", "seed": "0"}
RECOMMENDED = {
    "recipe": "recommended",
    "extractor": "crossmodal",
    "normalise_videos": True,
    "classifier": "svm-rbf",
    "balancing": "class-weight",
    "c_values": [3.0, 10.0],
    "gamma_values": [0.3, 0.6],
}


def cleaned(**fields: str) -> dict[str, Any]:
    form = TrainingForm({**OWN, **fields})
    assert form.is_valid(), form.errors
    return {name: form.cleaned_data[name] for name in RECOMMENDED}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1", [0.1]),
        ("10, 1, 0.1", [0.1, 1.0, 10.0]),
        ("1e-3 1", [0.001, 1.0]),
        ("1; 1.0 ,1", [1.0]),
    ],
)
def test_values_are_sorted_and_each_once(text: str, values: list[float]) -> None:
    assert parse_values(text, "C") == values


@pytest.mark.parametrize("text", ["", "a", "0", "-1", "nan", "inf", "1,,x"])
def test_other_values_are_refused(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        parse_values(text, "C")


def test_the_form_offers_exactly_what_the_stages_know() -> None:
    from pipeline.stages import features, training

    assert tuple(training_forms.CLASSIFIERS) == training.CLASSIFIERS
    assert tuple(training_forms.FOLD_SCHEMES) == training.FOLD_SCHEMES
    assert tuple(training_forms.BALANCINGS) == training.BALANCINGS
    assert tuple(training_forms.EXTRACTORS) == tuple(features.EXTRACTORS)


def test_the_recipes_are_those_of_the_stages() -> None:
    from pipeline.stages.classifiers import SVM_RBF
    from pipeline.stages.recipes import RECIPES

    assert set(RUN_RECIPES) == set(RECIPES)
    for name, recipe in RECIPES.items():
        assert RUN_RECIPES[name].columns == {
            "extractor": recipe.extractor,
            "normalise_videos": recipe.normalise_groups,
            "classifier": recipe.parameters.classifier,
            "balancing": recipe.parameters.balancing,
            "c_values": list(recipe.parameters.c_values),
            "gamma_values": list(recipe.parameters.gamma_values),
        }
    assert training_forms.SVM_RBF == SVM_RBF


def test_a_recipe_is_enough() -> None:
    assert cleaned(recipe="recommended") == RECOMMENDED
    assert cleaned() == RECOMMENDED
    seed = cleaned(recipe="seed-2019")
    assert (seed["recipe"], seed["extractor"], seed["normalise_videos"]) == ("seed-2019", "pyaudioanalysis-136", False)
    assert (seed["classifier"], seed["balancing"], seed["c_values"][0]) == ("svm-linear", "smote", 0.001)


def test_what_is_given_counts_and_the_recipe_fills_the_rest() -> None:
    changed = cleaned(recipe="recommended", normalise_videos="no", c_values="5", gamma_values="2 1")
    assert changed == {
        **RECOMMENDED,
        "recipe": "",
        "normalise_videos": False,
        "c_values": [5.0],
        "gamma_values": [1.0, 2.0],
    }


def test_what_the_recipe_says_anyway_is_no_change() -> None:
    same = cleaned(recipe="recommended", classifier="svm-rbf", normalise_videos="yes", c_values="10 3")
    assert same == RECOMMENDED


def test_a_gamma_that_nothing_would_use_is_refused() -> None:
    form = TrainingForm({**OWN, "recipe": "seed-2019", "gamma_values": "1"})
    assert form.errors == {"gamma_values": ["Only the classifier svm-rbf has a gamma: choose it, or leave gamma out."]}
    assert cleaned(recipe="seed-2019", classifier="svm-rbf", gamma_values="1")["gamma_values"] == [1.0]
    with pytest.raises(StageError, match="has a gamma"):
        follow("recommended", {"classifier": "logistic", "gamma_values": [1.0]})


def test_details_are_open_where_something_in_them_was_changed() -> None:
    assert not TrainingForm().details_are_open
    assert not TrainingForm({**OWN, "recipe": "seed-2019"}).details_are_open
    assert TrainingForm({**OWN, "folds": "7"}).details_are_open
    assert TrainingForm({**OWN, "gamma_values": "x"}).details_are_open


def test_a_recipe_is_said_in_the_words_of_the_form() -> None:
    words = in_words(RUN_RECIPES["seed-2019"])
    assert (words["classifier"], words["c_values"]) == ("Linear SVM", "0.001, 0.01, 0.1, 1, 10")
