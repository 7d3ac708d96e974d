"""How far listeners agree, and what their agreement says about each of them.

Every function takes judgements, a sequence of ``(task, annotator, label)``, with at most one judgement per task and
annotator. Tasks and annotators are any hashable values.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.labels import LABELS

Judgement = tuple[Hashable, Hashable, str]


@dataclass(frozen=True)
class Agreement:
    """A chance-corrected coefficient and what it rests on.

    Attributes
    ----------
    value : float or None
        1 for perfect agreement, 0 for chance; None where it is not defined (too few votes, or one class only).
    tasks, votes : int
        How many tasks and votes entered.
    """

    value: float | None
    tasks: int
    votes: int


@dataclass(frozen=True)
class PairAgreement:
    """Cohen's kappa of two annotators over the tasks both judged."""

    first: Hashable
    second: Hashable
    value: float | None
    tasks: int


@dataclass(frozen=True)
class Estimate:
    """What Dawid and Skene's model makes of the votes.

    Attributes
    ----------
    labels : dict
        Most probable class of each task.
    probabilities : dict
        Per task, probabilities of the classes in the order of `pipeline.labels.LABELS`.
    confusions : dict
        Per annotator, ``[shape=(3, 3)]`` float64: row = true class, column = class voted, rows sum to 1.
    """

    labels: dict[Hashable, str]
    probabilities: dict[Hashable, tuple[float, ...]]
    confusions: dict[Hashable, np.ndarray]


def _counts(judgements: Iterable[Judgement]) -> np.ndarray:
    """Votes per task and class: int64 [shape=(n_tasks, 3)]."""
    by_task: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for task, _, label in judgements:
        by_task[task][label] += 1
    return np.array([[counter[label] for label in LABELS] for counter in by_task.values()], dtype=np.int64).reshape(
        -1, len(LABELS)
    )


def krippendorff_alpha(judgements: Sequence[Judgement]) -> Agreement:
    """Krippendorff's alpha for nominal data; tasks with a single vote do not enter.

    References
    ----------
    K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011, section E (nominal metric, missing data).
    """
    import krippendorff

    counts = _counts(judgements)
    counts = counts[counts.sum(axis=1) >= 2]
    n_tasks, n_votes = len(counts), int(counts.sum())
    if (counts.sum(axis=0) > 0).sum() < 2:  # no variation: expected disagreement is 0
        return Agreement(None, n_tasks, n_votes)
    value = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    return Agreement(float(value), n_tasks, n_votes)


def fleiss_kappa(judgements: Sequence[Judgement], raters: int = 3) -> Agreement:
    """Fleiss' kappa over the tasks that have exactly `raters` votes (the formula needs the same number on each).

    With ``p_j`` the share of class j among all votes and ``n`` raters:
    ``P_i = (sum_j n_ij^2 - n) / (n (n - 1))``, ``P_e = sum_j p_j^2``, ``kappa = (mean P_i - P_e) / (1 - P_e)``.

    References
    ----------
    J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76(5), 1971.
    """
    counts = _counts(judgements)
    counts = counts[counts.sum(axis=1) == raters]
    n_tasks, n_votes = len(counts), int(counts.sum())
    if raters < 2 or (counts.sum(axis=0) > 0).sum() < 2:
        return Agreement(None, n_tasks, n_votes)
    observed = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    shares = counts.sum(axis=0) / n_votes
    expected = float((shares**2).sum())
    return Agreement((float(observed.mean()) - expected) / (1 - expected), n_tasks, n_votes)


def pairwise_cohen(judgements: Sequence[Judgement]) -> list[PairAgreement]:
    """Cohen's kappa of each pair of annotators that share a task, pairs in the order of first appearance.

    References
    ----------
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20(1), 1960.
    """
    from sklearn.metrics import cohen_kappa_score

    votes: dict[Hashable, dict[Hashable, str]] = defaultdict(dict)
    for task, annotator, label in judgements:
        votes[annotator][task] = label
    pairs = []
    for first, second in combinations(votes, 2):
        shared = [task for task in votes[first] if task in votes[second]]
        if not shared:
            continue
        mine, theirs = [votes[first][task] for task in shared], [votes[second][task] for task in shared]
        # Where both always say the same one class, chance agreement is 1 and kappa is 0/0.
        value = float(cohen_kappa_score(mine, theirs)) if len({*mine, *theirs}) > 1 else None
        pairs.append(PairAgreement(first, second, value, len(shared)))
    return pairs


def dawid_skene(judgements: Sequence[Judgement], iterations: int = 100) -> Estimate:
    """Weigh each annotator by their estimated confusions instead of counting heads.

    References
    ----------
    A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
    Applied Statistics 28(1), 1979.
    """
    if not judgements:
        return Estimate({}, {}, {})
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    model: Any = DawidSkene(n_iter=iterations).fit(pd.DataFrame(judgements, columns=["task", "worker", "label"]))
    probabilities = model.probas_.reindex(columns=list(LABELS), fill_value=0.0)
    confusions = {}
    for annotator in dict.fromkeys(judgement[1] for judgement in judgements):
        # crowd-kit: rows are the class voted, columns the true class.
        errors = model.errors_.loc[annotator].reindex(index=list(LABELS), columns=list(LABELS)).fillna(0.0)
        confusions[annotator] = errors.to_numpy(dtype=np.float64).T
    return Estimate(
        labels={task: str(label) for task, label in model.labels_.items()},
        probabilities={task: tuple(float(p) for p in row) for task, row in probabilities.iterrows()},
        confusions=confusions,
    )
