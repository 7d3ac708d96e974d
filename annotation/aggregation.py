"""A table of votes of any crowd to one label per task."""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from annotation.agreement import Judgement
from pipeline.cell_names import notes_on_names
from pipeline.csv_table import SeparatorError, TableError, TableRow, read_table

COLUMNS = ("task", "worker", "label")
NEEDED = f"The table needs {', '.join(COLUMNS)}, in small letters and separated by commas."
MAJORITY = "majority"
DAWID_SKENE = "dawid-skene"
MACE = "mace"
METHODS = (MAJORITY, DAWID_SKENE, MACE)
# Two labels whose probabilities differ by no more than this are tied: sums over many workers round differently.
TIE_TOLERANCE = 1e-9
# The default of crowd-kit; the algorithm stops earlier where nothing changes any more.
DAWID_SKENE_ROUNDS = 100


class VotesError(ValueError):
    """The table of votes cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Aggregate:
    """What the votes on one task come to.

    Attributes
    ----------
    task : str
    label : str
        The most probable label; of tied ones the first in alphabetical order.
    probability : float
        Of that label: for `majority` its share of the votes.
    tie : bool
        Whether another label is as probable.
    """

    task: Hashable
    label: str
    probability: float
    tie: bool


@dataclass(frozen=True)
class LongTable:
    """Votes in the order of their rows, the headings of columns that are not read, and sentences on odd names."""

    votes: list[Judgement]
    unread: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_votes(file: TextIO) -> list[Judgement]:
    """The votes of a CSV table with the columns task, worker and label, in its order; see `read_long_table`."""
    return read_long_table(file.read()).votes


def read_long_table(text: str) -> LongTable:
    """Read a CSV table with the columns task, worker and label.

    Raises
    ------
    VotesError
        The cells are not separated by commas, a column is missing or there twice, a cell is empty, a row is too long,
        or a worker votes on a task twice.
    """
    try:
        table = read_table(text)
    except SeparatorError as error:
        raise VotesError(f"{error.message} {NEEDED}") from error
    except TableError as error:
        raise VotesError(error.message) from error
    if missing := table.missing(COLUMNS) if table else list(COLUMNS):
        raise VotesError(f"{table.where if table else 'Row 1'} has no column {' or '.join(missing)}. {NEEDED}")
    votes: dict[tuple[str, str], tuple[TableRow, str]] = {}
    assert table is not None  # noqa: S101 - a blank table has no column
    for row in table.rows:
        _take(row, table.cells(row, COLUMNS), votes)
    if not votes:
        raise VotesError("The table has no votes below its first row.")
    judgements: list[Judgement] = [(task, worker, label) for (task, worker), (_, label) in votes.items()]
    unread = tuple(name for name in table.headings if name and name not in COLUMNS)
    named = zip((f"{column}s" for column in COLUMNS), zip(*judgements, strict=True), strict=True)
    notes = tuple(note for what, names in named for note in notes_on_names(what, names))
    return LongTable(judgements, unread, notes)


def _take(row: TableRow, cells: dict[str, str], votes: dict[tuple[str, str], tuple[TableRow, str]]) -> None:
    for column, cell in cells.items():
        if not cell:
            raise VotesError(f"{row.where}, column {column}: the cell is empty.")
    key = (cells["task"], cells["worker"])
    if key in votes:
        earlier = votes[key][0].where.lower()
        raise VotesError(f"{row.where}, column worker: {key[1]!r} has voted on task {key[0]!r} already, in {earlier}.")
    votes[key] = (row, cells["label"])


def aggregate(judgements: Sequence[Judgement], method: str, *, seed: int = 0) -> list[Aggregate]:
    """One label per task, tasks in the order of their first vote.

    Parameters
    ----------
    judgements : sequence of (task, worker, label)
    method : str
        `majority` counts votes; `dawid-skene` weighs each worker by their estimated confusions; `mace` by how often
        they seem to guess.
    seed : int
        Of the starting points of `mace`; the two others know no chance.

    Raises
    ------
    ValueError
        The method is not one of `METHODS`.

    References
    ----------
    A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
    Statistics 28(1), 1979.
    D. Hovy, T. Berg-Kirkpatrick, A. Vaswani, E. Hovy, "Learning Whom to Trust with MACE", NAACL-HLT 2013.
    """
    if method not in METHODS:
        raise ValueError(f"{method!r} is not one of {', '.join(METHODS)}")
    if not judgements:
        return []
    import pandas as pd

    table = pd.DataFrame(judgements, columns=["task", "worker", "label"])
    probabilities = _probabilities(table, method, seed)
    by_task: dict[Hashable, dict[str, float]] = probabilities.to_dict(orient="index")
    return [_decide(task, by_task[task]) for task in Counter(judgement[0] for judgement in judgements)]


def _probabilities(table: Any, method: str, seed: int) -> Any:
    """A table of probabilities with a row per task and a column per label, by crowd-kit."""
    from crowdkit import aggregation

    models: dict[str, Callable[[], Any]] = {
        MAJORITY: aggregation.MajorityVote,
        DAWID_SKENE: lambda: aggregation.DawidSkene(n_iter=DAWID_SKENE_ROUNDS),
        MACE: lambda: aggregation.MACE(random_state=seed),
    }
    with warnings.catch_warnings():
        # Thousands of lines about arguments that a later pandas will drop.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="crowdkit")
        warnings.filterwarnings("ignore", category=FutureWarning, module="crowdkit")
        return models[method]().fit_predict_proba(table)


def _decide(task: Hashable, probabilities: dict[str, float]) -> Aggregate:
    known = {label: float(p) for label, p in probabilities.items() if not math.isnan(p)}
    highest = max(known.values())
    best = sorted(label for label, p in known.items() if highest - p <= TIE_TOLERANCE)
    return Aggregate(task, best[0], known[best[0]], tie=len(best) > 1)
