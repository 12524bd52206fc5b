"""How dispersion falls with the mean: α(μ) = a₁/μ + a₀, or a constant, or a local regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.labels.dispersion.genewise import LEAST_DISPERSION
from exprimo.labels.dispersion.local_trend import local_trend

Floats = npt.NDArray[np.float64]
TrendKind = Literal["parametric", "local", "mean"]

_FIRST = np.array([0.1, 1.0])
_LOWEST_RATIO, _HIGHEST_RATIO = 1e-4, 15.0
_MOST_ROUNDS, _ROUND_TOLERANCE = 10, 1e-6
_GLM_STEPS, _GLM_TOLERANCE = 25, 1e-8
_TRIM = 0.001


class Trend(NamedTuple):
    """A fitted trend.

    Attributes
    ----------
    kind
        The form that was fitted; ``local`` also where ``parametric`` was asked for and failed.
    function
        Means of normalised counts to dispersions.
    asymptote, slope
        a₀ and a₁ of the parametric form; the constant is an asymptote too; else NaN.
    fell_back
        Whether the parametric form did not fit.
    """

    kind: TrendKind
    function: Callable[[Floats], Floats]
    asymptote: float
    slope: float
    fell_back: bool


def fit_trend(means: Floats, dispersion: Floats, kind: TrendKind = "parametric") -> Trend:
    """Fit dispersion as a function of the mean.

    Parameters
    ----------
    means
        Means of normalised counts, (genes,).
    dispersion
        Gene-wise estimates, (genes,).

    Examples
    --------
    >>> means = np.geomspace(1, 1e4, 500)
    >>> trend = fit_trend(means, 0.05 + 2 / means)
    >>> round(trend.asymptote, 4), round(trend.slope, 4)
    (0.05, 2.0)
    """
    usable = dispersion > 100 * LEAST_DISPERSION
    if not usable.any():
        raise InputError(
            "no gene varies more than chance does, so a trend of dispersion cannot be fitted",
            found=f"{len(means)} genes, all with a dispersion near {LEAST_DISPERSION:g}",
            expected="counts of biological replicates",
            remedy="Check that the samples are not copies of one another or pure simulation",
        )
    if kind == "mean":
        above = np.sort(dispersion[dispersion > 10 * LEAST_DISPERSION])
        cut = int(len(above) * _TRIM)
        level = float(above[cut : len(above) - cut].mean())
        return Trend("mean", lambda q: np.full(np.shape(q), level), level, np.nan, False)
    fitted = _parametric(means[usable], dispersion[usable]) if kind == "parametric" else None
    if fitted is not None:
        asymptote, slope = fitted
        return Trend("parametric", lambda q: asymptote + slope / q, asymptote, slope, False)
    function = local_trend(means[usable], dispersion[usable])
    return Trend("local", function, np.nan, np.nan, kind == "parametric")


def _parametric(means: Floats, dispersion: Floats) -> tuple[float, float] | None:
    """Fit a gamma regression again and again, each time without genes far from the last one."""
    coefficients = _FIRST
    for _ in range(_MOST_ROUNDS + 1):
        ratio = dispersion / (coefficients[0] + coefficients[1] / means)
        good = (ratio > _LOWEST_RATIO) & (ratio < _HIGHEST_RATIO)
        if good.sum() < 2:
            return None
        fitted, converged = _gamma_regression(1 / means[good], dispersion[good], coefficients)
        if fitted is None or not (fitted > 0).all():
            return None
        step = float(np.sum(np.log(fitted / coefficients) ** 2))
        coefficients = fitted
        if step < _ROUND_TOLERANCE and converged:
            return float(coefficients[0]), float(coefficients[1])
    return None


def _gamma_regression(
    inverse: Floats, dispersion: Floats, start: Floats
) -> tuple[Floats | None, bool]:
    """Fit a gamma model with identity link by Fisher scoring; None where it leaves its domain.

    Steps are halved and iterations end as in R's ``glm``, whose answer decides the trend.
    """
    x = np.column_stack([np.ones_like(inverse), inverse])
    kept: Floats = start
    mu = x @ start
    if not (mu > 0).all():
        return None, False
    before = _gamma_deviance(dispersion, mu)
    for _ in range(_GLM_STEPS):
        weight = 1 / mu
        found = np.asarray(np.linalg.lstsq(x * weight[:, None], dispersion * weight, rcond=None)[0])
        halvings = 0
        while not ((mu := x @ found) > 0).all():
            halvings += 1
            if halvings > _GLM_STEPS:
                return None, False
            found = (found + kept) / 2
        deviance = _gamma_deviance(dispersion, mu)
        kept = np.asarray(found, dtype=np.float64)
        if abs(deviance - before) / (abs(deviance) + 0.1) < _GLM_TOLERANCE:
            return kept, True
        before = deviance
    return kept, False


def _gamma_deviance(y: Floats, mu: Floats) -> float:
    return float(-2 * np.sum(np.log(y / mu) - (y - mu) / mu))


def residual_spread(dispersion: Floats, fitted: Floats) -> float:
    """Give the variance of log dispersion around the trend, by the median absolute deviation."""
    above = dispersion >= 100 * LEAST_DISPERSION
    residuals = np.log(dispersion[above]) - np.log(fitted[above])
    return float((1.4826 * np.median(np.abs(residuals - np.median(residuals)))) ** 2)
