"""Linear regression of one gene's expression on each variant of its window, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from exprimo.genetics.eqtl.projection import Projection

Floats = npt.NDArray[np.float64]

# Of the length about the mean: below this the covariates explain all of it.
_EXPLAINED = 1e-7
# Variants that are prepared at once: of 700 people they stay in the cache from step to step.
_AT_ONCE = 128


class Prepared(NamedTuple):
    """Dosages with the covariates taken out.

    Attributes
    ----------
    unit
        (variants, people) float64: residuals, scaled to length 1; zeros where not usable.
    length
        (variants,) float64: their length before scaling.
    usable
        (variants,) bool: False where a variant is constant, or a sum of the covariates.
    """

    unit: Floats
    length: Floats
    usable: npt.NDArray[np.bool_]


class Associations(NamedTuple):
    """One gene against its variants; each attribute is (variants,) float64.

    NaN where a variant is not usable.

    Attributes
    ----------
    r
        Partial correlation of dosage and expression.
    slope, slope_se
        Change of expression per ALT allele, and its standard error.
    pval_nominal
        Two-sided p-value of Student's t.
    """

    r: Floats
    slope: Floats
    slope_se: Floats
    pval_nominal: Floats


def filled(dosage: npt.NDArray[np.floating]) -> Floats:
    """Put the mean of the people who are known in place of a missing dosage.

    Examples
    --------
    >>> filled(np.array([[0.0, 2.0, np.nan]])).tolist()
    [[0.0, 2.0, 1.0]]
    """
    full = dosage.astype(np.float64)
    # A sum is quicker to look at than each dosage.
    if np.isnan(full.sum(axis=1)).any():
        missing = np.isnan(full)
        full[missing] = 0.0
        known = np.maximum(dosage.shape[1] - missing.sum(axis=1), 1)
        mean = full.sum(axis=1) / known
        full[missing] = np.broadcast_to(mean[:, None], full.shape)[missing]
    return full


def prepare(
    dosage: npt.NDArray[np.floating], space: Projection, *, out: Prepared | None = None
) -> Prepared:
    """Impute missing dosages by the mean, take covariates out, scale to length 1.

    Parameters
    ----------
    dosage
        (variants, people), of ALT; NaN where missing.
    space
        Of the covariates and the intercept.
    out
        Where to write; None: new arrays.
    """
    if out is None:
        n = len(dosage)
        out = Prepared(np.empty(dosage.shape), np.empty(n), np.empty(n, dtype=np.bool_))
    for start in range(0, len(dosage), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        full, usable = out.unit[part], out.usable[part]
        full[:] = filled(dosage[part])
        full -= full.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.einsum("ij,ij->i", full, full))
        full -= (full @ space.basis) @ space.basis.T
        left = np.sqrt(np.einsum("ij,ij->i", full, full))
        # Rounding leaves a constant dosage of 2/3 with a spread near 1e-16.
        usable[:] = (spread > _EXPLAINED) & (left > _EXPLAINED * spread)
        full *= np.where(usable, 1.0 / np.where(usable, left, 1.0), 0.0)[:, None]
        out.length[part] = left
    return out


def associate(prepared: Prepared, expression: Floats, space: Projection) -> Associations:
    """Regress a gene's expression on each variant with the covariates: ordinary least squares.

    Where the covariates explain all of the expression, there is nothing but NaN.

    By the theorem of Frisch, Waugh and Lovell the regression of residuals on residuals gives the
    slope, and with the covariates' degrees of freedom taken off, the standard error.

    Parameters
    ----------
    prepared
        Of ``prepare``, with the same covariates.
    expression
        (people,).

    Examples
    --------
    >>> from exprimo.genetics.eqtl.projection import projection
    >>> space = projection(np.empty((4, 0)))
    >>> one = prepare(np.array([[0.0, 1.0, 1.0, 2.0]]), space)
    >>> found = associate(one, np.array([1.0, 2.0, 3.0, 4.0]), space)
    >>> float(found.slope[0].round(6)), float(found.slope_se[0].round(6))
    (1.5, 0.353553)
    """
    return associate_genes([prepared], expression[None, :], space)[0]


def associate_genes(
    prepared: Sequence[Prepared], expression: Floats, space: Projection
) -> list[Associations]:
    """Regress genes on the variants of their windows; as `associate` for each.

    Parameters
    ----------
    prepared
        A window for each gene.
    expression
        (genes, people).
    """
    left = space.residuals(expression)
    spread = np.linalg.norm(left, axis=1)
    about_mean = expression - expression.mean(axis=1, keepdims=True)
    explained = spread <= _EXPLAINED * np.linalg.norm(about_mean, axis=1)
    scaled = left / np.where(explained, np.nan, spread)[:, None]
    ends = np.cumsum([len(window.length) for window in prepared])
    # All genes in one: each step of Python costs as much as some hundred p-values.
    r = np.empty(ends[-1])
    for window, unit, end in zip(prepared, scaled, ends, strict=True):
        np.dot(window.unit, unit, out=r[end - len(window.length) : end])
    usable = np.concatenate([window.usable for window in prepared])
    found = from_correlation(
        np.where(usable, np.clip(r, -1.0, 1.0), np.nan),
        np.concatenate([window.length for window in prepared]),
        np.repeat(spread, np.diff(ends, prepend=0)),
        space.df,
    )
    parts = [np.split(values, ends[:-1]) for values in found]
    return [Associations(*of_gene) for of_gene in zip(*parts, strict=True)]


def from_correlation(r: Floats, length: Floats, spread: float | Floats, df: int) -> Associations:
    """Turn partial correlations into slopes, standard errors and p-values.

    Parameters
    ----------
    r
        (variants,) partial correlations.
    length
        (variants,) lengths of the residuals of the dosages.
    spread
        Length of the residuals of the expression, one for all or (variants,).
    df
        Degrees of freedom that are left.
    """
    ratio = spread / np.where(length > 0, length, np.nan)
    unexplained = (1.0 - r) * (1.0 + r)
    slope = r * ratio
    slope_se = ratio * np.sqrt(unexplained / df)
    with np.errstate(divide="ignore"):
        t = np.abs(r) * np.sqrt(df / unexplained)
    return Associations(r, slope, slope_se, 2.0 * special.stdtr(df, -t))


def p_of_r2(r2: npt.ArrayLike, df: float) -> Floats:
    """Give the two-sided p-value of a squared correlation; ``df`` need not be whole.

    With t² = df r² / (1 - r²), the tail of Student's t is the incomplete beta function at 1 - r².

    Examples
    --------
    >>> float(p_of_r2(0.5, 10).round(6))
    0.01012
    """
    p: Floats = special.betainc(df / 2.0, 0.5, 1.0 - np.asarray(r2, dtype=np.float64))
    return p
