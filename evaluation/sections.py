"""The comparisons as sections of the evaluation page: words, tables and figures of one report."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evaluation import charts
from evaluation.metrics import SCORES, Report
from evaluation.reports import MODEL_PEOPLE, MODEL_TEXT, TEXT_PEOPLE, Comparison, Question

TITLES = {
    TEXT_PEOPLE: "Text labels against people",
    MODEL_TEXT: "Model against text labels",
    MODEL_PEOPLE: "Model against people",
}


@dataclass(frozen=True)
class Section:
    """One comparison, as the template shows it."""

    question: Question
    comparison: Comparison

    @property
    def kind(self) -> str:
        return self.comparison.kind

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def split(self) -> str:
        return self.question.split_of(self.kind)

    @property
    def policy(self) -> str:
        return self.question.policy_of(self.kind)

    @property
    def needs_run(self) -> bool:
        return self.kind != TEXT_PEOPLE and self.question.run is None

    @property
    def asks_confidence(self) -> bool:
        """Whether a model had to be so sure to be counted."""
        return self.kind != TEXT_PEOPLE and self.question.min_confidence is not None

    @cached_property
    def report(self) -> Report | None:
        return self.comparison.report() if self.comparison.counts.compared else None

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """Plotly figures by the id under which they go to the page."""
        if not self.report:
            return {}
        return {
            f"{self.kind}-heatmap": charts.heatmap(self.report).to_plotly_json(),
            f"{self.kind}-bars": charts.bars(self.report).to_plotly_json(),
        }

    @property
    def confusion_rows(self) -> list[dict[str, Any]]:
        report = self.report
        if not report:
            return []
        rows = zip(report.labels, report.confusion, charts.row_shares(report), report.support, strict=True)
        return [
            {
                "label": label,
                "cells": [
                    {"count": count, "share": share, "is_hit": i == row}
                    for i, (count, share) in enumerate(zip(counts, shares, strict=True))
                ],
                "support": support,
            }
            for row, (label, counts, shares, support) in enumerate(rows)
        ]

    @property
    def class_rows(self) -> list[dict[str, Any]]:
        report = self.report
        return [self._score_row("per_class", label) for label in report.labels] if report else []

    @property
    def average_rows(self) -> list[dict[str, Any]]:
        report = self.report
        return [self._score_row("averages", name) for name in report.averages] if report else []

    @property
    def macro_f1(self) -> dict[str, Any] | None:
        return self._score_row("averages", "macro")["cells"][2] if self.report else None

    def _score_row(self, kind: str, name: str) -> dict[str, Any]:
        report = self.report
        assert report is not None  # noqa: S101 - callers ask for rows of a report that is there
        scores = getattr(report, kind)[name]
        intervals = report.intervals[kind][name] if report.intervals else {}
        cells = [{"value": scores[score], "interval": intervals.get(score)} for score in SCORES]
        return {"name": name, "cells": cells, "support": scores.get("support", report.n)}
