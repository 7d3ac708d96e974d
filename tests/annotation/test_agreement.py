import csv

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from annotation.agreement import dawid_skene, fleiss_kappa, krippendorff_alpha, pairwise_cohen
from pipeline.labels import LABELS

P, O, N = LABELS  # noqa: E741

# crowd-kit 1.4.2 calls pandas 3 in ways that pandas 4 will not know.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


def judgements(rows, people="abc"):
    """One row per task, one label (or None) per person."""
    return [(i, who, label) for i, row in enumerate(rows) for who, label in zip(people, row, strict=True) if label]


def alpha_by_hand(rows):
    """Krippendorff 2011, nominal: 1 - (n - 1) * sum of observed disagreement / expected, from coincidences."""
    coincidences = np.zeros((3, 3))
    for row in rows:
        values = [LABELS.index(label) for label in row if label]
        if len(values) < 2:
            continue
        for i, c in enumerate(values):
            for j, k in enumerate(values):
                if i != j:
                    coincidences[c, k] += 1 / (len(values) - 1)
    totals = coincidences.sum(axis=0)
    n = totals.sum()
    observed = n - np.trace(coincidences)
    expected = (n**2 - (totals**2).sum()) / (n - 1)
    return 1 - observed / expected


ROWS = [(P, P, P), (O, O, N), (N, N, N), (P, O, N), (O, None, O), (N, None, None), (P, P, O)]


def test_alpha_is_krippendorffs_with_missing_votes():
    result = krippendorff_alpha(judgements(ROWS))
    assert result.value == pytest.approx(alpha_by_hand(ROWS), abs=1e-12)
    assert (result.tasks, result.votes) == (6, 17)  # the task with one vote says nothing about agreement


def test_perfect_agreement_is_one():
    rows = [(P, P, P), (O, O, O), (N, N, N)]
    assert krippendorff_alpha(judgements(rows)).value == pytest.approx(1)
    assert fleiss_kappa(judgements(rows)).value == pytest.approx(1)
    assert [pair.value for pair in pairwise_cohen(judgements(rows))] == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("rows", [[], [(P, None, None)], [(P, P, P), (P, P, P)]])
def test_a_coefficient_without_variation_is_not_defined(rows):
    assert krippendorff_alpha(judgements(rows)).value is None
    assert fleiss_kappa(judgements(rows)).value is None
    assert all(pair.value is None for pair in pairwise_cohen(judgements(rows)))


def test_fleiss_kappa_of_an_example_worked_by_hand():
    # P_i = 1, 1/3, 1, 0; shares 4/12, 4/12, 4/12: (7/12 - 1/3) / (2/3) = 0.375
    rows = [(P, P, P), (O, O, N), (O, N, P), (N, N, O)]
    observed = (1 + 1 / 3 + 0 + 1 / 3) / 4
    shares = np.array([4, 4, 4]) / 12
    expected = (shares**2).sum()
    result = fleiss_kappa(judgements(rows))
    assert result.value == pytest.approx((observed - expected) / (1 - expected))
    assert result.value == pytest.approx(0.125)
    assert (result.tasks, result.votes) == (4, 12)


def test_fleiss_kappa_leaves_out_tasks_with_other_numbers_of_votes():
    assert fleiss_kappa(judgements(ROWS)).tasks == 5


def test_cohens_kappa_uses_the_tasks_both_judged():
    pairs = pairwise_cohen(judgements(ROWS))
    assert [(pair.first, pair.second, pair.tasks) for pair in pairs] == [("a", "b", 5), ("a", "c", 6), ("b", "c", 5)]
    assert pairs[1].value == pytest.approx(cohen_kappa_score([P, O, N, P, O, P], [P, N, N, N, O, O]))


def test_people_who_share_no_task_make_no_pair():
    assert pairwise_cohen([(1, "a", P), (2, "b", N)]) == []


def test_dawid_and_skene_find_the_person_who_swaps_two_classes():
    random = np.random.default_rng(0)
    truths = [LABELS[i] for i in random.integers(0, 3, 200)]
    swapped = {P: N, N: P, O: O}
    rows = []
    for truth in truths:
        careful = [truth if random.random() < 0.9 else LABELS[random.integers(0, 3)] for _ in range(3)]
        rows.append((*careful, swapped[truth]))
    estimate = dawid_skene(judgements(rows, people="abcd"))
    right = sum(estimate.labels[i] == truth for i, truth in enumerate(truths))
    assert right >= 190
    confusion = estimate.confusions["d"]
    assert confusion.sum(axis=1) == pytest.approx([1, 1, 1])
    assert confusion[LABELS.index(P), LABELS.index(N)] > 0.9  # row: truth, column: vote
    assert estimate.confusions["a"][0, 0] > 0.8
    assert sum(estimate.probabilities[0]) == pytest.approx(1)


def test_dawid_and_skene_do_with_classes_that_nobody_voted():
    estimate = dawid_skene(judgements([(P, P, P), (P, P, O)]))
    assert estimate.labels == {0: P, 1: P}
    assert estimate.probabilities[0][LABELS.index(N)] == 0
    assert dawid_skene([]).labels == {}


@pytest.mark.shared_data
def test_the_votes_of_2019_agree_as_far_as_a_second_reckoning_says(shared_data):
    with (shared_data / "seed2019" / "votes_train.csv").open(newline="") as file:
        rows = [tuple(row[3:6]) for row in list(csv.reader(file))[1:]]
    result = krippendorff_alpha(judgements(rows))
    assert result.value == pytest.approx(alpha_by_hand(rows), abs=1e-12)
    assert (result.tasks, result.votes) == (100, 300)
    assert fleiss_kappa(judgements(rows)).tasks == 100
