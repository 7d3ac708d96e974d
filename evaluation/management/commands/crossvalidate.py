"""Cross-validate a recipe on labelled audio files, without the database."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from evaluation.manifests import Manifest, check_features, read_manifest
from evaluation.metrics import evaluate
from pipeline.labels import LABELS
from pipeline.management.progress_bar import progress_bar
from pipeline.stages.errors import StageError
from pipeline.stages.features import EXTRACTORS
from pipeline.stages.file_features import extract_files
from pipeline.stages.folds import LEAVE_ONE_GROUP_OUT, STRATIFIED_GROUP
from pipeline.stages.recipes import HALF_OWN_SEGMENTS, RECIPES, Recipe, normalise_per_group
from pipeline.stages.training import CLASSIFIERS, TrainingResult, train

GROUPS = "groups"


class Command(BaseCommand):
    help = (
        "Cross-validate a recipe on labelled audio files. Groups (speakers, videos) are never split, and C (with an "
        "RBF kernel gamma too) is chosen inside each training part. Uses no database. Recipes: "
        + "; ".join(f"{recipe.name}: {recipe.description}" for recipe in RECIPES.values())
        + ". Standardising within a group uses all of its files, but no label: it suits recordings that are at hand as "
        "a whole, and does harm where a large group is mostly of one class."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = "Example: manage.py crossvalidate clips.csv --recipe seed-2019 --folds groups --format json"
        parser.add_argument(
            "manifest",
            type=Path,
            metavar="MANIFEST.csv",
            help="table with the columns path (relative ones against the table's folder), label "
            f"({', '.join(LABELS)}) and group; a clip may not be in two groups",
        )
        parser.add_argument("--recipe", choices=sorted(RECIPES), default="recommended", help="default: %(default)s")
        parser.add_argument("--features", choices=sorted(EXTRACTORS), help="extractor (default: the recipe's)")
        parser.add_argument("--classifier", choices=CLASSIFIERS, help="default: the recipe's")
        parser.add_argument(
            "--folds", type=_folds, default=5, help=f"number of folds, or '{GROUPS}' to leave one group out at a time"
        )
        parser.add_argument("--seed", type=int, default=0, help="of folds, SMOTE and intervals (default: %(default)s)")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")

    def handle(self, *, manifest: Path, format: str, **options: Any) -> None:
        recipe = adjusted_recipe(**options)
        try:
            data = read_manifest(manifest)
            with progress_bar("file") as progress:
                notes: list[str] = []
                X = extract_files(
                    data.paths,
                    recipe.extractor,
                    progress=progress,
                    tell=lambda path, note: notes.append(f"{path}: {note}"),
                )
            for note in notes:
                self.stderr.write(note)
            data = check_features(data, X)
            if recipe.normalise_groups:
                X = normalise_per_group(X, data.groups)
            with progress_bar("fit") as progress:
                result = train(X, data.labels, data.groups, recipe.parameters, progress=progress)
        except StageError as error:
            raise CommandError(error.message) from error
        report = evaluate(
            data.labels.tolist(), result.out_of_fold_labels.tolist(), data.groups.tolist(), seed=recipe.parameters.seed
        )
        document = {**report.as_dict(), "recipe": recipe_facts(recipe, result, data)}
        self.stdout.write(json.dumps(document, indent=2) if format == "json" else as_text(document))


def adjusted_recipe(
    *, recipe: str, features: str | None, classifier: str | None, folds: int | str, seed: int, **_: Any
) -> Recipe:
    """The named recipe with what the options change."""
    base = RECIPES[recipe]
    parameters = replace(base.parameters, classifier=classifier or base.parameters.classifier, seed=seed)
    if folds == GROUPS:
        parameters = replace(parameters, fold_scheme=LEAVE_ONE_GROUP_OUT)
    else:
        parameters = replace(parameters, fold_scheme=STRATIFIED_GROUP, folds=int(folds))
    return replace(base, extractor=features or base.extractor, parameters=parameters)


def recipe_facts(recipe: Recipe, result: TrainingResult, data: Manifest) -> dict[str, Any]:
    """What was done, for the JSON document."""
    parameters = recipe.parameters
    return {
        "name": recipe.name,
        "features": recipe.extractor,
        "normalised_within_groups": recipe.normalise_groups,
        "classifier": parameters.classifier,
        "balancing": parameters.balancing,
        "fold_scheme": parameters.fold_scheme,
        "folds": len(result.best_c_by_fold),
        "seed": parameters.seed,
        "c_values": list(parameters.c_values),
        "best_c_by_fold": list(result.best_c_by_fold),
        "best_c": result.best_c,
        "best_gamma": result.best_gamma,
        "macro_f1_by_c": {f"{c:g}": score for c, score in result.score_by_c.items()},
        "notes": [*data.notes, *result.notes, *group_notes(recipe, data)],
    }


def group_notes(recipe: Recipe, data: Manifest) -> list[str]:
    """What standardising within groups did to the figure, one sentence each."""
    if not recipe.normalise_groups:
        return []
    groups, sizes = np.unique(data.groups, return_counts=True)
    notes = [
        "Features were standardised within each group by all of its files, those predicted included, without labels: "
        "the figure holds for recordings that are at hand as a whole."
    ]
    small = int((sizes < HALF_OWN_SEGMENTS).sum())
    if small:
        notes.append(
            f"{small} of {len(groups)} groups have fewer than {HALF_OWN_SEGMENTS} files; they were standardised more "
            "by all files than by their own."
        )
    single = sum(len(set(data.labels[data.groups == group].tolist())) == 1 for group in groups)
    if single:
        notes.append(
            f"{single} of {len(groups)} groups are of one class; standardising within them takes away part of what "
            "tells it apart, so compare with a recipe that does not."
        )
    return notes


def as_text(document: dict[str, Any]) -> str:
    """The document for people: confusion matrix, averages, baseline, and what was done."""
    recipe, width = document["recipe"], max(map(len, LABELS)) + 2
    lines = [
        f"{document['n']} files in {document['groups']} groups; recipe {recipe['name']}: {recipe['classifier']} on "
        f"{recipe['features']}, {recipe['folds']} folds ({recipe['fold_scheme']}), seed {recipe['seed']}",
        "",
        "truth \\ predicted".ljust(20) + "".join(label.rjust(width) for label in document["labels"]),
    ]
    for label, counts in zip(document["labels"], document["confusion"], strict=True):
        lines.append(label.ljust(20) + "".join(str(count).rjust(width) for count in counts))
    lines += ["", "".ljust(20) + "precision".rjust(width) + "recall".rjust(width) + "F1".rjust(width)]
    for name, average in document["averages"].items():
        figures = "".join(f"{average[figure]:.4f}".rjust(width) for figure in ("precision", "recall", "f1"))
        lines.append(name.ljust(20) + figures)
    baseline = document["baseline"]
    lines += [
        f"Always answering {baseline['label']}: accuracy {baseline['accuracy']:.4f}, "
        f"macro F1 {baseline['macro_f1']:.4f}",
        f"C chosen inside each fold: {', '.join(f'{c:g}' for c in recipe['best_c_by_fold'])}",
        *recipe["notes"],
    ]
    return "\n".join(lines)


def _folds(text: str) -> int | str:
    if text == GROUPS:
        return GROUPS
    if text.isdecimal() and int(text) >= 2:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither a number of folds from 2 on nor '{GROUPS}'")
