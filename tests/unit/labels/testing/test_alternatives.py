"""Tests against a threshold, by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from exprimo.labels.testing.alternatives import ALTERNATIVES, wald_test

CHANGE, ERROR = np.array([3.0, -3.0, 0.5, 0.0]), np.array([1.0, 0.5, 0.25, 1.0])


def test_no_threshold() -> None:
    test = wald_test(CHANGE, ERROR)
    np.testing.assert_allclose(test.stat, [3, -6, 2, 0])
    np.testing.assert_allclose(test.pvalue, 2 * norm.sf([3, 6, 2, 0]), rtol=1e-12)


def test_each_alternative_by_hand() -> None:
    beyond = wald_test(CHANGE, ERROR, null=1.0)
    # (3 - 1) / 1, (3 - 1) / 0.5 with its sign; below the threshold the statistic is 0.
    np.testing.assert_allclose(beyond.stat, [2, -4, 0, 0])
    np.testing.assert_allclose(beyond.pvalue, [2 * norm.sf(2), 2 * norm.sf(4), 1, 1], rtol=1e-12)
    above = wald_test(CHANGE, ERROR, null=1.0, alternative="greater")
    np.testing.assert_allclose(above.stat, [2, 0, 0, 0])
    np.testing.assert_allclose(above.pvalue, norm.sf([2, -8, -2, -1]), rtol=1e-12)
    below = wald_test(CHANGE, ERROR, null=1.0, alternative="less")
    np.testing.assert_allclose(below.stat, [0, -4, 0, 0])
    np.testing.assert_allclose(below.pvalue, norm.cdf([4, -4, 6, 1]), rtol=1e-12)
    within = wald_test(CHANGE, ERROR, null=1.0, alternative="lessAbs")
    np.testing.assert_allclose(within.stat, [0, 0, 2, 1])
    np.testing.assert_allclose(within.pvalue, norm.sf([-2, -4, 2, 1]), rtol=1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_missing_stays_missing(alternative) -> None:
    test = wald_test(np.array([np.nan]), np.array([1.0]), null=0.5, alternative=alternative)
    assert np.isnan(test.pvalue).all()


def test_a_threshold_never_helps() -> None:
    p = [wald_test(CHANGE, ERROR, null=null).pvalue for null in (0.0, 0.5, 1.0, 2.0)]
    assert (np.diff(np.array(p), axis=0) >= 0).all()
