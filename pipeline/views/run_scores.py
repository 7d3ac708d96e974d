"""A run's stored scores and card, arranged for people to read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

AVERAGES = ("macro", "weighted", "micro")
HEAT_STEPS = 10
# Longer lists in a model card (the videos' ids, 136 feature names) are counted, not spelled out.
MAX_ITEMS_SHOWN = 12
SHOWN_ELSEWHERE = {"scores", "notes"}


@dataclass(frozen=True)
class Cell:
    count: int
    share: float  # of the row, that is of the true class
    heat: int  # share in steps of the colour scale


@dataclass(frozen=True)
class Row:
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Scores:
    best_c: float | None
    by_c: tuple[tuple[str, float, bool], ...]  # C, its score, whether it was taken
    labels: tuple[str, ...]
    averages: tuple[tuple[str, dict[str, float]], ...]
    classes: tuple[tuple[str, dict[str, float]], ...]
    confusion: tuple[Row, ...]
    n: int
    videos: int
    accuracy: float
    baseline: dict[str, Any]  # what always answering the largest class would score


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def read_scores(stored: dict[str, Any]) -> Scores | None:
    """The scores of a finished run; None where it has none."""
    core = stored.get("out_of_fold")
    if not core:
        return None
    best_c = stored.get("best_c")
    by_c = [
        (c, score, best_c is not None and math.isclose(float(c), best_c))
        for c, score in sorted(stored.get("score_by_c", {}).items(), key=lambda item: float(item[0]))
    ]
    return Scores(
        best_c=best_c,
        by_c=tuple(by_c),
        labels=tuple(core["labels"]),
        averages=tuple((name, core["averages"][name]) for name in AVERAGES),
        classes=tuple((label, core["per_class"][label]) for label in core["labels"]),
        confusion=tuple(map(_row, core["labels"], core["confusion"])),
        n=core["n"],
        videos=core["groups"],
        accuracy=core["accuracy"],
        baseline=core["baseline"],
    )


def _row(label: str, counts: Sequence[int]) -> Row:
    shares = [_share(count, sum(counts)) for count in counts]
    cells = tuple(Cell(count, share, round(HEAT_STEPS * share)) for count, share in zip(counts, shares, strict=True))
    return Row(label, cells)


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


def _name_in_words(name: str) -> str:
    """``mid_window_s`` → ``Mid window (s)``."""
    words = name.removesuffix("_s").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}{' (s)' if name.endswith('_s') else ''}"


def card_rows(card: dict[str, Any]) -> list[tuple[str, str]]:
    """A model card as names and texts, without what stands elsewhere on the page."""
    return [(_name_in_words(name), _in_words(value)) for name, value in card.items() if name not in SHOWN_ELSEWHERE]
