"""Slopes, standard errors and p-values equal ordinary least squares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from exprimo.core.errors import InputError
from exprimo.genetics.eqtl.gene import strongest
from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.eqtl.statistics.association import associate, filled, p_of_r2, prepare


def made_up(seed: int = 0, people: int = 120, variants: int = 40, covariates: int = 6):
    """Make dosages with holes, covariates on unlike scales, and expression that uses both."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.05, 0.95, (variants, 1))
    dosage = rng.binomial(2, frequency, (variants, people)).astype(np.float32)
    dosage[rng.random(dosage.shape) < 0.03] = np.nan
    known = rng.normal(size=(people, covariates)) * 10.0 ** rng.integers(-3, 4, covariates) + 5
    effect = rng.normal(size=covariates) / known.std(axis=0)
    expression = filled(dosage)[3] * 0.8 + known @ effect + rng.normal(size=people) + 100
    return dosage, known, expression


def ols(dosage: np.ndarray, covariates: np.ndarray, expression: np.ndarray):
    """Solve the normal equations of each variant in turn."""
    rows = []
    for g in filled(dosage):
        # Scaled, so that lstsq itself keeps its digits.
        scaled = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)
        X = np.column_stack([g, np.ones(len(g)), scaled])
        b = np.linalg.lstsq(X, expression, rcond=None)[0]
        left = expression - X @ b
        df = len(g) - X.shape[1]
        se = np.sqrt(left @ left / df * np.linalg.inv(X.T @ X)[0, 0])
        rows.append((b[0], se, 2 * stats.t.sf(abs(b[0] / se), df)))
    return np.array(rows).T


def test_slopes_errors_and_p_equal_least_squares() -> None:
    dosage, covariates, expression = made_up()
    space = projection(covariates)
    found = associate(prepare(dosage, space), expression, space)
    slope, se, p = ols(dosage, covariates, expression)
    np.testing.assert_allclose(found.slope, slope, rtol=1e-8)
    np.testing.assert_allclose(found.slope_se, se, rtol=1e-8)
    np.testing.assert_allclose(found.pval_nominal, p, rtol=1e-8)
    assert found.pval_nominal[3] == found.pval_nominal.min()


def test_no_covariates_is_the_simple_regression() -> None:
    dosage, _, expression = made_up(1)
    space = projection(np.empty((len(expression), 0)))
    found = associate(prepare(dosage, space), expression, space)
    simple = stats.linregress(filled(dosage)[5], expression)
    assert found.slope[5] == pytest.approx(simple.slope, rel=1e-8)
    assert found.slope_se[5] == pytest.approx(simple.stderr, rel=1e-8)
    assert found.pval_nominal[5] == pytest.approx(simple.pvalue, rel=1e-8)


def test_constant_and_explained_variants_give_nothing() -> None:
    dosage, covariates, expression = made_up(2)
    dosage[0] = 2 / 3
    dosage[1] = np.nan
    covariates[:, 0] = np.arange(len(expression)) % 3
    dosage[2] = covariates[:, 0]
    space = projection(covariates)
    ready = prepare(dosage, space)
    assert ready.usable.tolist() == [False] * 3 + [True] * 37
    found = associate(ready, expression, space)
    for values in found:
        assert np.isnan(values[:3]).all()
        assert np.isfinite(values[3:]).all()


def test_expression_that_covariates_explain_gives_nothing() -> None:
    dosage, covariates, _ = made_up(6)
    space = projection(covariates)
    found = associate(prepare(dosage, space), 2 * covariates[:, 1] + 1, space)
    assert np.isnan(found.r).all()
    assert strongest(found) is None


def test_an_extreme_p_is_not_rounded_to_zero() -> None:
    dosage, covariates, expression = made_up(3, people=700)
    space = projection(covariates)
    found = associate(prepare(dosage, space), filled(dosage)[0] + 0.25 * expression, space)
    assert 0 < found.pval_nominal[0] < 1e-100


def test_p_of_r2_is_that_of_student() -> None:
    r2, df = np.array([1e-6, 0.01, 0.3, 0.9]), 87.5
    t = np.sqrt(df * r2 / (1 - r2))
    np.testing.assert_allclose(p_of_r2(r2, df), 2 * stats.t.sf(t, df), rtol=1e-10)


def test_conditioning_equals_one_more_covariate() -> None:
    dosage, covariates, expression = made_up(4)
    more = filled(dosage)[3]
    space = projection(covariates).with_columns(np.column_stack([more, more]))
    assert space.df == projection(covariates).df - 1
    found = associate(prepare(dosage, space), expression, space)
    assert np.isnan(found.slope[3])
    slope, _, p = ols(dosage[:3], np.column_stack([covariates, more]), expression)
    np.testing.assert_allclose(found.slope[:3], slope, rtol=1e-8)
    np.testing.assert_allclose(found.pval_nominal[:3], p, rtol=1e-8)


@pytest.mark.parametrize("bad", ["constant", "sum"])
def test_collinear_covariates_are_named(bad: str) -> None:
    _, covariates, _ = made_up(5)
    covariates[:, 4] = 7.7 if bad == "constant" else covariates[:, 0] - 2 * covariates[:, 1]
    with pytest.raises(InputError, match="collinear") as caught:
        projection(covariates, ["a", "b", "c", "d", "e", "f"])
    assert "e" in str(caught.value)


def test_more_covariates_than_people_are_refused() -> None:
    with pytest.raises(InputError, match="too few people"):
        projection(np.random.default_rng(0).normal(size=(8, 7)))
