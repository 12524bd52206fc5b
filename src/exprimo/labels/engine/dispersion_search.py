"""Dispersion of one gene after another: the Cox-Reid adjusted profile likelihood and its maximum.

The posterior of log α is that of Love, Huber & Anders (2014), equations 5 to 7: a negative
binomial likelihood with the adjustment of Cox & Reid (1987), -½ log det(XᵀWX), and, for the
shrunken estimate, a normal prior around the trend. The maximum is searched as DESeq2 searches it
(steps along the gradient, accepted by Armijo's rule), because where the likelihood is flat the
answer depends on where a search stops.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# DESeq2's constants: smallest and largest log α of a step, share of the promised gain that a
# step must bring, growth of the step after a success.
_LOWEST, _HIGHEST = -30.0, 10.0
_PROMISE, _GROWTH = 1e-4, 1.1
_GRID = 20


@compiled
def digamma(x: float) -> float:
    """Give the derivative of log Γ for x > 0 (Abramowitz & Stegun, 6.3.5 and 6.3.18).

    Examples
    --------
    >>> round(digamma(1.0), 9)
    -0.577215665
    """
    shift = 0.0
    while x < 10.0:
        shift -= 1.0 / x
        x += 1.0
    f = 1.0 / (x * x)
    tail = f * (1 / 120 - f * (1 / 252 - f * (1 / 240 - f * (1 / 132 - f * 691 / 32760))))
    return shift + math.log(x) - 0.5 / x - f / 12 + f * tail


@compiled
def _factor(matrix: Floats) -> float:
    """Replace a symmetric matrix by its Cholesky factor (lower) and give its log determinant."""
    p = matrix.shape[0]
    log_det = 0.0
    for i in range(p):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if total <= 0.0:
                    return math.nan
                matrix[i, i] = math.sqrt(total)
                log_det += math.log(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    return log_det


@compiled
def _information(weights: Floats, x: Floats, out: Floats) -> None:
    """Write the lower half of XᵀWX."""
    m, p = x.shape
    for a in range(p):
        for b in range(a + 1):
            total = 0.0
            for j in range(m):
                total += x[j, a] * weights[j] * x[j, b]
            out[a, b] = total


@compiled
def _log_posterior(
    log_alpha: float,
    y: Ints,
    mu: Floats,
    x: Floats,
    center: float,
    variance: float,
    room: tuple[Floats, Floats, Floats],
) -> float:
    weights, information, _ = room
    alpha = math.exp(log_alpha)
    size = 1.0 / alpha
    at_size = math.lgamma(size)
    total = 0.0
    for j in range(y.shape[0]):
        total += (
            math.lgamma(y[j] + size)
            - at_size
            - y[j] * math.log(mu[j] + size)
            - size * math.log(1.0 + mu[j] * alpha)
        )
        weights[j] = 1.0 / (1.0 / mu[j] + alpha)
    _information(weights, x, information)
    total -= 0.5 * _factor(information)
    if variance > 0.0:
        total -= 0.5 * (log_alpha - center) ** 2 / variance
    return total


@compiled
def _slope(
    log_alpha: float,
    y: Ints,
    mu: Floats,
    x: Floats,
    center: float,
    variance: float,
    room: tuple[Floats, Floats, Floats],
) -> float:
    """Differentiate the log posterior by log α."""
    weights, information, change = room
    alpha = math.exp(log_alpha)
    size = 1.0 / alpha
    at_size = digamma(size)
    total = 0.0
    for j in range(y.shape[0]):
        total += (
            at_size
            + math.log(1.0 + mu[j] * alpha)
            - mu[j] * alpha / (1.0 + mu[j] * alpha)
            - digamma(y[j] + size)
            + y[j] / (mu[j] + size)
        )
        weights[j] = 1.0 / (1.0 / mu[j] + alpha)
    total *= size * size
    _information(weights, x, information)
    for j in range(y.shape[0]):
        weights[j] = -weights[j] * weights[j]
    _information(weights, x, change)
    _factor(information)
    total -= 0.5 * _trace_of_solved(information, change)
    total *= alpha
    if variance > 0.0:
        total -= (log_alpha - center) / variance
    return total


@compiled
def _trace_of_solved(lower: Floats, symmetric: Floats) -> float:
    """Give trace(A⁻¹B) for A = LLᵀ; of B the lower half is read."""
    p = lower.shape[0]
    column = np.empty(p)
    trace = 0.0
    for c in range(p):
        for i in range(p):
            total = symmetric[i, c] if i >= c else symmetric[c, i]
            for k in range(i):
                total -= lower[i, k] * column[k]
            column[i] = total / lower[i, i]
        for i in range(p - 1, c - 1, -1):
            total = column[i]
            for k in range(i + 1, p):
                total -= lower[k, i] * column[k]
            column[i] = total / lower[i, i]
        trace += column[c]
    return trace


@compiled
def search_dispersions(
    counts: Ints,
    mu: Floats,
    x: Floats,
    start: Floats,
    centers: Floats,
    variance: float,
    lowest: float,
    tolerance: float,
    most_steps: int,
    log_alpha: Floats,
    steps: Ints,
    first: Floats,
    last: Floats,
) -> None:
    """Climb from ``start`` to the maximum of each gene's log posterior of log α.

    Parameters
    ----------
    counts, mu
        Counts and their means, (genes, samples).
    x
        Design, (samples, coefficients).
    start
        First log α, (genes,).
    centers, variance
        The normal prior of log α; a variance of 0 leaves the prior out.
    lowest
        A search that falls below this log α ends.
    log_alpha, steps, first, last
        Written: the estimate, the number of proposals, log posterior before and after.
    """
    m, p = x.shape
    room = (np.empty(m), np.empty((p, p)), np.empty((p, p)))
    for g in range(counts.shape[0]):
        y, means, center = counts[g], mu[g], centers[g]
        a = start[g]
        height = _log_posterior(a, y, means, x, center, variance, room)
        slope = _slope(a, y, means, x, center, variance, room)
        step, accepted = 1.0, 0
        first[g] = height
        steps[g] = 0
        for _ in range(most_steps):
            steps[g] += 1
            if a + step * slope < _LOWEST:
                step = (_LOWEST - a) / slope
            if a + step * slope > _HIGHEST:
                step = (_HIGHEST - a) / slope
            proposed = _log_posterior(a + step * slope, y, means, x, center, variance, room)
            if -proposed <= -height - step * _PROMISE * slope * slope:
                accepted += 1
                a += step * slope
                gain = proposed - height
                height = proposed
                if gain < tolerance or a < lowest:
                    break
                slope = _slope(a, y, means, x, center, variance, room)
                step = min(step * _GROWTH, 1.0)
                if accepted % 5 == 0:
                    # Against overshooting to and fro around the maximum.
                    step /= 2.0
            else:
                step /= 2.0
        log_alpha[g] = a
        last[g] = height


@compiled
def scan_dispersions(
    counts: Ints,
    mu: Floats,
    x: Floats,
    centers: Floats,
    variance: float,
    low: float,
    high: float,
    log_alpha: Floats,
) -> None:
    """Find each maximum on a grid of log α, then on a finer one around it.

    For genes whose search did not end. ``low`` and ``high`` bound the grid; ``log_alpha`` is
    written.
    """
    m, p = x.shape
    room = (np.empty(m), np.empty((p, p)), np.empty((p, p)))
    width = (high - low) / (_GRID - 1)
    for g in range(counts.shape[0]):
        left, spacing = low, width
        for _ in range(2):
            best, best_at = -np.inf, left
            for i in range(_GRID):
                at = left + i * spacing
                height = _log_posterior(at, counts[g], mu[g], x, centers[g], variance, room)
                if height > best:
                    best, best_at = height, at
            left, spacing = best_at - width, 2 * width / (_GRID - 1)
        log_alpha[g] = best_at
