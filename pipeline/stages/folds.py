"""Folds that never split a video, and what had to be adjusted for small data."""

import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from pipeline.labels import LABELS
from pipeline.stages.errors import StageError

STRATIFIED_GROUP = "stratified-group"
LEAVE_ONE_GROUP_OUT = "leave-one-group-out"
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
            notes.append(f"{len(outer)} folds instead of {folds}: the {n_groups} groups do not allow more.")
    inner = tuple(tuple(_stratified(fold.train, y, groups, folds, seed)) for fold in outer)
    _check_parts(y, groups, outer, inner, notes)
    return NestedFolds(tuple(outer), inner, tuple(notes))


def _stratified(rows: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> list[Fold]:
    """Up to `folds` folds over the given rows; none where these are one group."""
    largest_class = max(Counter(y[rows]).values())
    count = min(folds, len(np.unique(groups[rows])), largest_class)
    if count < 2:
        return []
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer rows than folds; what follows from it is said in the notes.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = list(splitter.split(rows, y[rows], groups[rows]))
    return [Fold(rows[train], rows[test]) for train, test in parts if len(test) and len(train)]


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
            notes.append(
                f"In {missing} of {len(outer)} folds no {label} segment was left to learn from, because one group "
                "holds them all; these folds never predict it."
            )
    alone = sum(not folds for folds in inner)
    if alone:
        notes.append(
            f"In {alone} of {len(outer)} folds the training part is one group, so C could not be chosen inside it; "
            "the middle one of the values was taken."
        )
