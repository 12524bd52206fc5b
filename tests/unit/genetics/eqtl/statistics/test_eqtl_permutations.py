"""Permutations and their beta approximation: against a slow form, and uniform under the null."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.eqtl.statistics.association import associate, p_of_r2, prepare
from exprimo.genetics.eqtl.statistics.beta import fit_beta
from exprimo.genetics.eqtl.statistics.permutations import empirical_p, orders, strongest_by_chance


def linked(rng: np.random.Generator, variants: int, people: int) -> np.ndarray:
    """Make dosages of neighbours in linkage disequilibrium."""
    hidden = rng.normal(size=(variants, 2 * people))
    for i in range(1, variants):
        hidden[i] = 0.9 * hidden[i - 1] + np.sqrt(1 - 0.81) * hidden[i]
    alleles = hidden > rng.uniform(-1, 1, (variants, 1))
    return alleles.reshape(variants, people, 2).sum(axis=2).astype(np.float32)


def test_products_give_the_same_as_one_regression_per_permutation() -> None:
    rng = np.random.default_rng(0)
    dosage, covariates = linked(rng, 300, 60), rng.normal(size=(60, 4))
    space = projection(covariates)
    window, expression = prepare(dosage, space), rng.normal(size=60)
    shuffled = orders(60, 20, seed=3)
    fast = strongest_by_chance(window, expression, space, shuffled)
    left = space.residuals(expression[None])[0]
    slow = [np.nanmax(associate(window, left[order], space).r ** 2) for order in shuffled]
    np.testing.assert_allclose(fast, slow, rtol=1e-5)


def test_orders_follow_the_seed() -> None:
    assert np.array_equal(orders(30, 5, seed=1), orders(30, 5, seed=1))
    assert not np.array_equal(orders(30, 5, seed=1), orders(30, 5, seed=2))
    assert np.array_equal(np.sort(orders(30, 5, seed=1), axis=1), np.tile(np.arange(30), (5, 1)))


def test_shapes_maximise_the_likelihood() -> None:
    r2 = np.random.default_rng(1).beta(0.5, 60, size=(1000, 50)).max(axis=1)
    fit = fit_beta(r2, 100)
    p = p_of_r2(r2, fit.true_df)
    mean, variance = p.mean(), p.var()
    assert mean * (mean * (1 - mean) / variance - 1) == pytest.approx(1, abs=2e-4)
    slow = optimize.minimize(
        lambda s: -stats.beta.logpdf(p, s[0], s[1]).sum(),
        [1.0, 50.0],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-9, "maxiter": 2000},
    )
    assert (fit.beta_shape1, fit.beta_shape2) == pytest.approx(tuple(slow.x), rel=1e-5)


def test_the_threshold_turns_the_beta_p_around() -> None:
    fit = fit_beta(np.random.default_rng(2).beta(0.5, 60, size=(1000, 50)).max(axis=1), 100)
    p, corrected = fit.p_values(0.2)
    assert fit.threshold(corrected) == pytest.approx(p, rel=1e-8)


@pytest.mark.slow
def test_p_of_genes_is_uniform_where_nothing_is_associated() -> None:
    """400 null genes: beta and empirical p uniform, and 5% of genes below 0.05."""
    rng = np.random.default_rng(4)
    people, genes = 80, 400
    covariates = rng.normal(size=(people, 5))
    space = projection(covariates)
    shuffled = orders(people, 300, seed=5)
    beta, empirical = [], []
    for _ in range(genes):
        window = prepare(linked(rng, 60, people), space)
        expression = covariates @ rng.normal(size=5) * 3 + rng.standard_t(6, size=people)
        strongest = float(np.nanmax(associate(window, expression, space).r ** 2))
        by_chance = strongest_by_chance(window, expression, space, shuffled)
        beta.append(fit_beta(by_chance, space.df).p_values(strongest)[1])
        empirical.append(empirical_p(strongest, by_chance))
    for p in (beta, empirical):
        assert stats.kstest(p, "uniform").pvalue > 0.001
        assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09
