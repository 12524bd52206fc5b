"""Charts as the plain values that plotly draws in the browser.

Colours are written as names (``@c1``) that the page's script looks up in its style sheet, so
that a figure follows the reader's choice of light or dark.
"""

from __future__ import annotations

import textwrap
from typing import Any

from exprimo.report.charts.chart import (
    BLACK,
    SCALE_DARK,
    SCALE_LIGHT,
    SIGNED_DARK,
    SIGNED_LIGHT,
    WHITE,
    Chart,
    Matrix,
    Series,
    ink_on,
)
from exprimo.report.charts.interactive_panels import panels_figure
from exprimo.report.charts.traces import (
    annotation_of,
    axis_of,
    band_of,
    escaped,
    note_of,
    plain_values,
    shape_of,
    trace_of,
)
from exprimo.report.wording import shortened

INKS = {
    (light, dark): f"ink-{'kw'[light == WHITE]}{'kw'[dark == WHITE]}"
    for light in (BLACK, WHITE)
    for dark in (BLACK, WHITE)
}
"""Colour on a light page and on a dark one to the name of both in the style sheet."""

_MOST_COLUMNS = 50
# A line of a banner fits into a page of 400 pixels.
_BANNER_LETTERS, _BANNER_LINE = 34, 16


def plotly_figure(chart: Chart) -> dict[str, Any]:
    """Give ``{"data": [...], "layout": {...}, "rows": n, ...}`` for the page's script."""
    shape = {"rows": chart.rows, "square": chart.square, "tall": chart.tall, "cells": 0}
    figure = shape | _drawn(chart)
    if chart.banner:
        lines = textwrap.wrap(chart.banner, _BANNER_LETTERS)
        figure["layout"]["annotations"].append(_banner(lines))
        # The pixels that the page's script adds above the plot.
        figure["banner"] = 12 + _BANNER_LINE * len(lines)
    return figure


def _banner(lines: list[str]) -> dict[str, Any]:
    """Write a warning above the plot, and above the names of rules."""
    return {
        "name": "banner",
        "text": f"<b>{'<br>'.join(map(escaped, lines))}</b>",
        "font": {"size": 12, "color": "@c2"},
        "align": "left", "showarrow": False,
        "x": 0, "xanchor": "left", "xref": "paper",
        "y": 1, "yanchor": "bottom", "yref": "paper", "yshift": 20,
    }  # fmt: skip


def _drawn(chart: Chart) -> dict[str, Any]:
    """Give a chart's traces and layout, and what its kind says of its shape."""
    if chart.matrix is not None:
        return _matrix_figure(chart, chart.matrix)
    if chart.panels:
        return panels_figure(chart)
    layout: dict[str, Any] = {
        "xaxis": axis_of(chart.x),
        "yaxis": axis_of(chart.y) | ({"showgrid": False} if chart.rows else {}),
        "showlegend": chart.has_legend,
        "shapes": [shape_of(rule, chart) for rule in chart.rules],
        "annotations": [annotation_of(rule, chart) for rule in chart.rules if rule.label]
        + [note_of(note, chart) for note in chart.notes],
    }
    traces = [band_of(series) if series.band else trace_of(series) for series in chart.series]
    return {"data": traces, "layout": layout}


def _matrix_figure(chart: Chart, matrix: Matrix) -> dict[str, Any]:
    last = 4 if matrix.signed else 2
    scale = [[k / last, f"@{'d' if matrix.signed else 's'}{k}"] for k in range(last + 1)]
    low, high = matrix.ends
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": [escaped(name) for name in matrix.columns],
        "y": [escaped(name) for name in matrix.rows],
        "z": [plain_values(row) for row in matrix.values],
        "zmin": low,
        "zmax": high,
        "colorscale": scale,
        "reversescale": matrix.small_is_dark,
        "colorbar": {
            "title": {"text": escaped(matrix.label), "side": "right", "font": {"size": 11}},
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
            "tickvals": [escaped(matrix.columns[at]) for at, _ in matrix.column_ticks],
            "ticktext": [escaped(name) for _, name in matrix.column_ticks],
        }
    return axis


def _on_cells(series: Series, matrix: Matrix) -> dict[str, Any]:
    """Place points on cells by their names, edged so that they stand out on every colour."""
    trace = trace_of(series)
    trace["x"] = [escaped(matrix.columns[int(at)]) for at in series.x]
    trace["y"] = [escaped(matrix.rows[int(at)]) for at in series.y]
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
                    "text": escaped(text), "showarrow": False,
                    "x": escaped(matrix.columns[j]), "y": escaped(matrix.rows[i]),
                    "font": {"size": 13, "color": f"@{INKS[inks]}"},
                }
            )  # fmt: skip
    return texts


def _names_axis(label: str, names: tuple[str, ...], named: bool) -> dict[str, Any]:
    return {
        "title": {"text": escaped(label)},
        "type": "category",
        "tickvals": [escaped(name) for name in names] if named else [],
        "ticktext": [escaped(shortened(name, 22)) for name in names] if named else [],
        "tickfont": {"size": 12 if len(names) <= 24 else 9, "color": "@text"},
        "showgrid": False,
        "showline": False,
    }
