"""q-values, Benjamini-Hochberg and the threshold across genes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import interpolate, stats

from exprimo.genetics.eqtl.statistics.significance import (
    adjusted,
    q_values,
    share_of_nulls,
    smoothed,
    threshold_across_genes,
)


def test_benjamini_hochberg_is_scipys() -> None:
    p = np.random.default_rng(0).uniform(size=200) ** 2
    np.testing.assert_allclose(adjusted(p), stats.false_discovery_control(p), rtol=1e-12)


@pytest.mark.parametrize("nulls", [0.3, 0.7, 1.0])
def test_the_share_of_nulls_is_found(nulls: float) -> None:
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        p = np.concatenate(
            [rng.uniform(size=int(5000 * nulls)), rng.beta(0.1, 20, int(5000 * (1 - nulls)))]
        )
        found.append(share_of_nulls(p))
    assert np.mean(found) == pytest.approx(nulls, abs=0.05)


def test_q_values_bound_false_discoveries() -> None:
    rng = np.random.default_rng(1)
    null = rng.random(4000) < 0.6
    p = np.where(null, rng.uniform(size=4000), rng.beta(0.05, 30, 4000))
    found = q_values(p)
    called = found.q <= 0.1
    assert found.method == "storey"
    assert 0.05 < null[called].mean() < 0.13
    # As many as Benjamini-Hochberg, or more.
    assert called.sum() >= (q_values(p, "bh").q <= 0.1).sum()


def test_missing_p_stay_missing_and_few_fall_back_with_a_word() -> None:
    found = q_values(np.array([0.01, np.nan, 0.5]))
    assert found.q[[0, 2]].tolist() == [0.02, 0.5]
    assert np.isnan(found.q[1])
    assert (found.method, found.pi0) == ("bh", 1.0)
    assert "too few" in found.note


def test_smoothing_equals_scipys_spline_of_the_same_penalty() -> None:
    x = np.sort(np.random.default_rng(2).uniform(size=25))
    y = np.sin(4 * x) + np.random.default_rng(3).normal(0, 0.1, 25)
    df = 5.0
    # scipy takes the weight of the penalty; ours is the one with this trace.
    lows, highs = 1e-9, 10.0
    for _ in range(200):
        weight = np.sqrt(lows * highs)
        hat = [interpolate.make_smoothing_spline(x, e, lam=weight)(x) for e in np.eye(25)]
        lows, highs = (weight, highs) if np.trace(np.array(hat)) > df else (lows, weight)
        if highs / lows < 1 + 1e-9:
            break
    theirs = interpolate.make_smoothing_spline(x, y, lam=weight)(x)
    np.testing.assert_allclose(smoothed(x, y, df), theirs, atol=1e-6)


def test_the_threshold_lies_between_called_and_not() -> None:
    p, q = np.array([0.001, 0.01, 0.04, 0.5]), np.array([0.004, 0.02, 0.06, 0.5])
    assert threshold_across_genes(p, q, 0.05) == pytest.approx(0.025)
    assert threshold_across_genes(p, q, 0.6) == 0.5
    assert threshold_across_genes(p, q, 0.001) is None
