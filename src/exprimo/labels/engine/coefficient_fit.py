"""Coefficients of one gene after another: iteratively reweighted least squares.

The negative binomial model with logarithmic link of Love, Huber & Anders (2014), equations 1 to 3,
with a tiny ridge that keeps coefficients of separated groups finite. Means below ``least`` are
lifted to it inside the iterations, as DESeq2 does; that decides where such genes end.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# A coefficient beyond this (natural log) means that the iterations run away.
_LARGE = 30.0


@compiled
def _factor(matrix: Floats) -> bool:
    """Replace the lower half of a matrix by its Cholesky factor; False where there is none."""
    p = matrix.shape[0]
    for i in range(p):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                matrix[i, i] = math.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    return True


@compiled
def _substitute(lower: Floats, values: Floats) -> None:
    """Solve LLᵀb = values in place."""
    p = lower.shape[0]
    for i in range(p):
        total = values[i]
        for k in range(i):
            total -= lower[i, k] * values[k]
        values[i] = total / lower[i, i]
    for i in range(p - 1, -1, -1):
        total = values[i]
        for k in range(i + 1, p):
            total -= lower[k, i] * values[k]
        values[i] = total / lower[i, i]


@compiled
def _information(x: Floats, weight: Floats, ridge: float, out: Floats) -> None:
    """Write the lower half of XᵀWX + λ."""
    m, p = x.shape
    for a in range(p):
        for b in range(a + 1):
            total = ridge if a == b else 0.0
            for j in range(m):
                total += x[j, a] * weight[j] * x[j, b]
            out[a, b] = total


@compiled
def _means(x: Floats, beta: Floats, factors: Floats, least: float, mu: Floats) -> None:
    for j in range(x.shape[0]):
        total = 0.0
        for k in range(x.shape[1]):
            total += x[j, k] * beta[k]
        mu[j] = max(factors[j] * math.exp(total), least)


@compiled
def log_likelihood(y: Ints, mu: Floats, alpha: float) -> float:
    """Sum the log probabilities of counts with means ``mu`` and dispersion ``alpha``."""
    size = 1.0 / alpha
    at_size = math.lgamma(size)
    total = 0.0
    for j in range(y.shape[0]):
        if mu[j] > 0.0:
            total += math.lgamma(y[j] + size) - at_size - math.lgamma(y[j] + 1.0)
            total -= size * math.log1p(mu[j] * alpha)
            if y[j] > 0:
                total += y[j] * (math.log(mu[j] * alpha) - math.log1p(mu[j] * alpha))
        elif y[j] > 0:
            return -np.inf
    return total


@compiled
def fit_coefficients(
    counts: Ints,
    factors: Floats,
    x: Floats,
    alpha: Floats,
    ridge: float,
    least: float,
    tolerance: float,
    most_steps: int,
    beta: Floats,
    steps: Ints,
    hat: Floats,
) -> None:
    """Fit every gene; ``beta`` holds the start and receives the estimate (natural log).

    Parameters
    ----------
    counts
        (genes, samples).
    factors
        Size factors, (1, samples), or one row per gene.
    x, alpha
        Design, (samples, coefficients), and dispersions, (genes,).
    steps, hat
        Written: iterations (``most_steps`` where it did not converge) and leverages,
        (genes, samples).
    """
    m, p = x.shape
    mu, z, weight = np.empty(m), np.empty(m), np.empty(m)
    information, right = np.empty((p, p)), np.empty(p)
    per_gene = factors.shape[0] > 1
    for g in range(counts.shape[0]):
        y, scale, coefficients = counts[g], factors[g if per_gene else 0], beta[g]
        _means(x, coefficients, scale, least, mu)
        before = 0.0
        steps[g] = 0
        for step in range(most_steps):
            steps[g] += 1
            for j in range(m):
                weight[j] = mu[j] / (1.0 + alpha[g] * mu[j])
                z[j] = math.log(mu[j] / scale[j]) + (y[j] - mu[j]) / mu[j]
            for a in range(p):
                right[a] = 0.0
                for j in range(m):
                    right[a] += x[j, a] * weight[j] * z[j]
            _information(x, weight, ridge, information)
            if not _factor(information):
                coefficients[:] = math.nan
                steps[g] = most_steps
                break
            _substitute(information, right)
            coefficients[:] = right
            if np.max(np.abs(coefficients)) > _LARGE:
                steps[g] = most_steps
                break
            _means(x, coefficients, scale, least, mu)
            deviance = -2.0 * log_likelihood(y, mu, alpha[g])
            change = abs(deviance - before) / (abs(deviance) + 0.1)
            if math.isnan(change):
                steps[g] = most_steps
                break
            if step > 0 and change < tolerance:
                break
            before = deviance
        _leverages(x, mu, alpha[g], ridge, hat[g])


@compiled
def _leverages(x: Floats, mu: Floats, alpha: float, ridge: float, hat: Floats) -> None:
    """Write the diagonal of W½X(XᵀWX + λ)⁻¹XᵀW½."""
    m, p = x.shape
    inverse = np.empty((p, p))
    weight = np.empty(m)
    for j in range(m):
        weight[j] = mu[j] / (1.0 + alpha * mu[j])
    _ridge_inverse(x, weight, ridge, inverse)
    for j in range(m):
        total = 0.0
        for a in range(p):
            for b in range(p):
                total += x[j, a] * inverse[a, b] * x[j, b]
        hat[j] = total * weight[j]


@compiled
def _ridge_inverse(x: Floats, weight: Floats, ridge: float, inverse: Floats) -> None:
    p = x.shape[1]
    matrix = np.empty((p, p))
    _information(x, weight, ridge, matrix)
    inverse[:, :] = np.eye(p)
    if not _factor(matrix):
        inverse[:, :] = math.nan
        return
    for c in range(p):
        # Symmetric, so a row of the inverse is a column.
        _substitute(matrix, inverse[c])


@compiled
def contrast_errors(
    factors: Floats,
    x: Floats,
    alpha: Floats,
    beta: Floats,
    contrast: Floats,
    ridge: float,
    least: float,
    error: Floats,
) -> None:
    """Write the standard error (natural log) of cᵀβ for every gene: the ridge's sandwich."""
    m, p = x.shape
    mu, weight, side = np.empty(m), np.empty(m), np.empty(p)
    inverse = np.empty((p, p))
    per_gene = factors.shape[0] > 1
    for g in range(beta.shape[0]):
        _means(x, beta[g], factors[g if per_gene else 0], least, mu)
        for j in range(m):
            weight[j] = mu[j] / (1.0 + alpha[g] * mu[j])
        _ridge_inverse(x, weight, ridge, inverse)
        for a in range(p):
            side[a] = 0.0
            for b in range(p):
                side[a] += inverse[a, b] * contrast[b]
        total = 0.0
        for j in range(m):
            along = 0.0
            for a in range(p):
                along += x[j, a] * side[a]
            total += weight[j] * along * along
        error[g] = math.sqrt(max(total, 0.0))


@compiled
def log_likelihoods(
    counts: Ints,
    factors: Floats,
    x: Floats,
    alpha: Floats,
    beta: Floats,
    least: Floats,
    out: Floats,
) -> None:
    """Write every gene's log likelihood at its coefficients; means are at least ``least``."""
    mu = np.empty(x.shape[0])
    per_gene = factors.shape[0] > 1
    for g in range(counts.shape[0]):
        _means(x, beta[g], factors[g if per_gene else 0], least[g], mu)
        out[g] = log_likelihood(counts[g], mu, alpha[g])
