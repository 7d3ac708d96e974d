"""The same clip twice: found across and within groups."""

import numpy as np

from pipeline.stages.repeats import Repeats, find_repeats, near_repeats, row_digests, united_groups


def test_rows_are_paired_across_and_within_groups() -> None:
    found = find_repeats(["x", "y", "x", "x", "z", "y"], ["a", "a", "a", "b", "b", "c"])
    assert found == Repeats(across=((0, 3), (1, 5)), within=((0, 2),))


def test_a_clip_twice_in_a_second_group_is_paired_there() -> None:
    found = find_repeats(["x", "x", "x"], ["a", "b", "b"])
    assert found == Repeats(across=((0, 1),), within=((1, 2),))


def test_digests_are_equal_for_equal_rows_alone() -> None:
    digests = row_digests(np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, np.nextafter(1, 2)]]))
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_groups_that_share_clips_become_one_also_over_a_third() -> None:
    groups = np.array([7, 8, 8, 9, 10])
    assert united_groups(["x", "x", "y", "y", "z"], groups).tolist() == [7, 7, 7, 7, 10]
    assert united_groups(list("abcde"), groups).tolist() == groups.tolist()
    assert united_groups(["y", "x", "z", "y", "x"], np.array([5, 6, 7, 6, 7])).tolist() == [5, 5, 5, 5, 5]


def test_many_rows_are_quick() -> None:
    keys = [number % 99_999 for number in range(100_000)]
    found = find_repeats(keys, [number % 10 for number in range(100_000)])
    assert (found.across, found.within) == (((0, 99_999),), ())


def test_rows_of_two_groups_that_are_nearly_the_same_are_found() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 40)) * rng.uniform(0.1, 100, 40)
    X[300] = X[7] + 0.05 * X.std(axis=0)
    X[420] = X[7] - 0.05 * X.std(axis=0)
    X[430] = X[9] + 0.05 * X.std(axis=0)
    groups = [row % 10 for row in range(500)]
    groups[430] = groups[9]
    groups[300] = groups[7] + 1
    assert near_repeats(X, groups) == ((7, 300), (7, 420))


def test_rows_without_any_difference_between_features_are_near_to_none() -> None:
    assert near_repeats(np.ones((4, 3)), list("abcd")) == ()
    assert near_repeats(np.zeros((0, 3)), []) == ()
