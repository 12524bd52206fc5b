"""Ridge regression: scikit-learn's weights, and the error of leaving one out."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.genetics.stacking.learners.ridge import (
    degree_two,
    fit_polynomial,
    fit_ridge,
    products_of_two,
)


def _rows(n, k, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k)) + 3
    return x, x[:, 0] - 0.5 * x[:, 1] * x[:, 2] + rng.normal(size=n), rng.normal(size=(7, k)) + 3


@pytest.mark.parametrize(("n", "k"), [(40, 5), (30, 60)])
@pytest.mark.parametrize("penalty", [0.3, 30.0])
def test_predictions_are_those_of_scikit_learn(n, k, penalty):
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import PolynomialFeatures

    x, y, new = _rows(n, k)
    expected = Ridge(alpha=penalty).fit(x, y).predict(new)
    np.testing.assert_allclose(fit_ridge(x, y, penalty).predict(new), expected, atol=1e-8)
    written = PolynomialFeatures(2, include_bias=False)
    squares = written.fit_transform(x)
    expected = Ridge(alpha=penalty, solver="svd").fit(squares, y).predict(written.transform(new))
    np.testing.assert_allclose(fit_polynomial(x, y, penalty).predict(new), expected, atol=1e-6)


def test_the_kernel_is_that_of_the_products():
    x, _, new = _rows(6, 4)
    expected = products_of_two(new) @ products_of_two(x).T
    np.testing.assert_allclose(degree_two(new, x), expected)


@pytest.mark.parametrize(("n", "k"), [(25, 3), (15, 20)])
def test_the_error_is_that_of_leaving_each_row_out(n, k):
    x, y, _ = _rows(n, k)
    found = fit_ridge(x, y, 2.0)
    errors = []
    for row in range(n):
        kept = np.arange(n) != row
        told = fit_ridge(x[kept], y[kept], 2.0).predict(x[[row]])[0]
        errors.append((y[row] - told) ** 2)
    assert found.error == pytest.approx(np.mean(errors), rel=1e-8)
    chosen = fit_ridge(x, y)
    assert chosen.error <= fit_ridge(x, y, chosen.penalty * 3).error


def test_nothing_to_learn_predicts_about_the_mean():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 30)), rng.normal(size=50)
    assert fit_ridge(x, y).predict(x).std() < 0.5 * y.std()
    still = fit_ridge(np.zeros((9, 3)), np.arange(9.0))
    np.testing.assert_allclose(still.predict(np.ones((2, 3))), 4.0)
