"""Differential expression against the reference outputs of DESeq2 in PyDESeq2's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.optimize

from exprimo.data.counts import Counts, read_counts
from exprimo.data.samples import read_samples
from exprimo.labels import DgeConfig, find_differential
from exprimo.labels.differential import Differential
from exprimo.labels.engine.shrunken_fit import _log_posterior
from exprimo.labels.fitting import fit_counts
from exprimo.labels.model import Model, Observed
from exprimo.labels.normalization import iterative_size_factors, size_factors
from exprimo.labels.shrinkage import shrink_changes

pytestmark = pytest.mark.real

B_AGAINST_A = ("condition", "B", "A")


class Case(NamedTuple):
    """A reference: where its counts and answers lie, and what was asked."""

    data: str
    answers: str
    design: str
    contrast: tuple[str, ...]


SINGLE = Case("synthetic", "single_factor", "~ condition", B_AGAINST_A)
MULTI = Case("synthetic", "multi_factor", "~ group + condition", B_AGAINST_A)
WIDE = Case("wide", "wide", "~ group + condition", B_AGAINST_A)
CONTINUOUS = Case("continuous", "continuous", "~ group + condition + measurement", ("measurement",))


@pytest.fixture
def references(realdata: Path) -> Path:
    return realdata / "dge" / "deseq2_references"


def load(references: Path, data: str) -> tuple[Counts, pd.DataFrame]:
    folder = references / data
    return read_counts(folder / "test_counts.csv"), read_samples(folder / "test_metadata.csv")


def run(references: Path, case: Case, **settings: Any) -> Differential:
    config = {"design": case.design, "contrast": case.contrast, "threads": 1, **settings}
    return find_differential(*load(references, case.data), DgeConfig.checked(config))


def answer(references: Path, case: Case, name: str) -> pd.DataFrame:
    return pd.read_csv(references / case.answers / f"r_{name}.csv", index_col=0)


def assert_equals(ours: pd.DataFrame, theirs: pd.DataFrame, rtol: float = 1e-8) -> None:
    assert list(ours.index) == list(theirs.index)
    for column in ("baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj"):
        np.testing.assert_allclose(
            ours[column].to_numpy(), theirs[column].to_numpy(), rtol=rtol, err_msg=column
        )


@pytest.mark.parametrize("case", [SINGLE, MULTI, WIDE, CONTINUOUS], ids=lambda case: case.answers)
def test_each_stage(references: Path, case: Case) -> None:
    ours = run(references, case)
    factors = answer(references, case, "test_size_factors")["x"].to_numpy()
    np.testing.assert_allclose(ours.samples["size_factor"].to_numpy(), factors, rtol=1e-12)
    dispersions = answer(references, case, "test_dispersions")["x"].to_numpy()
    np.testing.assert_allclose(ours.dispersions["dispersion"].to_numpy(), dispersions, rtol=1e-10)
    assert_equals(ours.results, answer(references, case, "test_res"))


@pytest.mark.parametrize("case", [MULTI, CONTINUOUS], ids=lambda case: case.answers)
def test_outliers_that_are_replaced_and_one_that_cannot_be(references: Path, case: Case) -> None:
    counts, sheet = load(references, case.data)
    counts.matrix.loc["gene1", "sample1"] = 2000
    counts.matrix.loc["gene7", "sample11"] = 1000
    # Alone in its cell, so the first of the two outliers stays.
    sheet.loc["sample1", "condition"] = "C"
    config = {"design": case.design, "contrast": case.contrast, "threads": 1}
    ours = find_differential(counts, sheet, DgeConfig.checked(config))
    assert_equals(ours.results, answer(references, case, "test_res_outliers"))


@pytest.mark.parametrize("alternative", ["greaterAbs", "lessAbs", "greater", "less"])
def test_alternatives(references: Path, alternative: str) -> None:
    ours = run(references, SINGLE, lfc_null=0.5, alternative=alternative)
    assert_equals(ours.results, answer(references, SINGLE, f"test_res_{alternative}"))


def test_without_independent_filtering(references: Path) -> None:
    ours = run(references, SINGLE, filter=False)
    assert_equals(ours.results, answer(references, SINGLE, "test_res_no_independent_filtering"))


def test_a_constant_trend(references: Path) -> None:
    ours = run(references, SINGLE, trend="mean")
    assert_equals(ours.results, answer(references, SINGLE, "test_res_mean_curve"))
    stable = answer(references, SINGLE, "mean_vst").to_numpy()
    np.testing.assert_allclose(ours.stabilised(), stable, atol=1e-10)


@pytest.mark.parametrize(("blind", "name"), [(True, "vst"), (False, "vst_with_design")])
def test_variance_stabilising(references: Path, blind: bool, name: str) -> None:
    ours = run(references, SINGLE, blind=blind)
    stable = answer(references, SINGLE, name).to_numpy()
    np.testing.assert_allclose(ours.stabilised(), stable, atol=1e-10)


def test_size_factors_of_positive_counts(references: Path) -> None:
    counts, _ = load(references, "synthetic")
    theirs = answer(references, SINGLE, "test_size_factors_poscount")["sizeFactor"].to_numpy()
    np.testing.assert_allclose(
        size_factors(counts.matrix.to_numpy(), "poscounts"), theirs, rtol=1e-12
    )


def test_size_factors_by_likelihood(references: Path) -> None:
    counts, _ = load(references, "synthetic")
    theirs = answer(references, SINGLE, "iterative_size_factors")["x"].to_numpy()
    ours = iterative_size_factors(counts.matrix.to_numpy(), threads=1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("case", [SINGLE, MULTI, CONTINUOUS], ids=lambda case: case.answers)
def test_shrunken_changes(references: Path, case: Case) -> None:
    """R stops short of the mode, which costs up to 3e-4 in log2."""
    ours = run(references, case, shrink=True).results
    theirs = answer(references, case, "test_lfc_shrink_res")
    np.testing.assert_allclose(
        ours["log2FoldChangeShrunken"].to_numpy(), theirs["log2FoldChange"].to_numpy(), atol=5e-4
    )
    np.testing.assert_allclose(
        ours["lfcSEShrunken"].to_numpy(), theirs["lfcSE"].to_numpy(), rtol=5e-4
    )


def test_shrunken_changes_with_a_given_scale_are_nearer_to_the_mode_than_those_of_r(
    references: Path,
) -> None:
    counts, sheet = load(references, "synthetic")
    y = np.ascontiguousarray(counts.matrix.to_numpy())
    x = np.column_stack([np.ones(len(sheet)), (sheet["condition"] == "B").to_numpy(float)])
    factors = size_factors(y)[None]
    found = fit_counts(y, factors, Model(x), threads=1).estimates
    observed, model = Observed(y, factors), Model(x)
    ours = shrink_changes(observed, model, found.dispersion, found.beta, 1, 1.0, threads=1)
    theirs = answer(references, SINGLE, "test_lfc_shrink_no_apeAdapt_res")["log2FoldChange"]
    np.testing.assert_allclose(ours.change, theirs, atol=5e-4)

    def height(gene: int, change: float) -> float:
        """Give the log posterior at a change, at the best intercept beside it."""

        def loss(intercept: float) -> float:
            beta = np.array([intercept, change])
            alpha = found.dispersion[gene]
            return -_log_posterior(beta, y[gene], factors[0], x, alpha, 1, 1.0)

        near = float(found.beta[gene, 0])
        best = scipy.optimize.minimize_scalar(
            loss, bounds=(near - 1, near + 1), method="bounded", options={"xatol": 1e-9}
        )
        return -float(best.fun)

    for gene in range(len(y)):
        mine, r = ours.change[gene] * np.log(2), theirs.iloc[gene] * np.log(2)
        assert height(gene, mine) > height(gene, r) - 1e-9
