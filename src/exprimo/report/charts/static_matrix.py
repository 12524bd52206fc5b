"""Heat maps as matplotlib draws them."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from exprimo.report.charts.chart import SCALE_LIGHT, SIGNED_LIGHT, Matrix, ink_on
from exprimo.report.wording import shortened

_MARGIN = 1.7
_LEAST, _MOST = 3.6, 14.0
_WIDE = 6.8


def matrix_size(matrix: Matrix) -> tuple[float, float]:
    """Give the size in inches: names stay legible, however many there are."""
    rows, columns = matrix.values.shape
    if matrix.stretched:
        return _WIDE, 1.5 + _row_height(rows) * rows
    edge = _edge(matrix)
    names = 0.055 * max(map(len, map(_name, matrix.rows))) if matrix.named else 0.0
    return edge * columns + _MARGIN + names, edge * rows + 1.1 + names


def _edge(matrix: Matrix) -> float:
    """Give the edge of a cell in inches."""
    n = float(max(matrix.values.shape))
    if not matrix.named:
        return 6.0 / n
    return min(max(_LEAST / n, 0.115), _MOST / n, 1.35)


def _row_height(rows: int) -> float:
    """Give the height in inches of a row whose cells are stretched."""
    return 0.3 if rows <= 12 else 0.145


def _name(name: str) -> str:
    return shortened(name, 22)


def draw_matrix(figure: Figure, axes: Axes, matrix: Matrix) -> None:
    """Draw the cells, their names, what stands in them, and the scale of colours."""
    steps = SIGNED_LIGHT if matrix.signed else SCALE_LIGHT
    colours = LinearSegmentedColormap.from_list(
        "exprimo", steps[::-1] if matrix.small_is_dark else steps
    )
    scale = Normalize(*matrix.ends)
    image = axes.imshow(
        matrix.values, cmap=colours, norm=scale, interpolation="none",
        aspect="auto" if matrix.stretched else "equal",
    )  # fmt: skip
    height = _row_height(len(matrix.rows)) if matrix.stretched else _edge(matrix)
    size = min(9.0, height * 72 * 0.75)
    if matrix.named:
        axes.set_yticks(range(len(matrix.rows)), [_name(n) for n in matrix.rows], fontsize=size)
        ticks = matrix.column_ticks or tuple(enumerate(matrix.columns))
        upright = len(ticks) > 4 and not matrix.stretched
        axes.set_xticks(
            [at for at, _ in ticks], [_name(n) for _, n in ticks],
            fontsize=8.5 if matrix.stretched else size, rotation=90 if upright else 0,
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
                color=ink_on(steps, 1 - share if matrix.small_is_dark else share),
            )  # fmt: skip
    if matrix.cells:
        return  # the numbers are there
    bar = figure.colorbar(image, ax=axes, shrink=0.7, aspect=24, pad=0.03)
    bar.set_label(shortened(matrix.label, 48), fontsize=8)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=7.5)
