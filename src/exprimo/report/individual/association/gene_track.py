"""Gene models of a locus: exons, introns, direction and names, in rows that do not collide."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.report.charts.chart import Axis, Box, Colour, Panel, Series, Word, floats
from exprimo.report.wording import shortened

_PLOT = 430.0
"""Width of a panel's plotting area on paper, in points."""

_LETTER = 4.0
_MOST_ROWS = 6
_MOST_NAMED = 40
_ROW_INCHES = 0.3
_GENE = "gene"


class Gene(NamedTuple):
    """A gene model in the units of the x axis; `row` counts from the top."""

    name: str
    start: float
    end: float
    strand: str
    exons: tuple[tuple[float, float], ...]
    own: bool
    row: int = 0


def read_genes(rows: pd.DataFrame, gene: str, unit: float) -> list[Gene]:
    """Read gene models; `unit` is how many bases one unit of the x axis has.

    A base at 1-based position p covers p - 0.5 to p + 0.5, as a variant stands at its position.
    """
    found = []
    for row in rows.to_dict("records"):
        name = str(row["gene_name"] or row["gene_id"])
        exons = tuple((a / unit, b / unit) for a, b in _exons(str(row["exons"])))
        # Exons are those of one transcript, and the gene may be longer.
        start = exons[0][0] if exons else (row["start"] - 0.5) / unit
        end = exons[-1][1] if exons else (row["end"] + 0.5) / unit
        found.append(Gene(name, start, end, str(row["strand"]), exons, row["gene_id"] == gene))
    return found


def _exons(text: str) -> list[tuple[float, float]]:
    """Read ``start-end,start-end``, 1-based and closed.

    Examples
    --------
    >>> _exons("11-20,31-31")
    [(10.5, 20.5), (30.5, 31.5)]
    """
    if not text:
        return []
    try:
        ends = sorted(tuple(map(int, part.split("-"))) for part in text.split(","))
        return [(start - 0.5, end + 0.5) for start, end in ends]
    except ValueError as error:
        raise FormatError(
            "not exons", file="gene_models.tsv", found=text, expected="start-end,start-end"
        ) from error


def packed(genes: list[Gene], window: tuple[float, float]) -> tuple[list[Gene], int]:
    """Give each gene within the window a row; what finds none is left out and counted.

    The locus's own gene comes first, then the longer ones; where there are few genes, room is
    kept for their names.

    Examples
    --------
    >>> a, b, c = (Gene(n, s, e, "+", (), n == "a") for n, s, e in
    ...            (("a", 0, 10), ("b", 5, 30), ("c", 60, 90)))
    >>> [(g.name, g.row) for g in packed([b, a, c], (0, 100))[0]]
    [('a', 0), ('c', 0), ('b', 1)]
    """
    low, high = window
    here = [gene for gene in genes if gene.end >= low and gene.start <= high]
    here.sort(key=lambda gene: (not gene.own, gene.start - gene.end))
    named = len(here) <= _MOST_NAMED
    ends: list[list[tuple[float, float]]] = [[] for _ in range(_MOST_ROWS)]
    placed = []
    for gene in here:
        start, end = _room(gene, window, named or gene.own)
        for row, taken in enumerate(ends):
            if all(end < other[0] or start > other[1] for other in taken):
                taken.append((start, end))
                placed.append(gene._replace(row=row))
                break
    return placed, len(here) - len(placed)


def _room(gene: Gene, window: tuple[float, float], named: bool) -> tuple[float, float]:
    start, end = max(gene.start, window[0]), min(gene.end, window[1])
    letter = (window[1] - window[0]) / _PLOT * _LETTER
    if not named:
        return start - letter / 4, end + letter / 4
    half = max((end - start) / 2, letter * len(_label(gene)) / 2) + letter
    return (start + end) / 2 - half, (start + end) / 2 + half


def gene_panel(genes: list[Gene], window: tuple[float, float]) -> Panel | None:
    """Draw gene models: exons as boxes, introns as lines, an arrow at the TSS, names above.

    Where there are many genes, the others are bars without names.
    """
    placed, left_out = packed(genes, window)
    if not placed:
        return None
    named = len(placed) + left_out <= _MOST_NAMED
    rows = 1 + max(gene.row for gene in placed)
    boxes, words = [], []
    own, others = ([gene for gene in placed if gene.own == mine] for mine in (True, False))
    series = _lines(others, "muted") if named else _bars(others, "muted")
    series += _lines(own, "c1")
    for gene in placed if named else own:
        colour: Colour = "c1" if gene.own else "muted"
        y = -float(gene.row)
        for start, end in gene.exons or ((gene.start, gene.end),):
            if end >= window[0] and start <= window[1]:
                boxes.append(Box((start, end), (y - 0.16, y + 0.16), colour))
        middle = (max(gene.start, window[0]) + min(gene.end, window[1])) / 2
        word: Colour = "text" if gene.own else "muted"
        words.append(Word(middle, y + 0.42, _label(gene), word, not gene.own))
    return Panel(
        Axis("genes", (-rows + 0.55, 0.75)), tuple(series), 0.18 + _ROW_INCHES * rows,
        boxes=tuple(boxes), words=tuple(words), named=False,
    )  # fmt: skip


def _bars(genes: list[Gene], colour: Colour, width: float = 6.0) -> list[Series]:
    """Draw each gene from end to end."""
    if not genes:
        return []
    x = floats([value for gene in genes for value in (gene.start, gene.end, np.nan)])
    y = floats([value for gene in genes for value in (-gene.row, -gene.row, np.nan)])
    return [Series(_GENE, x, y, colour, dash="solid", symbol=None, width=width, in_legend=False)]


def _lines(genes: list[Gene], colour: Colour) -> list[Series]:
    """Draw introns, and at each TSS an arrow the way that the gene is read."""
    made = _bars(genes, colour, width=1.4)
    for strand, symbol in (("+", "triangle-right"), ("-", "triangle-left")):
        mine = [gene for gene in genes if gene.strand == strand]
        if mine:
            tss = [gene.start if strand == "+" else gene.end for gene in mine]
            made.append(
                Series(
                    _GENE, floats(tss), floats([-gene.row for gene in mine]), colour,
                    symbol=symbol, size=9, in_legend=False,
                    hover=tuple(f"{gene.name}, strand {strand.replace('-', '−')}" for gene in mine),
                )
            )  # fmt: skip
    return made


def _label(gene: Gene) -> str:
    """Name a gene with an arrow the way that it is read."""
    name = shortened(gene.name, 18)
    return f"← {name}" if gene.strand == "-" else f"{name} →"
