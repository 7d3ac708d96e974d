"""Folds that never split a video, and what had to be adjusted for small data."""

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from pipeline.labels import LABELS
from pipeline.stages.errors import StageError

STRATIFIED_GROUP = "stratified-group"
LEAVE_ONE_GROUP_OUT = "leave-one-group-out"
# Empty folds come of few groups; among more than these, one of the smallest does as well as any.
MAX_GROUPS_TO_MOVE = 200
FOLD_SCHEMES = (STRATIFIED_GROUP, LEAVE_ONE_GROUP_OUT)


@dataclass(frozen=True)
class Fold:
    """One training part and the rows predicted from it.

    Attributes
    ----------
    train, test : np.ndarray [dtype=int64]
        Row numbers; no group is on both sides.
    """

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class NestedFolds:
    """All folds of one training run.

    Attributes
    ----------
    outer : tuple of Fold
        Every row is in exactly one test part.
    inner : tuple of tuple of Fold
        For each outer fold, folds within its training part; none where that part is one group.
    notes : tuple of str
        What had to be adjusted, one sentence each.
    """

    outer: tuple[Fold, ...]
    inner: tuple[tuple[Fold, ...], ...]
    notes: tuple[str, ...]


def nested_folds(y: np.ndarray, groups: np.ndarray, *, scheme: str, folds: int, seed: int) -> NestedFolds:
    """Plan outer folds for the reported predictions and, within each, inner folds for the choice of C.

    Inner folds are always stratified by class and grouped: leaving one out twice over would cost the square of the
    number of groups.

    Parameters
    ----------
    y : np.ndarray of str [shape=(n,)]
    groups : np.ndarray [shape=(n,)]
        Which rows belong together (a video, a speaker).
    scheme : str
        One of `FOLD_SCHEMES`.
    folds : int
        Number of folds, at least 2; for leave-one-group-out the number of inner folds.
    seed : int
        Of the shuffle.

    Raises
    ------
    StageError
        Fewer than two groups, or a training part that would hold one class only.
    """
    notes: list[str] = []
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise StageError("All segments are of one video; training needs at least two, better ten or more.")
    if scheme == LEAVE_ONE_GROUP_OUT:
        outer = [Fold(train, test) for train, test in LeaveOneGroupOut().split(y, y, groups)]
    else:
        outer = _stratified(np.arange(len(y)), y, groups, folds, seed)
        if not outer:
            raise StageError("Each class has only one segment; training needs more labelled segments, so add videos.")
        if len(outer) < folds:
            cause = f"the {n_groups} groups do" if len(outer) == n_groups else "the few segments of each class do"
            notes.append(f"{len(outer)} folds instead of {folds}: {cause} not allow more.")
    inner = tuple(tuple(_stratified(fold.train, y, groups, folds, seed)) for fold in outer)
    _check_parts(y, groups, outer, inner, notes)
    return NestedFolds(tuple(outer), inner, tuple(notes))


def _stratified(rows: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> list[Fold]:
    """Up to `folds` folds over the given rows, none of them empty; no fold where these are one group."""
    largest_class = max(Counter(y[rows]).values())
    count = min(folds, len(np.unique(groups[rows])), largest_class)
    if count < 2:
        return []
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer rows than folds; what follows from it is said in the notes.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = list(splitter.split(rows, y[rows], groups[rows]))
    fold_of = np.zeros(len(rows), dtype=np.int64)
    for number, (_, test) in enumerate(parts):
        fold_of[test] = number
    fold_of = _mended(fold_of, y[rows], groups[rows], count)
    return [Fold(rows[fold_of != number], rows[fold_of == number]) for number in range(count)]


def _mended(fold_of: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int) -> np.ndarray:
    """Return the fold of each row, with groups moved until no fold is empty or holds all of a class.

    `StratifiedGroupKFold` can leave a fold empty although there are groups enough: it compares evenness to the last
    bit, so that rounding decides among folds that are equally good. A class that only one group has, and one that can
    be spread only at the cost of another, stay in one fold. A division without these faults is left as it is.
    """
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    _, class_of = np.unique(y, return_inverse=True)
    counts = np.zeros((len(first), class_of.max() + 1))
    np.add.at(counts, (group_of, class_of), 1)
    division = fold_of[first]
    faults = _faults(division, counts, folds)
    while faults[:2] != (0, 0):
        moves = [(_faults(moved, counts, folds), moved) for moved in _moves(division, counts, folds)]
        best, moved = min(moves, key=lambda move: move[0])
        if best[:2] >= faults[:2]:
            break
        division, faults = moved, best
    return division[group_of]


def _faults(division: np.ndarray, counts: np.ndarray, folds: int) -> tuple[int, int, float]:
    """Count empty folds, and classes of several groups that are all in one fold; then how uneven the folds are."""
    per_fold = np.zeros((folds, counts.shape[1]))
    np.add.at(per_fold, division, counts)
    empty = int((np.bincount(division, minlength=folds) == 0).sum())
    whole = (per_fold == counts.sum(axis=0)) & ((counts > 0).sum(axis=0) > 1)
    # Rounded, so that the last bit decides nothing here.
    return empty, int(whole.sum()), round(float(np.std(per_fold / counts.sum(axis=0), axis=0).mean()), 9)


def _moves(division: np.ndarray, counts: np.ndarray, folds: int) -> Iterator[np.ndarray]:
    """Each division that differs in the fold of one group, of the smallest groups where there are many."""
    for group in np.argsort(counts.sum(axis=1), kind="stable")[:MAX_GROUPS_TO_MOVE]:
        for fold in range(folds):
            if fold != division[group]:
                moved = division.copy()
                moved[group] = fold
                yield moved


def _check_parts(
    y: np.ndarray, groups: np.ndarray, outer: list[Fold], inner: tuple[tuple[Fold, ...], ...], notes: list[str]
) -> None:
    for fold in (fold for folds in (outer, *inner) for fold in folds):
        if len(np.unique(y[fold.train])) < 2:
            raise StageError(
                "With the videos of one fold set aside, only one class is left to learn from; "
                "add videos with other labels."
            )
    for label in LABELS:
        missing = sum(label not in y[fold.train] for fold in outer)
        if missing:
            cause = "one group holds" if len(np.unique(groups[y == label])) == 1 else "the fold's own groups hold"
            notes.append(
                f"In {missing} of {len(outer)} folds no {label} segment was left to learn from, because {cause} "
                "them all; these folds never predict it."
            )
    alone = sum(not folds for folds in inner)
    if alone:
        notes.append(
            f"In {alone} of {len(outer)} folds the training part is one group, so C could not be chosen inside it; "
            "the middle one of the values was taken."
        )
