"""The arithmetic of reports, checked against scikit-learn and against the figures recorded in 2019."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from evaluation.metrics import EvaluationError, Report, evaluate
from pipeline.labels import LABELS

SLIPS_2019 = {"postive": "positive"}


def votes_of_2019(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Majority of the three listeners, predicted text label and video of each row."""
    truth, predicted, videos = [], [], []
    with path.open(newline="") as file:
        for row in list(csv.reader(file))[1:]:
            words = [SLIPS_2019.get(word.strip(), word.strip()) for word in row[2:6]]
            label, count = Counter(words[1:]).most_common(1)[0]
            assert count >= 2
            truth.append(label)
            predicted.append(words[0])
            videos.append(row[0])
    return truth, predicted, videos


def random_labels(n: int, seed: int, labels: Any = LABELS) -> list[str]:
    return [str(label) for label in np.random.default_rng(seed).choice(list(labels), size=n)]


def assert_equals_scikit_learn(report: Report, y_true: list[str], y_pred: list[str]) -> None:
    labels = list(report.labels)
    assert report.confusion == confusion_matrix(y_true, y_pred, labels=labels).tolist()
    *scores, support = precision_recall_fscore_support(y_true, y_pred, labels=labels, zero_division=0)
    assert report.support == support.tolist()
    for name, values in zip(("precision", "recall", "f1"), scores, strict=True):
        assert [report.per_class[label][name] for label in labels] == pytest.approx(values.tolist(), abs=1e-12)
    for average in ("macro", "weighted", "micro"):
        expected = precision_recall_fscore_support(y_true, y_pred, labels=labels, average=average, zero_division=0)[:3]
        assert list(report.averages[average].values()) == pytest.approx(list(expected), abs=1e-12)


@pytest.mark.shared_data
def test_it_reproduces_the_figures_of_2019_to_the_last_bit(shared_data: Path) -> None:
    report = evaluate(*votes_of_2019(shared_data / "seed2019" / "votes_train.csv"))
    assert report.confusion == [[24, 3, 1], [5, 33, 0], [3, 9, 22]]
    assert report.averages["macro"] == {
        "precision": 0.8132850241545894,
        "recall": 0.7908742444346161,
        "f1": 0.7890368491509899,
    }


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40))
def test_scores_equal_those_of_scikit_learn_also_with_absent_classes(pairs: list[tuple[str, str]]) -> None:
    y_true, y_pred = [list(column) for column in zip(*pairs, strict=True)]
    assert_equals_scikit_learn(evaluate(y_true, y_pred, [0] * len(pairs)), y_true, y_pred)


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_those_of_scikit_learn_on_many_segments(seed: int) -> None:
    y_true, y_pred = random_labels(2000, seed), random_labels(2000, seed + 100)
    assert_equals_scikit_learn(evaluate(y_true, y_pred, list(range(2000))), y_true, y_pred)


def test_rows_of_the_confusion_matrix_are_the_truth() -> None:
    report = evaluate(["positive"], ["negative"], [1])
    assert report.confusion == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_a_score_with_nothing_to_divide_by_is_zero_and_noted() -> None:
    report = evaluate(["positive", "positive"], ["positive", "neutral"], [1, 2])
    assert report.per_class["neutral"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert report.per_class["negative"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert any("truly neutral" in note for note in report.notes)
    assert any("truly negative or predicted so" in note for note in report.notes)


def test_a_class_that_is_never_predicted_is_noted() -> None:
    report = evaluate(["positive", "negative"], ["positive", "positive"], [1, 2])
    assert any("predicted negative" in note for note in report.notes)


def test_the_baseline_always_answers_the_largest_true_class() -> None:
    y_true = ["neutral"] * 6 + ["positive"] * 3 + ["negative"]
    report = evaluate(y_true, random_labels(10, 1), list(range(10)))
    constant = evaluate(y_true, ["neutral"] * 10, list(range(10)))
    assert report.baseline == {
        "label": "neutral",
        "accuracy": constant.accuracy,
        "macro_f1": pytest.approx(constant.averages["macro"]["f1"]),
    }


def test_of_equally_large_classes_the_first_is_the_baseline() -> None:
    assert evaluate(["negative", "positive"], ["positive", "positive"], [1, 2]).baseline["label"] == "positive"


def bootstrap_by_hand(y_true: list[str], y_pred: list[str], groups: list[int], resamples: int) -> np.ndarray:
    """Macro F1 of resamples made one by one by putting whole videos together [shape=(resamples,)]."""
    rng = np.random.default_rng(99)
    rows = {group: [i for i, other in enumerate(groups) if other == group] for group in set(groups)}
    values = []
    for _ in range(resamples):
        chosen = [i for group in rng.choice(list(rows), size=len(rows)) for i in rows[int(group)]]
        values.append(
            precision_recall_fscore_support(
                [y_true[i] for i in chosen],
                [y_pred[i] for i in chosen],
                labels=list(LABELS),
                average="macro",
                zero_division=0,
            )[2]
        )
    return np.array(values)


def test_intervals_are_those_of_resampling_videos_one_by_one() -> None:
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 12, size=240).tolist()
    y_true = random_labels(240, 6)
    # Whole videos are good or bad, so that resampling segments instead would give much narrower intervals.
    guesses = random_labels(240, 7)
    y_pred = [y_true[i] if group < 6 else guesses[i] for i, group in enumerate(groups)]
    report = evaluate(y_true, y_pred, groups, resamples=4000)
    assert report.intervals is not None
    low, high = report.intervals["averages"]["macro"]["f1"]
    expected = np.quantile(bootstrap_by_hand(y_true, y_pred, groups, 250), [0.025, 0.975])
    assert [low, high] == pytest.approx(expected.tolist(), abs=0.04)
    segments = evaluate(y_true, y_pred, list(range(240)), resamples=4000).intervals
    assert segments is not None
    narrow_low, narrow_high = segments["averages"]["macro"]["f1"]
    assert high - low > 1.5 * (narrow_high - narrow_low)


def test_every_score_lies_within_its_interval_and_has_one() -> None:
    report = evaluate(random_labels(300, 1), random_labels(300, 2), [i % 20 for i in range(300)])
    assert report.intervals is not None
    pairs = [(report.accuracy, report.intervals["accuracy"])]
    for kind in ("averages", "per_class"):
        for name, intervals in report.intervals[kind].items():
            pairs += [(getattr(report, kind)[name][score], bounds) for score, bounds in intervals.items()]
    assert len(pairs) == 1 + 9 + 9
    assert all(0 <= low <= value <= high <= 1 for value, (low, high) in pairs)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    data = random_labels(90, 1), random_labels(90, 2), [i % 9 for i in range(90)]
    assert evaluate(*data, seed=3) == evaluate(*data, seed=3)
    assert evaluate(*data, seed=3).intervals != evaluate(*data, seed=4).intervals


def test_intervals_do_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_labels(90, 1), random_labels(90, 2), [i % 9 for i in range(90)]
    whole = evaluate(*data)
    monkeypatch.setattr("evaluation.metrics.BLOCK", 70)
    assert evaluate(*data) == whole


@pytest.mark.parametrize(("groups", "resamples"), [([7, 7, 7], 1000), ([1, 2, 3], 0)])
def test_without_two_videos_or_without_resamples_there_are_no_intervals(groups: list[int], resamples: int) -> None:
    report = evaluate(list(LABELS), list(LABELS), groups, resamples=resamples)
    assert report.intervals is None
    assert any("No intervals" in note for note in report.notes) is (resamples > 0)


def test_a_class_of_one_group_only_is_noted() -> None:
    report = evaluate(["positive", "neutral", "neutral"], ["positive", "neutral", "neutral"], [1, 1, 2])
    assert "All true positive segments come from one group, so their intervals say little." in report.notes


def test_a_thousand_resamples_take_milliseconds(benchmark_seconds: Any) -> None:
    data = random_labels(5000, 1), random_labels(5000, 2), [i % 135 for i in range(5000)]
    assert benchmark_seconds(lambda: evaluate(*data)) < 0.25


@pytest.fixture
def benchmark_seconds() -> Any:
    """Shortest of five runs, which other work on the machine disturbs least."""
    import timeit

    return lambda run: min(timeit.repeat(run, number=1, repeat=5))


def test_the_dictionary_is_json_with_its_keys_in_the_documented_order() -> None:
    report = evaluate(list(LABELS) * 2, list(LABELS) * 2, [1, 1, 1, 2, 2, 2])
    again = json.loads(json.dumps(report.as_dict()))
    assert list(again) == [
        "labels",
        "confusion",
        "support",
        "averages",
        "baseline",
        "n",
        "groups",
        "accuracy",
        "per_class",
        "intervals",
        "notes",
    ]
    assert again == report.as_dict()


def test_groups_may_be_words_and_classes_other_than_the_three() -> None:
    report = evaluate(["a", "b", "b"], ["a", "b", "a"], ["x", "y", "x"], labels=["b", "a"])
    assert (report.confusion, report.groups) == ([[1, 1], [0, 1]], 2)


def test_numpy_arrays_are_as_good_as_lists() -> None:
    words: Any = np.array(list(LABELS))
    assert evaluate(words, words, np.arange(3)).confusion == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (([], [], []), {}, "nothing to compare"),
        ((["positive"], [], [1]), {}, "equally long"),
        ((["positive"], ["postive"], [1]), {}, "Unknown class 'postive'"),
        ((["positive"], [""], [1]), {}, "Unknown class ''"),
        ((["a"], ["a"], [1]), {"labels": ["a", "a"]}, "only once"),
        ((["positive"], ["positive"], [1]), {"resamples": -1}, "0 \\(no intervals\\) or more"),
    ],
)
def test_bad_input_gets_a_sentence(arguments: Any, options: Any, sentence: str) -> None:
    with pytest.raises(EvaluationError, match=sentence):
        evaluate(*arguments, **options)
