"""Charts as PNG and SVG, drawn with matplotlib's objects and no global state of pyplot."""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from exprimo.report.charts.chart import LIGHT, Chart, FloatArray, Note, Rule, Series, decade_ticks
from exprimo.report.charts.static_matrix import draw_matrix, matrix_size
from exprimo.report.wording import ABSENT, shortened

_MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
}
_DASHES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 2.5)), "dot": ":"}
_MANY_POINTS = 500
_DECADES = {f"{at:.0e}": name for at, name in decade_ticks()}
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
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=160, metadata={"Software": "Exprimo"})
        figure.savefig(svg, format="svg", dpi=180, metadata={"Date": None})
    return Pictures(png.getvalue(), svg.getvalue())


def _figure(chart: Chart) -> Figure:
    figure = Figure(figsize=_size(chart), layout="constrained", facecolor="white")
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
        _draw_series(axes, series)
    _draw_scales(axes, chart)
    for rule in chart.rules:
        _draw_rule(axes, rule, chart)
    for note in chart.notes:
        _draw_note(axes, note)
    if chart.rows:
        axes.set_yticks([at for at, _ in chart.y.ticks], [_text(name) for _, name in chart.y.ticks])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    if chart.has_legend:
        legend = figure.legend(
            *_legend(axes, chart),
            loc="outside lower center",
            ncols=2 if chart.rows else 3,
            frameon=False,
        )
        for handle in legend.legend_handles:
            # The points of a cloud are too small and too faint to tell their colour.
            if isinstance(handle, Line2D) and handle.get_linestyle() == "None":
                handle.set(alpha=1.0, markersize=max(float(handle.get_markersize()), 4.5))
    return figure


def _size(chart: Chart) -> tuple[float, float]:
    if chart.matrix is not None:
        return matrix_size(chart.matrix)
    legend = 0.3 if chart.has_legend else 0.0
    if chart.rows:
        return 6.8, 1.3 + legend + 0.34 * max(chart.rows, 2)
    return (5.0, 4.8 + legend) if chart.square else (6.8, 3.9 + chart.tall + legend)


def _draw_series(axes: Axes, series: Series) -> None:
    colour = LIGHT[series.colour]
    style: dict[str, Any] = {
        "color": colour,
        "linestyle": _DASHES[series.dash] if series.dash else "none",
        "linewidth": series.width * 0.75,
        "marker": _MARKERS[series.symbol] if series.symbol else None,
        "markersize": series.size * 0.7,
        "markeredgewidth": 1.1 if series.hollow else 0,
        "markerfacecolor": "none" if series.hollow else colour,
        "alpha": series.opacity,
        "rasterized": series.x.size > _MANY_POINTS,
        "label": _entry(series.name) if series.in_legend else "_",
    }
    if series.low is None or series.high is None:
        axes.plot(series.x, series.y, **style)
        return
    if series.band:
        look = {name: style[name] for name in ("color", "alpha", "label")}
        axes.fill_between(series.x, series.low, series.high, linewidth=0, **look)
        return
    centre = series.x if series.along == "x" else series.y
    style |= {"xerr" if series.along == "x" else "yerr": _error(centre, series.low, series.high)}
    axes.errorbar(series.x, series.y, elinewidth=1.4, ecolor=colour, capsize=0, **style)


def _draw_on_cells(axes: Axes, series: Series) -> None:
    axes.plot(
        series.x, series.y, linestyle="none", marker=_MARKERS[series.symbol or "circle"],
        markersize=series.size * 0.7, markerfacecolor=LIGHT[series.colour],
        markeredgecolor="white", markeredgewidth=0.9, clip_on=False,
    )  # fmt: skip


def _error(centre: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Give the two arms of an interval; none where none is claimed or it lies to one side."""
    arms = np.stack([centre - low, high - centre])
    return np.where(np.isfinite(arms), np.maximum(arms, 0.0), 0.0)


def _draw_rule(axes: Axes, rule: Rule, chart: Chart) -> None:
    style: dict[str, Any] = {"color": LIGHT["muted"], "linestyle": ":", "linewidth": 1.3}
    if rule.along == "diagonal":
        axes.plot(chart.common_range, chart.common_range, zorder=1, **style)
        return
    if rule.along == "x":
        axes.axvline(rule.at, zorder=1, **style)
        place: tuple[float, float] = (rule.at, 1.0)
        transform, align = axes.get_xaxis_transform(), ("center", "bottom")
    else:
        axes.axhline(rule.at, zorder=1, **style)
        place = (0.99, rule.at)
        transform, align = axes.get_yaxis_transform(), ("right", "bottom")
    axes.text(
        *place, _text(rule.label), transform=transform, fontsize=7.5,
        color=LIGHT["muted"], ha=align[0], va=align[1],
    )  # fmt: skip


def _draw_note(axes: Axes, note: Note) -> None:
    axes.annotate(
        _text(note.text), (note.x, note.y), (note.right, note.up), textcoords="offset points",
        fontsize=7, ha="center", va="center", zorder=6,
        arrowprops={"arrowstyle": "-", "color": LIGHT["muted"], "linewidth": 0.6, "shrinkA": 0,
                    "shrinkB": 2, "relpos": _nearest_edge(note)},
    )  # fmt: skip


def _nearest_edge(note: Note) -> tuple[float, float]:
    """Let the line to the point start at the side of the text that faces the point."""
    across = 0.5 if abs(note.right) < 5 else 0.0 if note.right > 0 else 1.0
    return across, 0.5 if across != 0.5 else 0.0 if note.up > 0 else 1.0


def _draw_scales(axes: Axes, chart: Chart) -> None:
    for axis, scale in ((axes.xaxis, chart.x), (axes.yaxis, chart.y)):
        if scale.log:
            (axes.set_xscale if scale is chart.x else axes.set_yscale)("log")
            axis.set_major_formatter(lambda value, _: _DECADES.get(f"{value:.0e}", f"{value:g}"))
    if chart.x.range:
        axes.set_xlim(*chart.x.range)
    if chart.y.range:
        axes.set_ylim(*chart.y.range)
    if chart.x.ticks:
        axes.set_xticks([at for at, _ in chart.x.ticks], [_text(name) for _, name in chart.x.ticks])
        axes.minorticks_off()


def _legend(axes: Axes, chart: Chart) -> tuple[list[Any], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    # matplotlib lists lines before points with intervals; the page keeps the chart's order.
    names = dict.fromkeys(_entry(s.name) for s in chart.series if s.in_legend)
    return [found[name] for name in names], list(names)


def _entry(name: str) -> str:
    """Give a legend's entry; matplotlib hides names that are empty or begin with "_"."""
    text = _text(name) or ABSENT
    return f"\u2009{text}" if text.startswith("_") else text


def _text(text: str) -> str:
    """Keep a text short enough for a picture of fixed width."""
    return shortened(text, 90)
