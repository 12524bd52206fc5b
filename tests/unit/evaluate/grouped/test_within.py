"""Within cell types and within genes: against pandas and scipy, and what each can see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.evaluate.grouped import (
    FEWEST_LABELS,
    centred_by,
    correlation_within,
    mean_over_labels,
    within_each,
)
from exprimo.evaluate.results import Estimate


@pytest.fixture
def table() -> pd.DataFrame:
    """Thirty genes in five cell types; prediction = gene level + noise."""
    rng = np.random.default_rng(3)
    gene, cell = np.repeat(np.arange(30), 5), np.tile(np.arange(5), 30)
    level = rng.normal(size=30)[gene]
    return pd.DataFrame(
        {
            "gene": gene,
            "cell": [f"C{c}" for c in cell],
            "observed": level + rng.normal(size=150),
            "predicted": level + 0.5 * rng.normal(size=150),
        }
    )


def test_each_cell_type_is_judged_on_its_own_genes(table: pd.DataFrame) -> None:
    found = within_each(
        table["observed"], table["predicted"], table["cell"], table["gene"],
        ["pearson_r", "spearman", "mse"], unit="gene",
    )  # fmt: skip
    assert sorted(found) == ["C0", "C1", "C2", "C3", "C4"]
    for cell, rows in table.groupby("cell"):
        of_cell = found[str(cell)]
        r = stats.pearsonr(rows["observed"], rows["predicted"])[0]
        rank = stats.spearmanr(rows["observed"], rows["predicted"])[0]
        assert of_cell["pearson_r"].value == pytest.approx(r)
        assert of_cell["spearman"].value == pytest.approx(rank)
        assert of_cell["mse"].value == pytest.approx(
            ((rows["observed"] - rows["predicted"]) ** 2).mean()
        )
        assert of_cell["pearson_r"].n_groups == 30
        assert of_cell["pearson_r"].low < r < of_cell["pearson_r"].high


def test_within_genes_knowing_the_gene_is_worth_nothing(table: pd.DataFrame) -> None:
    told = table.groupby("gene")["observed"].transform("mean")
    over_genes = within_each(
        table["observed"], told, table["cell"], table["gene"], ["pearson_r"], unit="gene"
    )
    assert over_genes["C0"]["pearson_r"].value > 0.5
    within = correlation_within(table["observed"], told, table["gene"], table["gene"], unit="gene")
    assert within.pooled.value == 0.0
    assert within.median_r == 0.0


def test_within_genes_is_the_correlation_of_what_differs(table: pd.DataFrame) -> None:
    within = correlation_within(
        table["observed"], table["predicted"], table["gene"], table["gene"], unit="gene"
    )
    centred = table[["observed", "predicted"]] - table.groupby("gene")[
        ["observed", "predicted"]
    ].transform("mean")
    assert within.pooled.value == pytest.approx(centred.corr().iloc[0, 1])
    each = [stats.pearsonr(g["observed"], g["predicted"])[0] for _, g in table.groupby("gene")]
    assert within.median_r == pytest.approx(np.median(each))
    assert within.n_genes == 30


def test_genes_of_two_cell_types_have_no_correlation_of_their_own(table: pd.DataFrame) -> None:
    two = table[table["cell"].isin(["C0", "C1"])]
    within = correlation_within(
        two["observed"], two["predicted"], two["gene"], two["gene"], unit="gene"
    )
    assert within.n_genes == 0
    assert np.isnan(within.median_r)
    assert np.isfinite(within.pooled.low)


def test_missing_values_and_seeds(table: pd.DataFrame) -> None:
    observed = table["observed"].where(table.index % 7 != 0)
    seeds = np.stack([table["predicted"], table["predicted"]])
    one = correlation_within(observed, seeds[0], table["gene"], table["gene"], unit="gene")
    both = correlation_within(observed, seeds, table["gene"], table["gene"], unit="gene")
    assert both.pooled.value == pytest.approx(one.pooled.value)
    kept = centred_by(["a", "a", "a"], [1.0, np.nan, 3.0])
    assert kept[[0, 2]].tolist() == [-1.0, 1.0]
    assert np.isnan(kept[1])


def test_an_interval_over_cell_types_needs_ten_of_them() -> None:
    def cells(n: int) -> dict[str, dict[str, Estimate]]:
        return {f"C{i}": {"mse": Estimate(float(i), 0.0, 0.0, 5, 5, "gene")} for i in range(n)}

    few = mean_over_labels(cells(FEWEST_LABELS - 1), "mse", unit="cell type")
    assert few.value == 4.0
    assert np.isnan(few.low)
    many = mean_over_labels(cells(FEWEST_LABELS), "mse", unit="cell type")
    # The standard error of ten equally spaced values is 0.91.
    assert many.low == pytest.approx(4.5 - 1.96 * 0.91, abs=0.25)
    assert many.high == pytest.approx(4.5 + 1.96 * 0.91, abs=0.25)


def test_genes_of_one_cell_type_say_nothing_of_how_cell_types_differ() -> None:
    found = correlation_within(
        np.arange(4.0), np.ones((2, 4)), list("abcd"), list("abcd"), unit="gene"
    )
    assert np.isnan([found.pooled.value, found.pooled.low, found.median_r]).all()
    assert (found.pooled.n, found.pooled.unit, found.n_genes) == (0, "gene", 0)
