"""Which label rule is best: `recommended` against `seed-2019`, on spoken lines that people judged.

Run from the repository's root: python bench/label_rule.py [--data ../shared/data] [--format text|markdown]
Needs `text_sentiment/meld_dev.csv` (columns Utterance, Sentiment, Dialogue_ID) and `seed2019/votes_train.csv` there.

Three questions: what each policy's labels are worth (1), whether the choice of thresholds holds on dialogues that it
was not made on (2), and what the same rules give on the 2019 votes (3). Intervals are 95 % bootstrap over dialogues.
"""

import argparse
import csv
import itertools
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.labels import LABELS
from pipeline.stages.label_policies import LABEL_POLICIES, LabelPolicy, asks, decide
from pipeline.stages.sentiment import TextScore, score_texts

SEED, RECOMMENDED = LABEL_POLICIES["seed-2019"], LABEL_POLICIES["recommended"]
RESAMPLES = 2000
FOLDS = 5
DIVISIONS = 5  # ways of dividing the dialogues into folds
GRID = {
    "min_positive": (0.35, 0.4, 0.45, 0.5),
    "min_negative": (0.25, 0.3, 0.34, 0.4),
    "max_neutral": (0.15, 0.2, 0.25, 0.3),
    "exclamation_shift": (0.0, 0.1, 0.15, 0.2),
}
# In the choice, a rule must be this much more precise than seed-2019 for positive and negative, so as not to trade one
# for the other.
MARGIN = 0.03


@dataclass(frozen=True)
class Lines:
    texts: list[str]
    truth: np.ndarray
    groups: np.ndarray

    def labels(self, scores: Sequence[TextScore], policy: LabelPolicy) -> np.ndarray:
        return np.array(
            [
                decide((s.vader, s.textblob, s.pattern), policy, exclaimed="!" in s.text, asked=asks(s.text))[1]
                for s in scores
            ]
        )


def read_meld(path: Path) -> Lines:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth, groups = [row["Sentiment"] for row in rows], [int(row["Dialogue_ID"]) for row in rows]
    return Lines([row["Utterance"] for row in rows], np.array(truth), np.array(groups))


def read_votes(path: Path) -> Lines:
    """The 2019 sample: texts as the stop-word filter left them, and the majority of three listeners."""
    texts, truth, groups = [], [], []
    with path.open(encoding="utf-8", newline="") as file:
        for video, _, _, *votes, text, _, _ in itertools.islice(csv.reader(file), 1, None):
            label, count = Counter(vote.strip().replace("postive", "positive") for vote in votes).most_common(1)[0]
            if count > 1:
                texts.append(text)
                truth.append(label)
                groups.append(int(video))
    return Lines(texts, np.array(truth), np.array(groups))


def figures(truth: np.ndarray, given: np.ndarray) -> dict[str, float]:
    """Coverage, precisions, and macro F1 among labelled texts and over all texts (no label is then a miss)."""
    covered = given != ""
    found: dict[str, float] = {"coverage": float(covered.mean())}
    f1_covered, f1_all = [], []
    for label in LABELS:
        hits = int(((given == label) & (truth == label)).sum())
        predicted = int((given == label).sum())
        found[f"precision {label}"] = hits / predicted if predicted else 0.0
        f1_covered.append(2 * hits / max(1, predicted + int((covered & (truth == label)).sum())))
        f1_all.append(2 * hits / max(1, predicted + int((truth == label).sum())))
    found["macro F1"] = float(np.mean(f1_covered))
    found["macro F1, all"] = float(np.mean(f1_all))
    found["accuracy"] = float((given[covered] == truth[covered]).mean()) if covered.any() else 0.0
    return found


NAMES = ("coverage", "macro F1", "macro F1, all", "accuracy", *(f"precision {label}" for label in LABELS))


def intervals(lines: Lines, *given: np.ndarray) -> list[dict[str, tuple[float, float]]]:
    """95 % bootstrap intervals over groups of each labelling's figures, and lastly of second minus first."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(lines.groups == group) for group in np.unique(lines.groups)]
    drawn: list[list[list[float]]] = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([members[n] for n in rng.integers(len(members), size=len(members))])
        found = [figures(lines.truth[rows], labels[rows]) for labels in given]
        values = [[one[name] for name in NAMES] for one in found]
        drawn.append([*values, [b - a for a, b in zip(values[0], values[1], strict=True)]])
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    return [dict(zip(NAMES, zip(lo, hi, strict=True), strict=True)) for lo, hi in zip(low, high, strict=True)]


def trimmed_to(coverage: float, scores: Sequence[TextScore], labels: np.ndarray) -> np.ndarray:
    """Lower the bound of neutral, as it were, until only so much is covered: neutrals farthest from 0 go first."""
    surplus = max(0, int((labels != "").sum()) - round(coverage * len(labels)))
    means = np.where(labels == "neutral", np.abs([score.mean for score in scores]), -1.0)
    trimmed = labels.copy()
    trimmed[np.argsort(-means, kind="stable")[:surplus]] = ""
    return trimmed


def policies() -> list[LabelPolicy]:
    grid: list[dict[str, Any]] = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
    return [replace(RECOMMENDED, **values) for values in grid]


def choose(lines: Lines, rows: np.ndarray, labelled: Sequence[np.ndarray], seed: np.ndarray) -> int:
    """The policy of the highest macro F1 among those no less covering and more precise than seed-2019 on these rows."""
    truth = lines.truth[rows]
    base = figures(truth, seed[rows])
    best, best_f1 = 0, -1.0
    for index, labels in enumerate(labelled):
        found = figures(truth, labels[rows])
        better = all(found[f"precision {c}"] >= base[f"precision {c}"] + MARGIN for c in ("positive", "negative"))
        if better and found["coverage"] >= base["coverage"] and found["macro F1"] > best_f1:
            best, best_f1 = index, found["macro F1"]
    return best


def held_out(
    lines: Lines, scores: Sequence[TextScore], seed: np.ndarray, *, division: int = 0
) -> tuple[np.ndarray, list[LabelPolicy]]:
    """Labels of each dialogue by the policy chosen on the others."""
    candidates = policies()
    labelled = [lines.labels(scores, policy) for policy in candidates]
    names = np.random.default_rng(division).permutation(np.unique(lines.groups))
    labels, chosen = np.full(len(lines.texts), "", dtype=object), []
    for part in np.array_split(names, FOLDS):
        out = np.isin(lines.groups, part)
        best = choose(lines, np.flatnonzero(~out), labelled, seed)
        labels[out] = labelled[best][out]
        chosen.append(candidates[best])
    return labels.astype(str), chosen


def show(title: str, given: dict[str, np.ndarray], lines: Lines) -> None:
    print(f"\n{title} ({len(lines.texts)} texts, {len(np.unique(lines.groups))} groups)\n")
    print(f"| figure | {' | '.join(given)} | difference |")
    print("|---|" + "---|" * (len(given) + 1))
    points = [figures(lines.truth, labels) for labels in given.values()]
    bounds = intervals(lines, *given.values())
    for name in NAMES:
        cells = [
            f"{point[name]:.3f} [{low:.3f}, {high:.3f}]"
            for point, (low, high) in zip(points, [bound[name] for bound in bounds[:-1]], strict=True)
        ]
        low, high = bounds[-1][name]
        print(f"| {name} | {' | '.join(cells)} | {points[1][name] - points[0][name]:+.3f} [{low:+.3f}, {high:+.3f}] |")
    for name, labels in given.items():
        print(f"{name}: {', '.join(f'{int((labels == label).sum())} {label}' for label in LABELS)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parent.parent.parent / "shared" / "data")
    data = parser.parse_args().data
    meld = read_meld(data / "text_sentiment" / "meld_dev.csv")
    seed = np.array([score.label for score in score_texts(meld.texts, SEED)])
    scores = score_texts(meld.texts, RECOMMENDED)
    recommended = np.array([score.label for score in scores])
    coverage = float((seed != "").mean())
    show("1. Spoken lines", {"seed-2019": seed, "recommended": recommended}, meld)
    trimmed = trimmed_to(coverage, scores, recommended)
    show("1b. The same at the coverage of seed-2019", {"seed-2019": seed, "recommended": trimmed}, meld)
    crossed, chosen = held_out(meld, scores, seed)
    show("2. Thresholds chosen on other dialogues", {"seed-2019": seed, "chosen": crossed}, meld)
    for policy in chosen:
        print("chosen:", ", ".join(f"{name} {getattr(policy, name)}" for name in GRID))
    for division in range(1, DIVISIONS):
        found = figures(meld.truth, held_out(meld, scores, seed, division=division)[0])
        print(f"division {division}:", ", ".join(f"{name} {found[name]:.3f}" for name in NAMES))
    votes = read_votes(data / "seed2019" / "votes_train.csv")
    two = {p.name: np.array([s.label for s in score_texts(votes.texts, p)]) for p in (SEED, RECOMMENDED)}
    show("3. The 2019 votes (texts without stop-words and punctuation, all of them labelled by seed-2019)", two, votes)


if __name__ == "__main__":
    main()
