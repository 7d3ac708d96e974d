"""Recipes of `crossvalidate`, compared on EmoDB and on corpora made from it that stand for other recordings.

Run as `.venv/bin/python bench/recipes.py`; the clips are read from `../shared/data` beside the repository. Every figure
is macro F1 of nested folds that never split a group. The corpora share their speakers, so an average over them tells
how robust a recipe is, not how it does in another language.
"""

import os

# libsvm and the transforms are single-threaded; more threads of BLAS would only wait for each other.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import hashlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import numpy as np  # noqa: E402
import soundfile as sf  # noqa: E402
from pseudo_corpora import RATE_HZ, Corpus, emodb, pseudo_corpora, speech_valence  # noqa: E402
from scipy.signal import resample_poly  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402

from pipeline.labels import LABELS  # noqa: E402
from pipeline.stages.features import Extractor, get_extractor  # noqa: E402
from pipeline.stages.file_features import extract_files  # noqa: E402
from pipeline.stages.folds import LEAVE_ONE_GROUP_OUT, STRATIFIED_GROUP  # noqa: E402
from pipeline.stages.recipes import RECIPES, Recipe, normalise_per_group  # noqa: E402
from pipeline.stages.training import train  # noqa: E402

# With more groups, leaving one out at a time only takes longer.
MOST_LEFT_OUT = 12
INNER_FOLDS = 3
FILES = "files of 48 kHz in stereo"


class Features:
    """Features of clips, each computed once however many corpora it is in."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], np.ndarray] = {}

    def of(self, corpus: Corpus, extractor: Extractor) -> np.ndarray:
        rows = []
        for clip in corpus:
            key = (extractor.name, hashlib.sha256(clip.samples.tobytes()).digest())
            if key not in self._known:
                self._known[key] = extractor.extract(clip.samples, RATE_HZ)
            rows.append(self._known[key])
        return np.array(rows)


def features_of_files(corpus: Corpus, extractor_name: str) -> np.ndarray:
    """The same clips written at 48 kHz in stereo, and decoded again as `crossvalidate` does."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, clip in enumerate(corpus):
            high = resample_poly(clip.samples, 3, 1).clip(-1, 1)
            paths.append(Path(folder) / f"{number:04}.flac")
            sf.write(paths[-1], np.column_stack([high, 0.5 * high]), 3 * RATE_HZ)
        return extract_files(paths, extractor_name)


def macro_f1(X: np.ndarray, corpus: Corpus, recipe: Recipe, seeds: range) -> float:
    """Mean over seeds of the folds (where groups are left out one at a time: of the inner folds)."""
    y, groups = np.array([clip.label for clip in corpus]), np.array([clip.group for clip in corpus])
    if recipe.normalise_groups:
        X = normalise_per_group(X, groups)
    few = len(set(groups.tolist())) <= MOST_LEFT_OUT
    scores = []
    for seed in seeds:
        parameters = replace(
            recipe.parameters,
            fold_scheme=LEAVE_ONE_GROUP_OUT if few else STRATIFIED_GROUP,
            folds=INNER_FOLDS if few else recipe.parameters.folds,
            seed=seed,
        )
        found = train(X, y, groups, parameters).out_of_fold_labels
        scores.append(f1_score(y, found, labels=LABELS, average="macro", zero_division=0))
    return float(np.mean(scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--recipes", nargs="+", choices=sorted(RECIPES), default=sorted(RECIPES))
    parser.add_argument("--corpora", nargs="+", help="only those whose names contain one of these words")
    parser.add_argument("--seeds", type=int, default=1, help="of the folds (default: %(default)s)")
    options = parser.parse_args()
    corpora = pseudo_corpora(emodb(options.data))
    corpora[FILES] = corpora["original"]
    corpora["speech_valence"] = speech_valence(options.data)
    if options.corpora:
        corpora = {name: corpora[name] for name in corpora if any(word in name for word in options.corpora)}
    features, rows = Features(), []
    print("| corpus | clips |", " | ".join(options.recipes), "|")
    print("|---|---|" + "---|" * len(options.recipes))
    for name, corpus in corpora.items():
        scores = []
        for recipe in (RECIPES[chosen] for chosen in options.recipes):
            if name == FILES:
                X = features_of_files(corpus, recipe.extractor)
            else:
                X = features.of(corpus, get_extractor(recipe.extractor))
            scores.append(macro_f1(X, corpus, recipe, range(options.seeds)))
        print(f"| {name} | {len(corpus)} |", " | ".join(f"{score:.3f}" for score in scores), "|", flush=True)
        if name != "speech_valence":
            rows.append(scores)
    if rows:
        means = np.mean(rows, axis=0)
        print(f"| mean of those made from EmoDB | {len(rows)} |", " | ".join(f"{mean:.3f}" for mean in means), "|")


if __name__ == "__main__":
    main()
