"""Colocalisation against every configuration written out, and against exact evidence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.genetics.associations import size_of_p
from exprimo.genetics.coloc.bayes_factors import (
    colocalise_factors,
    log_bayes_factors,
    standard_errors_of,
    trait_sd_of,
)


def test_the_bayes_factor_is_a_ratio_of_densities():
    beta, se = np.array([0.0, 0.2, -0.4]), np.array([0.1, 0.05, 0.2])
    for kind, sd, scale in [("quantitative", 2.0, 0.15 * 2.0), ("case-control", 2.0, 0.2)]:
        expected = stats.norm.logpdf(beta, 0, np.hypot(se, scale)) - stats.norm.logpdf(beta, 0, se)
        found = log_bayes_factors(beta, se, kind=kind, trait_sd=sd)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_hypotheses_equal_the_sum_over_configurations():
    rng = np.random.default_rng(0)
    one, two = rng.normal(0, 3, 5), rng.normal(0, 3, 5)
    p1, p2, p12 = 1e-3, 2e-3, 5e-4
    weight = np.zeros(5)
    weight[0] = 1
    weight[1] = sum(p1 * np.exp(a) for a in one)
    weight[2] = sum(p2 * np.exp(b) for b in two)
    for i, j in itertools.product(range(5), repeat=2):
        if i == j:
            weight[4] += p12 * np.exp(one[i] + two[i])
        else:
            weight[3] += p1 * p2 * np.exp(one[i] + two[j])
    found = colocalise_factors(one, two, p1=p1, p2=p2, p12=p12)
    np.testing.assert_allclose(found[:5], weight / weight.sum(), rtol=1e-12)
    np.testing.assert_allclose(found.shared, np.exp(one + two) / np.exp(one + two).sum())


def test_one_variant_cannot_be_two():
    found = colocalise_factors([10.0], [10.0])
    assert found.h3 == 0
    assert sum(found[:5]) == pytest.approx(1)


def test_large_factors_do_not_overflow():
    found = colocalise_factors([3000.0, 0.0], [0.0, 3000.0])
    assert found.h3 == pytest.approx(1)
    assert np.isfinite(found.shared).all()


def test_effects_from_p_values():
    rng = np.random.default_rng(1)
    n, maf = 4000, 0.3
    x = rng.binomial(2, maf, n).astype(float)
    y = 0.1 * x + rng.normal(size=n)
    fit = stats.linregress(x, y)
    beta, se = standard_errors_of(size_of_p([fit.pvalue]), [maf], [n])
    assert se[0] == pytest.approx(fit.stderr, rel=0.05)
    assert beta[0] == pytest.approx(abs(fit.slope), rel=0.05)
    cases = standard_errors_of([2.6], [maf], [n], case_share=0.5)[1]
    assert cases[0] == pytest.approx(2 * se[0])


def test_the_trait_sd_is_recovered():
    rng = np.random.default_rng(2)
    maf = rng.uniform(0.05, 0.5, 200)
    se = 3.0 / np.sqrt(2 * 500 * maf * (1 - maf)) * rng.normal(1, 0.01, 200)
    assert trait_sd_of(se, maf, np.full(200, 500)) == pytest.approx(3, rel=0.01)


def test_what_cannot_be_weighed_is_refused():
    with pytest.raises(MismatchError, match="other variants"):
        colocalise_factors([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="no variant in common"):
        colocalise_factors([], [])
    with pytest.raises(ConfigError, match="priors"):
        colocalise_factors(np.zeros(20_000), np.zeros(20_000))
    with pytest.raises(InputError, match="1 standard errors"):
        log_bayes_factors([0.1], [0.0])
    with pytest.raises(ConfigError, match="kind of trait"):
        log_bayes_factors([0.1], [0.1], kind="binary")
