"""Figures of the samples: principal components, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from exprimo.report.charts.chart import (
    CYCLE,
    SYMBOLS,
    Axis,
    Chart,
    Matrix,
    Series,
    floats,
)
from exprimo.report.charts.crowding import place_notes
from exprimo.report.dge.reading import DgeFolder
from exprimo.report.wording import counted, percent, shortened

MAX_NAMED = 150
"""Names of more samples cannot be read, and their heat map is too heavy to be interactive."""

_MAX_NAMED_POINTS = 100
_FEW = 24
_MAX_SHAPES = len(SYMBOLS)
_MAX_LEVELS = len(SYMBOLS) * len(CYCLE)
_SQUARE_PLOT = (300.0, 290.0)


def factors_of(dge: DgeFolder) -> tuple[str | None, str | None]:
    """Choose what colours and what shapes stand for.

    Colours: the contrast's factor, else the first column of the design with few levels. Shapes:
    the next such column, those of the design first.
    """
    sheet = [c for c in dge.samples.columns if c not in ("sample", "size_factor")]
    design = str(dge.summary.get("design") or "")
    words = set("".join(ch if ch.isalnum() or ch in "._" else " " for ch in design).split())
    few = [c for c in sheet if 1 < dge.samples[c].nunique() <= _MAX_LEVELS]
    few.sort(key=lambda c: c not in words)  # stable: the sheet's order otherwise
    factor = dge.contrast.get("factor")
    first = factor if factor in few else next(iter(few), None)
    rest = [c for c in few if c != first and dge.samples[c].nunique() <= _MAX_SHAPES]
    n_levels = 0 if first is None else dge.samples[first].nunique()
    return first, next(iter(rest), None) if n_levels <= len(CYCLE) else None


def levels_of(dge: DgeFolder, factor: str) -> list[str]:
    """List a factor's levels: the contrast's denominator and numerator first."""
    found = list(dict.fromkeys(dge.samples[factor]))
    if factor == dge.contrast.get("factor"):
        ends = [dge.contrast.get("denominator"), dge.contrast.get("numerator")]
        found.sort(key=lambda level: ends.index(level) if level in ends else len(ends))
    return found


def pca_plot(dge: DgeFolder) -> Chart | None:
    """Draw the first two principal components of the samples."""
    if dge.pca is None:
        return None
    colour, shape = factors_of(dge)
    x, y = floats(dge.pca["pc1"].to_numpy()), floats(dge.pca["pc2"].to_numpy())
    table = _described(dge, dge.pca["sample"], colour, shape).assign(x=x, y=y)
    facts = dge.summary.get("pca") or {}
    explained = list(facts.get("explained") or ())
    windows = tuple((float(v.min()) - m, float(v.max()) + m) for v in (x, y)
                    if (m := 0.12 * float(np.ptp(v)) or 1.0))  # fmt: skip
    n_genes = facts.get("n_genes")
    of = f" of the {n_genes:,} most variable genes" if n_genes else ""
    by = f"Colours are {colour}" if colour else "One point per sample"
    by += f", shapes {shape}" if shape else ""
    series = _sample_points(dge, table, colour, shape)
    n = len(table)
    notes = place_notes(
        x, y, [shortened(str(s), 16) for s in table["sample"]], (windows[0], windows[1]),
        plot=_SQUARE_PLOT, reach=30.0 if n <= _FEW else 8.0,
    ) if n <= _MAX_NAMED_POINTS else ()  # fmt: skip
    left_out = " Names that find no room are left out." if len(notes) < n else ""
    shares = " and ".join(percent(float(share)) for share in explained[:2])
    return Chart(
        "pca",
        "Principal components of the samples",
        f"Variance-stabilised counts{of}. {by}.{left_out}",
        f"Principal components of {counted(len(table), 'sample')}"
        + (f"; the first two explain {shares} of the variance." if shares else "."),
        Axis(_component(1, explained), windows[0]),
        Axis(_component(2, explained), windows[1]),
        tuple(series),
        sources=(dge.file("pca.tsv"), dge.file("samples.tsv"), dge.file("summary.json")),
        square=True,
        notes=notes,
    )  # fmt: skip


def _component(k: int, explained: Sequence[float]) -> str:
    share = f" ({percent(float(explained[k - 1]))} of variance)" if len(explained) >= k else ""
    return f"PC{k}{share}"


def _described(
    dge: DgeFolder, samples: pd.Series, colour: str | None, shape: str | None
) -> pd.DataFrame:
    """Give, for each sample, its name, what its colour and its shape mean, and both in words."""
    sheet = dge.samples.set_index("sample").reindex(samples).fillna("").reset_index()
    table = pd.DataFrame({"sample": sheet["sample"], "about": sheet["sample"]})
    for role, factor in (("colour", colour), ("shape", shape)):
        table[role] = "" if factor is None else sheet[factor]
        if factor is not None:
            table["about"] += f", {factor} " + sheet[factor]
    return table


def _sample_points(
    dge: DgeFolder, table: pd.DataFrame, colour: str | None, shape: str | None
) -> list[Series]:
    levels = levels_of(dge, colour) if colour else [""]
    shapes = levels_of(dge, shape) if shape else [""]
    series = []
    for (i, level), (j, form) in product(enumerate(levels), enumerate(shapes)):
        rows = table[(table["colour"] == level) & (table["shape"] == form)]
        if rows.empty:
            continue
        symbol = j if shape else i // len(CYCLE)
        series.append(
            Series(
                ", ".join([level, form] if shape else [level]) if colour else "samples",
                floats(rows["x"].to_numpy()), floats(rows["y"].to_numpy()),
                CYCLE[i % len(CYCLE)], symbol=SYMBOLS[symbol % len(SYMBOLS)], size=10,
                opacity=0.9, hover=tuple(rows["about"]),
            )
        )  # fmt: skip
    return series


def distance_map(dge: DgeFolder) -> Chart | None:
    """Draw the distances between samples, alike ones side by side."""
    table = dge.distances
    if table is None or len(table) < 2:
        return None
    order = _clustered(table)
    factor, _ = factors_of(dge)
    level = dict(zip(dge.samples["sample"], dge.samples[factor], strict=True)) if factor else {}
    names = tuple(
        f"{sample} · {level[sample]}" if sample in level else str(sample)
        for sample in table.index[order]
    )
    n = len(names)
    few = n <= MAX_NAMED
    return Chart(
        "sample_distances",
        "Distances between samples",
        "Euclidean, on variance-stabilised counts; 0 is alike. Ordered by hierarchical "
        f"clustering (average linkage).{'' if few else ' Names of so many samples are left out.'}",
        f"Heat map of the distances between {counted(n, 'sample')}.",
        Axis(""),
        Axis(""),
        (),
        sources=(dge.file("sample_distances.tsv"), dge.file("samples.tsv")),
        square=n <= 12,
        live=few,
        matrix=Matrix(
            floats(table.to_numpy())[np.ix_(order, order)],
            names,
            names,
            "Euclidean distance (vst, log2 scale)",
            small_is_dark=True,
            named=few,
        ),
    )


def _clustered(table: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    distances = floats(table.to_numpy())
    condensed = squareform((distances + distances.T) / 2, checks=False)
    tree = hierarchy.linkage(condensed, "average", optimal_ordering=len(table) <= MAX_NAMED)
    return np.asarray(hierarchy.leaves_list(tree), dtype=np.int64)
