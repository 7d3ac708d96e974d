"""Curves: what they draw, and that they leave colours to the page."""

import json
from typing import Any

import numpy as np
import pytest

from evaluation import line_charts
from evaluation.line_charts import RiskCurve
from evaluation.reliability import reliability
from pipeline.stages.label_arrays import ScoredTexts
from pipeline.stages.label_policies import LABEL_POLICIES
from pipeline.stages.label_report import LabelReport, label_report
from pipeline.stages.sentiment import TextScore


def as_json(figure: Any) -> Any:
    return json.loads(json.dumps(figure.to_plotly_json(), allow_nan=False))


@pytest.fixture
def report() -> LabelReport:
    values = [0.9, 0.6, 0.3, 0.1, 0.0, 0.0, -0.2, -0.5, -0.9]
    texts = ScoredTexts.of([TextScore("x", v, v, v, v, "", "weak") for v in values])
    truth = ["positive", "positive", "neutral", "", "neutral", "", "", "", ""]
    return label_report(texts, truth, LABEL_POLICIES["seed-2019"])


CURVES = [
    RiskCurve("against text labels", (0.5, 1.0), (0.1, 0.3), (0.8, 0.4)),
    RiskCurve("against people, test", (1.0,), (0.4,), (0.4,)),
]


def figures(report: LabelReport) -> list[Any]:
    found = reliability(np.array([0.5, 0.9]), np.array([True, False]))
    return [
        as_json(line_charts.risk_coverage(CURVES)),
        as_json(line_charts.calibration(found)),
        as_json(line_charts.coverage_precision(report.curve, report.labels)),
        as_json(line_charts.coverage_threshold(report.curve, (0.25,), 9)),
    ]


def test_risk_is_drawn_per_truth_beside_what_leaving_out_at_random_gives() -> None:
    text, people, at_random = as_json(line_charts.risk_coverage(CURVES))["data"]
    assert (text["x"], text["y"], text["customdata"]) == ([0.5, 1.0], [0.1, 0.3], [0.8, 0.4])
    assert people["mode"] == "lines+markers", "a line of one point cannot be seen"
    assert at_random["y"] == [0.3, 0.3]


def test_precision_is_drawn_where_people_judged_and_the_policys_own_is_marked(report: LabelReport) -> None:
    data = as_json(line_charts.coverage_precision(report.curve, report.labels))["data"]
    lines = {trace["name"]: trace for trace in data if trace["mode"] == "lines+markers"}
    assert list(lines) == ["+ positive", "○ neutral", "− negative"]
    assert lines["− negative"]["y"] == []
    assert lines["+ positive"]["y"][0] == pytest.approx(2 / 3)
    assert lines["+ positive"]["customdata"][0] == [0.0, 3]
    assert [trace for trace in data if trace["mode"] == "markers"] == [], "the texts have no label as they are"


def test_own_thresholds_stand_upright(report: LabelReport) -> None:
    *areas, first, second = as_json(line_charts.coverage_threshold(report.curve, (0.45, 0.34), 9))["data"]
    assert [area["name"] for area in areas] == ["− negative", "○ neutral", "+ positive"]
    assert areas[2]["y"][5] == pytest.approx(3 / 9), "at 0.25 three of nine are positive"
    assert (first["x"], second["x"]) == ([0.45, 0.45], [0.34, 0.34])
    assert [trace["showlegend"] for trace in (first, second)] == [True, False]


def test_each_trace_names_a_token_and_no_colour(report: LabelReport) -> None:
    for figure in figures(report):
        for trace in figure["data"]:
            assert trace["meta"]["token"].startswith("--")
            assert "color" not in trace["line"] if "line" in trace else True
            assert "color" not in trace.get("marker", {})
        assert "color" not in figure["layout"].get("font", {})


def test_curves_differ_by_more_than_their_colour(report: LabelReport) -> None:
    for figure in figures(report):
        drawn = [trace for trace in figure["data"] if trace.get("showlegend") is not False and "line" in trace["mode"]]
        looks = [(trace["line"].get("dash"), trace["line"]["width"]) for trace in drawn]
        assert len(set(looks)) == len(looks)


def test_figures_are_as_high_as_the_page_keeps_free(report: LabelReport) -> None:
    from evaluation.charts import CHART_HEIGHT

    assert {figure["layout"]["height"] for figure in figures(report)} == {CHART_HEIGHT}
