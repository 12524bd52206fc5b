"""Figures that compare the rows of a chromatin study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from exprimo.report.charts.chart import Axis, Chart, Rule, Series, floats, row_axis
from exprimo.report.charts.forest import ForestRow, forest, verdict_of
from exprimo.report.chromatin.reading import GENE_MEAN, ChromatinFolder, interval_of
from exprimo.report.runs.overview import overview_charts
from exprimo.report.wording import metric_label, number, shortened, with_interval


def comparing_charts(study: ChromatinFolder) -> list[Chart]:
    """Make the figures of what inputs add, of rivals, of genes, and of the two rows by split."""
    made = (steps_chart(study), rivals_chart(study), within_chart(study), *_splits(study))
    return [chart for chart in made if chart is not None]


def steps_chart(study: ChromatinFolder) -> Chart | None:
    """Draw what each input adds, with paired intervals."""
    return _paired(
        study,
        "steps",
        "What each input adds",
        [(f"{step['input']}: added to {step['less']}", step) for step in study.steps],
        "Models differ in what they read and in nothing else.",
    )


def rivals_chart(study: ChromatinFolder) -> Chart | None:
    """Draw the answering row against the strongest baselines, with paired intervals."""
    return _paired(
        study,
        "rivals",
        f"“{shortened(study.row)}” against the baselines that a reviewer would ask for",
        [(f"{step['more']} − {step['less']}", step) for step in study.rivals],
        "gene_mean is the mean of each gene over the training cell types, and knows nothing of "
        "the cell; bins_ridge is a ridge regression on the same bins.",
    )


def _paired(
    study: ChromatinFolder,
    key: str,
    title: str,
    steps: Iterable[tuple[str, Mapping[str, Any]]],
    note: str,
) -> Chart | None:
    rows = []
    for name, step in steps:
        value, low, high = interval_of(step, "difference")
        rows.append(ForestRow(name, value, low, high, verdict_of(low, high)))
    if not rows:
        return None
    material = study.benchmark
    return forest(
        key,
        title,
        f"Differences on the same test examples of the {study.split} split, with 95% intervals. "
        f"{note}",
        f"Difference in {metric_label(material.headline)}",
        rows,
        sources=(material.file("paired.tsv"), "study.json"),
    )


def within_chart(study: ChromatinFolder) -> Chart | None:
    """Draw the correlation over the cell types of a gene, row by row."""
    genes = study.genes[(study.genes["split"] == study.split) & study.genes["pooled_r"].notna()]
    if genes.empty:
        return None
    genes = genes.sort_values("pooled_r", ascending=False, kind="stable")
    names = [str(name) for name in genes["model"]]
    values = [floats(genes[name].to_numpy()) for name in ("pooled_r", "low", "high")]
    axis = row_axis("", [shortened(name, 26) for name in names])
    best = study.ceiling(study.split, "within_gene")
    rules = [Rule("x", 0.0, "says nothing")]
    if best is not None:
        rules.append(Rule("x", best[0], f"ceiling {number(best[0])}"))
    n = int(genes["n_cell_types"].max())
    words = [with_interval(*found) for found in zip(*values, strict=True)]
    return Chart(
        "within",
        "Does a model tell how the cell types of a gene differ?",
        f"Pearson r over the {n} test cell types of each gene, pooled over genes after each gene's "
        f"own mean was taken off; 95% intervals over {_plural(str(genes['unit'].iloc[0]))}."
        " Models that give a gene one value in all cell types score 0.",
        "Dot plot of the correlation within genes: "
        + "; ".join(f"{a} {b}" for a, b in zip(names[:6], words, strict=False))
        + ".",
        Axis("Pearson r within genes (higher is better)"),
        axis,
        (
            Series(
                "within genes", values[0], floats([at for at, _ in axis.ticks]), "c1",
                low=values[1], high=values[2], along="x", size=9,
                hover=tuple(f"{a}: {b}" for a, b in zip(names, words, strict=True)),
            ),
        ),
        tuple(rules),
        sources=("genes.tsv", *(["study.json"] if best is not None else [])),
    )  # fmt: skip


def _plural(unit: str) -> str:
    return unit if unit.endswith("s") else f"{unit}s"


def _splits(study: ChromatinFolder) -> list[Chart]:
    """Compare splits by the answering row and the gene mean: all rows would be a wall."""
    material = study.benchmark
    kept = tuple(
        c for c in material.comparisons
        if c.kind == "split" and c.model_a in (study.row, GENE_MEAN)
    )  # fmt: skip
    if not kept:
        return []
    charts = overview_charts(replace(material, comparisons=kept, learning=None))
    note = " The other models are in the table below."
    return [replace(c, caption=c.caption + note) for c in charts if c.key == "splits"]
