"""What must not matter to a test for differential expression, and what it must refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exprimo.core.errors import ConfigError
from exprimo.data.counts import Counts
from exprimo.labels import DgeConfig, find_differential
from exprimo.labels.differential import Differential

COLUMNS = ["log2FoldChange", "lfcSE", "stat", "pvalue", "padj"]


def made_up(seed: int, genes: int = 120) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give counts and a sheet of five pairs; a third of the genes change."""
    rng = np.random.default_rng(seed)
    sheet = pd.DataFrame(
        {"pair": [f"p{i}" for i in range(5)] * 2, "status": ["C"] * 5 + ["T"] * 5},
        index=pd.Index([f"s{i}" for i in range(10)], name="sample"),
    )
    mean, alpha = np.exp(rng.normal(4, 1.5, genes)), rng.gamma(2, 0.1, genes) + 0.02
    change = rng.normal(0, 1, genes) * (rng.random(genes) < 0.3)
    treated = (sheet["status"] == "T").to_numpy(float)
    depth = np.exp(rng.normal(0, 0.3, 10))
    mu = mean[:, None] * np.exp(change[:, None] * treated) * depth
    values = rng.negative_binomial(1 / alpha[:, None], 1 / (1 + alpha[:, None] * mu))
    index = pd.Index([f"g{i}" for i in range(genes)], name="gene_id")
    return pd.DataFrame(values, index=index, columns=sheet.index), sheet


def run(matrix: pd.DataFrame, sheet: pd.DataFrame, **options: Any) -> Differential:
    chosen = {"design": "~ status", "contrast": ("status", "T", "C"), "threads": 1, **options}
    counts = Counts(matrix, None, {}, Path("counts.tsv"))
    return find_differential(counts, sheet, DgeConfig.checked(chosen))


few = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(seed=st.integers(0, 1000))
def test_the_order_of_samples_does_not_matter(seed: int) -> None:
    matrix, sheet = made_up(seed)
    order = np.random.default_rng(seed).permutation(10)
    plain = run(matrix, sheet, design="~ pair + status")
    # Columns in one order, rows of the sheet in another.
    mixed = run(matrix.iloc[:, order[::-1]], sheet.iloc[order], design="~ pair + status")
    assert list(mixed.samples.index) == list(sheet.index[order])
    pd.testing.assert_frame_equal(mixed.results, plain.results, rtol=1e-5, atol=1e-7)


@few
@given(seed=st.integers(0, 1000))
def test_the_order_of_genes_does_not_matter(seed: int) -> None:
    matrix, sheet = made_up(seed)
    order = np.random.default_rng(seed).permutation(len(matrix))
    plain, mixed = run(matrix, sheet), run(matrix.iloc[order], sheet)
    assert list(mixed.results.index) == list(matrix.index[order])
    pd.testing.assert_frame_equal(
        mixed.results.loc[matrix.index], plain.results, rtol=1e-5, atol=1e-7
    )


@few
@given(seed=st.integers(0, 1000))
def test_a_contrast_turned_around_changes_signs_alone(seed: int) -> None:
    matrix, sheet = made_up(seed)
    plain = run(matrix, sheet)
    turned = run(matrix, sheet, contrast=("status", "C", "T"))
    releveled = run(matrix, sheet, contrast=("status", "C", "T"), reference={"status": "T"})
    for other in (turned, releveled):
        for column in COLUMNS:
            sign = -1 if column in ("log2FoldChange", "stat") else 1
            np.testing.assert_allclose(
                other.results[column], sign * plain.results[column], rtol=1e-3, atol=1e-5
            )


def test_threads_do_not_matter() -> None:
    matrix, sheet = made_up(1)
    pd.testing.assert_frame_equal(
        run(matrix, sheet).results, run(matrix, sheet, threads=2).results, check_exact=True
    )


def test_pairs_find_what_differences_between_people_hide() -> None:
    matrix, sheet = made_up(2)
    person = np.exp(np.random.default_rng(3).normal(0, 1.5, (len(matrix), 5)))
    varied = (matrix * np.tile(person, 2)).round().astype(int)
    paired = run(varied, sheet, design="~ pair + status")
    plain = run(varied, sheet)
    assert (paired.results["padj"] < 0.05).sum() > 3 * (plain.results["padj"] < 0.05).sum()


def test_what_was_planted_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(8)
    _, sheet = made_up(0)
    change = np.where(np.arange(1000) < 100, 3.0 * np.sign(rng.normal(size=1000)), 0.0)
    treated = (sheet["status"] == "T").to_numpy(float)
    mu = rng.gamma(2, 200, (1000, 1)) * 2.0 ** (change[:, None] * treated)
    values = rng.negative_binomial(10, 10 / (10 + mu))
    index = pd.Index([f"g{i}" for i in range(1000)], name="gene_id")
    found = run(pd.DataFrame(values, index=index, columns=sheet.index), sheet, lfc=1.0)
    label = found.labels["label"].to_numpy()
    assert (label[:100] == 1).mean() > 0.97
    assert (label[100:] == 1).mean() < 0.01
    np.testing.assert_allclose(
        found.results["log2FoldChange"].to_numpy()[:100].mean(), change[:100].mean(), atol=0.15
    )


def test_genes_that_never_differ_have_even_p_values() -> None:
    rng = np.random.default_rng(12)
    _, sheet = made_up(0)
    mu = rng.gamma(2, 200, (3000, 1))
    values = rng.negative_binomial(5, 5 / (5 + mu), (3000, 10))
    index = pd.Index([f"g{i}" for i in range(3000)], name="gene_id")
    p = run(pd.DataFrame(values, index=index, columns=sheet.index), sheet).results["pvalue"]
    assert 0.035 < (p < 0.05).mean() < 0.07
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.04)


def test_shrunken_changes_turn_with_their_contrast() -> None:
    matrix, sheet = made_up(3)
    plain = run(matrix, sheet, shrink=True).results
    turned = run(matrix, sheet, shrink=True, contrast=("status", "C", "T")).results
    np.testing.assert_allclose(
        turned["log2FoldChangeShrunken"], -plain["log2FoldChangeShrunken"], rtol=1e-4, atol=1e-6
    )
    known = plain["log2FoldChange"].notna()
    change = plain["log2FoldChange"][known].abs()
    assert (plain["log2FoldChangeShrunken"][known].abs() <= change + 1e-6).all()


def test_a_threshold_needs_a_wald_test() -> None:
    matrix, sheet = made_up(4, genes=40)
    with pytest.raises(ConfigError, match="needs a Wald test"):
        run(matrix, sheet, reduced="~ 1", lfc_null=1.0)


def test_the_options_that_leave_things_out() -> None:
    matrix, sheet = made_up(5)
    matrix.loc["g3", "s2"] = 10**6
    plain, kept = run(matrix, sheet), run(matrix, sheet, outliers=False)
    assert np.isnan(plain.results.loc["g3", "pvalue"])
    assert plain.summary["n_outliers"] >= 1
    assert kept.results["pvalue"].notna().all()
    assert kept.summary["n_outliers"] == 0
    unfiltered = run(matrix, sheet, filter=False)
    tested = unfiltered.results["pvalue"].notna()
    assert unfiltered.results["padj"][tested].notna().all()
    assert unfiltered.summary["filter_threshold"] is None
