"""Charts as PNG and SVG, drawn with matplotlib's objects and no global state of pyplot."""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from exprimo.report.charts.chart import LIGHT, Chart, Series
from exprimo.report.charts.static_marks import (
    MARKERS,
    banner_lines,
    draw_banner,
    draw_legend,
    draw_note,
    draw_rule,
    draw_scales,
    draw_series,
    fitting,
)
from exprimo.report.charts.static_matrix import draw_matrix, matrix_size
from exprimo.report.charts.static_panels import draw_panels, panels_size
from exprimo.report.charts.svg_text import rounded
from exprimo.report.wording import shortened

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Inter", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.labelcolor": LIGHT["text"],
    "text.color": LIGHT["text"],
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelcolor": LIGHT["text"],
    "ytick.labelcolor": LIGHT["text"],
    "axes.edgecolor": "#C9CFD6",
    "axes.spines.top": False,
    "axes.spines.right": False,
    # A pair of dollar signs in somebody's gene name is no formula.
    "text.parse_math": False,
    # Text stays text, so that a journal's editor can change it; the salt keeps ids the same.
    "svg.fonttype": "none",
    "svg.hashsalt": "exprimo",
}


class Pictures(NamedTuple):
    """One chart as two files' contents."""

    png: bytes
    svg: bytes


def draw(chart: Chart) -> Pictures:
    """Draw a chart as PNG (160 dpi) and SVG; the same chart always gives the same bytes."""
    style: Any = _STYLE  # the stub lists every setting as a literal
    with mpl.rc_context(style), warnings.catch_warnings():
        # A gene may be named in letters that the font lacks; the page itself shows them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = _figure(chart)
        FigureCanvasAgg(figure)
        # Finding room for all that is written takes as long as drawing it: once is enough.
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": "Exprimo"})
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return Pictures(png.getvalue(), rounded(svg.getvalue()))


def _figure(chart: Chart) -> Figure:
    figure = Figure(figsize=_size(chart), dpi=160, layout="constrained", facecolor="white")
    if chart.banner:
        draw_banner(figure, chart.banner)
    if chart.panels:
        draw_panels(figure, chart)
        return figure
    axes = figure.add_subplot()
    # A heat map of few cells is small, and a label longer than it would squeeze it to nothing.
    room = 40 if chart.matrix is not None and not chart.matrix.stretched else 90
    axes.set_xlabel(shortened(chart.x.label, room))
    axes.set_ylabel(shortened(chart.y.label, room))
    axes.set_title(shortened(chart.title, room), loc="left", fontweight="bold", pad=18)
    if chart.matrix is not None:
        draw_matrix(figure, axes, chart.matrix)
        for series in chart.series:
            _draw_on_cells(axes, series)
        return figure
    axes.grid(True, axis="x" if chart.rows else "both", color="#E8EBEF", linewidth=0.8)
    axes.set_axisbelow(True)
    for series in chart.series:
        if series.shown:
            draw_series(axes, series)
    draw_scales(axes, chart)
    for rule in chart.rules:
        draw_rule(axes, rule, chart)
    for note in chart.notes:
        draw_note(axes, note)
    if chart.rows:
        axes.set_yticks(
            [at for at, _ in chart.y.ticks], [fitting(name) for _, name in chart.y.ticks]
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    if chart.has_legend:
        draw_legend(figure, [axes], chart.series, columns=2 if chart.rows else 3)
    return figure


def _size(chart: Chart) -> tuple[float, float]:
    wide, high = _plain_size(chart)
    return wide, high + (0.15 + 0.15 * len(banner_lines(chart.banner, wide)) if chart.banner else 0)


def _plain_size(chart: Chart) -> tuple[float, float]:
    if chart.matrix is not None:
        return matrix_size(chart.matrix)
    if chart.panels:
        return panels_size(chart)
    legend = 0.3 if chart.has_legend else 0.0
    if chart.rows:
        return 6.8, 1.3 + legend + 0.34 * max(chart.rows, 2)
    return (5.0, 4.8 + legend) if chart.square else (6.8, 3.9 + chart.tall + legend)


def _draw_on_cells(axes: Axes, series: Series) -> None:
    axes.plot(
        series.x, series.y, linestyle="none", marker=MARKERS[series.symbol or "circle"],
        markersize=series.size * 0.7, markerfacecolor=LIGHT[series.colour],
        markeredgecolor="white", markeredgewidth=0.9, clip_on=False,
    )  # fmt: skip
