"""Association of predicted expression with a trait, from summary statistics (Gusev et al. 2016)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from exprimo.core.errors import InputError, MismatchError

Floats = npt.NDArray[np.float64]

# Predicted expression whose variance is below this share of what it would be without LD is the
# same in everyone: its weights cancel out, and z would be noise divided by almost nothing.
_LEAST_SHARE = 1e-6


class Predicted(NamedTuple):
    """How predicted expression goes with a trait.

    Attributes
    ----------
    z, p
        Of the association; positive where more expression goes with more of the trait.
    variance
        w'Rw: that of predicted expression in the panel.
    """

    z: float
    p: float
    variance: float


def predicted_association(weights: npt.ArrayLike, z: npt.ArrayLike, ld: npt.ArrayLike) -> Predicted:
    """Give w'z / sqrt(w'Rw).

    Parameters
    ----------
    weights
        (variants,): of genotypes with standard deviation 1. Weights per copy of an allele are
        multiplied by the standard deviation of its dosage first (Barbeira et al. 2018).
    z
        (variants,): of the trait, for the same alleles.
    ld
        (variants, variants): correlations of the same alleles.

    Examples
    --------
    >>> found = predicted_association([0.5, 0.5], [3.0, 3.0], [[1.0, 0.0], [0.0, 1.0]])
    >>> round(found.z, 3), round(found.p, 6)
    (4.243, 2.2e-05)
    """
    w, scores, r = (np.asarray(x, dtype=np.float64) for x in (weights, z, ld))
    if w.ndim != 1 or scores.shape != w.shape or r.shape != (len(w), len(w)):
        raise MismatchError(
            "weights, z-scores and LD are of other variants",
            found=f"{w.shape}, {scores.shape} and {r.shape}",
        )
    if not (np.isfinite(w).all() and np.isfinite(scores).all() and np.isfinite(r).all()):
        raise InputError("weights, z-scores or LD that are no numbers", expected="finite numbers")
    variance = float(w @ r @ w)
    if variance <= _LEAST_SHARE * float(w @ w) or not w.any():
        raise InputError(
            "predicted expression does not vary in the panel",
            found=f"a variance of {variance:.3g}",
            remedy="Leave out the gene; its weights are 0 or cancel out",
        )
    found = float(w @ scores) / float(np.sqrt(variance))
    return Predicted(found, float(2.0 * stats.norm.sf(abs(found))), variance)
