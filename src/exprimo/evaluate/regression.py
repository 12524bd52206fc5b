"""Metrics of predicted numbers.

Rows without an observation (NaN) are left out. Where a metric has no meaning it is NaN: no rows
at all; for r, Spearman and R², fewer than two rows or an observation that never varies. A
prediction that never varies has r = 0: who selects nothing predicts the mean, scores 0, and
counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from exprimo.evaluate.inputs import IntArray
from exprimo.evaluate.metric import Metric, Resampled, additive, plain_value, ratio
from exprimo.evaluate.results import FloatArray

# Below this share of the sum of squares, a variance is rounding error: the values are constant.
_ROUNDING = 1e-13


def pearson_r(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Compute Pearson's correlation; 0 for a constant prediction.

    Examples
    --------
    >>> round(pearson_r([1, 2, 3, 4], [1, 3, 2, 5]), 4)
    0.8315
    >>> pearson_r([1, 2, 3, 4], [2.5, 2.5, 2.5, 2.5])
    0.0
    """
    return plain_value(_pearson, "number", observed, predicted)


def spearman(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Compute Spearman's rank correlation, ties at their mean rank; 0 for a constant prediction."""
    return plain_value(_spearman, "number", observed, predicted)


def r2(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Compute the coefficient of determination against the mean of these observations.

    It is 1 minus the squared error over that of the observed mean: 0 for predicting that mean,
    negative for doing worse. It is not the square of r.
    """
    return plain_value(_r2, "number", observed, predicted)


def mse(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Compute the mean squared error, in squared units of the target."""
    return plain_value(_mse, "number", observed, predicted)


def rmse(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Compute the root of the mean squared error, in units of the target."""
    return plain_value(_rmse, "number", observed, predicted)


def mae(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Compute the mean absolute error, in units of the target."""
    return plain_value(_mae, "number", observed, predicted)


def _standard(values: FloatArray) -> tuple[FloatArray, float]:
    """Centre values (sums of squares then lose no digits) and scale them to order 1."""
    largest = float(np.abs(values).max(initial=0.0))
    scale = largest if largest > 0 else 1.0
    scaled = values / scale
    return scaled - scaled.mean(), scale


def _varies(sum_squares: FloatArray, variation: FloatArray, n: FloatArray) -> FloatArray:
    """Set variations that are only rounding error to 0 (values are scaled to order 1)."""
    noise = np.maximum(_ROUNDING * sum_squares, n * _ROUNDING**2)
    return np.where(variation > noise, variation, 0.0)


def _pearson_terms(y: FloatArray, s: FloatArray) -> FloatArray:
    a, _ = _standard(y)
    b, _ = _standard(s)
    return np.stack([np.ones_like(a), a, b, a * a, b * b, a * b])


def _pearson_finish(totals: FloatArray) -> FloatArray:
    n, a, b, aa, bb, ab = totals
    mean_a, mean_b = ratio(a, n, 0.0), ratio(b, n, 0.0)
    var_a = _varies(aa, aa - a * mean_a, n)
    var_b = _varies(bb, bb - b * mean_b, n)
    return _correlation(var_a, var_b, ab - a * mean_b, n)


def _correlation(
    var_a: FloatArray, var_b: FloatArray, covariance: FloatArray, n: FloatArray
) -> FloatArray:
    r = ratio(covariance, np.sqrt(var_a) * np.sqrt(var_b), 0.0)
    return np.where((n < 2) | (var_a == 0), np.nan, np.clip(r, -1.0, 1.0))


def _r2_terms(y: FloatArray, s: FloatArray) -> FloatArray:
    a, scale = _standard(y)
    error = (s - y) / scale
    return np.stack([np.ones_like(a), a, a * a, error * error])


def _r2_finish(totals: FloatArray) -> FloatArray:
    n, a, aa, squared_error = totals
    variation = _varies(aa, aa - a * ratio(a, n, 0.0), n)
    return np.where(n < 2, np.nan, 1.0 - ratio(squared_error, variation, np.nan))


def _squared(y: FloatArray, s: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(y), (s - y) ** 2])


def _absolute(y: FloatArray, s: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(y), np.abs(s - y)])


def _mean(totals: FloatArray) -> FloatArray:
    n, total = totals
    return ratio(total, n, np.nan)


def _root_mean(totals: FloatArray) -> FloatArray:
    return np.sqrt(_mean(totals))


def _spearman(y: FloatArray, s: FloatArray, group: IntArray, n_groups: int) -> Resampled:
    """Rank within each resample: a row drawn twice is two tied rows."""
    order = np.argsort(s, kind="stable")
    y, s, group = y[order], s[order], group[order]
    s_start = np.flatnonzero(np.r_[True, s[1:] != s[:-1]])
    s_block = np.repeat(np.arange(s_start.size), np.diff(np.r_[s_start, s.size]))
    y_values, y_block = np.unique(y, return_inverse=True)
    by_y = np.argsort(y_block, kind="stable")
    y_start = np.searchsorted(y_block[by_y], np.arange(y_values.size))

    def resampled(times: FloatArray) -> FloatArray:
        weights = times.take(group, axis=1)
        n = weights.sum(axis=1)
        s_rank, s_var = _centred_ranks(weights, s_start, n)
        y_rank, y_var = _centred_ranks(weights.take(by_y, axis=1), y_start, n)
        if s_start.size < s.size:
            s_rank = s_rank.take(s_block, axis=1)
        weights *= s_rank
        covariance = np.einsum("ij,ij->i", weights, y_rank.take(y_block, axis=1))
        return _correlation(y_var, s_var, covariance, n)

    return resampled


def _centred_ranks(
    weights: FloatArray, start: IntArray, n: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give each block of tied values its mean rank less the overall mean, and their variation.

    With block sizes B the mean rank is cumsum(B) - B / 2, up to a constant, and the weighted
    mean of the ranks is n / 2: exact in multiples of one half.
    """
    sizes = weights if start.size == weights.shape[1] else np.add.reduceat(weights, start, axis=1)
    rank = np.cumsum(sizes, axis=1)
    rank -= 0.5 * sizes
    rank -= 0.5 * n[:, None]
    return rank, np.einsum("ij,ij,ij->i", sizes, rank, rank)


_pearson = additive(_pearson_terms, _pearson_finish)
_r2 = additive(_r2_terms, _r2_finish)
_mse = additive(_squared, _mean)
_rmse = additive(_squared, _root_mean)
_mae = additive(_absolute, _mean)

REGRESSION_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("pearson_r", "Pearson r", True, "number", pearson_r, _pearson),
        Metric("spearman", "Spearman ρ", True, "number", spearman, _spearman),
        Metric("r2", "R²", True, "number", r2, _r2),
        Metric("mse", "Mean squared error", False, "number", mse, _mse),
        Metric("rmse", "Root mean squared error", False, "number", rmse, _rmse),
        Metric("mae", "Mean absolute error", False, "number", mae, _mae),
    )
}
