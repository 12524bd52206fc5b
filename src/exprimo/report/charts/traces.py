"""Series, axes, lines and names as the plain values that plotly draws."""

from __future__ import annotations

import html
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exprimo.report.charts.chart import (
    Axis,
    Chart,
    FloatArray,
    Note,
    Rule,
    Series,
    decade_ticks,
)
from exprimo.report.wording import visible

_SIGNIFICANT = 5
_PIXELS_PER_POINT = 1.6


def trace_of(series: Series, *, x_digits: int = _SIGNIFICANT) -> dict[str, Any]:
    """Give a series as points, a line or both; `x_digits` are the significant ones of x."""
    thin = series.live is not None and series.live.size < series.x.size
    if series.live is not None:
        series = _only(series, series.live)
    colour = f"@{series.colour}"
    modes = (["lines"] if series.dash else []) + (["markers"] if series.symbol else [])
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "+".join(modes),
        "name": escaped(series.name),
        "legendgroup": escaped(series.name),
        "showlegend": series.in_legend,
        "x": plain_values(series.x, x_digits),
        "y": plain_values(series.y),
        # A thinned crowd needs more weight to look like the whole one.
        "opacity": min(1.0, 1.7 * series.opacity) if thin else series.opacity,
    }
    if not series.shown:
        trace["visible"] = "legendonly"
    if series.dash:
        trace["line"] = {"color": colour, "width": series.width, "dash": series.dash}
    if series.symbol:
        ring = "-open" if series.hollow else ""
        trace["marker"] = {
            "color": colour, "size": series.size, "symbol": f"{series.symbol}{ring}"
        }  # fmt: skip
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
        trace["text"] = [escaped(text) for text in series.hover]
        trace["hovertemplate"] = "%{text}<extra>%{fullData.name}</extra>"
        if series.size <= 5:  # a cloud of points: the position matters as much as the name
            trace["hovertemplate"] = "%{text}<br>%{x}, %{y}<extra></extra>"
    return trace


def band_of(series: Series) -> dict[str, Any]:
    """Fill the interval of a series, there and back along its ends."""
    low = series.y if series.low is None else series.low
    high = series.y if series.high is None else series.high
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "hoverinfo": "skip",
        "name": escaped(series.name), "legendgroup": escaped(series.name),
        "showlegend": series.in_legend,
        "x": plain_values(np.concatenate([series.x, series.x[::-1]])),
        "y": plain_values(np.concatenate([high, low[::-1]])),
        "line": {"width": 0, "color": f"@{series.colour}"},
        "fillcolor": f"@{series.colour}", "opacity": series.opacity,
    }  # fmt: skip


def _only(series: Series, rows: NDArray[np.int64]) -> Series:
    """Give a series with some of its points."""
    parts: dict[str, Any] = {
        name: None if (values := getattr(series, name)) is None else values[rows]
        for name in ("x", "y", "low", "high")
    }
    hover = tuple(series.hover[i] for i in rows) if series.hover else ()
    return replace(series, **parts, hover=hover, live=None)


def axis_of(axis: Axis) -> dict[str, Any]:
    """Give an axis with its label, range and ticks."""
    values: dict[str, Any] = {"title": {"text": escaped(axis.label)}}
    if axis.range:
        # plotly wants the ends of a logarithmic axis as exponents.
        values["range"] = [position_on(end, axis) for end in axis.range]
    if axis.log:
        values["type"] = "log"
    # plotly writes powers of ten in a larger letter than anything beside them.
    if ticks := axis.ticks or (decade_ticks() if axis.log else ()):
        values |= {
            "tickvals": [at for at, _ in ticks],
            "ticktext": [escaped(name) for _, name in ticks],
        }
    return values


def position_on(value: float, axis: Axis) -> float:
    """Give a position as plotly's annotations want it."""
    return math.log10(value) if axis.log else value


def shape_of(rule: Rule, chart: Chart) -> dict[str, Any]:
    """Give a rule as a dotted line."""
    line = {"color": "@muted", "width": 1.4, "dash": "dot"}
    shape: dict[str, Any] = {"type": "line", "layer": "below", "line": line}
    if rule.along == "diagonal":
        low, high = chart.common_range
        return shape | {"x0": low, "y0": low, "x1": high, "y1": high}
    if rule.along == "x":
        return shape | {"x0": rule.at, "x1": rule.at, "y0": 0, "y1": 1, "yref": "paper"}
    return shape | {"y0": rule.at, "y1": rule.at, "x0": 0, "x1": 1, "xref": "paper"}


def annotation_of(rule: Rule, chart: Chart) -> dict[str, Any]:
    """Give the words of a rule."""
    note: dict[str, Any] = {
        "text": escaped(rule.label),
        "showarrow": False,
        "font": {"size": 11, "color": "@muted"},
    }
    if rule.along == "x":
        at = position_on(rule.at, chart.x)
        return note | {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom"}
    at = position_on(rule.at, chart.y)
    return note | {"x": 1, "xref": "paper", "xanchor": "right", "y": at, "yanchor": "bottom"}


def note_of(note: Note, chart: Chart) -> dict[str, Any]:
    """Name a point; the script leaves these out where the page is narrow."""
    return {
        "name": "note",
        "text": escaped(note.text),
        "x": position_on(note.x, chart.x),
        "y": position_on(note.y, chart.y),
        "ax": note.right * _PIXELS_PER_POINT,
        "ay": -note.up * _PIXELS_PER_POINT,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 0.8,
        "arrowcolor": "@muted",
        "standoff": 3,
        "font": {"size": 11, "color": "@text"},
    }


def plain_values(values: FloatArray, digits: int = _SIGNIFICANT) -> list[float | None]:
    """Round to what a screen can show; JSON has no NaN."""
    return [float(f"{v:.{digits}g}") if np.isfinite(v) else None for v in values.tolist()]


def _arm(values: FloatArray) -> list[float | None]:
    return plain_values(np.where(np.isfinite(values), np.maximum(values, 0.0), 0.0))


def escaped(text: str) -> str:
    """Escape text for plotly, which reads a few HTML tags in every label."""
    return html.escape(visible(text), quote=False)
