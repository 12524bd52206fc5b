"""Multiple testing: Benjamini-Hochberg, and which genes are too weakly expressed to be worth it.

Independent filtering (Bourgon, Gentleman & Huber 2010): genes below a mean count leave the family
of tests; the cut is the lowest whose number of rejections comes near the best one's, judged on a
smoothed curve, as DESeq2 does since version 1.10.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STEPS = 50
_HIGHEST_SHARE = 0.95
_FEW_REJECTIONS = 10
_SPAN, _ROBUST_ROUNDS = 0.2, 3


class Filtered(NamedTuple):
    """Adjusted p-values and the cut that they were made with.

    ``threshold`` is the mean count below which genes were left out; ``share`` its quantile.
    """

    padj: Floats
    threshold: float
    share: float


def benjamini_hochberg(pvalues: Floats) -> Floats:
    """Adjust p-values to control the false discovery rate; NaN stays NaN and does not count.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    adjusted = np.full(len(pvalues), np.nan)
    tested = np.flatnonzero(~np.isnan(pvalues))
    order = tested[np.argsort(pvalues[tested], kind="stable")[::-1]]
    n = len(order)
    ranked = pvalues[order] * (n / np.arange(n, 0, -1))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(ranked))
    return adjusted


def filter_independently(means: Floats, pvalues: Floats, alpha: float) -> Filtered:
    """Choose the cut on the mean that serves ``alpha`` and adjust the p-values above it.

    Parameters
    ----------
    means
        Mean normalised counts of all genes, zeros included.
    pvalues
        NaN where there was no test.
    alpha
        False discovery rate at which rejections are counted.
    """
    lowest = float((means == 0).mean())
    highest = _HIGHEST_SHARE if lowest < _HIGHEST_SHARE else 1.0
    shares = np.linspace(lowest, highest, _STEPS)
    cuts = _quantiles(means, shares)
    tables = [_adjust_above(means, pvalues, cut) for cut in cuts]
    rejections = np.array([np.sum(padj < alpha) for padj in tables], dtype=np.float64)
    chosen = 0
    if rejections.max() > _FEW_REJECTIONS:
        smooth = lowess(shares, rejections)
        some = rejections > 0
        error = np.sqrt(np.mean((rejections[some] - smooth[some]) ** 2))
        near = np.flatnonzero(rejections > smooth.max() - error)
        chosen = int(near[0]) if len(near) else 0
    return Filtered(tables[chosen], float(cuts[chosen]), float(shares[chosen]))


def _adjust_above(means: Floats, pvalues: Floats, cut: float) -> Floats:
    padj = np.full(len(pvalues), np.nan)
    used = means >= cut
    padj[used] = benjamini_hochberg(pvalues[used])
    return padj


def _quantiles(values: Floats, shares: Floats) -> Floats:
    """Interpolate between order statistics (R's type 7), exact where neighbours are equal."""
    ordered = np.sort(values)
    at = (len(ordered) - 1) * shares
    low = np.floor(at).astype(np.int64)
    high = np.minimum(np.ceil(at).astype(np.int64), len(ordered) - 1)
    weight = at - low
    mixed = (1 - weight) * ordered[low] + weight * ordered[high]
    return np.where((weight > 0) & (ordered[low] != ordered[high]), mixed, ordered[low])


def lowess(x: Floats, y: Floats) -> Floats:
    """Smooth y over evenly spaced, ascending x: robust local lines (Cleveland 1979).

    The settings are those of independent filtering: a fifth of the points in each line, three
    rounds of robust weights.
    """
    n = len(x)
    nearest = max(2, min(n, int(_SPAN * n + 1e-7)))
    robust = np.ones(n)
    smooth = y.astype(np.float64)
    for _ in range(_ROBUST_ROUNDS + 1):
        left = 0
        for i in range(n):
            while left + nearest < n and x[i] - x[left] > x[left + nearest] - x[i]:
                left += 1
            smooth[i] = _local_line(x, y, robust, i, left, left + nearest - 1)
        residual = np.abs(y - smooth)
        scale = 6 * float(np.median(residual))
        if scale < 1e-7 * residual.mean():
            break
        robust = np.where(residual <= 0.999 * scale, (1 - (residual / scale) ** 2) ** 2, 0.0)
        robust[residual <= 0.001 * scale] = 1.0
    return smooth


def _local_line(x: Floats, y: Floats, robust: Floats, i: int, left: int, right: int) -> float:
    reach = max(x[i] - x[left], x[right] - x[i])
    distance = np.abs(x - x[i])
    inside = distance <= 0.999 * reach
    inside[:left] = False
    weight = np.where(inside, (1 - (distance / reach) ** 3) ** 3, 0.0)
    weight[inside & (distance <= 0.001 * reach)] = 1.0
    weight *= robust
    total = weight.sum()
    if total <= 0:
        return float(y[i])
    weight = weight / total
    center = float(weight @ x)
    spread = float(weight @ (x - center) ** 2)
    if np.sqrt(spread) > 0.001 * (x[-1] - x[0]):
        weight = weight * ((x[i] - center) / spread * (x - center) + 1)
    return float(weight @ y)
