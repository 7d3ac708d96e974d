"""Reports to plotly figures: the confusion matrix as a heatmap, and the scores per class as bars.

Figures hold no colour of the page: static/js/evaluation.js gives texts and bars the page's colours, in light and in
dark. A trace names the colour it wants in ``meta.token``, a custom property of static/css/tokens.css.
"""

from typing import TYPE_CHECKING, Any

from evaluation.metrics import SCORES, Report
from pipeline.labels import SIGNS

if TYPE_CHECKING:  # only pages with figures load it
    import plotly.graph_objects as go

# Method §8: the colours of the 2019 matrices, from a share of 0 to a share of 1 of the row.
LOW_COLOUR, HIGH_COLOUR = "#4422ff", "#ff4422"
CHART_HEIGHT = 360
AXIS_FONT_PX = 13
# Cells stand apart. This also keeps plotly from its fast drawing of rasters, which sets a style attribute and so
# breaks the content security policy; its colour bar does the same and is left out.
CELL_GAP = 2
SCORE_NAMES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
# Three tokens that differ in lightness as well as in hue; none is the colour of a class.
SCORE_TOKENS = {"precision": "--ink-soft", "recall": "--warning", "f1": "--accent"}
CLEAR = "rgba(0, 0, 0, 0)"


def heatmap(report: Report) -> "go.Figure":
    """Confusion matrix: rows truth, columns prediction, colour the share of the row, counts and shares written in."""
    import plotly.graph_objects as go

    labels = list(report.labels)
    shares = row_shares(report)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=labels,
            y=labels,
            customdata=report.confusion,
            zmin=0,
            zmax=1,
            colorscale=[[0, LOW_COLOUR], [1, HIGH_COLOUR]],
            showscale=False,
            xgap=CELL_GAP,
            ygap=CELL_GAP,
            hovertemplate="truly %{y}, predicted %{x}<br>%{customdata} segments, %{z:.1%} of the row<extra></extra>",
        ),
        layout(margin={"l": 96, "r": 8, "t": 8, "b": 66}),
    )
    for row, label in enumerate(labels):
        for column, predicted in enumerate(labels):
            figure.add_annotation(_cell_text(predicted, label, report.confusion[row][column], shares[row][column]))
    plain = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    figure.update_xaxes(
        title={"text": "Prediction", "standoff": 10, "font": {"size": AXIS_FONT_PX}}, **_below(labels), **plain
    )
    figure.update_yaxes(
        title={"text": "Truth", "standoff": 10, "font": {"size": AXIS_FONT_PX}},
        tickvals=labels,
        ticktext=[f"{SIGNS.get(label, '')} {label}".strip() for label in labels],
        # Plotly counts rows from below, and the first class stands on top.
        autorange="reversed",
        **plain,
    )
    return figure


def bars(report: Report) -> "go.Figure":
    """Precision, recall and F1 per class, with the 95 % intervals where the report has them."""
    import plotly.graph_objects as go

    labels = list(report.labels)
    figure = go.Figure(layout=layout(margin={"l": 44, "r": 8, "t": 36, "b": 44}))
    for score in SCORES:
        values = [report.per_class[label][score] for label in labels]
        figure.add_bar(
            name=SCORE_NAMES[score],
            x=labels,
            y=values,
            text=[f"{value:.2f}" for value in values],
            textposition="inside",
            insidetextanchor="start",
            textangle=0,
            constraintext="none",
            error_y=_error_bars(report, score),
            hovertemplate=f"{SCORE_NAMES[score]} of %{{x}}: %{{y:.3f}}<extra></extra>",
            meta={"token": SCORE_TOKENS[score]},
        )
    figure.update_layout(
        barmode="group",
        bargap=0.24,
        bargroupgap=0.08,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemclick": False, "font": {"size": 12}},
    )
    figure.update_xaxes(fixedrange=True, showgrid=False, **_below(labels))
    figure.update_yaxes(range=[0, 1.02], dtick=0.25, tickformat=".2f", fixedrange=True, zeroline=False)
    return figure


def row_shares(report: Report) -> list[list[float | None]]:
    """Each count as a share of its row; None in the row of a class that is never true."""
    return [
        [count / total if total else None for count in row]
        for row, total in zip(report.confusion, report.support, strict=True)
    ]


def cell_colour(share: float) -> tuple[int, int, int]:
    """Colour of a cell, mixed in sRGB as plotly does."""
    low, high = _channels(LOW_COLOUR), _channels(HIGH_COLOUR)
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(low, high, strict=True))
    return red, green, blue


def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """Contrast ratio of two sRGB colours, 1 to 21 (WCAG 2.2, section "contrast ratio")."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _below(labels: list[str]) -> dict[str, object]:
    """Names of the classes below the axis, sign and word on two lines, so that they stay level on a narrow screen."""
    return {
        "tickvals": labels,
        "ticktext": [f"{SIGNS[label]}<br>{label}" if label in SIGNS else label for label in labels],
        "tickangle": 0,
    }


def _cell_text(x: str, y: str, count: int, share: float | None) -> "go.layout.Annotation":
    """Count and share of a cell, black or white, whichever reads better on it; the page's colour on an empty row."""
    import plotly.graph_objects as go

    # No bold type: plotly makes it with a style attribute, which the content security policy forbids.
    text = str(count) if share is None else f"{count}<br>{100 * share:.0f} %"
    annotation = go.layout.Annotation(x=x, y=y, text=text, showarrow=False)
    if share is not None:
        background = cell_colour(share)
        better = max(((255, 255, 255), (0, 0, 0)), key=lambda ink: contrast(ink, background))
        annotation.font.color = "#ffffff" if better[0] else "#000000"
    return annotation


def _error_bars(report: Report, score: str) -> dict[str, object]:
    if report.intervals is None:
        return {"visible": False}
    classes = [(report.per_class[label][score], report.intervals["per_class"][label][score]) for label in report.labels]
    # A percentile interval need not hold the score itself; an error bar cannot have a negative length.
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, bounds[1] - value) for value, bounds in classes],
        "arrayminus": [max(0.0, value - bounds[0]) for value, bounds in classes],
        "thickness": 1.2,
        "width": 3,
    }


def layout(margin: dict[str, int], **more: Any) -> "go.Layout":
    """What every figure of the evaluation pages has in common."""
    import plotly.graph_objects as go

    return go.Layout(
        template=go.layout.Template(),
        height=CHART_HEIGHT,
        autosize=True,
        margin=margin,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        dragmode=False,
        showlegend=None,
        **more,
    )
