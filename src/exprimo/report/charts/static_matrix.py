"""Heat maps as matplotlib draws them."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from exprimo.report.charts.chart import SCALE_LIGHT, Matrix, ink_on
from exprimo.report.wording import shortened

_MARGIN = 1.7
_LEAST, _MOST = 3.6, 14.0


def matrix_size(matrix: Matrix) -> tuple[float, float]:
    """Give the size in inches: names stay legible, however many there are."""
    edge = _edge(matrix)
    rows, columns = matrix.values.shape
    names = 0.055 * max(map(len, map(_name, matrix.rows))) if matrix.named else 0.0
    return edge * columns + _MARGIN + names, edge * rows + 1.1 + names


def _edge(matrix: Matrix) -> float:
    """Give the edge of a cell in inches."""
    n = float(max(matrix.values.shape))
    if not matrix.named:
        return 6.0 / n
    return min(max(_LEAST / n, 0.115), _MOST / n, 1.35)


def _name(name: str) -> str:
    return shortened(name, 22)


def draw_matrix(figure: Figure, axes: Axes, matrix: Matrix) -> None:
    """Draw the cells, their names, what stands in them, and the scale of colours."""
    colours = LinearSegmentedColormap.from_list(
        "exprimo", SCALE_LIGHT[::-1] if matrix.small_is_dark else SCALE_LIGHT
    )
    low, high = matrix.range or (float(matrix.values.min()), float(matrix.values.max()))
    scale = Normalize(low, high)
    image = axes.imshow(
        matrix.values, cmap=colours, norm=scale, aspect="equal", interpolation="none"
    )
    size = min(9.0, _edge(matrix) * 72 * 0.75)
    if matrix.named:
        axes.set_yticks(range(len(matrix.rows)), [_name(n) for n in matrix.rows], fontsize=size)
        upright = len(matrix.columns) > 4
        axes.set_xticks(
            range(len(matrix.columns)), [_name(n) for n in matrix.columns],
            fontsize=size, rotation=90 if upright else 0,
        )  # fmt: skip
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for i, row in enumerate(matrix.cells):
        for j, text in enumerate(row):
            share = float(scale(matrix.values[i, j]))
            axes.text(
                j, i, text, ha="center", va="center", fontsize=10,
                color=ink_on(SCALE_LIGHT, 1 - share if matrix.small_is_dark else share),
            )  # fmt: skip
    if matrix.cells:
        return  # the numbers are there
    bar = figure.colorbar(image, ax=axes, shrink=0.7, aspect=24, pad=0.03)
    bar.set_label(shortened(matrix.label, 48), fontsize=8)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=7.5)
