"""Conformal coverage on simulated data, the finite-sample rule by hand, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.conformal import (
    conformal_quantile,
    conformal_sets,
    coverage,
    summarise_sets,
)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_a_new_row_is_covered_as_often_as_promised(level: float) -> None:
    """With n = 39, coverage is exactly level: (n + 1) * level is a whole number."""
    rng = np.random.default_rng(0)
    covered, worlds = 0, 4000
    for _ in range(worlds):
        residual = rng.standard_t(3, size=40)
        fit = conformal_quantile(residual[:39], np.zeros(39), level=level)
        covered += abs(residual[39]) <= fit.scale
    assert stats.binomtest(covered, worlds, level).pvalue > 0.001


def test_the_rank_is_the_ceiling_of_n_plus_one_times_level() -> None:
    residual = np.arange(1.0, 20.0)
    assert conformal_quantile(residual, np.zeros(19), level=0.9).scale == 18.0
    assert conformal_quantile(residual, np.zeros(19), level=0.91).scale == 19.0
    assert conformal_quantile(residual, np.zeros(19), level=0.05).scale == 1.0


def test_too_few_rows_give_an_infinite_interval_that_says_why() -> None:
    fit = conformal_quantile([1.0] * 8, [0.0] * 8, level=0.9)
    assert math.isinf(fit.scale)
    assert fit.reason == "8 validation rows are too few for level 0.9: it takes 9"
    low, high = fit.interval([1.0, 2.0])
    assert (low == -np.inf).all()
    assert (high == np.inf).all()
    assert conformal_quantile([1.0] * 9, [0.0] * 9, level=0.9).reason == ""
    scaled = conformal_quantile([math.nan], [0.0], [1.0])
    assert scaled.interval([3.0], [0.0])[1].tolist() == [math.inf]


def test_scaling_by_the_spread_narrows_where_the_model_is_sure() -> None:
    rng = np.random.default_rng(1)
    sd = rng.uniform(0.1, 3.0, 4000)
    y = sd * rng.normal(size=4000)
    fit = conformal_quantile(y[:2000], np.zeros(2000), sd[:2000])
    low, high = fit.interval(np.zeros(2000), sd[2000:])
    measured = coverage(y[2000:], low, high)
    assert measured.value == pytest.approx(0.9, abs=0.025)
    assert measured.low < 0.9 < measured.high
    sure = sd[2000:] < 0.5
    flat_low, flat_high = conformal_quantile(y[:2000], np.zeros(2000)).interval(np.zeros(2000))
    assert coverage(y[2000:][sure], low[sure], high[sure]).value == pytest.approx(0.9, abs=0.05)
    assert coverage(y[2000:][sure], flat_low[sure], flat_high[sure]).value > 0.99


def test_a_spread_of_zero_does_not_promise_certainty() -> None:
    sd = np.r_[0.0, np.ones(19)]
    fit = conformal_quantile(np.full(20, 0.5), np.zeros(20), sd, level=0.8)
    low, high = fit.interval([0.0], [0.0])
    assert low[0] < 0 < high[0]
    with pytest.raises(InputError, match="0 everywhere"):
        conformal_quantile(np.ones(20), np.zeros(20), np.zeros(20))


def test_intervals_need_the_columns_they_were_made_with() -> None:
    fit = conformal_quantile(np.ones(20), np.zeros(20), np.ones(20))
    with pytest.raises(InputError, match="scaled by the ensemble's spread"):
        fit.interval([1.0])
    with pytest.raises(MismatchError, match="differ in length"):
        fit.interval([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="negative or missing"):
        fit.interval([1.0], [math.nan])
    with pytest.raises(InputError, match="no end"):
        coverage([1.0], [math.nan], [2.0])
    with pytest.raises(MismatchError, match="differ in length"):
        coverage([1.0, 2.0], [0.0], [2.0])


def test_coverage_counts_groups_and_skips_missing() -> None:
    got = coverage(
        [1.0, 2.0, math.nan, 9.0], [0.0] * 4, [5.0] * 4, ["a", "a", "b", "c"], unit="gene"
    )
    assert (got.value, got.n, got.n_groups, got.unit) == (pytest.approx(2 / 3), 3, 2, "gene")
    assert math.isnan(got.low)


def test_sets_hold_the_true_class_as_often_as_promised() -> None:
    rng = np.random.default_rng(2)
    p = rng.beta(0.7, 0.7, 6000)
    y = (rng.random(6000) < p).astype(float)
    fit = conformal_sets(y[:3000], p[:3000], level=0.9)
    got = summarise_sets(fit.sets(p[3000:]), y[3000:])
    assert got.coverage.value == pytest.approx(0.9, abs=0.02)
    assert got.empty + got.single + got.both == pytest.approx(1.0)
    assert got.mean_size == pytest.approx(got.single + 2 * got.both)
    useless = conformal_sets(y[:3000], np.full(3000, 0.5), level=0.9)
    assert useless.sets(np.full(4, 0.5)).all()


def test_sets_by_hand() -> None:
    got = summarise_sets(
        np.array([[True, False], [True, True], [False, False], [False, True]]),
        [1, 1, 0, math.nan],
    )
    assert got.coverage.value == pytest.approx(1 / 3)
    assert (got.mean_size, got.empty, got.single, got.both) == pytest.approx(
        (1, 1 / 3, 1 / 3, 1 / 3)
    )
    few = conformal_sets([0, 1], [0.1, 0.9])
    assert "too few" in few.reason
    assert few.sets([0.0, 1.0]).all()
    with pytest.raises(MismatchError, match="differ in length"):
        summarise_sets(np.ones((3, 2), dtype=bool), [1, 0])
