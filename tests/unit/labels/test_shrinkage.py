"""Shrunken fold changes: noise goes to 0, certain changes stay."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from scipy.special import gammaln

from exprimo.labels.coefficients import fit_genes
from exprimo.labels.model import Model, Observed
from exprimo.labels.shrinkage import prior_scale, shrink_changes


@pytest.fixture(scope="module")
def drawn() -> tuple[Observed, Model, np.ndarray, np.ndarray]:
    """Give 60 genes of 5 + 5 samples: their counts, design, dispersions and estimates."""
    rng = np.random.default_rng(4)
    model = Model(np.column_stack([np.ones(10), np.repeat([0.0, 1.0], 5)]))
    change = np.where(np.arange(60) < 20, rng.normal(0, 2, 60), 0.0)
    means = rng.gamma(1, 80, (60, 1)) * np.exp(change[:, None] * model.x[:, 1])
    alpha = np.full(60, 0.3)
    counts = rng.negative_binomial(1 / 0.3, 1 / (1 + 0.3 * means)) + 1
    observed = Observed(counts, np.ones((1, 10)))
    return observed, model, alpha, fit_genes(observed, model, alpha).beta


def test_the_mode_is_where_an_independent_search_ends(drawn) -> None:
    observed, model, alpha, beta = drawn
    found = shrink_changes(observed, model, alpha, beta, 1, 0.5, threads=1)
    size = 1 / 0.3

    def loss(b: np.ndarray, y: np.ndarray) -> float:
        mean = np.exp(model.x @ b)
        likelihood = gammaln(y + size) + y * np.log(mean) - (y + size) * np.log(size + mean)
        return -float(likelihood.sum()) + 0.5 * (b[0] / 15) ** 2 + np.log1p((b[1] / 0.5) ** 2)

    for g in range(0, 60, 7):
        starts = (beta[g], np.array([beta[g, 0], 0.0]))
        ends = [
            scipy.optimize.minimize(
                loss, s, args=(observed.counts[g],), method="Nelder-Mead",
                options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
            )
            for s in starts
        ]  # fmt: skip
        best = min(ends, key=lambda end: end.fun)
        assert found.change[g] * np.log(2) == pytest.approx(best.x[1], abs=1e-5)


def test_shrunken_is_smaller_and_of_the_same_sign(drawn) -> None:
    observed, model, alpha, beta = drawn
    found = shrink_changes(observed, model, alpha, beta, 1, 0.2, threads=1)
    free = beta[:, 1] / np.log(2)
    # The free fit stops within 1e-4 of its own maximum.
    assert (np.abs(found.change) <= np.abs(free) + 2e-4).all()
    assert (found.change * free >= -1e-6).all()
    assert (found.error > 0).all()
    # A wide prior changes nothing.
    wide = shrink_changes(observed, model, alpha, beta, 1, 1e4, threads=1)
    np.testing.assert_allclose(wide.change, free, atol=1e-2)


def test_the_scale_is_that_of_the_true_changes() -> None:
    rng = np.random.default_rng(9)
    error = rng.uniform(0.05, 0.3, 5000)
    change = rng.normal(0, 0.4, 5000) + rng.normal(0, error)
    assert prior_scale(change, error) == pytest.approx(0.4, rel=0.03)
    assert prior_scale(rng.normal(0, 5.0, 500), np.full(500, 0.1)) == 1.0
    assert prior_scale(np.zeros(50), np.full(50, 0.1)) == pytest.approx(1e-3)
    missing = np.concatenate([change, [np.nan]])
    assert prior_scale(missing, np.append(error, 0.1)) == prior_scale(change, error)
