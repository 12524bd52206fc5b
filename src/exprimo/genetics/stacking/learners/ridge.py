"""Ridge regression, plain and on all products of two features, its penalty by leaving one out.

The error of leaving each row out follows from one eigendecomposition (Golub, Heath & Wahba 1979,
Technometrics 21:215), so no folds are needed. Products of features are never written down where
they are more than the rows: the kernel that they make is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Kernel = Callable[[FloatArray, FloatArray], FloatArray]

# Penalties that are tried, as a share of the mean eigenvalue; and, last, to predict the mean.
_GRID = np.append(np.geomspace(1e-3, 1e4, 22), np.inf)
_ROUNDING = 1e-12


class Ridge(NamedTuple):
    """A fitted ridge regression.

    Attributes
    ----------
    predict
        Features (rows, features) -> (rows,).
    penalty
        The one that was given or chosen; infinite: it predicts the mean.
    error
        Mean squared error of leaving one out.
    """

    predict: Callable[[FloatArray], FloatArray]
    penalty: float
    error: float


def linear(a: FloatArray, b: FloatArray) -> FloatArray:
    """Kernel of the features themselves."""
    found: FloatArray = a @ b.T
    return found


def degree_two(a: FloatArray, b: FloatArray) -> FloatArray:
    """Kernel of all features, their squares and their products of two.

    Examples
    --------
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    >>> degree_two(a, b).item() == 1 * 3 + 2 * 5 + 1 * 9 + 4 * 25 + 2 * 15
    True
    """
    once = a @ b.T
    found: FloatArray = once + (once * once + (a * a) @ (b * b).T) / 2
    return found


def products_of_two(x: FloatArray) -> FloatArray:
    """Write down what `degree_two` is the kernel of, (rows, features * (features + 3) / 2)."""
    first, second = np.triu_indices(x.shape[1])
    return np.concatenate([x, x[:, first] * x[:, second]], axis=1)


def fit_ridge(features: FloatArray, target: FloatArray, penalty: float | None = None) -> Ridge:
    """Fit a ridge regression with an intercept that is not penalised.

    Parameters
    ----------
    features, target
        (rows, features), (rows,).
    penalty
        What is added to the diagonal of X'X; None: chosen by leaving one out.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> fit_ridge(x, np.array([0.0, 1.0, 2.0]), penalty=2.0).predict(x).round(9).tolist()
    [0.5, 1.0, 1.5]
    """
    if features.shape[1] <= features.shape[0]:
        return _primal(features, target, penalty, lambda x: x)
    return _dual(features, target, penalty, linear)


def fit_polynomial(features: FloatArray, target: FloatArray, penalty: float | None = None) -> Ridge:
    """Fit a ridge regression on features, their squares and products; see `fit_ridge`."""
    if features.shape[1] * (features.shape[1] + 3) // 2 <= features.shape[0]:
        return _primal(features, target, penalty, products_of_two)
    return _dual(features, target, penalty, degree_two)


def _primal(
    features: FloatArray,
    target: FloatArray,
    penalty: float | None,
    written: Callable[[FloatArray], FloatArray],
) -> Ridge:
    """Solve in the space of features: few of them, many rows."""
    x = written(features)
    middle, mean = x.mean(axis=0), float(target.mean())
    left, spread, right = np.linalg.svd(x - middle, full_matrices=False)
    chosen, error = _penalty(left, spread**2, target - mean, penalty)
    pull = left.T @ (target - mean)
    weights = right.T @ (_divided(spread, spread**2 + chosen) * pull)

    def predict(more: FloatArray) -> FloatArray:
        told: FloatArray = mean + (written(more) - middle) @ weights
        return told

    return Ridge(predict, chosen, error)


def _dual(features: FloatArray, target: FloatArray, penalty: float | None, kernel: Kernel) -> Ridge:
    """Solve in the space of rows: many features, few rows."""
    plain = kernel(features, features)
    by_row = plain.mean(axis=1)
    centred = plain - by_row - by_row[:, None] + by_row.mean()
    mean = float(target.mean())
    spread, left = np.linalg.eigh(centred)
    spread = np.maximum(spread, 0.0)
    chosen, error = _penalty(left, spread, target - mean, penalty)
    kept = spread > _ROUNDING * spread.max(initial=0.0)
    pull = np.where(kept, left.T @ (target - mean), 0.0)
    weights = left @ _divided(pull, spread + chosen)
    # The kernel of new rows is centred by the means of the old ones.
    away = float(by_row @ weights)

    def predict(more: FloatArray) -> FloatArray:
        across = kernel(more, features)
        shift = mean - away + by_row.mean() * weights.sum()
        told: FloatArray = across @ weights - across.mean(axis=1) * weights.sum() + shift
        return told

    return Ridge(predict, chosen, error)


def _penalty(
    left: FloatArray, spread: FloatArray, centred: FloatArray, penalty: float | None
) -> tuple[float, float]:
    """Choose a penalty by leaving one out (or measure the one given), the larger of equal ones.

    ``left`` (rows, k) and ``spread`` (k,) are the eigenvectors and values of the centred kernel.
    """
    n = len(centred)
    tried = np.array([penalty]) if penalty is not None else _GRID * max(spread.mean(), 1e-300)
    shrink = np.stack([_divided(spread, spread + one) for one in tried])
    fitted = (shrink * (left.T @ centred)) @ left.T
    weight = shrink @ (left * left).T + 1.0 / n
    # A row that nothing else tells of has weight 1; leaving it out leaves its whole value.
    apart = np.where(weight < 1 - 1e-9, (centred - fitted) / np.maximum(1 - weight, 1e-9), centred)
    errors = (apart * apart).mean(axis=1)
    best = len(tried) - 1 - int(np.argmin(errors[::-1]))
    return float(tried[best]), float(errors[best])


def _divided(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide; 0 where the denominator is 0 or infinite."""
    usable = (below > 0) & np.isfinite(below)
    found: FloatArray = np.divide(above, below, out=np.zeros_like(below), where=usable)
    return found
