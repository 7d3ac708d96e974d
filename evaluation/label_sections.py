"""The label report as the template shows it: words, rows and figures."""

from typing import Any

from evaluation import line_charts
from evaluation.label_quality import LabelQuality
from pipeline.labels import LABELS
from pipeline.stages.label_policies import DISAGREE, EXCLAIMED, WEAK
from pipeline.stages.label_report import LabelReport

CLASSIFIER_NAMES = {"vader": "VADER", "textblob": "TextBlob", "pattern": "pattern.en"}
OUTCOMES = {
    **{label: f"Labelled {label}" for label in LABELS},
    DISAGREE: "They disagree",
    WEAK: "Too weak",
    EXCLAIMED: "Exclaimed only",
}


def label_tables(quality: LabelQuality, report: LabelReport) -> dict[str, Any]:
    """Agreement, contributions, a row per threshold below the policy as it is set, and what became of the texts."""
    figures = report.as_dict()
    return {
        "agreement": [
            {**pair, "names": f"{CLASSIFIER_NAMES[pair['first']]} and {CLASSIFIER_NAMES[pair['second']]}"}
            for pair in figures["agreement"]
        ],
        "contributions": [{**row, "name": CLASSIFIER_NAMES[row["classifier"]]} for row in figures["contributions"]],
        "as_set": figures["labels"],
        "points": [
            {**point, "per_class": list(zip(point["precision"], point["support"], strict=True))}
            for point in (figures["labels"], *figures["curve"])
        ],
        "outcomes": [
            (OUTCOMES.get(name, name), quality.counts.get(name, 0)) for name in {**OUTCOMES, **quality.counts}
        ],
    }


def label_figures(quality: LabelQuality, report: LabelReport) -> dict[str, dict[str, Any]]:
    """Plotly figures by the id under which they go to the page."""
    figures = {"coverage": line_charts.coverage_threshold(report.curve, quality.own_thresholds, len(quality.texts))}
    if quality.people.judged:
        figures["precision"] = line_charts.coverage_precision(report.curve, report.labels)
    return {f"label-{name}": figure.to_plotly_json() for name, figure in figures.items()}
