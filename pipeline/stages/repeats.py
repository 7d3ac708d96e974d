"""The same clip twice: where it is in two groups, a model is tested on what it learned from."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Repeats:
    """Pairs of rows that are the same clip.

    Attributes
    ----------
    across : tuple of (int, int)
        Row numbers of clips that are in two groups: the first row of the clip, and the first one in another group.
    within : tuple of (int, int)
        Row numbers of clips that are in one group more than once: the first row, and each further one.
    """

    across: tuple[tuple[int, int], ...]
    within: tuple[tuple[int, int], ...]


def find_repeats(keys: Sequence[Hashable], groups: Sequence[Hashable]) -> Repeats:
    """Find rows with the same key.

    Parameters
    ----------
    keys : sequence of hashable [shape=(n,)]
        What tells clips apart: a file, a digest of its bytes or of its features.
    groups : sequence of hashable [shape=(n,)]
    """
    first: dict[Hashable, int] = {}
    first_in_group: dict[tuple[Hashable, Hashable], int] = {}
    across, within = [], []
    for row, (key, group) in enumerate(zip(keys, groups, strict=True)):
        earliest = first.setdefault(key, row)
        own = first_in_group.setdefault((key, group), row)
        if own != row:
            within.append((own, row))
        elif earliest != row:
            across.append((earliest, row))
    return Repeats(tuple(across), tuple(within))


def row_digests(X: np.ndarray) -> list[bytes]:
    """Return a digest of each row of features [shape=(n, n_features)]; equal for equal rows alone."""
    # Adding zero makes -0.0 and 0.0 the same bytes.
    return [hashlib.blake2b((np.asarray(row, dtype="<f8") + 0.0).tobytes(), digest_size=16).digest() for row in X]


def united_groups(keys: Sequence[Hashable], groups: np.ndarray) -> np.ndarray:
    """Return groups in which those that share a clip are one, each named as the first of them.

    Parameters
    ----------
    keys : sequence of hashable [shape=(n,)]
    groups : np.ndarray [shape=(n,)]

    Returns
    -------
    np.ndarray [shape=(n,)]
        Values of `groups`.
    """
    head: dict[Hashable, Hashable] = {}

    def find(group: Hashable) -> Hashable:
        while (above := head.setdefault(group, group)) != group:
            head[group] = head[above]
            group = above
        return group

    names = groups.tolist()
    for earlier, row in find_repeats(keys, names).across:
        head[find(names[row])] = find(names[earlier])
    return np.asarray([find(name) for name in names], dtype=groups.dtype)
