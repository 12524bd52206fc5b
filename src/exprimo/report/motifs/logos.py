"""Sequence logos, drawn as outlines of letters (Schneider & Stephens 1990)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath

from exprimo.report.charts.chart import LIGHT, FloatArray
from exprimo.report.charts.static import Pictures
from exprimo.report.charts.svg_text import rounded

BASES = "ACGT"
COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
"""Okabe and Ito's green, blue, orange and vermillion: apart in hue, and in lightness for an eye
that does not tell green from red. The letter itself says the same."""

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "text.color": LIGHT["text"],
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "exprimo",
}
# Letters lower than this share of the axis are specks that cost bytes.
_SPECK = 0.025
_WIDTH_OF_BASE, _HEIGHT = 0.17, 0.75


class Logo(NamedTuple):
    """One row of a figure of logos.

    Attributes
    ----------
    title
        What stands above it.
    probabilities, contributions
        (width, 4) each; the second in the units of the explained output.
    """

    title: str
    probabilities: FloatArray
    contributions: FloatArray


def information_heights(probabilities: FloatArray) -> FloatArray:
    """Give heights of letters in bits: a base's share of the information at its position.

    Examples
    --------
    >>> information_heights(np.array([[1.0, 0, 0, 0], [0.5, 0, 0, 0.5], [0.25] * 4])).tolist()
    [[2.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]]
    """
    safe = np.where(probabilities > 0, probabilities, 1.0)
    bits = 2.0 + (probabilities * np.log2(safe)).sum(axis=1, keepdims=True)
    heights: FloatArray = probabilities * bits
    return heights


def draw_logos(logos: Sequence[Logo], unit: str) -> Pictures:
    """Draw logos below one another: information to the left, mean contributions to the right.

    Parameters
    ----------
    unit
        Of contributions, such as ``logit``.
    """
    style: Any = _STYLE  # the stub lists every setting as a literal
    with mpl.rc_context(style):
        widest = max(len(logo.probabilities) for logo in logos)
        width = 2 * (max(widest, 8) * _WIDTH_OF_BASE + 0.5)
        figure = Figure(
            figsize=(width, (_HEIGHT + 0.35) * len(logos) + 0.2),
            layout="constrained",
            facecolor="white",
        )
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(logos), 2, squeeze=False)
        for row, logo in zip(axes, logos, strict=True):
            _draw(row[0], information_heights(logo.probabilities), widest, 2.0)
            _draw(row[1], logo.contributions, widest, None)
            row[0].set_title(logo.title, loc="left", fontsize=8, fontweight="bold")
            row[0].set_ylabel("bits", fontsize=7)
            row[1].set_ylabel(unit, fontsize=7)
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=160, metadata={"Software": "Exprimo"})
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return Pictures(png.getvalue(), rounded(svg.getvalue()))


def _draw(axes: Axes, heights: FloatArray, widest: int, top: float | None) -> None:
    """Stack letters, the tallest outermost; those below 0 hang from the line."""
    above, below = np.clip(heights, 0, None).sum(1).max(), np.clip(heights, None, 0).sum(1).min()
    high, low = (top, 0.0) if top is not None else (float(above), float(below))
    extent = high - low or 1.0
    for position, column in enumerate(heights):
        for sign in (1, -1):
            at = 0.0
            for base in np.argsort(abs(column)):
                height = float(column[base])
                if height * sign <= 0:
                    continue
                if abs(height) > _SPECK * extent:
                    low_edge = at if sign > 0 else at + height
                    _letter(axes, BASES[base], position, low_edge, abs(height))
                at += height
    axes.set_xlim(0, widest)
    axes.set_ylim(low - 0.02 * extent, high + 0.02 * extent)
    axes.axhline(0, color=LIGHT["muted"], linewidth=0.6)
    axes.set_xticks([])
    axes.set_yticks([low, high] if low < 0 < high else [0, high if high > 0 else low])
    axes.tick_params(axis="y", labelsize=6, length=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.2g}")
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _letter(axes: Axes, base: str, left: float, bottom: float, height: float) -> None:
    outline = _outline(base)
    vertices = outline.vertices * np.array([0.94, height]) + np.array([left + 0.03, bottom])
    axes.add_patch(PathPatch(Outline(vertices, outline.codes), color=COLOURS[base], linewidth=0))


@cache
def _outline(base: str) -> Outline:
    """Give a letter's outline, stretched to fill a square of side 1."""
    text = TextPath((0, 0), base, size=10, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    vertices = np.asarray(text.vertices)
    least = vertices.min(axis=0)
    filled = (vertices - least) / (vertices.max(axis=0) - least)
    return Outline(filled, text.codes)
