"""Plots above one another that share their x axis, as plotly draws them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exprimo.report.charts.chart import Box, Chart, Panel, Word
from exprimo.report.charts.traces import (
    annotation_of,
    axis_of,
    escaped,
    shape_of,
    trace_of,
)

_PIXELS_PER_INCH = 108
_GAP = 0.24
# Places along a chromosome need every digit.
_X_DIGITS = 12


def panels_figure(chart: Chart) -> dict[str, Any]:
    """Give ``data``, ``layout`` and ``high``, the pixels that the panels need.

    The first panel's axis is ``yaxis``, the next ``yaxis2``; all share ``xaxis``, which stands
    below the last.
    """
    total = sum(panel.height for panel in chart.panels) + _GAP * (len(chart.panels) - 1)
    layout: dict[str, Any] = {
        "showlegend": chart.has_legend,
        "shapes": [shape_of(rule, chart) for rule in chart.rules],
        "annotations": [annotation_of(rule, chart) for rule in chart.rules if rule.label],
    }
    data: list[dict[str, Any]] = []
    top = 1.0
    for k, panel in enumerate(chart.panels, 1):
        bottom = max(top - panel.height / total, 0.0)
        _add_panel(layout, data, panel, chart, "" if k == 1 else str(k), (bottom, top))
        top = bottom - _GAP / total
    last = "y" if len(chart.panels) == 1 else f"y{len(chart.panels)}"
    layout["xaxis"] = axis_of(chart.x) | {"anchor": last, "tickformat": ",~f"}
    return {"data": data, "layout": layout, "high": round(_PIXELS_PER_INCH * total)}


def _add_panel(
    layout: dict[str, Any],
    data: list[dict[str, Any]],
    panel: Panel,
    chart: Chart,
    number: str,
    domain: tuple[float, float],
) -> None:
    axis = axis_of(panel.y) | {"domain": list(domain), "anchor": "x"}
    if not panel.named:
        axis |= {"showticklabels": False, "showgrid": False, "showline": False}
    layout[f"yaxis{number}"] = axis
    for series in panel.series:
        data.append(trace_of(series, x_digits=_X_DIGITS) | {"yaxis": f"y{number}"})
    layout["shapes"] += [_rectangle(box, number) for box in panel.boxes]
    for rule in panel.rules:
        across = {"x0": 0, "x1": 1, "xref": "paper", "yref": f"y{number}"}
        layout["shapes"].append(shape_of(rule, replace(chart, y=panel.y)) | across)
        if rule.label:
            words = annotation_of(rule, replace(chart, y=panel.y)) | {"yref": f"y{number}"}
            layout["annotations"].append(words)
    layout["annotations"] += [_word(word, number) for word in panel.words]
    if panel.title:
        layout["annotations"].append(_title(panel.title, number))


def _title(text: str, number: str) -> dict[str, Any]:
    return {
        "name": "title", "text": escaped(text), "showarrow": False, "xref": "paper", "x": 0,
        "xanchor": "left", "yref": f"y{number} domain", "y": 1, "yanchor": "bottom",
        "font": {"size": 11, "color": "@muted"},
    }  # fmt: skip


def _rectangle(box: Box, number: str) -> dict[str, Any]:
    whole = box.y is None
    low, high = box.y or (0, 1)
    return {
        "type": "rect", "layer": "below", "line": {"width": 0},
        "x0": box.x[0], "x1": box.x[1], "y0": low, "y1": high, "xref": "x",
        "yref": f"y{number} domain" if whole else f"y{number}",
        "fillcolor": f"@{box.colour}", "opacity": box.opacity,
    }  # fmt: skip


def _word(word: Word, number: str) -> dict[str, Any]:
    return {
        "name": "note" if word.minor else "word",
        "text": f"<i>{escaped(word.text)}</i>", "showarrow": False, "xref": "x",
        "yref": f"y{number}", "x": word.x, "y": word.y,
        "font": {"size": 11, "color": f"@{word.colour}"},
    }  # fmt: skip
