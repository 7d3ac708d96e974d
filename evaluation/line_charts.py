"""Curves as plotly figures: risk over coverage, calibration, and what a threshold of the text labels buys.

As in evaluation/charts.py no figure holds a colour of the page: a trace names the token of its colour in its meta.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluation.charts import AXIS_FONT_PX, layout
from evaluation.reliability import Reliability
from pipeline.labels import LABELS, SIGNS
from pipeline.stages.label_report import CurvePoint

if TYPE_CHECKING:
    import plotly.graph_objects as go

MARGIN = {"l": 56, "r": 24, "t": 40, "b": 50}
LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1.02,
    "yanchor": "bottom",
    "itemclick": False,
    "traceorder": "normal",
    "font": {"size": 12},
}
# Curves differ in dash and sign as well as in hue.
SYMBOLS = dict(zip(LABELS, ("circle", "square", "diamond"), strict=True))
DASHES = dict(zip(LABELS, ("solid", "dot", "dash"), strict=True))
# No axis shows less than this: noise must not look like a cliff.
LEAST_RANGE = 0.2


@dataclass(frozen=True)
class RiskCurve:
    """Risk (share of wrong predictions) where the model predicts so much; both in [0, 1], coverage rising."""

    name: str
    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    thresholds: tuple[float, ...]


def risk_coverage(curves: Sequence[RiskCurve]) -> "go.Figure":
    """One line per truth; the first one's whole risk as what leaving out at random would give."""
    tokens, dashes = ("--accent", "--positive", "--warning"), ("solid", "dash", "dot")
    figure = _figure("Share of segments predicted", "Share of them that is wrong")
    for curve, token, dash in zip(curves, tokens, dashes, strict=False):
        figure.add_scatter(
            name=curve.name,
            x=list(curve.coverage),
            y=list(curve.risk),
            customdata=list(curve.thresholds),
            mode="lines+markers" if len(curve.coverage) < 3 else "lines",
            line={"width": 2.5, "dash": dash},
            hovertemplate="predicting %{x:.0%} (at least %{customdata:.2f} sure)<br>%{y:.1%} of them wrong",
            meta={"token": token},
        )
    if curves:
        whole = curves[0].risk[-1]
        figure.add_scatter(
            name="leaving out at random",
            x=[0, 1],
            y=[whole, whole],
            mode="lines",
            line={"width": 1, "dash": "longdash"},
            hoverinfo="skip",
            meta={"token": "--ink-soft"},
        )
    top = max((risk for curve in curves for risk in curve.risk), default=1.0)
    figure.update_xaxes(range=[0, 1.01], tickformat=".0%")
    figure.update_yaxes(range=[0, max(LEAST_RANGE, 1.08 * top)], tickformat=".0%")
    return figure


def calibration(found: Reliability) -> "go.Figure":
    """How often the model is right where it says so; the diagonal is a model that knows itself."""
    figure = _figure("How sure the model says it is", "Share that is right")
    figure.add_scatter(
        name="a model that knows itself",
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"width": 1, "dash": "longdash"},
        hoverinfo="skip",
        meta={"token": "--ink-soft"},
    )
    figure.add_scatter(
        name="this model",
        x=[step.confidence for step in found.steps],
        y=[step.accuracy for step in found.steps],
        customdata=[step.n for step in found.steps],
        mode="lines+markers",
        line={"width": 2.5},
        marker={"size": [7 + 13 * (step.n / found.n) ** 0.5 for step in found.steps]},
        hovertemplate="%{x:.0%} sure: %{y:.0%} right, %{customdata} segments<extra></extra>",
        meta={"token": "--accent"},
    )
    figure.update_xaxes(range=[0.3, 1.02], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return figure


def coverage_precision(curve: Sequence[CurvePoint], as_set: CurvePoint) -> "go.Figure":
    """Precision per class over the share of texts that get a label, and the policy as it is set as larger signs."""
    figure = _figure("Share of all texts that get a label", "Precision against people")
    for place, label in enumerate(LABELS):
        points = [point for point in curve if point.support[place]]
        name = f"{SIGNS[label]} {label}"
        figure.add_scatter(
            name=name,
            legendgroup=label,
            x=[point.coverage for point in points],
            y=[point.precision[place] for point in points],
            customdata=[[point.threshold, point.support[place]] for point in points],
            mode="lines+markers",
            line={"width": 2, "dash": DASHES[label]},
            marker={"size": 5, "symbol": SYMBOLS[label]},
            hovertemplate=f"{label} from %{{customdata[0]:.2f}} on: %{{y:.2f}} of %{{customdata[1]}}, "
            "%{x:.0%} of texts labelled<extra></extra>",
            meta={"token": f"--{label}"},
        )
    for place, label in enumerate(LABELS):
        if as_set.support[place]:
            figure.add_scatter(
                name=f"{label}, as the policy is set",
                showlegend=False,
                x=[as_set.coverage],
                y=[as_set.precision[place]],
                customdata=[as_set.support[place]],
                mode="markers",
                marker={"size": 15, "symbol": f"{SYMBOLS[label]}-open"},
                hovertemplate=f"{label} as the policy is set: %{{y:.2f}} of %{{customdata}}<extra></extra>",
                meta={"token": f"--{label}"},
            )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.05], tickformat=".2f", dtick=0.25)
    return figure


def coverage_threshold(curve: Sequence[CurvePoint], own: Sequence[float], n: int) -> "go.Figure":
    """Which share of texts gets which label at each threshold, one class on the other; own thresholds as lines."""
    figure = _figure("Least |mean polarity|", "Share of all texts")
    for place, label in reversed(list(enumerate(LABELS))):
        figure.add_scatter(
            name=f"{SIGNS[label]} {label}",
            x=[point.threshold for point in curve],
            y=[point.given[place] / n for point in curve],
            customdata=[point.given[place] for point in curve],
            mode="lines",
            stackgroup="labels",
            legendrank=place,
            line={"width": 1.5, "dash": DASHES[label]},
            hovertemplate=f"from %{{x:.2f}} on: %{{customdata}} {label}<extra></extra>",
            meta={"token": f"--{label}"},
        )
    for place, threshold in enumerate(dict.fromkeys(own)):
        figure.add_scatter(
            name="the policy’s own",
            showlegend=place == 0,
            legendrank=len(LABELS),
            x=[threshold, threshold],
            y=[0, 1],
            mode="lines",
            line={"width": 2, "dash": "longdash"},
            hovertemplate=f"the policy’s own threshold: {threshold:g}<extra></extra>",
            meta={"token": "--accent"},
        )
    top = max((point.coverage for point in curve), default=1.0)
    figure.update_xaxes(range=[0, max((point.threshold for point in curve), default=1.0)], tickformat=".1f")
    figure.update_yaxes(range=[0, min(1.02, max(LEAST_RANGE, 1.1 * top))], tickformat=".0%")
    return figure


def _figure(x: str, y: str) -> "go.Figure":
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(MARGIN, legend=LEGEND, hovermode="closest"))
    plain: dict[str, Any] = {"fixedrange": True, "zeroline": False, "ticks": "", "tickangle": 0}
    figure.update_xaxes(title={"text": x, "standoff": 8, "font": {"size": AXIS_FONT_PX}}, **plain)
    figure.update_yaxes(title={"text": y, "standoff": 8, "font": {"size": AXIS_FONT_PX}}, **plain)
    return figure
