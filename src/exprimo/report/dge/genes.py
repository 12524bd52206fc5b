"""Volcano and MA plots: each gene's change, against its evidence and against its expression."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.report.charts.chart import Axis, Chart, Colour, FloatArray, Rule, Series
from exprimo.report.charts.crowding import place_notes, sparse, thinning
from exprimo.report.dge.reading import DgeFolder
from exprimo.report.wording import counted, shortened

N_NAMED = 14
"""Genes named in the volcano plot, half of them up and half down."""

_LIVE: dict[str, int] = {"": 500, "none": 1200, "down": 800, "up": 800}
_COLOURS: dict[str, tuple[Colour, float, float]] = {
    "": ("muted", 3.0, 0.5),
    "none": ("muted", 3.5, 0.6),
    "down": ("c1", 4.0, 0.85),
    "up": ("c2", 4.0, 0.85),
}
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class Cloud(NamedTuple):
    """Where genes stand: in the units of the data, and as drawn (logarithms on a log axis)."""

    x: FloatArray
    y: FloatArray
    drawn_x: FloatArray
    drawn_y: FloatArray


def volcano(dge: DgeFolder) -> Chart:
    """Draw fold change against the adjusted p-value, with the thresholds and the top genes."""
    change, padj = dge.column("log2FoldChange"), dge.column("padj")
    tested = np.isfinite(padj) & np.isfinite(change)
    height, capped = _evidence(padj)
    top = float(np.max(height[tested], initial=1.0))
    wide = float(np.max(np.abs(change[tested]), initial=1.0)) * 1.06
    window = ((-wide, wide), (-0.03 * top, 1.1 * top))
    cloud = Cloud(change, height, change, height)
    first = _top_genes(dge, tested)
    series = [
        one
        for direction in ("none", "down", "up")
        for one in _series(
            dge, cloud, tested & (dge.direction == direction), direction, capped, first
        )
    ]
    called = tested & np.isin(dge.direction, ["up", "down"])
    notes = place_notes(
        change[first], height[first],
        [shortened(str(g), 22) for g in dge.genes["gene_id"].to_numpy()[first]], window,
        around=(change[called], height[called]),
    )  # fmt: skip
    up, down = (int((tested & (dge.direction == d)).sum()) for d in ("up", "down"))
    n = int(tested.sum())
    at_edge = ""
    if zero := int((tested & capped).sum()):
        at_edge = (
            f" {counted(zero, 'gene')} with an adjusted p of 0, smaller than a number can be "
            "stored, drawn as triangles at the top edge."
        )
    return Chart(
        "volcano",
        f"Volcano plot: {dge.contrast.get('text', '')}",
        f"{counted(n, 'tested gene')}; dotted lines are the thresholds of a call.{at_edge}",
        f"Volcano plot of {counted(n, 'tested gene')}: {up:,} called {dge.called('up')}, "
        f"{down:,} called {dge.called('down')}.",
        Axis(dge.fold_change_label, window[0]),
        Axis("−log10 adjusted p", window[1]),
        tuple(series),
        _thresholds(dge, window),
        sources=(dge.file("results.tsv"), dge.file("labels.tsv")),
        tall=True,
        notes=notes,
        live_note=thinning(series),
    )


def ma_plot(dge: DgeFolder) -> Chart:
    """Draw fold change against mean expression; the shrunken fold change where there is one."""
    mean = dge.column("baseMean")
    name = "log2FoldChangeShrunken" if dge.is_shrunk else "log2FoldChange"
    change = dge.column(name)
    there = (mean > 0) & np.isfinite(change)
    cloud = Cloud(mean, change, np.log10(np.where(mean > 0, mean, 1.0)), change)
    none_capped, none_kept = np.zeros(mean.size, dtype=bool), np.zeros(0, dtype=np.int64)
    series = [
        one
        for direction in ("", "none", "down", "up")
        for one in _series(
            dge, cloud, there & (dge.direction == direction), direction, none_capped, none_kept
        )
    ]
    shrunk = (
        "Shrunken fold changes: little-expressed genes are drawn towards 0."
        if dge.is_shrunk
        else "Fold changes are not shrunken: those of little-expressed genes are noisy."
    )
    n = int(there.sum())
    return Chart(
        "ma",
        f"MA plot: {dge.contrast.get('text', '')}",
        f"{counted(n, 'expressed gene')}. {shrunk}",
        f"MA plot of {counted(n, 'gene')}: log2 fold change against mean normalised count.",
        Axis("Mean of normalised counts (log scale)", log=True),
        Axis(("shrunken " if dge.is_shrunk else "") + dge.fold_change_label),
        tuple(series),
        (Rule("y", 0.0),),
        sources=(dge.file("results.tsv"), dge.file("labels.tsv")),
        tall=True,
        live_note=thinning(series),
    )


def _evidence(padj: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Give −log10 p with that of p = 0 a little above all others, and which those are."""
    zero = padj == 0
    height = -np.log10(np.where(zero | ~np.isfinite(padj), 1.0, padj))
    above = float(np.max(height[~zero], initial=10.0)) * 1.05
    return np.where(zero, above, height) + 0.0, zero


def _thresholds(
    dge: DgeFolder, window: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[Rule, ...]:
    """Give the thresholds of a call that lie within the figure."""
    rules = [
        Rule("y", float(-np.log10(dge.padj)), f"adjusted p = {dge.padj:g}"),
        Rule("x", -dge.lfc, f"−{dge.lfc:g}"),
        Rule("x", dge.lfc, f"{dge.lfc:g}"),
    ]
    ends = {"x": window[0], "y": window[1]}
    return tuple(
        rule
        for rule in rules[: 3 if dge.lfc > 0 else 1]
        if ends[rule.along][0] <= rule.at <= ends[rule.along][1]
    )


def _series(
    dge: DgeFolder,
    cloud: Cloud,
    rows: BoolArray,
    direction: str,
    capped: BoolArray,
    kept: IntArray,
) -> list[Series]:
    """Give the points of one direction; those at the top edge are triangles of their own.

    Genes that are `kept` are drawn in the browser too, however crowded it is around them.
    """
    names = {"": "not tested", "none": "tested, not called"}
    name = names.get(direction) or dge.called(direction)
    entry = f"{name} ({int(rows.sum()):,})"
    made: list[Series] = []
    # Both greys of the genes that are not called would look alike in a legend.
    usual = "circle" if direction else "x"
    for symbol, chosen in ((usual, rows & ~capped), ("triangle-up", rows & capped)):
        at = np.flatnonzero(chosen)
        if not at.size:
            continue
        colour, size, opacity = _COLOURS[direction]
        made.append(
            Series(
                entry, cloud.x[at], cloud.y[at], colour,
                symbol=symbol, size=size if symbol == usual else size + 3, opacity=opacity,
                hover=tuple(map(str, dge.genes["gene_id"].to_numpy()[at])),
                in_legend=not made,
                live=np.union1d(
                    sparse(cloud.drawn_x[at], cloud.drawn_y[at], _LIVE[direction]),
                    np.flatnonzero(np.isin(at, kept)),
                ),
            )
        )  # fmt: skip
    return made


def _top_genes(dge: DgeFolder, tested: BoolArray) -> IntArray:
    """Choose the genes to name: of each direction those with the least adjusted p."""
    padj, change = dge.column("padj"), np.abs(dge.column("log2FoldChange"))
    chosen = [
        rows[np.lexsort((-change[rows], padj[rows]))][: N_NAMED // 2]
        for direction in ("up", "down")
        if (rows := np.flatnonzero(tested & (dge.direction == direction))).size
    ]
    # By turns, so that neither direction takes all the room.
    deep = [(k, rank, row) for k, rows in enumerate(chosen) for rank, row in enumerate(rows)]
    return np.array([row for _, _, row in sorted(deep, key=lambda t: t[1])], dtype=np.int64)
