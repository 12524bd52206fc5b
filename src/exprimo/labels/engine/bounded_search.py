"""The posterior of one gene's coefficients and its slope, for genes whose iterations ran away.

Where a group has no read the posterior is flat, and where a search ends depends on how slopes are
taken and on the last digits of the height. So both are those of DESeq2: slopes by differences over
a step, heights by the saddle-point form of a probability (Loader 2000, "Fast and accurate
computation of binomial probabilities"), which does not cancel as differences of log Γ do.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Bound of a coefficient (log2), half of the span that a slope is taken over, variance of the prior.
LARGE = 30.0
_STEP = 1e-3
_VARIANCE = 1e6
_HOPELESS = 1e300
_LOG_2PI = math.log(2 * math.pi)


@compiled
def _stirling_error(n: float) -> float:
    """Give log Γ(n + 1) less Stirling's formula."""
    if n <= 15.0:
        return math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - 0.5 * _LOG_2PI
    square = n * n
    tail = 1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square
    return (1 / 12 - (1 / 360 - tail / square) / square) / n


@compiled
def _deviance(x: float, mean: float) -> float:
    """Give x log(x / mean) + mean - x, by a series where both are near."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    ratio = (x - mean) / (x + mean)
    total = (x - mean) * ratio
    term = 2 * x * ratio
    for j in range(1, 1000):
        term *= ratio * ratio
        more = total + term / (2 * j + 1)
        if more == total:
            break
        total = more
    return total


@compiled
def log_probability(y: float, size: float, mean: float) -> float:
    """Give the log probability of a count: negative binomial, variance mean + mean² / size.

    Examples
    --------
    >>> round(log_probability(0.0, 1.0, 1.0), 6), round(log_probability(2.0, 1.0, 1.0), 6)
    (-0.693147, -2.079442)
    """
    if mean == 0.0:
        return 0.0 if y == 0.0 else -np.inf
    if y == 0.0:
        share = size / (size + mean) if size < mean else mean / (size + mean)
        return size * (math.log(share) if size < mean else math.log1p(-share))
    n = y + size
    stay, leave = size / (size + mean), mean / (size + mean)
    if n * stay == 0.0 or n * leave == 0.0:
        return -np.inf
    height = _stirling_error(n) - _stirling_error(size) - _stirling_error(y)
    height -= _deviance(size, n * stay) + _deviance(y, n * leave)
    height -= 0.5 * (_LOG_2PI + math.log(size) + math.log1p(-size / n))
    return math.log(size / n) + height


@compiled
def _loss(p: Floats, y: Ints, factors: Floats, x: Floats, alpha: float) -> float:
    size = 1.0 / alpha
    total = 0.0
    for j in range(x.shape[0]):
        linear = 0.0
        for k in range(x.shape[1]):
            linear += x[j, k] * p[k]
        total += log_probability(float(y[j]), size, factors[j] * 2.0**linear)
    for k in range(p.shape[0]):
        total -= 0.5 * (p[k] * p[k] / _VARIANCE + _LOG_2PI + math.log(_VARIANCE))
    return -total if math.isfinite(total) else _HOPELESS


@compiled
def loss_and_slope(
    p: Floats, y: Ints, factors: Floats, x: Floats, alpha: float, slope: Floats
) -> float:
    """Give minus the log posterior at coefficients ``p`` (log2) and write its slope."""
    near = p.copy()
    for k in range(p.shape[0]):
        near[k] = min(p[k] + _STEP, LARGE)
        above = _loss(near, y, factors, x, alpha)
        up = near[k] - p[k]
        near[k] = max(p[k] - _STEP, -LARGE)
        below = _loss(near, y, factors, x, alpha)
        slope[k] = (above - below) / (up + p[k] - near[k])
        near[k] = p[k]
    return _loss(p, y, factors, x, alpha)
