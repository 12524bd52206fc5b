"""What a figure shows, apart from how it is drawn.

One `Chart` is drawn twice, by `interactive` for the browser and by `static` as PNG and SVG, so
that both always show the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = Literal[
    "c1", "c2", "c3", "c4", "c5", "c6", "l1", "l2", "l3", "l4", "l5", "text", "muted"
]  # fmt: skip

LIGHT: dict[Colour, str] = {
    "c1": "#0072B2",
    "c2": "#D55E00",
    "c3": "#009E73",
    "c4": "#CC79A7",
    "c5": "#B37700",
    "c6": "#3A9BD1",
    "l1": "#8A95A1",
    "l2": "#D06F10",
    "l3": "#C8437A",
    "l4": "#7A1FA2",
    "l5": "#1B0C6B",
    "text": "#1B1F24",
    "muted": "#6B7480",
}
"""Okabe and Ito's palette on white; orange and sky blue darkened to 3:1 contrast. ``l1`` to ``l5``
are steps from little to much, which stand out from the page the more, whatever the eye."""

DARK: dict[Colour, str] = {
    "c1": "#4DA3E0",
    "c2": "#F0803C",
    "c3": "#2FC39A",
    "c4": "#E39AC4",
    "c5": "#E69F00",
    "c6": "#8CCBF2",
    "l1": "#6F7A87",
    "l2": "#9A62D8",
    "l3": "#E0609A",
    "l4": "#F7A04F",
    "l5": "#FFE680",
    "text": "#E6E9ED",
    "muted": "#98A2AE",
}

SCALE_LIGHT = ("#F1F5F9", "#4A9BCB", "#08304F")
SCALE_DARK = ("#1E252D", "#2F7FB5", "#D3EAF8")
"""Colours of a matrix from its least to its greatest value: one hue, told by lightness alone."""

SIGNED_LIGHT = ("#8F3B00", "#E08A3C", "#F1F5F9", "#4A9BCB", "#0B4A78")
SIGNED_DARK = ("#FFD0A3", "#C2671B", "#1E252D", "#2F7FB5", "#BFE3FA")
"""Colours of a matrix of signed values, 0 in the middle: orange below and blue above, which
everybody can tell apart; the strength is told by lightness."""

BLACK, WHITE = "#000000", "#FFFFFF"


def luminance(colour: str) -> float:
    """Give the relative luminance of ``#RRGGBB`` (WCAG 2.2), from 0, black, to 1.

    Examples
    --------
    >>> luminance("#000000"), luminance("#FFFFFF")
    (0.0, 1.0)
    """
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return min(float(np.dot(linear, [0.2126, 0.7152, 0.0722])), 1.0)


def ink_on(scale: Sequence[str], share: float) -> str:
    """Choose black or white for what is written on a scale's colour, whichever stands out more.

    Examples
    --------
    >>> ink_on(SCALE_LIGHT, 0.0), ink_on(SCALE_LIGHT, 1.0), ink_on(SCALE_DARK, 1.0)
    ('#000000', '#FFFFFF', '#000000')
    """
    at = min(max(share, 0.0), 1.0) * (len(scale) - 1)
    k = min(int(at), len(scale) - 2)
    ends = [[int(scale[k + j][i : i + 2], 16) for i in (1, 3, 5)] for j in (0, 1)]
    mixed = [round(a + (b - a) * (at - k)) for a, b in zip(*ends, strict=True)]
    light = luminance("#" + "".join(f"{part:02X}" for part in mixed))
    # Where both stand out alike: (light + 0.05) / 0.05 = 1.05 / (light + 0.05).
    return BLACK if (light + 0.05) ** 2 > 0.05 * 1.05 else WHITE


CYCLE: tuple[Colour, ...] = ("c1", "c2", "c3", "c4", "c5", "c6")
STEPS: tuple[Colour, ...] = ("l1", "l2", "l3", "l4", "l5")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")

FloatArray = NDArray[np.float64]
Dash = Literal["solid", "dash", "dot"]


@dataclass(frozen=True)
class Axis:
    """One axis: its label with units, and its ticks where they are chosen or are names.

    Positions are in the units of the data, on a logarithmic axis too.
    """

    label: str
    range: tuple[float, float] | None = None
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Series:
    """Points, a line, or both, with an interval where `low` and `high` are given.

    Attributes
    ----------
    x, y
        Positions, of the same length.
    low, high
        Ends of the interval of each point along `along`.
    band
        Draw the interval as one band instead of a bar at each point.
    dash, symbol
        How the line and the points look; None draws no line, or no points.
    hover
        What the browser shows per point, besides the position.
    in_legend
        Series that share a name share one legend entry: only the first should be in it.
    hollow
        Points are rings.
    live
        Which points the browser gets, None for all; PNG and SVG always show all of them.
    shown
        Whether it is drawn at once; else the browser's legend offers it, and pictures leave it out.
    """

    name: str
    x: FloatArray
    y: FloatArray
    colour: Colour
    low: FloatArray | None = None
    high: FloatArray | None = None
    along: Literal["x", "y"] = "y"
    dash: Dash | None = None
    symbol: str | None = "circle"
    size: float = 8
    width: float = 2
    opacity: float = 1.0
    hover: tuple[str, ...] = ()
    in_legend: bool = True
    hollow: bool = False
    live: NDArray[np.int64] | None = None
    band: bool = False
    shown: bool = True


@dataclass(frozen=True)
class Note:
    """A name beside a point, moved from it by `right` and `up` (points, 1/72 inch)."""

    x: float
    y: float
    text: str
    right: float
    up: float


@dataclass(frozen=True)
class Matrix:
    """A heat map: `values` (rows, columns), the first row on top.

    Attributes
    ----------
    rows, columns
        Names, which must differ; they are left out where `named` is false.
    label
        What the colour means, with units; its scale is left out where `cells` tell the numbers.
    cells
        What stands in each cell, if anything does.
    small_is_dark
        Draw small values strong, as for distances.
    signed
        Draw values below 0 in another hue than those above; `range` should be symmetric.
    stretched
        Cells are as wide as the figure allows, for columns that are places along a line.
    column_ticks
        Columns that are named on the axis, by number, and their names; none: all columns.
    """

    values: FloatArray
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    label: str
    cells: tuple[tuple[str, ...], ...] = ()
    small_is_dark: bool = False
    range: tuple[float, float] | None = None
    named: bool = True
    signed: bool = False
    stretched: bool = False
    column_ticks: tuple[tuple[int, str], ...] = ()

    @property
    def ends(self) -> tuple[float, float]:
        """Give the values that have the outermost colours."""
        return self.range or (float(self.values.min()), float(self.values.max()))


@dataclass(frozen=True)
class Rule:
    """A straight reference line: at one position of an axis, or the diagonal `y = x`."""

    along: Literal["x", "y", "diagonal"]
    at: float = 0.0
    label: str = ""


@dataclass(frozen=True)
class Box:
    """A filled rectangle in the units of both axes; from bottom to top where `y` is not given."""

    x: tuple[float, float]
    y: tuple[float, float] | None
    colour: Colour
    opacity: float = 1.0


@dataclass(frozen=True)
class Word:
    """A word that stands at a place, centred; a minor one is left out where the page is narrow."""

    x: float
    y: float
    text: str
    colour: Colour = "text"
    minor: bool = False


@dataclass(frozen=True)
class Panel:
    """One of several plots above one another that share their x axis.

    Attributes
    ----------
    height
        In inches of the picture; the browser's form is as tall in proportion.
    rules
        Lines across at a position of its own y axis. Those of the chart run through all panels.
    named
        Whether the y axis has ticks and a grid.
    title
        What stands above the panel's left end, if anything.
    """

    y: Axis
    series: tuple[Series, ...]
    height: float
    rules: tuple[Rule, ...] = ()
    boxes: tuple[Box, ...] = ()
    words: tuple[Word, ...] = ()
    named: bool = True
    title: str = ""


@dataclass(frozen=True)
class Chart:
    """A figure: what it shows, in words too, and the files that its numbers came from.

    Attributes
    ----------
    series
        On a `matrix`, points stand on cells: x is the number of the column, y that of the row.
    square
        As high as wide.
    tall
        Higher than other figures, for a cloud of points.
    live
        Whether the browser draws it; else the page shows the picture alone.
    live_note
        What is said beside the caption of the browser's form alone.
    panels
        Plots above one another, the first on top, in place of `series` and `y`.
    banner
        A warning that stands in the picture itself, so that no copy of it goes without.
    """

    key: str
    title: str
    caption: str
    alt: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    rules: tuple[Rule, ...] = ()
    sources: tuple[str, ...] = ()
    square: bool = False
    tall: bool = False
    notes: tuple[Note, ...] = ()
    matrix: Matrix | None = None
    live: bool = True
    live_note: str = ""
    panels: tuple[Panel, ...] = ()
    banner: str = ""

    @property
    def every_series(self) -> tuple[Series, ...]:
        """Give the series of all panels."""
        return (*self.series, *(one for panel in self.panels for one in panel.series))

    @property
    def rows(self) -> int:
        """Count the named rows of a chart whose y axis lists names; 0 for other charts."""
        return len(self.y.ticks)

    @property
    def common_range(self) -> tuple[float, float]:
        """Give the range that both axes cover, where the diagonal is drawn."""
        x, y = self.x.range or (0.0, 1.0), self.y.range or (0.0, 1.0)
        return max(x[0], y[0]), min(x[1], y[1])

    @property
    def has_legend(self) -> bool:
        """Tell whether there is more than one name to tell apart."""
        return len({s.name for s in self.every_series if s.in_legend}) > 1


def floats(values: ArrayLike) -> FloatArray:
    """Give values as an array of floats."""
    return np.asarray(values, dtype=np.float64)


def thinned(n: int, keep: int) -> NDArray[np.int64]:
    """Choose at most `keep` positions of `n`, evenly spaced, with both ends.

    Examples
    --------
    >>> thinned(5, 10).tolist(), thinned(101, 3).tolist()
    ([0, 1, 2, 3, 4], [0, 50, 100])
    """
    if n <= keep:
        return np.arange(n, dtype=np.int64)
    return np.unique(np.linspace(0, n - 1, keep).round().astype(np.int64))


def decade_ticks(lowest: int = -12, highest: int = 12) -> tuple[tuple[float, str], ...]:
    """Give the ticks of a logarithmic axis: 0.1, 1, 10, but 10⁵.

    Examples
    --------
    >>> [name for _, name in decade_ticks(2, 5)]
    ['100', '1,000', '10,000', '10⁵']
    """
    return tuple((10.0**k, _decade(k)) for k in range(lowest, highest + 1))


def _decade(exponent: int) -> str:
    if -3 <= exponent <= 4:
        return f"{10.0**exponent:,g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def row_axis(label: str, names: Sequence[str]) -> Axis:
    """Make the y axis of a chart with one named row per position, the first on top."""
    n = len(names)
    ticks = tuple((float(n - 1 - i), name) for i, name in enumerate(names))
    return Axis(label, (-0.6, n - 0.4), ticks=ticks)
