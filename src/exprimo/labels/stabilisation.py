"""Variance-stabilising transformation: log2-like values whose spread does not depend on the mean.

Anders & Huber (2010), section "Variance-stabilising transformation"; the closed form of the
parametric trend is that of Love, Huber & Anders (2014).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from exprimo.labels.dispersion.trend import Trend

Floats = npt.NDArray[np.float64]

_GRID = 1000
# The local form is scaled so that it agrees with log2 at these quantiles of the gene means.
_ANCHORS = (0.95, 0.999)


def stabilise(normalized: Floats, trend: Trend, mean_factors: Floats) -> Floats:
    """Transform normalised counts.

    Parameters
    ----------
    normalized
        (genes, samples).
    trend
        Of dispersion; ``blind`` to the design where quality is looked at.
    mean_factors
        Size factor of every sample.

    Examples
    --------
    >>> import exprimo.labels.dispersion.trend as trends
    >>> constant = trends.Trend("mean", lambda q: q * 0 + 0.1, 0.1, float("nan"), False)
    >>> stabilise(np.array([[10.0, 1000.0]]), constant, np.ones(2)).round(3)
    array([[3.865, 9.973]])
    """
    if trend.kind == "parametric":
        a0, a1 = trend.asymptote, trend.slope
        root = np.sqrt(a0 * normalized * (1 + a1 + a0 * normalized))
        return np.asarray(np.log2((1 + a1 + 2 * a0 * normalized + 2 * root) / (4 * a0)))
    if trend.kind == "mean":
        alpha = trend.asymptote
        return np.asarray(
            (2 * np.arcsinh(np.sqrt(alpha * normalized)) - np.log(4 * alpha)) / np.log(2)
        )
    return _integrated(normalized, trend, mean_factors)


def _integrated(normalized: Floats, trend: Trend, mean_factors: Floats) -> Floats:
    """Integrate 1 / SD over the mean, and anchor the result on log2."""
    grid = np.sinh(np.linspace(0, np.arcsinh(normalized.max()), _GRID))[1:]
    shot = float((1 / mean_factors).mean())
    density = 1 / np.sqrt(trend.function(grid) * grid**2 + shot * grid)
    area = np.cumsum(np.diff(grid) * (density[1:] + density[:-1]) / 2)
    spline = _spline(np.arcsinh((grid[1:] + grid[:-1]) / 2), area)
    low, high = np.quantile(normalized.mean(1), _ANCHORS)
    at_low, at_high = spline(np.arcsinh(low)), spline(np.arcsinh(high))
    scale = (np.log2(high) - np.log2(low)) / (at_high - at_low)
    return np.asarray(scale * spline(np.arcsinh(normalized)) + np.log2(low) - scale * at_low)


def _spline(x: Floats, y: Floats) -> CubicSpline:
    """Join points by cubic pieces whose third derivative at each end is that of four points there.

    The end conditions of Forsythe, Malcolm & Moler (1977), which R's ``splinefun`` has; they count
    because counts below the first point are extrapolated.
    """
    plain = CubicSpline(x, y, bc_type="natural")
    ends = []
    for end, at in ((slice(4), 0), (slice(-4, None), -1)):
        wanted = 6 * np.linalg.solve(np.vander(x[end] - x[end][0], 4), y[end])[0]
        unit = np.zeros(len(x))
        # Of a bend of 1 at this end alone; the other end is too many points away to feel it.
        bent = CubicSpline(x, unit, bc_type=_bent(float(at == 0), float(at == -1)))
        ends.append((wanted - 6 * plain.c[0, at]) / (6 * bent.c[0, at]))
    return CubicSpline(x, y, bc_type=_bent(ends[0], ends[1]))


def _bent(first: float, last: float) -> tuple[tuple[Literal[2], Floats], tuple[Literal[2], Floats]]:
    """Say to SciPy what the second derivatives at both ends are."""
    return (2, np.asarray(first)), (2, np.asarray(last))
