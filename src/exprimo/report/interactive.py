"""Charts as the plain values that plotly draws in the browser.

Colours are written as names (``@c1``) that the page's script looks up in its style sheet, so
that a figure follows the reader's choice of light or dark.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from exprimo.report.chart import Axis, Chart, FloatArray, Rule, Series
from exprimo.report.wording import visible

_SIGNIFICANT = 5


def plotly_figure(chart: Chart) -> dict[str, Any]:
    """Give ``{"data": [...], "layout": {...}, "rows": n}`` for `Plotly.newPlot`."""
    layout: dict[str, Any] = {
        "xaxis": _axis(chart.x),
        "yaxis": _axis(chart.y),
        "showlegend": chart.has_legend,
        "shapes": [_shape(rule, chart) for rule in chart.rules],
        "annotations": [_annotation(rule) for rule in chart.rules if rule.label],
    }
    if chart.x.log:
        at = np.unique(np.concatenate([s.x for s in chart.series if s.in_legend]))
        layout["xaxis"] |= {
            "tickvals": _values(at),
            "ticktext": [f"{value:,.0f}" for value in at],
        }
    return {
        "data": [_trace(series) for series in chart.series],
        "layout": layout,
        "rows": chart.rows,
        "square": chart.square,
    }


def _trace(series: Series) -> dict[str, Any]:
    colour = f"@{series.colour}"
    modes = (["lines"] if series.dash else []) + (["markers"] if series.symbol else [])
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "+".join(modes),
        "name": _text(series.name),
        "legendgroup": _text(series.name),
        "showlegend": series.in_legend,
        "x": _values(series.x),
        "y": _values(series.y),
        "opacity": series.opacity,
    }
    if series.dash:
        trace["line"] = {"color": colour, "width": series.width, "dash": series.dash}
    if series.symbol:
        trace["marker"] = {"color": colour, "size": series.size, "symbol": series.symbol}
    if series.low is not None and series.high is not None:
        centre = series.x if series.along == "x" else series.y
        trace[f"error_{series.along}"] = {
            "type": "data",
            "symmetric": False,
            "array": _arm(series.high - centre),
            "arrayminus": _arm(centre - series.low),
            "color": colour,
            "thickness": 1.8,
            "width": 0,
        }
    if series.hover:
        trace["text"] = [_text(text) for text in series.hover]
        trace["hovertemplate"] = "%{text}<extra>%{fullData.name}</extra>"
        if series.size <= 5:  # a cloud of points: the position matters as much as the name
            trace["hovertemplate"] = "%{text}<br>%{x}, %{y}<extra></extra>"
    return trace


def _axis(axis: Axis) -> dict[str, Any]:
    values: dict[str, Any] = {"title": {"text": _text(axis.label)}}
    if axis.range:
        values["range"] = list(axis.range)
    if axis.log:
        values["type"] = "log"
    if axis.ticks:
        values |= {
            "tickvals": [at for at, _ in axis.ticks],
            "ticktext": [_text(name) for _, name in axis.ticks],
            "showgrid": False,
        }
    return values


def _shape(rule: Rule, chart: Chart) -> dict[str, Any]:
    line = {"color": "@muted", "width": 1.4, "dash": "dot"}
    shape: dict[str, Any] = {"type": "line", "layer": "below", "line": line}
    if rule.along == "diagonal":
        low, high = chart.common_range
        return shape | {"x0": low, "y0": low, "x1": high, "y1": high}
    if rule.along == "x":
        return shape | {"x0": rule.at, "x1": rule.at, "y0": 0, "y1": 1, "yref": "paper"}
    return shape | {"y0": rule.at, "y1": rule.at, "x0": 0, "x1": 1, "xref": "paper"}


def _annotation(rule: Rule) -> dict[str, Any]:
    note: dict[str, Any] = {
        "text": _text(rule.label),
        "showarrow": False,
        "font": {"size": 11, "color": "@muted"},
    }
    if rule.along == "x":
        return note | {"x": rule.at, "y": 1, "yref": "paper", "yanchor": "bottom"}
    return note | {"x": 1, "xref": "paper", "xanchor": "right", "y": rule.at, "yanchor": "bottom"}


def _values(values: FloatArray) -> list[float | None]:
    """Round to what a screen can show; JSON has no NaN."""
    return [float(f"{v:.{_SIGNIFICANT}g}") if np.isfinite(v) else None for v in values.tolist()]


def _arm(values: FloatArray) -> list[float | None]:
    return _values(np.where(np.isfinite(values), np.maximum(values, 0.0), 0.0))


def _text(text: str) -> str:
    """Escape text for plotly, which reads a few HTML tags in every label."""
    return html.escape(visible(text), quote=False)
