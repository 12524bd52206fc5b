"""Does a matrix of LD belong to these z-scores? (Zou et al. 2022, sections on diagnostics)

Under no or few effects z ~ N(0, R). LD of other people, or an allele counted the other way round,
leaves z-scores that their neighbours cannot explain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from exprimo.genetics.finemap.evidence import Floats, refuse_bad_ld

# Above this z, and this log likelihood ratio, an allele is taken for flipped.
_STRONG_Z = 2.0
_STRONG_RATIO = 2.0
# Share of the largest eigenvalue below which one is 0.
_RANK = 1e-8


class LdCheck(NamedTuple):
    """How well LD explains z-scores.

    Attributes
    ----------
    shrinkage
        The lambda of (1 - lambda) R + lambda I under which the z-scores are most likely; near 0
        where LD is that of the people studied.
    expected, variance
        (variants,): what the other variants predict of each z-score (kriging), and how surely.
    surprise
        (variants,): (z - expected) / sqrt(variance).
    flip_ratio
        (variants,): log likelihood of the z-score with its sign turned, minus that as given.
    flipped
        (variants,): whether the allele seems to be counted the other way round.
    """

    shrinkage: float
    expected: Floats
    variance: Floats
    surprise: Floats
    flip_ratio: Floats
    flipped: npt.NDArray[np.bool_]


def check_ld(z: npt.ArrayLike, ld: npt.ArrayLike, n: float | None = None) -> LdCheck:
    """Compare each z-score with what LD and the others predict.

    Parameters
    ----------
    z
        (variants,): effect / standard error.
    ld
        (variants, variants): correlations.
    n
        People studied; with it, z-scores are first made those of correlations.

    Examples
    --------
    >>> import numpy as np
    >>> ld = np.full((5, 5), 0.95) + 0.05 * np.eye(5)
    >>> check_ld([6.0, 6.1, -5.9, 6.0, 5.8], ld).flipped.tolist()
    [False, False, True, False, False]
    """
    scores = np.asarray(z, dtype=np.float64)
    r = np.asarray(ld, dtype=np.float64)
    refuse_bad_ld(scores, r)
    if n is not None:
        scores = scores * np.sqrt((n - 1) / (scores**2 + n - 2))
    values, vectors = np.linalg.eigh(r)
    values = np.where(values > _RANK * values[-1], values, 0.0)
    along = vectors.T @ scores
    shrinkage = _most_likely_shrinkage(values, along)
    # A matrix short of rank has no inverse; a little of I gives it one.
    eigenvalues = (1 - shrinkage) * values + max(shrinkage, 1e-4)
    weighted = vectors / eigenvalues
    precision = np.einsum("ij,ij->i", weighted, vectors)
    expected = scores - (weighted @ along) / precision
    variance = 1.0 / precision
    # log N(-z; m, v) - log N(z; m, v)
    flip_ratio = -2.0 * scores * expected / variance
    flipped = (np.abs(scores) > _STRONG_Z) & (flip_ratio > _STRONG_RATIO)
    surprise = (scores - expected) / np.sqrt(variance)
    return LdCheck(shrinkage, expected, variance, surprise, flip_ratio, flipped)


def _most_likely_shrinkage(values: Floats, along: Floats) -> float:
    """Give the lambda of the largest likelihood of z ~ N(0, (1 - lambda) R + lambda I)."""

    def loss(shrinkage: float) -> float:
        spectrum = (1 - shrinkage) * values + shrinkage
        return float(0.5 * np.sum(np.log(spectrum) + along**2 / spectrum))

    found = minimize_scalar(loss, bounds=(1e-6, 1.0), method="bounded", options={"xatol": 1e-6})
    return float(found.x)
