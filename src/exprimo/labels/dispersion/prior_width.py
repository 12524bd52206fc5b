"""How far true dispersions scatter around their trend: the width of the prior.

With more than three residual degrees of freedom the sampling variance of a log dispersion is
known, and what exceeds it is the width (Love, Huber & Anders 2014, section "Dispersion prior").
With three or fewer the distribution of residuals is compared with simulated ones: log χ² plus a
normal of the width, the closest by Kullback-Leibler divergence wins. DESeq2 simulates with a fixed
seed; ``prior_draws.npz`` holds the histograms of exactly those draws, since another stream of
random numbers moves the width by several percent and with it every p-value.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicHermiteSpline
from scipy.special import polygamma

from exprimo.labels.dispersion.genewise import LEAST_DISPERSION

Floats = npt.NDArray[np.float64]

_LEAST_WIDTH = 0.25
_FEW = 3
# DESeq2's: bins of residuals, widths tried, widths among which the smallest divergence is read.
_EDGES = np.arange(-20, 21) / 2
_TRIED = np.linspace(0, 8, 200)
_READ = np.linspace(0, 8, 1000)
# R's loess with span 0.2: nearest points of each fit, largest cell of its tree, margin of its box.
_NEAREST, _CELL, _MARGIN = 40, 8, 0.005


def prior_variance(
    dispersion: Floats, trend: Floats, spread: float, residual_freedom: int
) -> float:
    """Estimate the variance of log dispersion around the trend, sampling error taken out.

    Parameters
    ----------
    dispersion, trend
        Gene-wise and fitted dispersions, (genes,).
    spread
        Variance of the residuals (`residual_spread`).
    residual_freedom
        Samples less coefficients.
    """
    if residual_freedom > _FEW:
        sampling = float(polygamma(1, residual_freedom / 2))
        return max(spread - sampling, _LEAST_WIDTH)
    above = dispersion >= 100 * LEAST_DISPERSION
    residuals = np.log(dispersion[above]) - np.log(trend[above])
    return max(_closest_width(residuals, residual_freedom), _LEAST_WIDTH)


def _closest_width(residuals: Floats, residual_freedom: int) -> float:
    observed = _density(np.histogram(_inside(residuals), _EDGES)[0])
    divergences = []
    for drawn in _draws()[residual_freedom - 1]:
        simulated = _density(drawn)
        both = np.concatenate([observed, simulated])
        small = both[both > 0].min()
        divergences.append(
            float(np.sum(observed * (np.log(observed + small) - np.log(simulated + small))))
        )
    smooth = _loess(_TRIED, np.array(divergences), _READ)
    return float(_READ[np.argmin(smooth)])


def _inside(residuals: Floats) -> Floats:
    return np.asarray(residuals[(residuals > _EDGES[0]) & (residuals < _EDGES[-1])])


def _density(counts: npt.NDArray[np.generic]) -> Floats:
    values = counts.astype(np.float64)
    return np.asarray(values / values.sum() / (_EDGES[1] - _EDGES[0]))


@cache
def _draws() -> npt.NDArray[np.uint16]:
    """Read histograms, (degrees of freedom 1 to 3, widths tried, bins)."""
    source = files("exprimo.labels.dispersion") / "prior_draws.npz"
    with source.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
        counts: npt.NDArray[np.uint16] = stored["counts"]
    return counts


def _loess(x: Floats, y: Floats, at: Floats) -> Floats:
    """Smooth by local quadratics fitted at the vertices of a tree, joined by cubic pieces.

    Cleveland & Grosse (1991), as R's ``loess`` does for one predictor; ``x`` ascending.
    """
    vertices = _vertices(x)
    values, slopes = np.empty(len(vertices)), np.empty(len(vertices))
    for i, vertex in enumerate(vertices):
        distance = np.abs(x - vertex)
        reach = np.sort(distance)[_NEAREST - 1]
        root = np.sqrt((1 - np.minimum(distance / reach, 1) ** 3) ** 3)
        step = x - vertex
        design = np.column_stack([np.ones_like(step), step, step**2]) * root[:, None]
        (values[i], slopes[i], _), *_ = np.linalg.lstsq(design, y * root, rcond=None)
    return np.asarray(CubicHermiteSpline(vertices, values, slopes)(at))


def _vertices(x: Floats) -> Floats:
    margin = _MARGIN * (x[-1] - x[0])
    found = [x[0] - margin, x[-1] + margin]
    pieces = [(0, len(x) - 1)]
    while pieces:
        low, high = pieces.pop()
        if high - low + 1 > _CELL:
            middle = (low + high) // 2
            found.append(x[middle])
            pieces += [(low, middle), (middle + 1, high)]
    return np.sort(found)
