"""The label report as documents: JSON with the keys of the command `label_report`, and its curve as CSV."""

import io
from collections.abc import Iterable
from typing import Any

from evaluation.label_quality import LabelQuality
from pipeline.csv_writer import TableWriter
from pipeline.labels import LABELS
from pipeline.stages.label_report import LabelReport

PER_CLASS = ("precision", "given", "support")


def document(quality: LabelQuality, report: LabelReport) -> dict[str, Any]:
    """The keys of the command, then what was asked and whose votes were counted."""
    figures = report.as_dict()
    return {
        "policy": {"name": quality.policy.name, **quality.policy.parameters},
        "texts": len(quality.texts),
        "agreement": figures["agreement"],
        "counts": quality.counts,
        "labels": figures["labels"],
        "curve": figures["curve"],
        "contributions": figures["contributions"],
        "split": quality.split,
        "campaign": quality.campaign.name if quality.campaign else None,
        "people": quality.people_as_dict(),
        "simulated": quality.people.simulated > 0,
        "made_otherwise": quality.stale,
    }


def as_csv(report: LabelReport) -> str:
    """The labels as they are set in the first row, then a row per threshold; empty where there is no figure."""
    file = io.StringIO()
    writer = TableWriter(file)
    plain = ("threshold", "labelled", "coverage", "judged", "accuracy", "macro_f1")
    writer.write_row([*plain, *(f"{name}_{label}" for name in PER_CLASS for label in LABELS)])
    figures = report.as_dict()
    for point in (figures["labels"], *figures["curve"]):
        cells: Iterable[Any] = [
            *(point[name] for name in plain),
            *(value for name in PER_CLASS for value in point[name]),
        ]
        writer.write_row(cells)
    return file.getvalue()
