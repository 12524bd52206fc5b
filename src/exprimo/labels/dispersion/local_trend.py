"""A local quadratic regression of log dispersion on log mean, weighted by the mean.

Locally weighted likelihood as in Loader (1999): tricube weights over the nearest 70% of the genes.
The fit is made at a few points, halving the range until a piece is short beside its bandwidth, and
joined by cubic pieces with the fitted slopes; beyond the range it goes on with the slope of its end
and the curvature of one quadratic through all genes. That is how locfit interpolates and
extrapolates, and so what DESeq2's ``local`` trend is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicHermiteSpline

Floats = npt.NDArray[np.float64]

_NEAREST, _CUT = 0.7, 0.8


def local_trend(means: Floats, dispersion: Floats) -> Callable[[Floats], Floats]:
    """Fit the trend and give it as a function of the mean.

    Examples
    --------
    >>> means = np.geomspace(1, 1000, 200)
    >>> trend = local_trend(means, 0.1 * means**-0.5)
    >>> np.round(trend(np.array([4.0, 100.0])), 3)
    array([0.05, 0.01])
    """
    x, y = np.log(means), np.log(dispersion)
    at, values, slopes = _knots(x, y, means)
    spline = CubicHermiteSpline(at, values, slopes)
    bend = _curvature(x, y, means)

    def trend(q: Floats) -> Floats:
        wanted = np.log(q)
        inside = np.clip(wanted, at[0], at[-1])
        slope = np.where(wanted < at[0], slopes[0], slopes[-1])
        beyond = wanted - inside
        return np.asarray(np.exp(spline(inside) + slope * beyond + bend * beyond**2))

    return trend


def _curvature(x: Floats, y: Floats, weights: Floats) -> float:
    """Give the quadratic coefficient of one weighted parabola through all points."""
    root = np.sqrt(weights)
    step = x - float(np.average(x, weights=weights))
    design = np.column_stack([np.ones_like(step), step, step**2]) * root[:, None]
    return float(np.linalg.lstsq(design, y * root, rcond=None)[0][2])


def _knots(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Place knots by halving, and fit value and slope at each."""
    fitted: dict[float, tuple[float, float, float]] = {}

    def fit(at: float) -> float:
        if at not in fitted:
            fitted[at] = _local_quadratic(x, y, weights, at)
        return fitted[at][2]

    pieces = [(float(x.min()), float(x.max()))]
    while pieces:
        left, right = pieces.pop()
        bandwidth = min(fit(left), fit(right))
        if right - left > _CUT * bandwidth > 0:
            middle = (left + right) / 2
            pieces += [(left, middle), (middle, right)]
    at = np.array(sorted(fitted))
    if len(at) == 1:
        at = np.array([at[0], at[0] + 1.0])
        fitted[float(at[1])] = fitted[float(at[0])]
    values, slopes, _ = (
        np.array(part) for part in zip(*(fitted[float(a)] for a in at), strict=True)
    )
    return at, values, slopes


def _local_quadratic(
    x: Floats, y: Floats, weights: Floats, at: float
) -> tuple[float, float, float]:
    """Give value, slope and bandwidth of the fit at one point."""
    distance = np.abs(x - at)
    # 0.7 × 180 is 125.999... in floating point, and means 126.
    nearest = max(1, int(len(x) * _NEAREST + 1e-6)) - 1
    bandwidth = float(np.partition(distance, nearest)[nearest])
    kernel = (1 - np.minimum(distance / max(bandwidth, 1e-12), 1) ** 3) ** 3
    root = np.sqrt(kernel * weights)
    step = x - at
    design = np.column_stack([np.ones_like(step), step, step**2]) * root[:, None]
    coefficients, *_ = np.linalg.lstsq(design, y * root, rcond=None)
    return float(coefficients[0]), float(coefficients[1]), bandwidth
