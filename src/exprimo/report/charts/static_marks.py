"""Points, lines, scales and names as matplotlib draws them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from exprimo.report.charts.chart import LIGHT, Chart, FloatArray, Note, Rule, Series, decade_ticks
from exprimo.report.wording import ABSENT, shortened, visible

MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "cross": "P",
    "x": "X",
}
_DASHES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 2.5)), "dot": ":"}
_MANY_POINTS = 500
# Of the bold letters of a banner.
_LETTERS_PER_INCH = 11
_DECADES = {f"{at:.0e}": name for at, name in decade_ticks()}


def draw_series(axes: Axes, series: Series) -> None:
    """Draw points, a line or both, and their intervals."""
    colour = LIGHT[series.colour]
    style: dict[str, Any] = {
        "color": colour,
        "linestyle": _DASHES[series.dash] if series.dash else "none",
        "linewidth": series.width * 0.75,
        "marker": MARKERS[series.symbol] if series.symbol else None,
        "markersize": series.size * 0.7,
        "markeredgewidth": 1.1 if series.hollow else 0,
        "markerfacecolor": "none" if series.hollow else colour,
        "alpha": series.opacity,
        "rasterized": series.x.size > _MANY_POINTS,
        "label": legend_entry(series.name) if series.in_legend else "_",
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


def _error(centre: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Give the two arms of an interval; none where none is claimed or it lies to one side."""
    arms = np.stack([centre - low, high - centre])
    return np.where(np.isfinite(arms), np.maximum(arms, 0.0), 0.0)


def draw_rule(axes: Axes, rule: Rule, chart: Chart) -> None:
    """Draw a dotted line and its words."""
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
        *place, fitting(rule.label), transform=transform, fontsize=7.5,
        color=LIGHT["muted"], ha=align[0], va=align[1],
    )  # fmt: skip


def draw_note(axes: Axes, note: Note) -> None:
    """Write a name beside its point."""
    axes.annotate(
        fitting(note.text), (note.x, note.y), (note.right, note.up), textcoords="offset points",
        fontsize=7, ha="center", va="center", zorder=6,
        arrowprops={"arrowstyle": "-", "color": LIGHT["muted"], "linewidth": 0.6, "shrinkA": 0,
                    "shrinkB": 2, "relpos": _nearest_edge(note)},
    )  # fmt: skip


def _nearest_edge(note: Note) -> tuple[float, float]:
    """Let the line to the point start at the side of the text that faces the point."""
    across = 0.5 if abs(note.right) < 5 else 0.0 if note.right > 0 else 1.0
    return across, 0.5 if across != 0.5 else 0.0 if note.up > 0 else 1.0


def draw_banner(figure: Figure, text: str) -> None:
    """Write a warning above everything else, in a frame."""
    figure.suptitle(
        "\n".join(banner_lines(text, figure.get_figwidth())),
        fontsize=9, fontweight="bold", color=LIGHT["c2"],
        bbox={"facecolor": "#FFF4EC", "edgecolor": LIGHT["c2"], "boxstyle": "round,pad=0.35"},
    )  # fmt: skip


def banner_lines(text: str, wide: float) -> list[str]:
    """Break a warning into the lines that a picture of so many inches has room for."""
    return textwrap.wrap(visible(text), max(24, int(_LETTERS_PER_INCH * wide)))


def draw_scales(axes: Axes, chart: Chart) -> None:
    """Give the axes their kinds, ends and ticks."""
    for axis, scale in ((axes.xaxis, chart.x), (axes.yaxis, chart.y)):
        if scale.log:
            (axes.set_xscale if scale is chart.x else axes.set_yscale)("log")
            axis.set_major_formatter(lambda value, _: _DECADES.get(f"{value:.0e}", f"{value:g}"))
    if chart.x.range:
        axes.set_xlim(*chart.x.range)
    if chart.y.range:
        axes.set_ylim(*chart.y.range)
    if chart.x.ticks:
        axes.set_xticks(
            [at for at, _ in chart.x.ticks], [fitting(name) for _, name in chart.x.ticks]
        )
        axes.minorticks_off()


def draw_legend(
    figure: Figure, axes: Sequence[Axes], series: Sequence[Series], columns: int
) -> None:
    """Draw one legend below all plots, in the order of the series."""
    found: dict[str, Any] = {}
    for one in axes:
        handles, labels = one.get_legend_handles_labels()
        found = dict(zip(labels, handles, strict=True)) | found
    # matplotlib lists lines before points with intervals; the page keeps the chart's order.
    names = dict.fromkeys(legend_entry(s.name) for s in series if s.in_legend and s.shown)
    legend = figure.legend(
        [found[name] for name in names], list(names), loc="outside lower center",
        ncols=columns, frameon=False,
    )  # fmt: skip
    for handle in legend.legend_handles:
        # The points of a cloud are too small and too faint to tell their colour.
        if isinstance(handle, Line2D) and handle.get_linestyle() == "None":
            handle.set(alpha=1.0, markersize=max(float(handle.get_markersize()), 4.5))


def legend_entry(name: str) -> str:
    """Give a legend's entry; matplotlib hides names that are empty or begin with "_"."""
    text = fitting(name) or ABSENT
    return f"\u2009{text}" if text.startswith("_") else text


def fitting(text: str) -> str:
    """Keep a text short enough for a picture of fixed width."""
    return shortened(text, 90)
