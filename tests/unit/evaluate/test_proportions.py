"""Shares with intervals: Wilson's, and wider where rows repeat one another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from exprimo.evaluate.proportions import proportion


@pytest.mark.parametrize(("hits", "n"), [(0, 8), (3, 8), (8, 8), (97, 100)])
def test_independent_rows_give_wilsons_interval(hits: int, n: int) -> None:
    got = proportion(np.r_[np.ones(hits), np.zeros(n - hits)])
    want = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert (got.low, got.high) == pytest.approx((want.low, want.high), abs=1e-12)


def test_copied_rows_count_once() -> None:
    once = np.r_[np.ones(30), np.zeros(20)]
    copied = proportion(np.repeat(once, 10), np.repeat(np.arange(50), 10))
    single = proportion(once)
    assert copied.n == 500
    assert (copied.low, copied.high) == pytest.approx((single.low, single.high), abs=0.02)


def test_the_interval_covers_the_truth_with_clustered_rows() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        chance = rng.beta(8, 2, size=30)
        hits = rng.random((30, 15)) < chance[:, None]
        got = proportion(hits.reshape(-1), np.repeat(np.arange(30), 15))
        covered += got.low <= 0.8 <= got.high
    assert 0.92 <= covered / 400 <= 0.98


def test_never_an_interval_from_two_units_nor_from_nothing() -> None:
    two = proportion([1, 1, 0, 1], ["a", "a", "b", "b"])
    assert two.value == 0.75
    assert math.isnan(two.low)
    nothing = proportion([math.nan])
    assert math.isnan(nothing.value)
    assert nothing.n == 0


def test_all_hits_in_few_groups_do_not_promise_certainty() -> None:
    got = proportion(np.ones(1000), np.repeat(np.arange(10), 100))
    assert got.high == 1.0
    assert got.low < 0.75
