"""Manifests: tables of labelled audio files, read and checked for clips that are in two groups."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.csv_table import EncodingError, TableError, TableRow, read_table, read_text, same_heading
from pipeline.labels import LABELS
from pipeline.stages.errors import StageError
from pipeline.stages.repeats import Repeats, find_repeats, row_digests

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
        raise StageError(f"{path.name} has no column {' or '.join(missing)}; it needs {', '.join(COLUMNS)}.")
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
    return check_files(replace(manifest, notes=(*manifest.notes, *_notes_on_names(manifest))))


def _notes_on_names(manifest: Manifest) -> list[str]:
    """Say which groups' names differ in case or width of letters alone, since they are probably one group."""
    names: dict[str, str] = {}
    found = ((names.setdefault(same_heading(name), name), name) for name in np.unique(manifest.groups).tolist())
    return [
        f"The groups “{first}” and “{name}” differ in case alone and count as two."
        for first, name in found
        if first != name
    ]


def _checked(row: TableRow, cells: dict[str, str], path: Path) -> dict[str, str]:
    where = f"{row.where} of {path.name}"
    if cells["label"] not in LABELS:
        raise StageError(f"{where}: the label {cells['label']!r} is not one of {', '.join(LABELS)}.")
    if not cells["group"]:
        raise StageError(f"{where}: the group is empty; it says which files must not be split (speaker, video).")
    if not cells["path"] or "\0" in cells["path"] or not (path.parent / cells["path"]).is_file():
        raise StageError(f"{where}: there is no file {cells['path']!r}.")
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
    """Raise StageError where rows of two groups have the same features; note those that are in one group.

    Parameters
    ----------
    X : np.ndarray [shape=(n, n_features)]
        Features as extracted, not standardised.
    """
    return _checked_repeats(manifest, row_digests(X), "have exactly the same features", "sound the same")


def _checked_repeats(manifest: Manifest, keys: Sequence[Hashable], across: str, within: str) -> Manifest:
    repeats = find_repeats(keys, manifest.groups.tolist())
    _refuse_across(manifest, repeats, across)
    found = [pair for pair in repeats.within if pair[1] not in manifest.again]
    if not found:
        return manifest
    pairs = "; ".join(_pair(manifest, *pair) for pair in found[:MAX_NAMED])
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    note = f"Rows that {within} as an earlier one of their group, and count again: {pairs}{more}."
    return replace(
        manifest, notes=(*manifest.notes, note), again=manifest.again | {second for _, second in repeats.within}
    )


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
