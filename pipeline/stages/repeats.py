"""The same clip twice: where it is in two groups, a model is tested on what it learned from."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

# Root mean square over all features of the difference in standard deviations. Among 535 clips of EmoDB no two were
# nearer than 0.44, with 136 features or 784; one clip at half its loudness differed by up to 0.04, at another sample
# rate by 0.02, as mp3 by 0.14 (half of them by less than 0.05).
NEAR_DEVIATIONS = 0.1
# Comparing all with all takes the square of their number: ten thousand take some seconds.
MAX_COMPARED_ROWS = 10_000
_BLOCK_ROWS = 200


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


def near_repeats(X: np.ndarray, groups: Sequence[Hashable]) -> tuple[tuple[int, int], ...]:
    """Find rows of different groups whose features are nearly the same, as those of one clip in two formats are.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
        Features as extracted.
    groups : sequence of hashable [shape=(n,)]

    Returns
    -------
    tuple of (int, int)
        Of each row that is near to an earlier one, the first such row and itself; none where there are more than
        `MAX_COMPARED_ROWS` rows.
    """
    if not 0 < len(X) <= MAX_COMPARED_ROWS:
        return ()
    spread = X.std(axis=0)
    if not (spread > 0).any():
        return ()
    Z = (X[:, spread > 0] - X[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    order: dict[Hashable, int] = {}
    numbers = np.array([order.setdefault(group, len(order)) for group in groups])
    squares, limit = (Z**2).sum(axis=1), Z.shape[1] * NEAR_DEVIATIONS**2
    found = []
    for start in range(0, len(Z), _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, len(Z)))
        distances = squares[rows, None] + squares[None, : rows[-1]] - 2 * Z[rows] @ Z[: rows[-1]].T
        near = (distances <= limit) & (numbers[rows, None] != numbers[None, : rows[-1]])
        near &= np.arange(rows[-1]) < rows[:, None]
        found += [(int(near[row - start].argmax()), int(row)) for row in rows[near.any(axis=1)]]
    return tuple(found)


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
