"""Most probable coefficients under a heavy-tailed prior on one of them, gene by gene.

The model of Zhu, Ibrahim & Love (2018): a negative binomial likelihood, a Cauchy prior on the
coefficient of interest and a wide normal on the others; the spread is that of Laplace's
approximation. Newton steps with halving; where the Cauchy's curvature spoils the Hessian it is
replaced by that of the quadratic that touches it from below.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.labels.engine.coefficient_fit import _factor, _substitute

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_STEPS, _TOLERANCE = 200, 1e-9
_WIDE = 15.0


@compiled
def _log_posterior(
    beta: Floats, y: Ints, factors: Floats, x: Floats, alpha: float, which: int, scale: float
) -> float:
    total = 0.0
    size = 1.0 / alpha
    for j in range(x.shape[0]):
        linear = math.log(factors[j])
        for k in range(x.shape[1]):
            linear += x[j, k] * beta[k]
        total += y[j] * linear - (y[j] + size) * math.log(size + math.exp(min(linear, 700.0)))
    for k in range(x.shape[1]):
        if k == which:
            total -= math.log1p((beta[k] / scale) ** 2)
        else:
            total -= 0.5 * (beta[k] / _WIDE) ** 2
    return total


@compiled
def _derivatives(
    beta: Floats,
    y: Ints,
    factors: Floats,
    x: Floats,
    alpha: float,
    which: int,
    scale: float,
    exact: bool,
    slope: Floats,
    curvature: Floats,
) -> None:
    """Write the gradient and the negative Hessian (lower half) of the log posterior."""
    m, p = x.shape
    slope[:] = 0.0
    curvature[:, :] = 0.0
    for j in range(m):
        linear = 0.0
        for k in range(p):
            linear += x[j, k] * beta[k]
        mu = factors[j] * math.exp(linear)
        pull = (y[j] - mu) / (1.0 + alpha * mu)
        bend = mu * (1.0 + alpha * y[j]) / (1.0 + alpha * mu) ** 2
        for a in range(p):
            slope[a] += x[j, a] * pull
            for b in range(a + 1):
                curvature[a, b] += x[j, a] * bend * x[j, b]
    for k in range(p):
        if k == which:
            spread = scale * scale + beta[k] * beta[k]
            slope[k] -= 2.0 * beta[k] / spread
            if exact:
                curvature[k, k] += 2.0 * (scale * scale - beta[k] * beta[k]) / (spread * spread)
            else:
                curvature[k, k] += 2.0 / spread
        else:
            slope[k] -= beta[k] / _WIDE**2
            curvature[k, k] += 1.0 / _WIDE**2


@compiled
def _climb(
    beta: Floats, y: Ints, factors: Floats, x: Floats, alpha: float, which: int, scale: float
) -> float:
    """Move ``beta`` to a maximum and give the log posterior there."""
    p = x.shape[1]
    slope, curvature = np.empty(p), np.empty((p, p))
    height = _log_posterior(beta, y, factors, x, alpha, which, scale)
    for _ in range(_STEPS):
        _derivatives(beta, y, factors, x, alpha, which, scale, True, slope, curvature)
        if not _factor(curvature):
            _derivatives(beta, y, factors, x, alpha, which, scale, False, slope, curvature)
            if not _factor(curvature):
                break
        _substitute(curvature, slope)
        step, gain = 1.0, 0.0
        while step > 1e-10:
            proposed = beta + step * slope
            gain = _log_posterior(proposed, y, factors, x, alpha, which, scale) - height
            if gain >= 0.0:
                beta[:] = proposed
                height += gain
                break
            step /= 2.0
        if step <= 1e-10 or step * np.max(np.abs(slope)) < _TOLERANCE:
            break
    return height


@compiled
def shrink_coefficients(
    counts: Ints,
    factors: Floats,
    x: Floats,
    alpha: Floats,
    start: Floats,
    which: int,
    scale: float,
    beta: Floats,
    error: Floats,
) -> None:
    """Find each gene's posterior mode and the standard deviation of coefficient ``which``.

    Parameters
    ----------
    start
        Maximum-likelihood coefficients, (genes, coefficients); the search also starts with
        coefficient ``which`` at 0, and the higher mode is taken.
    scale
        Of the Cauchy prior, natural log.
    beta, error
        Written.
    """
    p = x.shape[1]
    slope, curvature, unit = np.empty(p), np.empty((p, p)), np.empty(p)
    per_gene = factors.shape[0] > 1
    for g in range(counts.shape[0]):
        scale_of_samples = factors[g if per_gene else 0]
        beta[g] = np.minimum(np.maximum(start[g], -20.0), 20.0)
        other = beta[g].copy()
        other[which] = 0.0
        args = (counts[g], scale_of_samples, x, alpha[g], which, scale)
        height = _climb(beta[g], *args)
        if _climb(other, *args) > height:
            beta[g] = other
        _derivatives(beta[g], *args, True, slope, curvature)
        unit[:] = 0.0
        unit[which] = 1.0
        if _factor(curvature):
            _substitute(curvature, unit)
            error[g] = math.sqrt(unit[which])
        else:
            error[g] = math.nan
