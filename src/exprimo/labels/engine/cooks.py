"""Cook's distances, with the robust dispersion that keeps an outlier from hiding itself.

DESeq2's rule: the variance within each cell of at least three replicates is a trimmed mean of
squared deviations from a trimmed mean, scaled to a normal; the largest over the cells counts
(Love, Huber & Anders 2014, section "Automatic detection of outliers").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST_DISPERSION = 0.04


@compiled
def trimmed_mean(values: Floats, share: float) -> float:
    """Leave out ``share`` of the values at either end; the values are sorted in place.

    Examples
    --------
    >>> trimmed_mean(np.array([100.0, 1.0, 2.0, 3.0, -50.0]), 0.2)
    2.0
    """
    n = values.shape[0]
    values.sort()
    cut = int(n * share)
    total = 0.0
    for i in range(cut, n - cut):
        total += values[i]
    return float(total / (n - 2 * cut))


@compiled
def _trim(n: int) -> tuple[float, float]:
    """Give the share to trim in a cell of n samples, and the factor that undoes its bias."""
    if n <= 3:
        return 1 / 3, 2.04
    if n <= 23:
        return 1 / 4, 1.86
    return 1 / 8, 1.51


@compiled
def _spread(values: Floats, share: float, scale: float) -> float:
    """Give the scaled trimmed mean of squared deviations from the trimmed mean."""
    middle = trimmed_mean(values.copy(), share)
    return float(scale * trimmed_mean((values - middle) ** 2, share))


@compiled
def robust_dispersion(normalized: Floats, cells: Ints, n_cells: int) -> float:
    """Estimate a gene's dispersion by moments, deaf to single outliers.

    Parameters
    ----------
    normalized
        Counts over size factors, (samples,).
    cells
        Cell of each sample, -1 in cells of fewer than three; where all are -1 (a continuous
        design) the samples count as one cell.
    """
    m = normalized.shape[0]
    if n_cells == 0:
        variance = _spread(normalized, 1 / 8, 1.51)
    else:
        variance = -np.inf
        for cell in range(n_cells):
            inside = normalized[cells == cell]
            share, scale = _trim(inside.shape[0])
            variance = max(variance, _spread(inside, share, scale))
    mean = np.sum(normalized) / m
    return float(max((variance - mean) / (mean * mean), _LEAST_DISPERSION))


@compiled
def cooks_distances(
    counts: Ints,
    factors: Floats,
    means: Floats,
    n_coefficients: int,
    hat: Floats,
    cells: Ints,
    n_cells: int,
    distances: Floats,
) -> None:
    """Write Cook's distance of every count, (genes, samples).

    Squared Pearson residual over the number of coefficients, times h / (1 - h)²; ``means`` and
    the leverages ``hat`` have shape (genes, samples).
    """
    m = counts.shape[1]
    normalized = np.empty(m)
    per_gene = factors.shape[0] > 1
    for g in range(counts.shape[0]):
        scale = factors[g if per_gene else 0]
        for j in range(m):
            normalized[j] = counts[g, j] / scale[j]
        alpha = robust_dispersion(normalized, cells, n_cells)
        for j in range(m):
            mu, h = means[g, j], hat[g, j]
            residual = (counts[g, j] - mu) ** 2 / (mu + alpha * mu * mu)
            distances[g, j] = residual / n_coefficients * h / (1.0 - h) ** 2
