"""How each row does within each cell type, within each gene, and on high against low."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.progress import track
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.evaluate import bootstrap
from exprimo.evaluate.grouped import (
    FEWEST_LABELS,
    correlation_within,
    mean_over_labels,
    within_each,
)
from exprimo.evaluate.results import Estimate
from exprimo.training.objective.cut import find_cut

METRICS = ("pearson_r", "spearman", "r2", "mse")
MEAN = "mean over cell types"
_HIGH = "auroc_high"
_CELL_COLUMNS = (
    "model", "split", "cell_type", "metric", "value", "low", "high", "n", "n_groups", "unit",
)  # fmt: skip


class Predicted(NamedTuple):
    """The test predictions of a row under a split: ``predicted`` is (seeds, n)."""

    model: str
    split: str
    rows: npt.NDArray[np.int64]
    observed: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.float64]
    groups: npt.NDArray[Any]
    unit: str


class Known(NamedTuple):
    """What is known of every example of the dataset."""

    cells: npt.NDArray[np.str_]
    genes: npt.NDArray[np.str_]
    values: npt.NDArray[np.float32]


def write_tables(benchmark: Path, dataset: Dataset, target: str, out: Path) -> None:
    """Write ``cells.tsv`` and ``genes.tsv`` of a finished benchmark.

    ``cells.tsv`` has every metric over the genes of each test cell type, and their mean over the
    cell types; ``auroc_high`` ranks by the predicted value what lies above the median of the cell
    type. ``genes.tsv`` has the correlation over the cell types of a gene.
    """
    known = _known(dataset, target)
    cells, genes = [], []
    for found in track(list(read_predicted(benchmark)), "Judging within cell types"):
        high = _high(found, known, benchmark, dataset)
        cells.append(_cell_rows(found, known, high))
        genes.append(_gene_row(found, known))
    _store(pd.concat(cells, ignore_index=True)[list(_CELL_COLUMNS)], out / "cells.tsv")
    _store(pd.DataFrame(genes), out / "genes.tsv")


def read_predicted(benchmark: Path) -> Iterator[Predicted]:
    """Go through the rows and splits of a finished benchmark."""
    facts = Run(benchmark).read_json("benchmark.json")
    folders: dict[tuple[str, str], list[Path]] = {}
    for run in facts["runs"]:
        if run["fraction"] >= 1:
            folders.setdefault((run["model"], run["split"]), []).append(benchmark / run["folder"])
    for (model, strategy), runs in folders.items():
        split = Split.load(benchmark / f"{facts['split_files'][strategy]}.parquet")
        yield _predicted(model, split, [Run.open(run) for run in runs])


def _predicted(model: str, split: Split, runs: list[Run]) -> Predicted:
    rows = split.rows("test")
    tables = [run.predictions().set_index("example_id") for run in runs]
    rows = rows[pd.Index(split.example_id[rows]).isin(tables[0].index)]
    ids = pd.Index(split.example_id[rows])
    groups = split.example_id if split.group is None else split.group
    return Predicted(
        model,
        split.strategy,
        rows,
        tables[0].loc[ids, "target"].to_numpy(np.float64),
        np.stack([table.loc[ids, "prediction"].to_numpy(np.float64) for table in tables]),
        groups[rows],
        split.unit,
    )


def _known(dataset: Dataset, target: str) -> Known:
    if "cell_type" not in dataset.columns or "gene_id" not in dataset.columns:
        raise InputError(
            "the dataset does not say which gene and which cell type an example is of",
            file=dataset.path,
            found=f"columns {', '.join(dataset.columns)}",
            expected="gene_id and cell_type",
        )
    return Known(dataset.column("cell_type"), dataset.column("gene_id"), dataset.target(target))


def _high(
    found: Predicted, known: Known, benchmark: Path, dataset: Dataset
) -> npt.NDArray[np.float64]:
    """Tell what is high in its cell type, as a model trained for that would be told."""
    facts = Run(benchmark).read_json("benchmark.json")
    split = Split.load(benchmark / f"{facts['split_files'][found.split]}.parquet")
    train = split.rows("train")
    train = train[~np.isnan(known.values[train])]
    cut = find_cut("cell-median", known.values, train, known.cells, file=dataset.path)
    assert cut is not None  # a cut was asked for
    return cut.high(known.values, known.cells)[found.rows].astype(np.float64)


def _cell_rows(found: Predicted, known: Known, high: npt.NDArray[np.float64]) -> pd.DataFrame:
    cells = known.cells[found.rows]
    per_cell = within_each(
        found.observed, found.predicted, cells, found.groups, METRICS, unit=found.unit
    )
    for cell, estimates in per_cell.items():
        here = cells == cell
        ranks = _ranks(found.predicted[:, here])
        estimates[_HIGH] = bootstrap(
            high[here], ranks, found.groups[here], ["auroc"], unit=found.unit
        )["auroc"]
    rows = [
        (cell, metric, estimate)
        for cell, estimates in per_cell.items()
        for metric, estimate in estimates.items()
    ]
    rows += [
        (MEAN, metric, mean_over_labels(per_cell, metric, unit="cell type"))
        for metric in (*METRICS, _HIGH)
    ]
    return pd.DataFrame(
        {"model": found.model, "split": found.split, "cell_type": cell, "metric": metric}
        | estimate._asdict()
        for cell, metric, estimate in rows
    )


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn values into shares between 0 and 1 in the same order, as a score has them."""
    ranks: npt.NDArray[np.float64] = pd.DataFrame(values.T).rank(pct=True).to_numpy().T
    return ranks


def _gene_row(found: Predicted, known: Known) -> dict[str, Any]:
    genes = known.genes[found.rows]
    within = correlation_within(
        found.observed, found.predicted, genes, found.groups, unit=found.unit
    )
    n_cells = len(np.unique(known.cells[found.rows]))
    pooled: Estimate = within.pooled
    return {
        "model": found.model,
        "split": found.split,
        "pooled_r": pooled.value,
        "low": pooled.low,
        "high": pooled.high,
        "unit": pooled.unit,
        "n_cell_types": n_cells,
        "median_r": within.median_r,
        "median_spearman": within.median_spearman,
        "n_genes": within.n_genes,
        "interval_over_cells": n_cells >= FEWEST_LABELS,
    }


def _store(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path) as partial:
        table.to_csv(partial, sep="\t", index=False)
