"""Figures: their colours, what is written in them, and what they must not hold."""

import itertools
import json
from typing import Any

import pytest

from evaluation import charts
from evaluation.metrics import Report, evaluate
from pipeline.labels import LABELS


@pytest.fixture
def report() -> Report:
    """The confusion matrix of 2019, over four videos."""
    confusion = [[24, 3, 1], [5, 33, 0], [3, 9, 22]]
    cells = [(LABELS[i], LABELS[j]) for i in range(3) for j in range(3) for _ in range(confusion[i][j])]
    return evaluate([truth for truth, _ in cells], [label for _, label in cells], [i % 4 for i in range(len(cells))])


@pytest.fixture
def without_negatives() -> Report:
    return evaluate(["positive", "neutral"], ["positive", "negative"], ["one video"] * 2)


def as_json(figure: Any) -> Any:
    return json.loads(json.dumps(figure.to_plotly_json(), allow_nan=False))


def written(figure: Any) -> dict[tuple[str, str], str]:
    return {(note["y"], note["x"]): note["text"] for note in as_json(figure)["layout"]["annotations"]}


def test_the_heatmap_has_the_colours_of_2019_from_a_share_of_0_to_1(report: Report) -> None:
    (trace,) = as_json(charts.heatmap(report))["data"]
    assert trace["colorscale"] == [[0, "#4422ff"], [1, "#ff4422"]]
    assert (trace["zmin"], trace["zmax"]) == (0, 1)


def test_rows_are_shares_that_add_up_to_one(report: Report) -> None:
    (trace,) = as_json(charts.heatmap(report))["data"]
    assert trace["z"][0] == [24 / 28, 3 / 28, 1 / 28]
    assert [sum(row) for row in trace["z"]] == pytest.approx([1, 1, 1])


def test_truth_runs_from_top_to_bottom_and_prediction_from_left_to_right(report: Report) -> None:
    figure = as_json(charts.heatmap(report))
    assert figure["data"][0]["x"] == figure["data"][0]["y"] == ["positive", "neutral", "negative"]
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"
    assert figure["layout"]["yaxis"]["title"]["text"] == "Truth"
    assert figure["layout"]["xaxis"]["title"]["text"] == "Prediction"


def test_each_cell_shows_its_count_and_its_share_of_the_row(report: Report) -> None:
    cells = written(charts.heatmap(report))
    assert len(cells) == 9
    assert cells["positive", "positive"] == "24<br>86 %"
    assert cells["negative", "neutral"] == "9<br>26 %"


def test_a_class_that_is_never_true_has_no_colour_but_its_zeros(without_negatives: Report) -> None:
    figure = charts.heatmap(without_negatives)
    assert as_json(figure)["data"][0]["z"][2] == [None, None, None]
    assert written(figure)["negative", "positive"] == "0"
    (note,) = [n for n in as_json(figure)["layout"]["annotations"] if (n["y"], n["x"]) == ("negative", "neutral")]
    assert "font" not in note, "nothing is painted behind it, so it takes the page's colour"


@pytest.mark.parametrize("percent", range(0, 101, 5))
def test_what_is_written_in_a_cell_stands_out_from_it(percent: int) -> None:
    y_pred = ["positive"] * percent + ["neutral"] * (100 - percent)
    figure = as_json(charts.heatmap(evaluate(["positive"] * 100, y_pred, [0] * 100)))
    note = next(n for n in figure["layout"]["annotations"] if (n["y"], n["x"]) == ("positive", "positive"))
    ink = {"#ffffff": (255, 255, 255), "#000000": (0, 0, 0)}[note["font"]["color"]]
    assert charts.contrast(ink, charts.cell_colour(percent / 100)) >= 4.5, "WCAG AA for text"


def test_contrast_is_that_of_the_web_guidelines() -> None:
    assert charts.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    # The guidelines' well-known edge: #767676 on white is just above 4.5.
    assert charts.contrast((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)


def test_bars_show_precision_recall_and_f1_of_each_class(report: Report) -> None:
    traces = as_json(charts.bars(report))["data"]
    assert [trace["name"] for trace in traces] == ["Precision", "Recall", "F1"]
    for score, trace in zip(("precision", "recall", "f1"), traces, strict=True):
        assert trace["y"] == [report.per_class[label][score] for label in LABELS]
        assert trace["text"] == [f"{value:.2f}" for value in trace["y"]]


def test_error_bars_reach_to_the_ends_of_the_intervals(report: Report) -> None:
    trace = as_json(charts.bars(report))["data"][2]
    assert report.intervals
    for i, label in enumerate(LABELS):
        low, high = report.intervals["per_class"][label]["f1"]
        assert trace["y"][i] + trace["error_y"]["array"][i] == pytest.approx(high)
        assert trace["y"][i] - trace["error_y"]["arrayminus"][i] == pytest.approx(low)


def test_without_intervals_there_are_no_error_bars(without_negatives: Report) -> None:
    assert all(trace["error_y"] == {"visible": False} for trace in as_json(charts.bars(without_negatives))["data"])


@pytest.mark.parametrize("make", [charts.heatmap, charts.bars])
def test_figures_leave_the_colours_of_the_page_to_the_page(report: Report, make: Any) -> None:
    layout = as_json(make(report))["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0, 0, 0, 0)"
    assert "color" not in json.dumps({key: layout[key] for key in ("xaxis", "yaxis")})
    assert "color" not in layout.get("font", {})


def test_each_bar_names_a_token_of_its_own(report: Report) -> None:
    traces = as_json(charts.bars(report))["data"]
    tokens = [trace["meta"]["token"] for trace in traces]
    assert len(set(tokens)) == 3
    assert all("marker" not in trace for trace in traces)


@pytest.mark.parametrize("make", [charts.heatmap, charts.bars])
def test_figures_keep_clear_of_what_plotly_does_by_style_attributes(report: Report, make: Any) -> None:
    figure = as_json(make(report))
    texts = [note["text"] for note in figure["layout"].get("annotations", [])]
    texts += list(itertools.chain.from_iterable(trace.get("text", []) for trace in figure["data"]))
    assert not any(tag in text for text in texts for tag in ("<b>", "<i>", "<span", "<a "))
    for trace in figure["data"]:
        if trace["type"] == "heatmap":
            assert trace["showscale"] is False
            assert trace["xgap"] > 0
            assert trace["ygap"] > 0


@pytest.mark.parametrize("make", [charts.heatmap, charts.bars])
def test_the_height_is_the_one_that_the_page_keeps_free(report: Report, make: Any) -> None:
    from django.contrib.staticfiles import finders

    path = finders.find("css/evaluation.css")
    assert path
    with open(path) as file:  # noqa: PTH123 - finders give a string
        assert f".chart {{ height: {as_json(make(report))['layout']['height']}px;" in file.read()
