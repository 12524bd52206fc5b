"""Counts have the mean, the variance, the trend and the depth that they should have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.simulate import SimulatedWorld, WorldConfig, simulate
from exprimo.simulate.conditions.sequencing import (
    control_means,
    dispersions,
    draw_counts,
    draw_silent,
    library_table,
)
from exprimo.simulate.config import ConditionsConfig


@pytest.mark.parametrize(
    ("mean", "alpha"), [(0.05, 20.0), (3.0, 0.5), (100.0, 0.03), (5000.0, 0.2)]
)
def test_counts_have_mean_mu_and_variance_mu_plus_alpha_mu_squared(
    mean: float, alpha: float
) -> None:
    drawn = draw_counts(
        np.random.default_rng(5), np.full((1, 400_000), mean), np.array([alpha])
    ).astype(np.float64)
    variance = mean + alpha * mean**2
    assert abs(drawn.mean() - mean) < 5 * np.sqrt(variance / drawn.size)
    # At its most skewed (alpha 20) the standard error of this variance is 2%.
    assert drawn.var() == pytest.approx(variance, rel=0.08 if alpha > 1 else 0.02)


def test_dispersions_scatter_around_the_trend() -> None:
    config = ConditionsConfig(extra_poisson=3.0, asymptotic_dispersion=0.02, dispersion_sd=0.5)
    mean = np.exp(np.random.default_rng(1).uniform(-2, 10, 20_000))
    drawn = dispersions(4, mean, config)
    scatter = np.log(drawn / (3.0 / mean + 0.02))
    assert abs(scatter.mean()) < 5 * 0.5 / np.sqrt(20_000)
    assert scatter.std() == pytest.approx(0.5, rel=0.03)
    assert abs(np.corrcoef(scatter, np.log(mean))[0, 1]) < 0.04
    exact = dispersions(4, mean, config.model_copy(update={"dispersion_sd": 0.0}))
    assert exact == pytest.approx(3.0 / mean + 0.02)


def test_depths_have_their_mean_and_spread() -> None:
    config = ConditionsConfig(samples=5_000, depth_sd=0.4, reads_per_gene=100.0)
    means = np.full((50, 2), 100.0)
    means[:, 1] *= 1.5
    table = library_table(0, means, config)
    assert table["depth"].mean() == pytest.approx(5_000, rel=0.02)
    assert np.log(table["depth"]).std() == pytest.approx(0.4, rel=0.05)
    # Every gene of the treated rose by half: the same depth gives a size factor a third smaller.
    ratio = table["depth"] / table["size_factor"]
    assert ratio.groupby(table["condition"]).first().to_dict() == pytest.approx(
        {"control": 5_000, "treated": 7_500}
    )


def test_control_means_keep_the_ratios_of_the_levels_but_for_silent_genes() -> None:
    config = ConditionsConfig(silent_share=0.25, silent_mean=(0.1, 2.0), reads_per_gene=50.0)
    level = np.random.default_rng(0).normal(7, 3, 400)
    silent = draw_silent(1, 400, config)
    means = control_means(1, level, silent, config)
    assert silent.sum() == 100
    assert means[silent].min() >= 0.1
    assert means[silent].max() <= 2.0
    assert means[~silent].sum() == pytest.approx(50.0 * 400)
    offsets = np.log2(means[~silent]) - level[~silent]
    assert np.ptp(offsets) < 1e-9
    assert abs(np.corrcoef(silent, level)[0, 1]) < 0.2


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulatedWorld, pd.DataFrame]:
    """A world of 300 genes with 200 samples of each condition, and its normalised counts."""
    config = WorldConfig(genes=300, conditions=ConditionsConfig(samples=200))
    world = simulate(tmp_path_factory.mktemp("deep") / "world", seed=4, config=config)
    counts = pd.read_csv(world.counts_table, sep="\t", index_col=0)
    libraries = pd.read_csv(world.truth / "libraries.tsv", sep="\t", index_col=0)
    return world, counts / libraries["size_factor"]


def test_counts_recover_means_changes_and_dispersions_of_the_truth(
    deep: tuple[SimulatedWorld, pd.DataFrame],
) -> None:
    world, normalised = deep
    truth = pd.read_csv(world.truth / "differential.tsv", sep="\t", index_col=0)
    control = normalised.filter(like="control_")
    treated = normalised.filter(like="treated_")
    assert control.shape == treated.shape == (300, 200)
    seen = truth["mean_control"] > 20
    truth, control, treated = truth[seen], control[seen], treated[seen]
    for observed, expected in (
        (control.mean(axis=1), truth["mean_control"]),
        (treated.mean(axis=1), truth["mean_control"] * np.exp2(truth["log2_fold_change"])),
    ):
        error = np.sqrt((expected + truth["dispersion"] * expected**2) / 200)
        z = (observed - expected) / error
        assert abs(z.mean()) < 0.4
        assert 0.8 < z.std() < 1.25
    mean = control.mean(axis=1)
    # Moment estimate; a depth of 0.3 in log makes Poisson noise 1.05 to 1.1 times as large.
    alpha = (control.var(axis=1) - 1.07 * mean) / mean**2
    ratio = alpha / truth["dispersion"]
    assert ratio.median() == pytest.approx(1.0, abs=0.06)
    assert np.corrcoef(np.log(alpha.clip(lower=1e-3)), np.log(truth["dispersion"]))[0, 1] > 0.9


def test_the_trend_is_found_again_by_regression(
    deep: tuple[SimulatedWorld, pd.DataFrame],
) -> None:
    world, _ = deep
    truth = pd.read_csv(world.truth / "differential.tsv", sep="\t", index_col=0)
    both = truth["mean_control"] * (1 + np.exp2(truth["log2_fold_change"])) / 2
    trend = 2.0 / both + 0.03
    residual = np.log(truth["dispersion"] / trend)[truth["mean_control"] > 1]
    assert abs(residual.mean()) < 5 * 0.4 / np.sqrt(residual.size)
    assert residual.std() == pytest.approx(0.4, rel=0.2)


def test_libraries_hold_the_reads_that_they_should(
    deep: tuple[SimulatedWorld, pd.DataFrame],
) -> None:
    world, _ = deep
    counts = pd.read_csv(world.counts_table, sep="\t", index_col=0)
    libraries = pd.read_csv(world.truth / "libraries.tsv", sep="\t", index_col=0)
    assert counts.columns.tolist() == libraries.index.tolist()
    ratio = counts.sum() / libraries["depth"]
    assert ratio.mean() == pytest.approx(1.0, abs=0.02)
    assert libraries["depth"].mean() == pytest.approx(600 * 300, rel=0.06)


def test_some_genes_have_hardly_a_read_and_some_none(known: Any) -> None:
    counts = known.counts.set_index("gene_id")
    empty = (counts.sum(axis=1) == 0).mean()
    rare = (counts.mean(axis=1) < 5).mean()
    assert 0.02 < empty < 0.15
    assert 0.15 < rare < 0.35
    assert (known.differential["silent"] == "yes").sum() == 90
    unmeasured = known.expression.loc[known.expression["expression"].isna(), "gene_id"]
    assert counts.loc[unmeasured].sum().sum() > 0
