"""The smallest p-value of a window, judged by a beta distribution fitted to permutations."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from exprimo.genetics.eqtl.statistics.association import p_of_r2

Floats = npt.NDArray[np.float64]

_SMALLEST = float(np.finfo(np.float64).tiny)
_STEPS = 50
_SECANTS = 12
# Of the logarithm of the first shape, which the permutations themselves tell to some 0.03.
_CLOSE = 1e-4
# In the logarithm of the degrees of freedom: further off no secant is trusted.
_FAR = 3.0
_WIDENINGS = 8


class BetaFit(NamedTuple):
    """The distribution of a window's smallest p-value under no association.

    Attributes
    ----------
    beta_shape1, beta_shape2
        Shapes by maximum likelihood; the second is about the number of independent tests.
    true_df
        Degrees of freedom with which the permutations' smallest p-values have a first shape of 1.
    """

    beta_shape1: float
    beta_shape2: float
    true_df: float

    def p_values(self, strongest: float) -> tuple[float, float]:
        """Give ``pval_true_df`` and ``pval_beta`` of a largest squared correlation."""
        p = float(p_of_r2(strongest, self.true_df))
        return p, float(special.betainc(self.beta_shape1, self.beta_shape2, p))

    def threshold(self, p: float) -> float:
        """Give the nominal p-value whose ``pval_beta`` is ``p``."""
        return float(special.betaincinv(self.beta_shape1, self.beta_shape2, p))


def fit_beta(by_chance: Floats, df: float) -> BetaFit:
    """Fit the beta approximation (Ongen et al., Bioinformatics 2016; FastQTL).

    Parameters
    ----------
    by_chance
        (permutations,) largest squared correlation of each.
    df
        Degrees of freedom of the regression, where the search for the true ones begins.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> r2 = rng.beta(0.5, 49.0, size=(2000, 30)).max(axis=1)   # 30 tests with 98 df
    >>> fit = fit_beta(r2, 90)
    >>> bool(0.9 < fit.beta_shape1 < 1.1), bool(20 < fit.beta_shape2 < 45)
    (True, True)
    """
    true_df, p = _true_df(by_chance, df)
    shape1, shape2 = _shapes(np.clip(p, _SMALLEST, 1.0 - 1e-16))
    return BetaFit(shape1, shape2, true_df)


def _moments(p: Floats) -> tuple[float, float]:
    """Give the shapes that have the mean and the variance of ``p``."""
    mean, variance = float(p.mean()), float(p.var())
    scale = mean * (1.0 - mean) / variance - 1.0
    return mean * scale, (1.0 - mean) * scale


def _true_df(by_chance: Floats, df: float) -> tuple[float, Floats]:
    """Find where the first shape, by moments, is 1, and the p-values there.

    It falls as degrees of freedom rise, and its logarithm is nearly a straight line in theirs, so
    that the secant method takes three or four steps; where it strays, the root is bracketed.
    """

    def off(log_df: float) -> float:
        return _log_shape(p_of_r2(by_chance, float(np.exp(log_df))))

    start = before = float(np.log(df))
    at_before = off(before)
    here = before + float(np.clip(at_before, -0.5, 0.5))
    for _ in range(_SECANTS):
        if abs(here - start) > _FAR:
            break
        true_df = float(np.exp(here))
        p = p_of_r2(by_chance, true_df)
        at_here = _log_shape(p)
        if abs(at_here) < _CLOSE:
            return true_df, p
        if at_here == at_before:
            break
        before, here, at_before = (
            here,
            here - at_here * (here - before) / (at_here - at_before),
            at_here,
        )
    true_df = float(np.exp(_bracketed(off, start)))
    return true_df, p_of_r2(by_chance, true_df)


def _log_shape(p: Floats) -> float:
    return float(np.log(_moments(p)[0]))


def _bracketed(off: Callable[[float], float], start: float) -> float:
    """Widen an interval about ``start`` until the falling ``off`` changes sign, and find where."""
    low = high = start
    step = 0.1
    for _ in range(_WIDENINGS):
        if off(low) < 0.0:
            low -= step
        elif off(high) > 0.0:
            high += step
        else:
            return low if low == high else float(optimize.brentq(off, low, high, xtol=1e-6))
        step *= 2.0
    raise ArithmeticError("no degrees of freedom fit these permutations")


def _shapes(p: Floats) -> tuple[float, float]:
    """Maximise the likelihood of a beta distribution by Newton's method."""
    means = np.array([np.log(p).mean(), np.log1p(-p).mean()])
    shapes = np.array(_moments(p))
    for _ in range(_STEPS):
        total = shapes.sum()
        gradient = means - special.digamma(shapes) + special.digamma(total)
        shared = special.polygamma(1, total)
        curvature = shared - np.diag(special.polygamma(1, shapes))
        step = np.linalg.solve(curvature, -gradient)
        # A step may not cross zero: shapes are positive.
        shrink = min(1.0, 0.5 / max(float((-step / shapes).max()), 0.5))
        shapes = shapes + shrink * step
        if np.abs(step / shapes).max() < 1e-10:
            break
    return float(shapes[0]), float(shapes[1])
