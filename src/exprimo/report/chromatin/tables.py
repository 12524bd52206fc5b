"""Tables that compare the rows of a chromatin study: within cell types, within genes, by split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exprimo.report.chromatin.reading import (
    GENE_MEAN,
    LEAKING_SPLIT,
    MEAN_OVER_CELLS,
    ChromatinFolder,
    Interval,
    interval_of,
)
from exprimo.report.document.table import (
    Cell,
    Column,
    Table,
    counting,
    estimate,
    named,
    quantity,
)
from exprimo.report.wording import ABSENT, counted, higher_is_better, metric_label

Record = Mapping[Any, Any]

HIGH = "auroc_high"
_METRICS = ("mse", "r2", "pearson_r", "spearman", HIGH)
_MOST_BUTTONS = 12
FOR_COMPARISON = "for comparison only: leaks genes and cells"


def cell_table(study: ChromatinFolder) -> Table:
    """Tabulate every row within each test cell type of the split that answers."""
    here = study.cells[study.cells["split"] == study.split]
    present = [name for name in _METRICS if (here["metric"] == name).any()]
    columns = (
        Column("Model"), Column("Cell type"), *(_metric_column(name) for name in present),
        Column("Interval over", True, "what was resampled"),
    )  # fmt: skip
    cells = {MEAN_OVER_CELLS: "mean"} | {cell: cell for cell in study.test_cells(study.split)}
    models = _models(study)
    found: dict[tuple[str, str], dict[str, Record]] = {}
    for line in here.to_dict("records"):
        key = (str(line["model"]), str(line["cell_type"]))
        found.setdefault(key, {})[str(line["metric"])] = line
    rows = [
        tuple(_cell_row(model, shown, found[model, cell], present))
        for cell, shown in cells.items()
        for model in models
        if (model, cell) in found
    ]
    by_cell = len(cells) <= _MOST_BUTTONS
    return Table(
        "cells",
        f"Every model within each test cell type of the {study.split} split, over the genes of the "
        "cell type. High is above the median of the cell type; AUROC ranks genes by predicted "
        f"expression. {_mean_note(study)}",
        columns,
        tuple(rows),
        "cells.tsv",
        group_by=1 if by_cell else 0,
        groups=tuple(cells.values()) if by_cell else tuple(models),
        grouped="cell type" if by_cell else "row",
    )


def _metric_column(name: str) -> Column:
    if name == HIGH:
        return Column("AUROC of high\u00a0↑", True, "higher is better")
    arrow, note = ("↑", "higher") if higher_is_better(name) else ("↓", "lower")
    return Column(f"{metric_label(name)}\u00a0{arrow}", True, f"{note} is better")


def _cell_row(
    model: str, cell: str, found: Mapping[str, Record], present: Sequence[str]
) -> Iterator[Cell]:
    yield named(model)
    yield named(cell)
    for name in present:
        yield _estimate(found[name], "value") if name in found else Cell(ABSENT)
    first = next(iter(found.values()))
    yield _over(first["n_groups"], str(first["unit"]), first["n"])


def _mean_note(study: ChromatinFolder) -> str:
    n = len(study.test_cells(study.split))
    if n < 10:
        return (
            f"The mean over {counted(n, 'cell type')} has no interval: so few cannot be resampled."
        )
    return "Intervals of the mean are over cell types."


def _over(n_groups: float, unit: str, n: float) -> Cell:
    examples = counted(int(n), "gene") if unit not in ("gene", "cell type") else ""
    return Cell(counted(int(n_groups), unit), examples, float(n_groups))


def _estimate(found: Record, value: str) -> Cell:
    return estimate(*interval_of(found, value))


def _models(study: ChromatinFolder) -> list[str]:
    """List the rows, best first where the headline ranks them."""
    known = study.benchmark.names_on(study.split)
    return known + [name for name in study.cells["model"].unique() if name not in known]


def gene_table(study: ChromatinFolder) -> Table:
    """Tabulate how each row does over the cell types of a gene, by split."""
    columns = (
        Column("Model"), Column("Split"),
        Column("Pearson r within genes\u00a0↑", True, "pooled over genes, each less its mean"),
        Column("Interval over"), Column("Test cell types", True),
        Column("Median r", True, "of genes with three cell types or more"),
        Column("Median Spearman", True, "of genes with three cell types or more"),
        Column("Genes in medians", True),
    )  # fmt: skip
    order = {name: k for k, name in enumerate(_models(study))}
    rows: list[tuple[Cell, ...]] = []
    splits = [s for s in study.benchmark.splits if s in set(study.genes["split"])]
    for split in splits:
        if (best := study.ceiling(split, "within_gene")) is not None:
            blank = (Cell(ABSENT),) * 5
            rows.append((named("ceiling", "the truth"), named(split), estimate(*best), *blank))
        here = study.genes[study.genes["split"] == split]
        lines = here.to_dict("records")
        for row in sorted(lines, key=lambda line: order[str(line["model"])]):
            rows.append(
                (
                    named(str(row["model"])), named(split), _estimate(row, "pooled_r"),
                    named(str(row["unit"])), counting(row["n_cell_types"]),
                    quantity(row["median_r"]), quantity(row["median_spearman"]),
                    counting(row["n_genes"]),
                )
            )  # fmt: skip
    several = len(splits) > 1
    return Table(
        "genes",
        "Over the cell types of a gene: does a model tell where the gene is higher? Each gene's "
        "own mean is taken off both sides, so a value per gene, however good, counts for nothing.",
        columns,
        tuple(rows),
        "genes.tsv",
        group_by=1 if several else None,
        groups=tuple(splits) if several else (),
    )


def split_rows(study: ChromatinFolder) -> Table:
    """Tabulate, split by split, the answering row beside the mean of each gene."""
    material = study.benchmark
    metric = metric_label(material.headline)
    columns = (
        Column("Split"), Column(f"{metric} of {study.row}", True),
        Column(f"{metric} of {GENE_MEAN}", True),
        Column(f"{study.row} − {GENE_MEAN}", True, "paired"),
        Column(f"r within genes of {study.row}", True),
        *((Column("Ceiling", True, "what the truth reaches"),) if study.truth else ()),
    )  # fmt: skip
    rows = []
    for split in material.splits:
        within = study.within(study.row, split)
        pair = material.compared(study.row, GENE_MEAN, split)
        best = study.ceiling(split, material.headline)
        rows.append(
            (
                named(split, FOR_COMPARISON if split == LEAKING_SPLIT else ""),
                *(_score(study, name, split) for name in (study.row, GENE_MEAN)),
                Cell(ABSENT) if pair is None else estimate(pair.value, pair.low, pair.high),
                Cell(ABSENT) if within is None else estimate(*within.pooled),
                *((Cell(ABSENT) if best is None else estimate(*best),) if study.truth else ()),
            )
        )
    return Table(
        "split-rows",
        f"“{study.row}” beside {GENE_MEAN}, the mean of each gene over the training cell types (of "
        "all genes where the gene is new).",
        columns,
        tuple(rows),
        f"{material.scores_file}, genes.tsv",
    )


def _score(study: ChromatinFolder, model: str, split: str) -> Cell:
    score = study.benchmark.score(model, split)
    return Cell(ABSENT) if score is None else estimate(score.value, score.low, score.high)


def ceiling_table(study: ChromatinFolder) -> Table | None:
    """Tabulate what the truth itself scores; None for real data."""
    metrics = ("pearson_r", "r2", "mse")
    if not study.truth:
        return None
    columns = (
        Column("Split"), *(Column(metric_label(name), True) for name in metrics),
        Column("Pearson r within genes", True),
    )  # fmt: skip
    rows = tuple(
        (
            named(split),
            *(
                Cell(ABSENT) if (best := study.ceiling(split, name)) is None else estimate(*best)
                for name in (*metrics, "within_gene")
            ),
        )
        for split in study.benchmark.splits
        if split in study.truth
    )
    return Table(
        "ceilings",
        "What the truth tells of the test examples: the expression that the simulated world "
        "expects, against what was measured in it. No model can be expected to do better.",
        columns,
        rows,
        "study.json",
    )


def binary_table(study: ChromatinFolder) -> Table | None:
    """Tabulate AUROC of rows trained for high or low, beside the ranks of the regression."""
    binary = study.binary
    if binary is None:
        return None
    split = binary.answer_split
    means = study.cells[
        (study.cells["split"] == split)
        & (study.cells["metric"] == HIGH)
        & (study.cells["cell_type"] == MEAN_OVER_CELLS)
    ]
    ranked_by = {str(line["model"]): line for line in means.to_dict("records")}
    columns = (
        Column("Model"), Column("AUROC, trained for it", True, "all test examples"),
        Column("AUROC, ranked by predicted expression", True, "mean over test cell types"),
        Column("Test examples", True),
    )  # fmt: skip
    rows = []
    for name in binary.names_on(split):
        score = binary.score(name, split, "auroc")
        if score is None:
            continue
        ranked = ranked_by.get(name)
        rows.append(
            (
                named(name), estimate(score.value, score.low, score.high),
                Cell(ABSENT) if ranked is None else _estimate(ranked, "value"),
                Cell(f"{score.n:,}", counted(score.n_groups, score.unit), float(score.n)),
            )
        )  # fmt: skip
    return Table(
        "binary",
        f"High or low within the cell type, on the {split} split: a network trained for it, and "
        "the same model's predicted expression used to rank. The first is over all test examples, "
        "the second a mean over cell types.",
        columns,
        tuple(rows),
        f"{binary.scores_file}, cells.tsv",
    )


def no_better_within(study: ChromatinFolder) -> list[tuple[str, Interval]]:
    """List the models whose correlation within genes is not shown to be above 0."""
    roles = {model.name: model.role for model in study.benchmark.models}
    found = []
    for name, role in roles.items():
        within = study.within(name, study.split)
        if role == "model" and within is not None and not within.pooled[1] > 0:
            found.append((name, within.pooled))
    return found
