"""Reports as documents: the stable JSON of docs/api.md, CSV for spreadsheets, and text for a terminal."""

import io
from typing import Any

from evaluation.metrics import SCORES, Report
from evaluation.reports import MODEL_TEXT, TEXT_PEOPLE, Comparison, Question
from pipeline.csv_writer import TableWriter


def document(question: Question, comparison: Comparison, report: Report) -> dict[str, Any]:
    """The report's keys first, then what was compared and what could not be."""
    kind = comparison.kind
    return {
        **report.as_dict(),
        "comparison": kind,
        "split": question.split_of(kind),
        "policy": question.policy_of(kind),
        "campaign": question.campaign.name if question.campaign and kind != MODEL_TEXT else None,
        "run": question.run.pk if question.run and kind != TEXT_PEOPLE else None,
        "counts": comparison.counts_as_dict(),
        "simulated": comparison.is_simulated,
        "min_confidence": question.min_confidence if kind != TEXT_PEOPLE else None,
    }


def as_csv(question: Question, comparison: Comparison, report: Report) -> str:
    """One row per class with its row of the confusion matrix, then the averages, the baseline, and the counts."""
    file = io.StringIO()
    heading = ["kind", "name", *(name for score in SCORES for name in (score, f"{score}_low", f"{score}_high"))]
    writer = TableWriter(file)
    writer.write_row([*heading, "accuracy", "support", *(f"predicted_{label}" for label in report.labels)])
    blanks = [""] * len(report.labels)
    for label, counts in zip(report.labels, report.confusion, strict=True):
        scores = _scores_with_bounds(report, "per_class", label)
        writer.write_row(["class", label, *scores, "", report.per_class[label]["support"], *counts])
    for name in report.averages:
        writer.write_row(["average", name, *_scores_with_bounds(report, "averages", name), "", report.n, *blanks])
    baseline = report.baseline
    f1 = [baseline["macro_f1"], "", ""]
    writer.write_row(["baseline", baseline["label"], *[""] * 6, *f1, baseline["accuracy"], report.n, *blanks])
    if question.min_confidence is not None and comparison.kind != TEXT_PEOPLE:
        writer.write_row(["min_confidence", f"{question.min_confidence:g}", *[""] * 11, *blanks])
    for name, count in comparison.counts_as_dict().items():
        writer.write_row(["count", name, *[""] * 10, count, *blanks])
    return file.getvalue()


def as_text(report: Report, comparison: Comparison) -> str:
    """Confusion matrix and scores in columns, as a terminal shows them."""
    width = max(12, *(len(label) + 2 for label in report.labels))
    lines = ["Confusion matrix (rows: truth, columns: prediction)", " " * width + _columns(report.labels)]
    lines += [
        label.ljust(width) + _columns(map(str, row)) for label, row in zip(report.labels, report.confusion, strict=True)
    ]
    lines += ["", " " * width + _columns((*SCORES, "support"))]
    for label, scores in report.per_class.items():
        lines.append(label.ljust(width) + _columns([*_places(scores), str(scores["support"])]))
    lines.append("")
    for name, scores in report.averages.items():
        lines.append(name.ljust(width) + _columns([*_places(scores), str(report.n)]))
    baseline, share = report.baseline, report.baseline["accuracy"]
    lines += [
        "",
        f"accuracy {report.accuracy:.3f} on {report.n} segments {_of_videos(report, comparison)}",
        f"always answering {baseline['label']}: accuracy {share:.3f}, macro F1 {baseline['macro_f1']:.3f}",
    ]
    if report.intervals:
        low, high = report.intervals["averages"]["macro"]["f1"]
        lines.append(f"macro F1 with 95 % interval over videos: {low:.3f} to {high:.3f}")
    lines += [f"{name.replace('_', ' ')}: {count}" for name, count in comparison.counts_as_dict().items() if count]
    return "\n".join([*lines, *(f"note: {note}" for note in report.notes)])


def _of_videos(report: Report, comparison: Comparison) -> str:
    unknown = comparison.counts.without_video
    if comparison.names_no_video:
        return "whose videos are not known"
    return f"of {report.groups - bool(unknown)} videos" + (f" and {unknown} of unknown videos" if unknown else "")


def _scores_with_bounds(report: Report, kind: str, name: str) -> list[float | str]:
    cells: list[float | str] = []
    for score in SCORES:
        bounds = report.intervals[kind][name][score] if report.intervals else ["", ""]
        cells += [getattr(report, kind)[name][score], *bounds]
    return cells


def _columns(words: Any) -> str:
    return "".join(word.rjust(11) for word in words)


def _places(scores: dict[str, Any]) -> list[str]:
    return [f"{scores[name]:.3f}" for name in SCORES]
