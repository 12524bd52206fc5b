"""Significance across genes: q-values, Benjamini-Hochberg, and each gene's nominal threshold."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

Floats = npt.NDArray[np.float64]
Correction = Literal["storey", "bh"]

# Cut-offs of Storey and Tibshirani: the share of nulls is read off above each.
_LAMBDA = np.arange(0.05, 0.951, 0.05)
_SPLINE_DF = 3.0
# Fewer p-values than this leave some cut-off with next to none above it.
_FEWEST = 100


class QValues(NamedTuple):
    """q-values and what they took as the share of true nulls.

    Attributes
    ----------
    q
        (tests,); NaN where there is no p-value.
    pi0
        Share of nulls; 1 for Benjamini-Hochberg.
    method
        ``"storey"`` or ``"bh"``.
    note
        Why Benjamini-Hochberg was taken where Storey was asked for; else empty.
    """

    q: Floats
    pi0: float
    method: Correction
    note: str = ""


def q_values(p: Floats, method: Correction = "storey") -> QValues:
    """Give q-values: the false discovery rate if all tests as small as this are called.

    Parameters
    ----------
    p
        (tests,); NaN where there is none.
    method
        ``"storey"``: share of nulls by a smoothing spline (Storey and Tibshirani, PNAS 2003).
        ``"bh"``: 1 (Benjamini and Hochberg, J. R. Stat. Soc. B 1995). Storey's share is not
        taken from fewer than 100 p-values, nor where it is not positive; then it is 1 as well.

    Examples
    --------
    >>> q_values(np.array([0.01, 0.02, 0.03, 0.5]), "bh").q.tolist()
    [0.04, 0.04, 0.04, 0.5]
    """
    known = p[~np.isnan(p)]
    pi0, note = 1.0, ""
    if method == "storey" and len(known) < _FEWEST:
        note = f"Benjamini-Hochberg: {len(known)} p-values are too few for a share of nulls"
    elif method == "storey":
        pi0 = share_of_nulls(known)
        if not pi0 > 0:
            pi0, note = 1.0, "Benjamini-Hochberg: the share of nulls was not positive"
    if note:
        method = "bh"
    q = np.full(len(p), np.nan)
    q[~np.isnan(p)] = pi0 * adjusted(known)
    return QValues(q, pi0, method, note)


def adjusted(p: Floats) -> Floats:
    """Adjust p-values after Benjamini and Hochberg (1995).

    Examples
    --------
    >>> adjusted(np.array([0.5, 0.01])).tolist()
    [0.5, 0.02]
    """
    order = np.argsort(p)[::-1]
    rank = np.arange(len(p), 0, -1)
    lowest = np.minimum.accumulate(p[order] * len(p) / rank)
    out = np.empty_like(p)
    out[order] = np.minimum(lowest, 1.0)
    return out


def share_of_nulls(p: Floats) -> float:
    """Estimate the share of true nulls: smoothed over cut-offs, read at the last, at most 1.

    Where nulls alone have a p above a cut-off, (share above it) / (1 - cut-off) is theirs.
    """
    above = np.array([np.mean(p >= cut) for cut in _LAMBDA]) / (1.0 - _LAMBDA)
    return min(float(smoothed(_LAMBDA, above, _SPLINE_DF)[-1]), 1.0)


def smoothed(x: Floats, y: Floats, df: float) -> Floats:
    """Smooth by a natural cubic spline with a knot at each point and ``df`` effective parameters.

    Green and Silverman, Nonparametric Regression (1994), equation 2.3: the fit is
    (I + a K)⁻¹ y, K = Q R⁻¹ Qᵀ, with a chosen so that its trace is ``df``.

    Parameters
    ----------
    x
        (points,) ascending.
    y
        (points,).
    df
        More than 2 (a straight line), less than the number of points.

    Examples
    --------
    >>> x = np.linspace(0, 1, 11)
    >>> bool(np.allclose(smoothed(x, 2 * x + 1, 3), 2 * x + 1))
    True
    """
    gap = np.diff(x)
    inner = len(x) - 2
    Q = np.zeros((len(x), inner))
    R = np.zeros((inner, inner))
    for j in range(inner):
        Q[j, j], Q[j + 2, j] = 1 / gap[j], 1 / gap[j + 1]
        Q[j + 1, j] = -1 / gap[j] - 1 / gap[j + 1]
        R[j, j] = (gap[j] + gap[j + 1]) / 3
        if j + 1 < inner:
            R[j, j + 1] = R[j + 1, j] = gap[j + 1] / 6
    roughness, shapes = np.linalg.eigh(Q @ np.linalg.solve(R, Q.T))
    roughness = np.maximum(roughness, 0.0)
    roughness[:2] = 0.0  # straight lines cost nothing

    def off(log_weight: float) -> float:
        return float((1 / (1 + np.exp(log_weight) * roughness)).sum() - df)

    weight = np.exp(optimize.brentq(off, -40.0, 40.0))
    fit: Floats = shapes @ ((shapes.T @ y) / (1 + weight * roughness))
    return fit


def threshold_across_genes(p: Floats, q: Floats, fdr: float) -> float | None:
    """Give the gene-level p between the last gene that is called and the first that is not.

    None where no gene is called.

    Examples
    --------
    >>> threshold_across_genes(np.array([0.01, 0.03]), np.array([0.02, 0.2]), 0.05)
    0.02
    """
    called, rest = p[q <= fdr], p[q > fdr]
    if not len(called):
        return None
    last = float(called.max())
    return (last + float(rest.min())) / 2 if len(rest) else last
