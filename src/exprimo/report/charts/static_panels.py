"""Plots above one another that share their x axis, as matplotlib draws them."""

from __future__ import annotations

import math
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from exprimo.report.charts.chart import LIGHT, Box, Chart, Panel
from exprimo.report.charts.static_marks import draw_legend, draw_rule, draw_series, fitting
from exprimo.report.wording import shortened

_WIDE = 6.8
_COLUMNS = 4
# A title, an axis with its label, and what lies between.
_AROUND = 1.15


def panels_size(chart: Chart) -> tuple[float, float]:
    """Give the size in inches: each panel's height, and what stands around them."""
    entries = len({s.name for s in chart.every_series if s.in_legend and s.shown})
    legend = 0.2 + 0.19 * math.ceil(entries / _COLUMNS) if chart.has_legend else 0.0
    return _WIDE, _AROUND + legend + sum(
        panel.height + (0.27 if panel.title else 0.1) for panel in chart.panels
    )


def draw_panels(figure: Figure, chart: Chart) -> None:
    """Draw the panels of a chart, its rules through all of them, and one legend."""
    heights = [panel.height for panel in chart.panels]
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    every: list[Axes] = []
    for k, panel in enumerate(chart.panels):
        axes = figure.add_subplot(grid[k], sharex=every[0] if every else None)
        every.append(axes)
        _draw_panel(axes, panel, chart)
    for axes in every[:-1]:
        axes.tick_params(axis="x", labelbottom=False, length=0)
    every[-1].xaxis.set_major_formatter(lambda value, _: place_name(value))
    every[-1].set_xlabel(shortened(chart.x.label, 90))
    every[0].set_title(shortened(chart.title, 90), loc="left", fontweight="bold", pad=18)
    if chart.x.range:
        every[0].set_xlim(*chart.x.range)
    for k, axes in enumerate(every):
        for rule in chart.rules:
            draw_rule(axes, rule if k == 0 else replace(rule, label=""), chart)
    figure.align_ylabels(every)
    if chart.has_legend:
        draw_legend(figure, every, chart.every_series, _COLUMNS)


def place_name(value: float) -> str:
    """Write a place in full, however near its neighbours are.

    Examples
    --------
    >>> place_name(999.75), place_name(1000.0), place_name(12_345.5)
    ('999.75', '1,000', '12,345.5')
    """
    return f"{value:,.6f}".rstrip("0").rstrip(".").replace("-", "−")


def _draw_panel(axes: Axes, panel: Panel, chart: Chart) -> None:
    axes.grid(True, axis="both" if panel.named else "x", color="#E8EBEF", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_ylabel(shortened(panel.y.label, 40))
    if panel.title:
        axes.set_title(
            shortened(panel.title, 90), loc="left", fontsize=8, pad=3, color=LIGHT["muted"]
        )
    for box in panel.boxes:
        _draw_box(axes, box)
    for series in panel.series:
        if series.shown:
            draw_series(axes, series)
    for rule in panel.rules:
        draw_rule(axes, rule, chart)
    for word in panel.words:
        axes.text(
            word.x, word.y, fitting(word.text), fontsize=7, ha="center", va="center",
            color=LIGHT[word.colour], clip_on=True, fontstyle="italic",
        )  # fmt: skip
    if panel.y.range:
        axes.set_ylim(*panel.y.range)
    if panel.y.ticks:
        axes.set_yticks([at for at, _ in panel.y.ticks], [name for _, name in panel.y.ticks])
    if not panel.named:
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)


def _draw_box(axes: Axes, box: Box) -> None:
    low, high = box.y or (0.0, 1.0)
    transform = axes.transData if box.y else axes.get_xaxis_transform()
    axes.add_patch(
        Rectangle(
            (box.x[0], low), box.x[1] - box.x[0], high - low, transform=transform,
            facecolor=LIGHT[box.colour], alpha=box.opacity, linewidth=0,
            zorder=2 if box.y else 0.5,
        )
    )  # fmt: skip
