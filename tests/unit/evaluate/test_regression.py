"""Regression metrics against scipy, scikit-learn and hand-computed cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.inputs import observed_rows
from exprimo.evaluate.regression import (
    REGRESSION_METRICS,
    mae,
    mse,
    pearson_r,
    r2,
    rmse,
    spearman,
)

numbers = st.integers(-5, 5).map(float)
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(pairs)
def test_correlations_equal_scipy(rows: list[tuple[float, float]]) -> None:
    y, p = np.array(rows).T
    if np.ptp(y) == 0:
        assert math.isnan(pearson_r(y, p))
        assert math.isnan(spearman(y, p))
    elif np.ptp(p) == 0:
        assert pearson_r(y, p) == 0.0
        assert spearman(y, p) == 0.0
    else:
        assert pearson_r(y, p) == pytest.approx(stats.pearsonr(y, p).statistic, abs=1e-12)
        assert spearman(y, p) == pytest.approx(stats.spearmanr(y, p).statistic, abs=1e-12)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(pairs)
def test_errors_equal_sklearn(rows: list[tuple[float, float]]) -> None:
    y, p = np.array(rows).T
    assert mse(y, p) == pytest.approx(sk.mean_squared_error(y, p))
    assert rmse(y, p) == pytest.approx(sk.root_mean_squared_error(y, p))
    assert mae(y, p) == pytest.approx(sk.mean_absolute_error(y, p))
    if np.ptp(y) > 0:
        assert r2(y, p) == pytest.approx(sk.r2_score(y, p), abs=1e-12)
    else:
        assert math.isnan(r2(y, p))


def test_far_from_zero_no_digits_are_lost() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=500)
    p = y + rng.normal(size=500)
    for shift, scale in ((1e6, 1.0), (0.0, 1e-9), (-1e8, 1e3)):
        moved_y, moved_p = shift + scale * y, shift + scale * p
        assert pearson_r(moved_y, moved_p) == pytest.approx(pearson_r(y, p), abs=1e-6)
        assert r2(moved_y, moved_p) == pytest.approx(r2(y, p), abs=1e-6)


def test_a_constant_whose_mean_rounds_is_still_constant() -> None:
    y = np.arange(1000.0)
    assert pearson_r(y, np.full(1000, 0.1)) == 0.0
    assert math.isnan(pearson_r(np.full(1000, 0.1), y))
    assert math.isnan(r2(np.full(1000, 0.1), y))


def test_predicting_the_mean_scores_zero_in_both_senses() -> None:
    y = np.array([1.0, 2.0, 6.0])
    assert r2(y, np.full(3, 3.0)) == pytest.approx(0.0, abs=1e-15)
    assert pearson_r(y, np.full(3, 3.0)) == 0.0


@pytest.mark.parametrize("name", REGRESSION_METRICS)
def test_nothing_to_judge_is_nan(name: str) -> None:
    assert math.isnan(REGRESSION_METRICS[name].function([], []))
    assert math.isnan(REGRESSION_METRICS[name].function([float("nan")], [1.0]))


def test_one_row_has_errors_but_no_correlation() -> None:
    assert mse([1.0], [3.0]) == 4.0
    assert mae([1.0], [3.0]) == 2.0
    assert math.isnan(pearson_r([1.0], [3.0]))
    assert math.isnan(spearman([1.0], [3.0]))
    assert math.isnan(r2([1.0], [3.0]))


def test_missing_observations_are_left_out_and_counted() -> None:
    y, p = [1.0, math.nan, 2.0, 4.0], [1.0, 100.0, 3.0, 4.0]
    assert mae(y, p) == pytest.approx(1 / 3)
    assert observed_rows(y, p).n_missing == 1


def test_a_missing_prediction_is_an_error_only_where_there_is_an_observation() -> None:
    assert mae([1.0, math.nan], [2.0, math.nan]) == 1.0
    with pytest.raises(InputError, match=r"row 1 .*prediction is missing"):
        mae([1.0, 2.0], [1.0, math.nan])


def test_wrong_shapes_and_values_are_refused() -> None:
    with pytest.raises(MismatchError, match="do not fit together"):
        mse([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="observed value is infinite"):
        mse([math.inf], [1.0])
    with pytest.raises(InputError, match="not numbers"):
        mse(["high"], [1.0])
    with pytest.raises(InputError, match="one model at a time"):
        mse([1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]])


def test_groups_must_all_be_named() -> None:
    with pytest.raises(InputError, match="a group is missing"):
        observed_rows([1.0, 2.0], [1.0, 2.0], np.array(["g1", None], dtype=object))
    with pytest.raises(InputError, match="a group is missing"):
        observed_rows([1.0, 2.0], [1.0, 2.0], [1.0, math.nan])
    with pytest.raises(MismatchError, match="differ in length"):
        observed_rows([1.0, 2.0], [1.0, 2.0], ["g1"])
    unlabelled = observed_rows([1.0, math.nan], [1.0, 2.0], np.array(["g1", None], dtype=object))
    assert unlabelled.n_groups == 1
