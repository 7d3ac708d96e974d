"""A run's stored scores and card, arranged for people to read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

AVERAGES = ("macro", "weighted", "micro")
HEAT_STEPS = 10
# Longer lists in a model card (the videos' ids, 136 feature names) are counted, not spelled out.
MAX_ITEMS_SHOWN = 12


@dataclass(frozen=True)
class ClassScore:
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Cell:
    count: int
    share: float  # of the row, that is of the true class
    heat: int  # share in steps of the colour scale


@dataclass(frozen=True)
class Row:
    label: str
    cells: tuple[Cell, ...]
    support: int


@dataclass(frozen=True)
class Scores:
    best_c: float | None
    by_c: tuple[tuple[str, float, bool], ...]  # C, its score, whether it was taken
    labels: tuple[str, ...]
    averages: tuple[tuple[str, dict[str, float]], ...]
    classes: tuple[ClassScore, ...]
    confusion: tuple[Row, ...]
    n: int
    videos: int
    accuracy: float
    largest_class: str
    largest_share: float
    largest_macro_f1: float


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def per_class(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each class from a confusion matrix whose rows are the truth; 0 where undefined."""
    scores = []
    for i, label in enumerate(labels):
        support, predicted = sum(confusion[i]), sum(row[i] for row in confusion)
        precision, recall = _share(confusion[i][i], predicted), _share(confusion[i][i], support)
        scores.append(ClassScore(label, precision, recall, _share(2 * precision * recall, precision + recall), support))
    return tuple(scores)


def read_scores(stored: dict[str, Any]) -> Scores | None:
    """The scores of a finished run; None where it has none."""
    core = stored.get("out_of_fold")
    if not core:
        return None
    labels, confusion = tuple(core["labels"]), core["confusion"]
    classes = per_class(confusion, labels)
    n = sum(score.support for score in classes)
    largest = max(classes, key=lambda score: score.support)
    share = _share(largest.support, n)
    best_c = stored.get("best_c")
    by_c = [
        (c, score, best_c is not None and math.isclose(float(c), best_c))
        for c, score in sorted(stored.get("score_by_c", {}).items(), key=lambda item: float(item[0]))
    ]
    rows = []
    for label, row in zip(labels, confusion, strict=True):
        shares = [_share(count, sum(row)) for count in row]
        cells = tuple(Cell(count, part, round(HEAT_STEPS * part)) for count, part in zip(row, shares, strict=True))
        rows.append(Row(label, cells, sum(row)))
    return Scores(
        best_c=best_c,
        by_c=tuple(by_c),
        labels=labels,
        averages=tuple((name, core["averages"][name]) for name in AVERAGES if name in core["averages"]),
        classes=classes,
        confusion=tuple(rows),
        n=n,
        videos=stored.get("videos", 0),
        accuracy=_share(sum(confusion[i][i] for i in range(len(labels))), n),
        largest_class=largest.label,
        largest_share=share,
        # Always answering it: its recall is 1 and its precision its share; the other classes score 0.
        largest_macro_f1=_share(2 * share / (1 + share), len(labels)),
    )


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        if len(value) > MAX_ITEMS_SHOWN:
            return f"{len(value)} entries: {', '.join(str(item) for item in value[:3])}, …"
        return ", ".join(_in_words(item) for item in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return str(value)


def card_rows(card: dict[str, Any]) -> list[tuple[str, str]]:
    """A model card as names and texts."""
    return [(name.replace("_", " ").capitalize(), _in_words(value)) for name, value in card.items()]
