"""How much of a gene's expression the variants around it can explain: cis-heritability by REML.

Yang et al. 2011 (Am J Hum Genet 88:76): expression is a normal draw with variance
``K vg + I ve``, where K is the relationship of people by the gene's variants. One
eigendecomposition makes the likelihood a function of one number (Kang et al. 2008, Genetics
178:1709).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import qr
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from exprimo.core.errors import InputError
from exprimo.evaluate.results import FloatArray

# Below this share of the largest, an eigenvalue or a diagonal entry is rounding error.
_ROUNDING = 1e-9
_GRID = 60
# The search keeps so far away from a share of 1, where no noise would be left.
_EDGE = 1e-6
# Of twice the log-likelihood, at the ends of a 95% interval.
_DROP = float(chi2.ppf(0.95, 1))


class Heritability(NamedTuple):
    """Heritability of one gene's expression from the variants given.

    Attributes
    ----------
    h2
        Share of the variance; unconstrained, it may be below 0, and is then right on average.
    se
        Its standard error, from the observed information.
    low, high
        95% interval of the share, within 0 and 1: where the likelihood, with all else profiled
        out, is near enough to its largest value there. It has a chance of at least 95% to hold a
        true share of 0; an estimate below 0 lies outside of it.
    log_likelihood, log_likelihood_null
        Restricted, at ``h2`` and at 0, up to the same constant.
    p
        Of the likelihood ratio against 0: one-sided, half a chi-square.
    n_people, n_variants
        What it rests on; variants that do not vary are not counted.
    """

    h2: float
    se: float
    low: float
    high: float
    log_likelihood: float
    log_likelihood_null: float
    p: float
    n_people: int
    n_variants: int


def relationship(dosage: ArrayLike) -> tuple[FloatArray, int]:
    """Relate people by variants: the mean over variants of products of standardised dosages.

    Parameters
    ----------
    dosage
        (variants, people), NaN where missing (counted as the mean).

    Returns
    -------
    (people, people) with a mean diagonal of 1, and the number of variants that vary.

    Examples
    --------
    >>> relationship([[0.0, 1.0, 2.0]])[0].round(2).tolist()
    [[1.5, 0.0, -1.5], [0.0, 0.0, 0.0], [-1.5, 0.0, 1.5]]
    """
    values = np.asarray(dosage, dtype=np.float64)
    missing = np.isnan(values)
    known = np.maximum((~missing).sum(axis=1, keepdims=True), 1)
    mean = np.where(missing, 0.0, values).sum(axis=1, keepdims=True) / known
    centred = np.where(missing, 0.0, values - mean)
    sd = np.sqrt((centred * centred).mean(axis=1))
    varies = sd > _ROUNDING * np.maximum(np.abs(mean[:, 0]), 1.0)
    scaled = centred[varies] / sd[varies, None]
    n = int(varies.sum())
    return scaled.T @ scaled / max(n, 1), n


def cis_heritability(
    dosage: ArrayLike,
    expression: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    constrained: bool = False,
) -> Heritability:
    """Estimate the share of a gene's variance that its variants explain together.

    Parameters
    ----------
    dosage
        (variants, people), ALT alleles, NaN where missing.
    expression
        (people,).
    covariates
        (people, k), without an intercept, which is added.
    constrained
        Keep the estimate within 0 and 1. That makes the mean over genes too large, since what
        chance puts below 0 is raised to it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dosage = rng.binomial(2, 0.4, (30, 400)).astype(float)
    >>> genetic = rng.normal(size=30) @ (dosage - 0.8)
    >>> noise = rng.normal(size=400) * genetic.std()
    >>> found = cis_heritability(dosage, genetic + noise)
    >>> bool(abs(found.h2 - 0.5) < 3 * found.se), bool(found.p < 1e-6)
    (True, True)
    """
    y = np.asarray(expression, dtype=np.float64)
    return heritability_beyond(basis_beyond(covariates, len(y)), dosage, y, constrained=constrained)


def heritability_beyond(
    basis: FloatArray, dosage: ArrayLike, expression: ArrayLike, *, constrained: bool = False
) -> Heritability:
    """Estimate the same in what covariates leave, whose basis many genes share.

    Parameters
    ----------
    basis
        Of `basis_beyond`.
    dosage, expression, constrained
        As `cis_heritability` takes them.
    """
    y = np.asarray(expression, dtype=np.float64)
    related, n_variants = relationship(dosage)
    if len(y) != len(related) or not np.isfinite(y).all():
        raise InputError(
            "expression and dosages are not of the same people, or expression is missing",
            found=f"{y.shape} expression",
            expected=f"{len(related)} finite numbers",
        )
    if n_variants == 0:
        unknown = (math.nan,) * 6
        return Heritability(0.0, *unknown, len(y), 0)
    found, axes = np.linalg.eigh(basis.T @ related @ basis)
    spread: FloatArray = np.where(found > _ROUNDING * found[-1], found, 0.0)
    # On the scale of what is left after covariates, 0 to 1 is a share of the variance.
    spread /= spread.mean()
    squares = (axes.T @ (basis.T @ y)) ** 2
    if squares.sum() <= _ROUNDING**2 * (y @ y):
        raise InputError("expression does not vary beyond its covariates")
    h2 = _maximum(spread, squares, constrained)
    reached, null = (_log_likelihood(x, spread, squares) for x in (h2, 0.0))
    ratio = 2 * (reached - null)
    p = (
        0.5 * float(chi2.sf(max(ratio, 0.0), 1))
        if h2 > 0
        else 1.0 - 0.5 * float(chi2.sf(max(ratio, 0.0), 1))
    )
    se = _standard_error(h2, spread, squares)
    low, high = _interval(spread, squares)
    return Heritability(h2, se, low, high, reached, null, p, len(y), n_variants)


def basis_beyond(covariates: ArrayLike | None, n: int) -> FloatArray:
    """Give an orthonormal basis, (people, rest), of what covariates and the mean leave.

    Examples
    --------
    >>> basis_beyond(None, 4).shape
    (4, 3)
    """
    given = np.empty((n, 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    design = np.column_stack([np.ones(n), given])
    full, upper, _ = qr(design, pivoting=True)
    diagonal = np.abs(np.diag(upper))
    rank = int((diagonal > _ROUNDING * diagonal[0]).sum())
    if n - rank < 3:
        raise InputError(
            "too few people for so many covariates",
            found=f"{n} people, {design.shape[1]} covariates with the mean",
            expected="at least three people more than covariates",
        )
    basis: FloatArray = np.asarray(full[:, rank:], dtype=np.float64)
    return basis


def _log_likelihood(h2: float, spread: FloatArray, squares: FloatArray) -> float:
    """Restricted log-likelihood with the best total variance, up to a constant."""
    variance = 1.0 + h2 * (spread - 1.0)
    n = len(spread)
    return -0.5 * float(n * np.log((squares / variance).mean()) + np.log(variance).sum() + n)


def _maximum(spread: FloatArray, squares: FloatArray, constrained: bool) -> float:
    """Find the best share: a grid for the right hill, then Brent's method on it."""
    lowest = 0.0 if constrained else -(1 - _EDGE) / (spread.max() - 1.0)
    highest = (
        (1.0 if spread.min() > 0 else 1.0 - _EDGE)
        if constrained
        else (1 - _EDGE) / (1.0 - spread.min())
    )
    # Without a bound the far ends are poles of the likelihood where the spread is 0; shares
    # beyond -1 and 1 mean nothing.
    lowest, highest = max(lowest, -1.0), min(highest, 1.0 - _EDGE)
    grid = np.linspace(lowest, highest, _GRID)
    values = [_log_likelihood(x, spread, squares) for x in grid]
    best = int(np.argmax(values))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)])
    found = minimize_scalar(
        lambda x: -_log_likelihood(x, spread, squares),
        bounds=around,
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(found.x if -found.fun > values[best] else grid[best])


def _standard_error(h2: float, spread: FloatArray, squares: FloatArray) -> float:
    """Invert the observed information of the share, with the total variance profiled out."""
    away = spread - 1.0
    variance = 1.0 + h2 * away
    slope = away / variance
    weighted = squares / variance
    n, total = len(spread), float(weighted.sum())
    first = float((weighted * slope).sum()) / total
    second = 2.0 * float((weighted * slope**2).sum()) / total
    information = 0.5 * (n * (second - first**2) - float((slope**2).sum()))
    return 1.0 / math.sqrt(information) if information > 0 else math.nan


def _interval(spread: FloatArray, squares: FloatArray) -> tuple[float, float]:
    """Find where within 0 and 1 the profile likelihood has fallen by what 95% need."""
    best = _maximum(spread, squares, constrained=True)
    bar = _log_likelihood(best, spread, squares) - _DROP / 2

    def above(share: float) -> float:
        return _log_likelihood(share, spread, squares) - bar

    low = 0.0 if best == 0.0 or above(0.0) >= 0 else float(brentq(above, 0.0, best))
    last = 1.0 - _EDGE
    high = 1.0 if best >= last or above(last) >= 0 else float(brentq(above, best, last))
    return low, high
