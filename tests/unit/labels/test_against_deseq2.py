"""Made-up experiments whose answers R's DESeq2 1.38.3 gave (tests/fixtures/dge)."""

from __future__ import annotations

import csv
import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.data.counts import read_counts
from exprimo.data.samples import read_samples
from exprimo.labels import DgeConfig, find_differential
from exprimo.labels.differential import Differential

FOLDER = Path(__file__).parents[2] / "fixtures" / "dge"
RESULTS = ("baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj")


def _table(name: str) -> dict[str, dict[str, str]]:
    with open(FOLDER / name, newline="") as handle:
        return {row["name"]: row for row in csv.DictReader(handle, delimiter="\t")}


CASES, FACTS = _table("cases.tsv"), _table("facts.tsv")


@cache
def ours(name: str) -> Differential:
    case = CASES[name]
    counts = read_counts(FOLDER / f"{name}.counts.tsv.gz")
    sheet = read_samples(FOLDER / f"{name}.samples.tsv")
    lengths = FOLDER / f"{name}.lengths.tsv.gz"
    if lengths.exists():
        table = pd.read_csv(lengths, sep="\t", index_col=0)
        counts = dataclasses.replace(counts, lengths=table)
    settings: dict[str, Any] = {
        "design": case["design"],
        "contrast": tuple(case["contrast"].split()),
        "reduced": case["reduced"] or None,
        "trend": case["trend"],
        "size_factors": case["size_factors"],
        "alpha": float(case["alpha"]),
        "lfc_null": float(case["lfc_null"]),
        "alternative": case["alternative"],
        "reference": {"treatment": "none"},
        "threads": 1,
    }
    return find_differential(counts, sheet, DgeConfig.checked(settings))


@cache
def by_r(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.expected.tsv.gz", sep="\t", index_col=0)


def difference(a: pd.Series, b: pd.Series, *, absolute: bool = False) -> pd.Series:
    """Give the difference, relative unless told otherwise; 0 where both have no value."""
    gap = (a - b).abs()
    if not absolute:
        gap = gap / b.abs().clip(lower=1e-300)
    return gap.where(a != b, 0.0).fillna(0.0)


def lone(name: str) -> pd.Series:
    """Mark genes with reads in one sample only: their likelihood has no maximum.

    A search ends somewhere on its slope, and that depends on the last digits.
    """
    return (ours(name).counts > 0).sum(axis=1) == 1


@pytest.mark.parametrize("name", CASES)
def test_values_are_missing_where_they_are_in_r(name: str) -> None:
    for column in RESULTS:
        np.testing.assert_array_equal(
            ours(name).results[column].isna(), by_r(name)[column].isna(), err_msg=column
        )


@pytest.mark.parametrize("name", CASES)
def test_results(name: str) -> None:
    results, theirs, usual = ours(name).results, by_r(name), ~lone(name)
    assert usual.sum() > 145
    change = difference(results["log2FoldChange"], theirs["log2FoldChange"], absolute=True)[usual]
    assert change.max() < 1e-3
    assert (change < 1e-6).mean() > 0.97
    for column in ("baseMean", "lfcSE", "pvalue", "padj"):
        gap = difference(results[column], theirs[column])[usual]
        assert gap.max() < 1e-3, column
        assert (gap < 1e-5).mean() > 0.97, column
    # The statistic of a gene without any change is a difference of equal numbers.
    np.testing.assert_allclose(results["stat"][usual], theirs["stat"][usual], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_genes_with_reads_in_one_sample(name: str) -> None:
    results, theirs, few = ours(name).results, by_r(name), lone(name)
    assert few.sum() >= 6
    assert difference(results["lfcSE"], theirs["lfcSE"])[few].max() < 1e-4
    assert difference(results["pvalue"], theirs["pvalue"])[few].max() < 0.1
    assert difference(results["baseMean"], theirs["baseMean"])[few].max() < 1e-7


@pytest.mark.parametrize("name", CASES)
def test_stages(name: str) -> None:
    found, theirs, facts = ours(name), by_r(name), FACTS[name]
    factors = np.array(facts["size_factors"].split(), dtype=float)
    np.testing.assert_allclose(found.samples["size_factor"].to_numpy(float), factors, rtol=1e-10)
    dispersion = found.summary["dispersion"]
    assert dispersion["fit"] == facts["trend"]
    assert dispersion["prior_variance"] == pytest.approx(float(facts["prior_variance"]), rel=1e-6)
    assert found.summary["n_replaced"] == int(facts["replaced"])
    for column in ("dispFit", "dispMAP", "dispersion"):
        assert difference(found.dispersions[column], theirs[column]).max() < 1e-5, column
    # Near the floor of 1e-8 a likelihood is flat, and any value is as good.
    floor = (found.dispersions["dispGeneEst"] < 1e-6) & (theirs["dispGeneEst"] < 1e-6)
    genewise = difference(found.dispersions["dispGeneEst"], theirs["dispGeneEst"])
    assert genewise[~floor].max() < 1e-5
    worst = difference(found.dispersions["maxCooks"], theirs["maxCooks"])
    assert worst[~lone(name)].max() < 2e-4


def test_designs_with_few_degrees_of_freedom_have_a_prior_above_its_floor() -> None:
    """One to three degrees: the width comes from DESeq2's simulated residuals."""
    freedom = {}
    for name in ("two_and_one", "two_by_two", "paired3", "paired4"):
        found = ours(name)
        freedom[name] = len(found.samples) - len(found.summary["coefficients"])
        assert found.summary["dispersion"]["prior_variance"] > 1
    assert freedom == {"two_and_one": 1, "two_by_two": 2, "paired3": 2, "paired4": 3}
    assert ours("fallen_back").summary["dispersion"]["prior_variance"] == 0.25


def test_a_parametric_trend_that_does_not_fit_becomes_local_and_says_so() -> None:
    found = ours("fallen_back")
    assert found.summary["dispersion"]["fit"] == "local"
    assert any("local regression" in note for note in found.summary["warnings"])
    assert ours("local").summary["warnings"] == []


def test_outliers_are_replaced_withheld_or_pardoned() -> None:
    assert ours("replaced").summary["n_replaced"] > 20
    assert ours("replaced").summary["n_outliers"] == 0
    # Nine in one group, four in the other: some are replaced, the others withheld.
    partly = ours("partly_replaced").summary
    assert partly["n_replaced"] > partly["n_outliers"] > 0
    # Sixty reads among zeros are as far off, but few beside the thousands of the other group.
    found = ours("pardoned")
    beyond = found.dispersions["maxCooks"] > 10
    low = [f"g{i}" for i in range(50, 76)]
    assert beyond[low].sum() > 10
    assert found.results["pvalue"][low].notna().all()
    assert found.results["pvalue"][[f"g{i}" for i in range(20, 46)]].isna().all()


def test_a_gene_without_reads_in_both_groups_of_a_contrast_does_not_change() -> None:
    found = ours("three_levels")
    silent = found.counts.loc[:, found.samples["treatment"] != "none"].sum(axis=1) == 0
    silent &= found.counts.sum(axis=1) > 0
    assert silent.any()
    assert (found.results["log2FoldChange"][silent] == 0).all()
    assert found.results["pvalue"][silent].isin([1.0, np.nan]).all()
