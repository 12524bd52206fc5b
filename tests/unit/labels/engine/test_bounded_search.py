"""The posterior of genes whose iterations ran away."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom, norm

from exprimo.labels.coefficients import LOG2_E, fit_genes
from exprimo.labels.engine.bounded_search import log_probability, loss_and_slope
from exprimo.labels.model import Model, Observed


@pytest.mark.parametrize("mean", [1e-6, 0.3, 1.0, 40.0, 1e3, 1e7])
@pytest.mark.parametrize("size", [1e-3, 0.1, 1.0, 30.0, 1e8])
def test_probabilities_are_those_of_scipy(size: float, mean: float) -> None:
    for y in (0, 1, 2, 17, 1000, 10_000_000):
        expected = nbinom.logpmf(y, size, size / (size + mean))
        if np.isfinite(expected) and size < 1e6:
            assert log_probability(float(y), size, mean) == pytest.approx(expected, rel=2e-6)
    # They add up to one where they can be added.
    if mean < 50 and size >= 1:
        total = sum(np.exp(log_probability(float(y), size, mean)) for y in range(3000))
        assert total == pytest.approx(1, abs=1e-7)


def test_a_mean_of_nothing() -> None:
    assert log_probability(0.0, 1.0, 0.0) == 0
    assert log_probability(3.0, 1.0, 0.0) == -np.inf


def test_loss_and_slope_by_their_definition() -> None:
    y, factors, alpha = np.array([3, 0, 9, 20]), np.array([0.5, 1.0, 1.0, 2.0]), 0.4
    x, p = np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]), np.array([1.2, 1.7])

    def loss(q: np.ndarray) -> float:
        mean = factors * 2 ** (x @ q)
        by = nbinom.logpmf(y, 1 / alpha, 1 / (1 + alpha * mean)).sum()
        return -float(by + norm.logpdf(q, scale=1e3).sum())

    slope = np.empty(2)
    assert loss_and_slope(p, y, factors, x, alpha, slope) == pytest.approx(loss(p), rel=1e-12)
    for k in range(2):
        step = 1e-3 * np.eye(2)[k]
        assert slope[k] == pytest.approx((loss(p + step) - loss(p - step)) / 2e-3, rel=1e-8)
    # At the bound the span ends there.
    edge = np.array([30.0, 0.0])
    loss_and_slope(edge, y, factors, x, alpha, slope)
    low = np.array([30 - 1e-3, 0.0])
    assert slope[0] == pytest.approx((loss(edge) - loss(low)) / 1e-3, rel=1e-6)


def test_reads_in_one_sample_only_end_on_a_finite_slope() -> None:
    x = np.column_stack([np.ones(6), np.repeat([0.0, 1.0], 3)])
    counts = np.array([[0, 0, 0, 0, 900, 0], [5, 6, 7, 50, 60, 70]])
    fit = fit_genes(Observed(counts, np.ones((1, 6))), Model(x), np.array([10.0, 0.05]))
    assert np.isfinite(fit.beta).all()
    assert (np.abs(fit.beta) * LOG2_E <= 30).all()
    assert fit.beta[0, 1] * LOG2_E > 5
    assert not fit.repaired[1]
    np.testing.assert_allclose(fit.beta[1], [np.log(6), np.log(10)], rtol=1e-4)
