"""Many points, few pixels: which points a browser draws, and where names fit beside points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exprimo.report.charts.chart import FloatArray, Note, Series

PLOT_POINTS = (400.0, 270.0)
"""Width and height of a tall figure's plotting area on paper, in points (1/72 inch)."""

_GRID = (90, 60)
_LETTER, _LINE = 4.4, 9.5
_DIRECTIONS = ((1, 0.35), (-1, 0.35), (1, -0.6), (-1, -0.6), (0, 1), (0, -1), (1, 1), (-1, 1))
_DISTANCES = (7.0, 15.0, 26.0)

Box = tuple[float, float, float, float]


def sparse(x: FloatArray, y: FloatArray, keep: int) -> NDArray[np.int64]:
    """Choose about `keep` points that look like all: lone ones stay, crowds are thinned.

    The plane is cut into a grid; of each cell the same number is kept, the first ones.

    Parameters
    ----------
    x, y
        Positions as they are drawn, so on a logarithmic axis their logarithms; finite.

    Examples
    --------
    >>> crowd = np.zeros(1000)
    >>> x, y = np.append(crowd, 5.0), np.append(crowd, 5.0)
    >>> sparse(x, y, 10).tolist()[-1], sparse(x, y, 10).size <= 10
    (1000, True)
    """
    if x.size <= keep:
        return np.arange(x.size, dtype=np.int64)
    cell = _grid(x, y, keep // 2)
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(cell[order]) > 0])
    rank = np.empty(x.size, dtype=np.int64)
    sizes = np.diff(np.r_[starts, x.size])
    rank[order] = np.arange(x.size) - np.repeat(starts, sizes)
    # rank < k keeps sum(min(size, k)) points; take the largest k that fits.
    kept_by_k = np.cumsum(np.bincount(rank))
    k = int(np.searchsorted(kept_by_k, keep, side="right"))
    chosen = np.flatnonzero(rank < k)
    spare = np.flatnonzero(rank == k)
    extra = np.random.default_rng(0).permutation(spare)[: keep - chosen.size]
    found: NDArray[np.int64] = np.sort(np.concatenate([chosen, extra]))
    return found


def thinning(series: Sequence[Series]) -> str:
    """Say how many of all points the browser draws; nothing where it draws all."""
    points = [s for s in series if s.symbol]
    shown = sum(s.x.size if s.live is None else s.live.size for s in points)
    of = sum(s.x.size for s in points)
    return f"This form draws {shown:,} of {of:,} points; PNG and SVG draw all." * (shown < of)


def _grid(x: FloatArray, y: FloatArray, most: int) -> NDArray[np.int64]:
    """Number the cells so that at most about `most` of them hold a point."""
    wide, high = _GRID
    while True:
        cell = _cells(x, wide) * high + _cells(y, high)
        if wide < 4 or np.unique(cell).size <= most:
            return cell
        wide, high = int(wide * 0.8), max(int(high * 0.8), 1)


def _cells(values: FloatArray, n: int) -> NDArray[np.int64]:
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.size, dtype=np.int64)
    return np.minimum((values - low) / (high - low) * n, n - 1).astype(np.int64)


def place_notes(
    x: FloatArray,
    y: FloatArray,
    names: Sequence[str],
    window: tuple[tuple[float, float], tuple[float, float]],
    *,
    data: tuple[FloatArray, FloatArray] | None = None,
    plot: tuple[float, float] = PLOT_POINTS,
    reach: float = 30.0,
    around: tuple[FloatArray, FloatArray] | None = None,
) -> tuple[Note, ...]:
    """Put names beside points so that none covers another; what finds no place is left out.

    No name covers the line that leads from another name to its point, either.

    Parameters
    ----------
    x, y
        Positions as drawn (logarithms on a logarithmic axis); the first come first.
    window
        Ends of the x axis and of the y axis, in the same units.
    data
        Positions in the units of the data where those differ.
    plot
        Size of the plotting area in points.
    reach
        How far a name may stand from its point, in points.
    around
        Other points that no name may cover, positions as drawn.

    Examples
    --------
    >>> at = np.array([0.5, 0.5])
    >>> notes = place_notes(at, at, ["a", "b"], ((0, 1), (0, 1)))
    >>> [n.text for n in notes], notes[0].right != notes[1].right
    (['a', 'b'], True)
    """
    (left, right), (low, high) = window
    across = (x - left) / (right - left) * plot[0]
    along = (y - low) / (high - low) * plot[1]
    others = (np.zeros(0), np.zeros(0)) if around is None else around
    points = np.column_stack(
        [
            np.append(across, (others[0] - left) / (right - left) * plot[0]),
            np.append(along, (others[1] - low) / (high - low) * plot[1]),
        ]
    )
    taken = _Taken(points, plot)
    drawn_x, drawn_y = data or (x, y)
    notes = []
    for i, name in enumerate(names):
        offset = _free_place(float(across[i]), float(along[i]), name, taken, reach)
        if offset is not None:
            notes.append(Note(float(drawn_x[i]), float(drawn_y[i]), name, *offset))
    return tuple(notes)


class _Taken:
    """What already stands in a figure: points, names, and the lines that lead to names."""

    def __init__(self, points: FloatArray, plot: tuple[float, float]) -> None:
        self._points = points
        self._plot = plot
        self._names: list[Box] = []
        self._lines: list[FloatArray] = []

    def is_free(self, box: Box, line: FloatArray) -> bool:
        inside = box[0] > 0 and box[1] > 0 and box[2] < self._plot[0] and box[3] < self._plot[1]
        return (
            inside
            and not any(_overlap(box, other) for other in self._names)
            and not any(_within(other, box) for other in (self._points, *self._lines))
            and not any(_within(line, other) for other in self._names)
        )

    def add(self, box: Box, line: FloatArray) -> None:
        self._names.append(box)
        self._lines.append(line)


def _free_place(
    x: float, y: float, name: str, taken: _Taken, reach: float
) -> tuple[float, float] | None:
    half, rise = _LETTER * len(name) / 2 + 1.5, _LINE / 2
    for distance in (d for d in _DISTANCES if d <= reach):
        for aside, above in _DIRECTIONS:
            right = aside * (distance + half)
            up = above * (distance + rise)
            box = (x + right - half, y + up - rise, x + right + half, y + up + rise)
            # To the edge of the name that faces its point.
            end = (x + aside * distance, y + above * distance)
            line = np.linspace((x, y), end, 8)
            if taken.is_free(box, line):
                taken.add(box, line)
                return right, up
    return None


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _within(points: FloatArray, box: Box) -> bool:
    """Tell whether any point lies in a box, or within the radius of a drawn point of it."""
    x, y = points[:, 0], points[:, 1]
    near = (x > box[0] - 2) & (x < box[2] + 2) & (y > box[1] - 2) & (y < box[3] + 2)
    return bool(near.any())
