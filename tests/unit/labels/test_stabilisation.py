"""The variance-stabilising transform: rising, like log2 at high counts, and of even spread."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.labels.dispersion.trend import Trend, fit_trend
from exprimo.labels.stabilisation import stabilise

MEANS = np.geomspace(0.5, 1e5, 1000)
TRENDS = {
    "parametric": Trend("parametric", lambda q: 0.1 + 3 / q, 0.1, 3.0, False),
    "mean": Trend("mean", lambda q: np.full(np.shape(q), 0.1), 0.1, np.nan, False),
    "local": fit_trend(MEANS, 0.1 + 3 / MEANS, "local"),
}


def _drawn(trend: Trend, n_samples: int = 400) -> np.ndarray:
    rng = np.random.default_rng(1)
    means = np.geomspace(20, 1e5, 60)[:, None]
    size = 1 / trend.function(means)
    return rng.negative_binomial(size, size / (size + means), (60, n_samples)).astype(float)


@pytest.mark.parametrize("kind", TRENDS)
def test_it_rises(kind: str) -> None:
    counts = np.concatenate([np.zeros(1), np.geomspace(1, 1e6, 300)])
    table = np.vstack([counts, np.tile(MEANS[:, None], (1, len(counts)))])
    values = stabilise(table, TRENDS[kind], np.ones(len(counts)))[0]
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("kind", TRENDS)
def test_at_high_counts_it_is_log2(kind: str) -> None:
    counts = np.array([2e4, 4e4, 8e4])
    table = np.vstack([counts, np.tile(MEANS[:, None], (1, 3))])
    values = stabilise(table, TRENDS[kind], np.ones(3))[0]
    np.testing.assert_allclose(np.diff(values), [1, 1], atol=5e-3)
    if kind != "local":
        np.testing.assert_allclose(values, np.log2(counts), atol=5e-3)


@pytest.mark.parametrize("kind", ["parametric", "local"])
def test_its_spread_does_not_depend_on_the_mean(kind: str) -> None:
    counts = _drawn(TRENDS[kind])
    spread = stabilise(counts, TRENDS[kind], np.ones(counts.shape[1])).std(1)
    assert spread.max() / spread.min() < 1.4
    assert np.log2(counts + 1).std(1).max() / np.log2(counts + 1).std(1).min() > 1.8


def test_both_forms_of_one_trend_agree_up_to_a_scale() -> None:
    counts = _drawn(TRENDS["parametric"], 10)
    closed = stabilise(counts, TRENDS["parametric"], np.ones(10))
    integrated = stabilise(counts, TRENDS["local"], np.ones(10))
    assert np.corrcoef(closed.ravel(), integrated.ravel())[0, 1] > 0.9999
