"""The figures of found motifs, and of inserted ones, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.files.atomic import atomic_file
from exprimo.report.charts.chart import (
    CYCLE,
    Axis,
    Chart,
    FloatArray,
    Rule,
    Series,
    floats,
)
from exprimo.report.charts.static import Pictures
from exprimo.report.document.html import draw_all, save_pictures
from exprimo.report.motifs.logos import Logo, draw_logos
from exprimo.report.wording import counted

# A figure of more lines or rows than this is read by nobody.
_MOST_LOGOS, _MOST_LINES = 30, 6


def write_logos(
    folder: Path,
    names: Sequence[str],
    titles: Sequence[str],
    matrices: Sequence[tuple[FloatArray, FloatArray]],
    unit: str,
) -> list[Path]:
    """Draw each pattern's logo as ``logos/NAME``, and the first 30 together as ``figures/motifs``.

    Parameters
    ----------
    matrices
        Probabilities and mean contributions of each pattern, (width, 4) each.
    """
    logos = [Logo(title, *pair) for title, pair in zip(titles, matrices, strict=True)]
    written: list[Path] = []
    for name, logo in zip(names, logos, strict=True):
        written += _save(folder / "logos" / name, draw_logos([logo], unit))
    if logos:
        written += _save(folder / "figures" / "motifs", draw_logos(logos[:_MOST_LOGOS], unit))
    return written


def _save(stem: Path, pictures: Pictures) -> list[Path]:
    paths = []
    for suffix, content in (("png", pictures.png), ("svg", pictures.svg)):
        path = stem.with_name(f"{stem.name}.{suffix}")
        with atomic_file(path) as partial:
            partial.write_bytes(content)
        paths.append(path)
    return paths


def write_insertion_figures(
    folder: Path, effect: pd.DataFrame, spacing: pd.DataFrame | None, unit: str
) -> list[Path]:
    """Draw effects by position, and of a pair by distance, as PNG and SVG in ``figures/``."""
    charts = [effect_chart(effect, unit)]
    if spacing is not None:
        charts.append(spacing_chart(spacing, unit))
    return save_pictures(draw_all(charts), folder / "figures")


def effect_chart(table: pd.DataFrame, unit: str) -> Chart:
    """Draw the effect of the motifs that do most, by position and strand."""
    size = table.assign(size=table["effect"].abs()).groupby("motif", sort=False)["size"].max()
    shown = size.sort_values(ascending=False, kind="stable").index[:_MOST_LINES]
    series: list[Series] = []
    for colour, motif in zip(CYCLE, shown, strict=False):
        for strand, dash in (("+", "solid"), ("-", "dot")):
            part = table[(table["motif"] == motif) & (table["strand"] == strand)]
            if part.empty:
                continue
            x, y, low, high = (floats(part[c]) for c in ("position", "effect", "low", "high"))
            name = f"{motif} ({'−' if strand == '-' else '+'})"
            series.append(
                Series(name, x, y, colour, low, high, band=True, opacity=0.18, dash=None,
                       symbol=None, in_legend=False)
            )  # fmt: skip
            series.append(Series(name, x, y, colour, dash=dash, symbol=None))  # type: ignore[arg-type]  # a literal of two
    left = len(size) - len(shown)
    besides = f" {counted(left, 'motif')} of smaller effect: see the table." if left else ""
    positions = floats(table["position"])
    return Chart(
        "effect",
        "Effect of an inserted motif by position",
        "Mean change of the prediction when a motif replaces bases of a shuffled sequence; bands: "
        f"intervals over backgrounds. Dotted: reverse strand.{besides}",
        f"Lines of effect by position for {', '.join(map(str, shown))}.",
        Axis("Middle of the motif, relative to the TSS (bases)"),
        Axis(f"Change of the prediction ({_unit(unit)})"),
        tuple(series),
        (Rule("y", 0.0),)
        + ((Rule("x", 0.0, "TSS"),) if positions.min() < 0 < positions.max() else ()),
        sources=("effect.tsv",),
    )


def _unit(scale: str) -> str:
    return "units of the target" if scale == "prediction" else scale


def _apart(part: pd.DataFrame, column: str) -> FloatArray:
    """Give a column with a missing value between the two sides, so that no line joins them."""
    before = int((part["distance"] < 0).sum())
    return np.insert(floats(part[column]), before, np.nan)


def spacing_chart(table: pd.DataFrame, unit: str) -> Chart:
    """Draw what a pair does beyond the sum of its two motifs, by the distance between them."""
    series: list[Series] = []
    for colour, (strands, part) in zip(CYCLE, table.groupby("strands", sort=False), strict=False):
        x, y, low, high = (
            _apart(part, column) for column in ("distance", "interaction", "low", "high")
        )
        series.append(
            Series(str(strands), x, y, colour, low, high, band=True, opacity=0.18, dash=None,
                   symbol=None, in_legend=False)
        )  # fmt: skip
        series.append(Series(str(strands), x, y, colour, dash="solid", symbol=None))
    first = table.iloc[0]
    return Chart(
        "spacing",
        f"{first['motif_a']} and {first['motif_b']}: interaction by distance",
        "What the pair changes beyond the sum of what each changes alone at the same place; "
        "bands: intervals over backgrounds.",
        f"Lines of interaction between {first['motif_a']} and {first['motif_b']} by distance.",
        Axis("From the middle of the first to that of the second motif (bases)"),
        Axis(f"Interaction ({_unit(unit)})"),
        tuple(series),
        (Rule("y", 0.0),),
        sources=("spacing.tsv",),
    )
