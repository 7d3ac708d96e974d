"""Manifests: tables of labelled audio files, read and checked for clips that are in two groups."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.cell_names import notes_on_names
from pipeline.csv_table import EncodingError, TableError, TableRow, read_table, read_text
from pipeline.labels import LABELS
from pipeline.stages.errors import StageError
from pipeline.stages.file_features import is_silent
from pipeline.stages.repeats import Repeats, find_repeats, near_repeats, row_digests

COLUMNS = ("path", "label", "group")
# Of pairs with the same fault, so many are named.
MAX_NAMED = 5


@dataclass(frozen=True)
class Manifest:
    """The rows of a manifest.

    Attributes
    ----------
    name : str
        Of the table's file.
    paths : list of Path
    labels, groups : np.ndarray of str [shape=(n,)]
    places : tuple of str
        Where each row stands in the table, in words.
    notes : tuple of str
        What was found in the table, one sentence each.
    again : frozenset of int
        Row numbers of clips that an earlier row of their group has too.
    """

    name: str
    paths: list[Path]
    labels: np.ndarray
    groups: np.ndarray
    places: tuple[str, ...]
    notes: tuple[str, ...] = ()
    again: frozenset[int] = frozenset()


def read_manifest(path: Path) -> Manifest:
    """Read the rows of a manifest; StageError naming the line for whatever is wrong."""
    try:
        table = read_table(read_text(path), by_line=True)
    except OSError as error:
        raise StageError(f"{path} cannot be read as a CSV table: {error.strerror}.") from error
    except EncodingError as error:
        raise StageError(f"{path} cannot be read as a CSV table: {error.message}") from error
    except TableError as error:
        raise StageError(f"{path.name}: {error.message}") from error
    if missing := table.missing(COLUMNS) if table else list(COLUMNS):
        there = ", ".join(filter(None, table.headings)) if table else "nothing"
        raise StageError(
            f"{path.name} has no column {' or '.join(missing)}; it needs {', '.join(COLUMNS)}, in small letters. Its "
            f"first row reads: {there}."
        )
    if not table or not table.rows:
        raise StageError(f"{path.name} has no rows.")
    cells = [_checked(row, table.cells(row, COLUMNS), path) for row in table.rows]
    unread = [name for name in table.headings if name and name not in COLUMNS]
    manifest = Manifest(
        name=path.name,
        paths=[path.parent / row["path"] for row in cells],
        labels=np.array([row["label"] for row in cells]),
        groups=np.array([row["group"] for row in cells]),
        places=tuple(row.where for row in table.rows),
        notes=tuple(f"The column “{name}” of {path.name} was not read." for name in unread),
    )
    return check_files(
        replace(manifest, notes=(*manifest.notes, *notes_on_names("groups", np.unique(manifest.groups).tolist())))
    )


def _checked(row: TableRow, cells: dict[str, str], path: Path) -> dict[str, str]:
    where = f"{row.where} of {path.name}"
    if cells["label"] not in LABELS:
        raise StageError(f"{where}: the label {cells['label']!r} is not one of {', '.join(LABELS)}.")
    if not cells["group"]:
        raise StageError(f"{where}: the group is empty; it says which files must not be split (speaker, video).")
    if not cells["path"] or "\0" in cells["path"] or not (path.parent / cells["path"]).is_file():
        slashes = "; write “/” for “\\”" if "\\" in cells["path"] else ""
        raise StageError(f"{where}: there is no file {cells['path']!r}{slashes}.")
    return cells


def check_files(manifest: Manifest) -> Manifest:
    """Raise StageError where a file, or one with the same bytes, is in two groups; note those that are in one twice."""
    stats = [path.stat() for path in manifest.paths]
    # Device and number are the same for every path, link and spelling that leads to a file.
    files: list[Hashable] = [(stat.st_dev, stat.st_ino) for stat in stats]
    _refuse_across(manifest, find_repeats(files, manifest.groups.tolist()), "are the same file")
    sizes = [stat.st_size for stat in stats]
    of_size: dict[int, set[Hashable]] = {}
    for size, file in zip(sizes, files, strict=True):
        of_size.setdefault(size, set()).add(file)
    digests: dict[Hashable, bytes] = {}
    for path, file, size in zip(manifest.paths, files, sizes, strict=True):
        if len(of_size[size]) > 1 and file not in digests:
            digests[file] = _digest(path)
    keys = [digests.get(file, file) for file in files]
    return _checked_repeats(manifest, keys, "hold the same bytes", "are the same file")


def check_features(manifest: Manifest, X: np.ndarray) -> Manifest:
    """Raise StageError where rows of two groups have the same features; note those that are in one group, or near.

    Files without sound have the same features and are no repeats; they are noted.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
        Features as extracted, not standardised.
    """
    digests: list[Hashable] = list(row_digests(X))
    groups = manifest.groups.tolist()
    repeats, near = find_repeats(digests, groups), near_repeats(X, groups)
    alike = {row for pair in (*repeats.across, *repeats.within, *near) for row in pair}
    silent = {row for row in alike if is_silent(manifest.paths[row])}
    for row in silent:
        digests[row] = row
    manifest = _checked_repeats(manifest, digests, "have exactly the same features", "sound the same")
    notes = []
    if silent:
        names = _some([f"{manifest.places[row]} ({manifest.paths[row].name})" for row in sorted(silent)])
        notes.append(f"Nothing can be heard in {names}; leave such files out, since they teach nothing.")
    if heard := [pair for pair in near if not silent.issuperset(pair)]:
        pairs = _some([_pair(manifest, *pair) for pair in heard])
        notes.append(
            f"Rows of two groups that sound nearly the same, perhaps one clip in two formats; listen: {pairs}."
        )
    return replace(manifest, notes=(*manifest.notes, *notes))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{'; '.join(names[:MAX_NAMED])}{more}"


def _checked_repeats(manifest: Manifest, keys: Sequence[Hashable], across: str, within: str) -> Manifest:
    repeats = find_repeats(keys, manifest.groups.tolist())
    _refuse_across(manifest, repeats, across)
    found = [pair for pair in repeats.within if pair[1] not in manifest.again]
    if not found:
        return manifest
    pairs = _some([_pair(manifest, *pair) for pair in found])
    notes = [f"Rows that {within} as an earlier one of their group, and count again: {pairs}."]
    if torn := [pair for pair in found if manifest.labels[pair[0]] != manifest.labels[pair[1]]]:
        pairs = _some([_pair(manifest, *pair) for pair in torn])
        notes.append(f"Of these, some have two labels, of which one must be wrong: {pairs}.")
    again = manifest.again | {second for _, second in repeats.within}
    return replace(manifest, notes=(*manifest.notes, *notes), again=again)


def _refuse_across(manifest: Manifest, repeats: Repeats, how: str) -> None:
    if not repeats.across:
        return
    first, second = repeats.across[0]
    more = f" The same holds of {len(repeats.across) - 1} more." if len(repeats.across) > 1 else ""
    raise StageError(
        f"{_pair(manifest, first, second)} of {manifest.name} {how} but stand in the groups "
        f"“{manifest.groups[first]}” and “{manifest.groups[second]}”, so a model would be tested on what it learned "
        f"from; remove one of the two rows, or give both the same group.{more}"
    )


def _pair(manifest: Manifest, first: int, second: int) -> str:
    places = f"{manifest.places[first]} and {manifest.places[second].lower()}"
    names = dict.fromkeys((manifest.paths[first].name, manifest.paths[second].name))
    return f"{places} ({', '.join(names)})"


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error.strerror}.") from error
