"""Heat maps of what a network looks at: signed gradients and attention, in bins around the TSS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.report.charts.chart import Axis, Chart, FloatArray, Matrix, Series, floats
from exprimo.report.chromatin.reading import EVERY_GENE, Explanation
from exprimo.report.interpret.profile import position_name
from exprimo.report.wording import counted, number, shortened

MAX_DRAWN = 6
"""Cell types, genes or marks that are drawn one by one; the files have all."""

_MOST_KMERS = 24
_MOST_WRITTEN = 12
_BRIGHTEST = 0.995
_MOST_FOLDS = 3.0
_FOLDS = "log2(weight / even)"
_AXIS = Axis("Position relative to the TSS (bases)")


class Grid(NamedTuple):
    """One label's values: (rows, bins), with the names of the rows and the bins' first bases."""

    label: str
    values: FloatArray
    rows: tuple[str, ...]
    offsets: tuple[int, ...]
    n: int


def grids(table: pd.DataFrame) -> list[Grid]:
    """Give one grid per label, rows in the order of the file."""
    found = []
    for label, part in table.groupby("label", sort=False):
        rows = tuple(dict.fromkeys(map(str, part["row"])))
        offsets = sorted(int(offset) for offset in part["offset"].unique())
        cells = part.pivot(index="row", columns="offset", values="mean")
        values = floats(cells.loc[list(rows), offsets].to_numpy())
        n = int(part["n"].iloc[0])
        found.append(Grid(str(label), values, rows, tuple(offsets), n))
    return found


def mark_charts(found: Explanation) -> list[Chart]:
    """Draw the mean signed gradient of each mark in each bin, one figure per cell type."""
    if found.marks is None or found.marks.empty:
        return []
    every = grids(found.marks)
    top = _top(grid.values for grid in every)
    planted = " Triangles: where the simulated world planted a mark; up: it rises with expression."
    return [
        _signed(
            found,
            f"marks-{k}",
            f"Gradient of each mark in {shortened(grid.label)}",
            f"Mean over {counted(grid.n, 'test gene')}; one scale for all cell types."
            f"{_beyond(every, top)}{planted if found.planted else ''}",
            grid,
            top,
            "mark_bins.tsv",
            found.mark_unit,
            _planted(found, grid),
        )
        for k, grid in enumerate(every[:MAX_DRAWN], 1)
    ]


def kmer_charts(found: Explanation) -> list[Chart]:
    """Draw the mean signed gradient of the strongest k-mers: over all test genes, and by gene."""
    if found.kmers is None or found.kmers.empty:
        return []
    every = grids(found.kmers)
    chosen = strongest(every[0])
    shown = [_only(grid, chosen) for grid in every[: MAX_DRAWN + 1]]
    charts = []
    for k, grid in enumerate(shown, 1):
        together = grid.label == EVERY_GENE
        alike = [one for one in shown if (one.label == EVERY_GENE) == together]
        top = _top(one.values for one in alike)
        many = f"{len(chosen)} of {counted(len(every[0].rows), 'k-mer')}, those of the greatest"
        over = "over all test genes" if together else f"of {shortened(grid.label)}"
        scale = "" if together or len(alike) < 2 else " One scale for all single genes."
        mean = counted(grid.n, "test example" if together else "cell type")
        charts.append(
            _signed(
                found,
                f"kmers-{k}",
                f"Gradient of k-mers {over}",
                f"{many} mean gradient over all test genes; mean over {mean}.{scale}"
                f"{_beyond(alike, top)}",
                grid,
                top,
                "kmer_bins.tsv",
                found.kmer_unit,
            )
        )
    return charts


def strongest(grid: Grid, most: int = _MOST_KMERS) -> list[int]:
    """Choose the rows of the greatest total |value|, those that raise the output first.

    Examples
    --------
    >>> values = np.array([[0.1, 0.0], [-2.0, -1.0], [1.0, 2.0]])
    >>> strongest(Grid("g", values, ("AAA", "AAC", "AAG"), (-100, 0), 5), most=2)
    [2, 1]
    """
    order = np.argsort(-np.abs(grid.values).sum(1), kind="stable")[:most]
    return [int(row) for row in sorted(order, key=lambda row: -grid.values[row].sum())]


def attention_charts(found: Explanation) -> list[Chart]:
    """Draw the weights of the marks in each cell type, and of bins within marks."""
    if found.attention is None or found.attention.empty:
        return []
    levels = {str(level): part for level, part in found.attention.groupby("level", sort=False)}
    charts = [_mark_weights(found, grids(levels["marks"]))] if "marks" in levels else []
    every = grids(levels["bins"]) if "bins" in levels else []
    if not every:
        return charts
    folds = [grid._replace(values=_folds(grid.values, axis=1)) for grid in every]
    top = _fold_top(grid.values for grid in folds)
    for k, (grid, fold) in enumerate(zip(every[:MAX_DRAWN], folds, strict=False), 1):
        charts.append(
            Chart(
                f"attention-{k}",
                f"Attention to bins in {shortened(grid.label)}",
                f"Mean weight of each bin within its mark over {counted(grid.n, 'test gene')}, "
                f"against the even weight of {number(1 / len(grid.offsets))}: blue is more, orange "
                f"less. One scale for all cell types.{_beyond(folds, top)}",
                f"Heat map of attention, marks by bins, in {grid.label}; {_extreme(grid)}.",
                _AXIS,
                Axis(""),
                (),
                sources=(found.file("attention.tsv"),),
                matrix=_matrix(fold, _FOLDS, (-top, top), signed=True),
            )
        )
    return charts


def _folds(weights: FloatArray, axis: int) -> FloatArray:
    """Give weights that sum to 1 along an axis as log2 of their ratio to even ones.

    Attention that is spread evenly is then pale, whatever the number of bins.
    """
    ratio = weights * weights.shape[axis]
    return floats(np.log2(np.maximum(ratio, 2.0**-_MOST_FOLDS)))


def _fold_top(values: Iterable[FloatArray]) -> float:
    return min(max(_top(values), 1.0), _MOST_FOLDS)


def _mark_weights(found: Explanation, every: Sequence[Grid]) -> Chart:
    values = np.array([grid.values[:, 0] for grid in every])
    folds = _folds(values, axis=1)
    top = _fold_top([folds])
    marks, cells = every[0].rows, tuple(grid.label for grid in every)
    place = np.unravel_index(int(values.argmax()), values.shape)
    written = tuple(tuple(f"{value:.2f}" for value in row) for row in values)
    return Chart(
        "attention-marks",
        "Attention to marks, by cell type",
        f"Mean weight of each mark over test genes, against the even weight of "
        f"{number(1 / len(marks), 2)}: blue is more, orange less. Weights say where a network "
        "reads, not which way it moves.",
        f"Heat map of the weight of {counted(len(marks), 'mark')} in "
        f"{counted(len(cells), 'cell type')}; greatest {number(float(values.max()))}, "
        f"{marks[place[1]]} in {cells[place[0]]}.",
        Axis("Mark"),
        Axis("Cell type"),
        (),
        sources=(found.file("attention.tsv"),),
        matrix=Matrix(
            folds, cells, marks, _FOLDS,
            cells=written if len(cells) <= _MOST_WRITTEN else (),
            range=(-top, top), signed=True, stretched=True,
        ),
    )  # fmt: skip


def _signed(
    found: Explanation,
    key: str,
    title: str,
    caption: str,
    grid: Grid,
    top: float,
    file: str,
    unit: str,
    points: tuple[Series, ...] = (),
) -> Chart:
    return Chart(
        key,
        title,
        f"{caption} Blue: more of it raises the output; orange: lowers it.",
        f"Heat map of the mean signed gradient of {grid.label}, {len(grid.rows)} rows by "
        f"{counted(len(grid.offsets), 'bin')}; {_extreme(grid)} ({unit}).",
        _AXIS,
        Axis(""),
        points,
        sources=(found.file(file), *([found.file("interpretation.json")] if points else [])),
        matrix=_matrix(grid, f"Gradient ({unit})", (-top, top), signed=True),
    )


def _matrix(grid: Grid, label: str, ends: tuple[float, float], *, signed: bool = False) -> Matrix:
    size = bin_size(grid.offsets)
    columns = tuple(f"{position_name(o)} to {position_name(o + size)}" for o in grid.offsets)
    n = len(columns)
    quarters = sorted({0, n // 4, n // 2, 3 * n // 4})
    ticks = tuple(
        (at, position_name(grid.offsets[at]) if grid.offsets[at] else "TSS") for at in quarters
    )
    return Matrix(
        grid.values, grid.rows, columns, label,
        range=ends, signed=signed, stretched=True, column_ticks=ticks,
    )  # fmt: skip


def bin_size(offsets: Sequence[int]) -> int:
    """Give the bases of a bin from the first bases of all."""
    return offsets[1] - offsets[0] if len(offsets) > 1 else 1


def _planted(found: Explanation, grid: Grid) -> tuple[Series, ...]:
    """Mark the cells where a mark was planted, by which way it goes with expression."""
    size = bin_size(grid.offsets)
    series = []
    for sign, symbol, name in ((1, "triangle-up", "rises"), (-1, "triangle-down", "falls")):
        at = [
            ((int(one["offset"]) - grid.offsets[0]) // size, grid.rows.index(one["mark"]))
            for one in found.planted
            if one["label"] == grid.label
            and one["mark"] in grid.rows
            and float(one["sign"]) * sign > 0
        ]
        inside = [(x, y) for x, y in at if 0 <= x < len(grid.offsets)]
        if inside:
            x, y = zip(*inside, strict=True)
            series.append(
                Series(
                    f"planted, {name} with expression", floats(x), floats(y), "text",
                    symbol=symbol, size=11,
                    hover=tuple(f"{grid.rows[row]} planted here" for row in y),
                )
            )  # fmt: skip
    return tuple(series)


def _only(grid: Grid, rows: Sequence[int]) -> Grid:
    return grid._replace(values=grid.values[list(rows)], rows=tuple(grid.rows[row] for row in rows))


def _top(values: Iterable[FloatArray]) -> float:
    """Give the value that has the strongest colour: single bins do not fade all others."""
    every = np.abs(np.concatenate([one.ravel() for one in values]))
    top = float(np.quantile(every, _BRIGHTEST))
    return top if top > 0 else float(every.max()) or 1.0


def _beyond(every: Iterable[Grid], top: float) -> str:
    most = max(float(np.abs(grid.values).max()) for grid in every)
    return f" Values beyond ±{number(top)} are drawn as that." if most > top else ""


def _extreme(grid: Grid) -> str:
    """Say in words which cell has the greatest value."""
    row, column = np.unravel_index(int(np.abs(grid.values).argmax()), grid.values.shape)
    value = number(float(grid.values[row, column]))
    return f"greatest {value}, {grid.rows[row]} at {position_name(grid.offsets[column])}"
