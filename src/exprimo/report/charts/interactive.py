"""Charts as the plain values that plotly draws in the browser.

Colours are written as names (``@c1``) that the page's script looks up in its style sheet, so
that a figure follows the reader's choice of light or dark.
"""

from __future__ import annotations

import html
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exprimo.report.charts.chart import (
    BLACK,
    SCALE_DARK,
    SCALE_LIGHT,
    SIGNED_DARK,
    SIGNED_LIGHT,
    WHITE,
    Axis,
    Chart,
    FloatArray,
    Matrix,
    Note,
    Rule,
    Series,
    decade_ticks,
    ink_on,
)
from exprimo.report.wording import shortened, visible

INKS = {
    (light, dark): f"ink-{'kw'[light == WHITE]}{'kw'[dark == WHITE]}"
    for light in (BLACK, WHITE)
    for dark in (BLACK, WHITE)
}
"""Colour on a light page and on a dark one to the name of both in the style sheet."""

_SIGNIFICANT = 5
_MOST_COLUMNS = 50
_PIXELS_PER_POINT = 1.6


def plotly_figure(chart: Chart) -> dict[str, Any]:
    """Give ``{"data": [...], "layout": {...}, "rows": n, ...}`` for the page's script."""
    shape = {"rows": chart.rows, "square": chart.square, "tall": chart.tall, "cells": 0}
    if chart.matrix is not None:
        return shape | _matrix_figure(chart, chart.matrix)
    layout: dict[str, Any] = {
        "xaxis": _axis(chart.x),
        "yaxis": _axis(chart.y) | ({"showgrid": False} if chart.rows else {}),
        "showlegend": chart.has_legend,
        "shapes": [_shape(rule, chart) for rule in chart.rules],
        "annotations": [_annotation(rule, chart) for rule in chart.rules if rule.label]
        + [_note(note, chart) for note in chart.notes],
    }
    traces = [_band(series) if series.band else _trace(series) for series in chart.series]
    return shape | {"data": traces, "layout": layout}


def _matrix_figure(chart: Chart, matrix: Matrix) -> dict[str, Any]:
    last = 4 if matrix.signed else 2
    scale = [[k / last, f"@{'d' if matrix.signed else 's'}{k}"] for k in range(last + 1)]
    low, high = matrix.ends
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": [_text(name) for name in matrix.columns],
        "y": [_text(name) for name in matrix.rows],
        "z": [_values(row) for row in matrix.values],
        "zmin": low,
        "zmax": high,
        "colorscale": scale,
        "reversescale": matrix.small_is_dark,
        "colorbar": {
            "title": {"text": _text(matrix.label), "side": "right", "font": {"size": 11}},
            "thickness": 10, "len": 0.75, "outlinewidth": 0, "tickfont": {"size": 11},
            "exponentformat": "none",
        },
        "showscale": not matrix.cells,
        "hovertemplate": "%{y}<br>%{x}<br>%{z}<extra></extra>",
        "xgap": 1 if len(matrix.columns) < 40 else 0,
        "ygap": 1 if len(matrix.rows) < 40 else 0,
    }  # fmt: skip
    layout = {
        "xaxis": _columns_axis(chart.x.label, matrix),
        "yaxis": _names_axis(chart.y.label, matrix.rows, matrix.named) | {"autorange": "reversed"},
        "showlegend": False,
        "shapes": [],
        "annotations": _cell_texts(matrix, low, high),
    }
    points = [_on_cells(series, matrix) for series in chart.series]
    shape = {"cells": len(matrix.rows), "stretched": matrix.stretched}
    return {"data": [trace, *points], "layout": layout, **shape}


def _columns_axis(label: str, matrix: Matrix) -> dict[str, Any]:
    # Names of more columns would lie on one another; the pointer tells them.
    named = matrix.named and len(matrix.columns) <= _MOST_COLUMNS
    axis = _names_axis(label, matrix.columns, named)
    if matrix.column_ticks:
        axis |= {
            "tickvals": [_text(matrix.columns[at]) for at, _ in matrix.column_ticks],
            "ticktext": [_text(name) for _, name in matrix.column_ticks],
        }
    return axis


def _on_cells(series: Series, matrix: Matrix) -> dict[str, Any]:
    """Place points on cells by their names, edged so that they stand out on every colour."""
    trace = _trace(series)
    trace["x"] = [_text(matrix.columns[int(at)]) for at in series.x]
    trace["y"] = [_text(matrix.rows[int(at)]) for at in series.y]
    if series.symbol:
        trace["marker"]["line"] = {"color": "@card", "width": 1.2}
    return trace


def _cell_texts(matrix: Matrix, low: float, high: float) -> list[dict[str, Any]]:
    """Write into the cells, black or white: plotly itself would choose a grey that is too faint."""
    texts = []
    for i, row in enumerate(matrix.cells):
        for j, text in enumerate(row):
            share = (float(matrix.values[i, j]) - low) / ((high - low) or 1.0)
            share = 1 - share if matrix.small_is_dark else share
            light, dark = (
                (SIGNED_LIGHT, SIGNED_DARK) if matrix.signed else (SCALE_LIGHT, SCALE_DARK)
            )
            inks = ink_on(light, share), ink_on(dark, share)
            texts.append(
                {
                    "text": _text(text), "showarrow": False,
                    "x": _text(matrix.columns[j]), "y": _text(matrix.rows[i]),
                    "font": {"size": 13, "color": f"@{INKS[inks]}"},
                }
            )  # fmt: skip
    return texts


def _names_axis(label: str, names: tuple[str, ...], named: bool) -> dict[str, Any]:
    return {
        "title": {"text": _text(label)},
        "type": "category",
        "tickvals": [_text(name) for name in names] if named else [],
        "ticktext": [_text(shortened(name, 22)) for name in names] if named else [],
        "tickfont": {"size": 12 if len(names) <= 24 else 9, "color": "@text"},
        "showgrid": False,
        "showline": False,
    }


def _trace(series: Series) -> dict[str, Any]:
    thin = series.live is not None and series.live.size < series.x.size
    if series.live is not None:
        series = _only(series, series.live)
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
        # A thinned crowd needs more weight to look like the whole one.
        "opacity": min(1.0, 1.7 * series.opacity) if thin else series.opacity,
    }
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
        trace["text"] = [_text(text) for text in series.hover]
        trace["hovertemplate"] = "%{text}<extra>%{fullData.name}</extra>"
        if series.size <= 5:  # a cloud of points: the position matters as much as the name
            trace["hovertemplate"] = "%{text}<br>%{x}, %{y}<extra></extra>"
    return trace


def _band(series: Series) -> dict[str, Any]:
    """Fill the interval of a series, there and back along its ends."""
    low = series.y if series.low is None else series.low
    high = series.y if series.high is None else series.high
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "hoverinfo": "skip",
        "name": _text(series.name), "legendgroup": _text(series.name),
        "showlegend": series.in_legend,
        "x": _values(np.concatenate([series.x, series.x[::-1]])),
        "y": _values(np.concatenate([high, low[::-1]])),
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


def _axis(axis: Axis) -> dict[str, Any]:
    values: dict[str, Any] = {"title": {"text": _text(axis.label)}}
    if axis.range:
        # plotly wants the ends of a logarithmic axis as exponents.
        values["range"] = [_position(end, axis) for end in axis.range]
    if axis.log:
        values["type"] = "log"
    # plotly writes powers of ten in a larger letter than anything beside them.
    if ticks := axis.ticks or (decade_ticks() if axis.log else ()):
        values |= {
            "tickvals": [at for at, _ in ticks],
            "ticktext": [_text(name) for _, name in ticks],
        }
    return values


def _position(value: float, axis: Axis) -> float:
    return math.log10(value) if axis.log else value


def _shape(rule: Rule, chart: Chart) -> dict[str, Any]:
    line = {"color": "@muted", "width": 1.4, "dash": "dot"}
    shape: dict[str, Any] = {"type": "line", "layer": "below", "line": line}
    if rule.along == "diagonal":
        low, high = chart.common_range
        return shape | {"x0": low, "y0": low, "x1": high, "y1": high}
    if rule.along == "x":
        return shape | {"x0": rule.at, "x1": rule.at, "y0": 0, "y1": 1, "yref": "paper"}
    return shape | {"y0": rule.at, "y1": rule.at, "x0": 0, "x1": 1, "xref": "paper"}


def _annotation(rule: Rule, chart: Chart) -> dict[str, Any]:
    note: dict[str, Any] = {
        "text": _text(rule.label),
        "showarrow": False,
        "font": {"size": 11, "color": "@muted"},
    }
    if rule.along == "x":
        at = _position(rule.at, chart.x)
        return note | {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom"}
    at = _position(rule.at, chart.y)
    return note | {"x": 1, "xref": "paper", "xanchor": "right", "y": at, "yanchor": "bottom"}


def _note(note: Note, chart: Chart) -> dict[str, Any]:
    """Name a point; the script leaves these out where the page is narrow."""
    return {
        "name": "note",
        "text": _text(note.text),
        "x": _position(note.x, chart.x),
        "y": _position(note.y, chart.y),
        "ax": note.right * _PIXELS_PER_POINT,
        "ay": -note.up * _PIXELS_PER_POINT,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 0.8,
        "arrowcolor": "@muted",
        "standoff": 3,
        "font": {"size": 11, "color": "@text"},
    }


def _values(values: FloatArray) -> list[float | None]:
    """Round to what a screen can show; JSON has no NaN."""
    return [float(f"{v:.{_SIGNIFICANT}g}") if np.isfinite(v) else None for v in values.tolist()]


def _arm(values: FloatArray) -> list[float | None]:
    return _values(np.where(np.isfinite(values), np.maximum(values, 0.0), 0.0))


def _text(text: str) -> str:
    """Escape text for plotly, which reads a few HTML tags in every label."""
    return html.escape(visible(text), quote=False)
