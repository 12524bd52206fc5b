"""Shrunken fold changes: what is left of a change after its uncertainty is weighed.

apeglm (Zhu, Ibrahim & Love 2018): the scale of the prior is learned from all genes, so noise
shrinks towards 0 and large, certain changes stay.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.optimize

from exprimo.labels.coefficients import LOG2_E
from exprimo.labels.engine.blocks import for_blocks
from exprimo.labels.engine.shrunken_fit import shrink_coefficients
from exprimo.labels.model import Model, Observed

Floats = npt.NDArray[np.float64]

_VARIANCES = (1e-6, 400.0)
_LARGEST_SCALE = 1.0


class Shrunken(NamedTuple):
    """Posterior mode and standard deviation, log2, (genes,), and the prior's scale (log2)."""

    change: Floats
    error: Floats
    scale: float


def prior_scale(change: Floats, error: Floats) -> float:
    """Learn the scale of the prior from estimates and their errors, natural log.

    The variance A of true changes solves A = Σ w (β² - s²) / Σ w with w = 1 / (A + s²)²
    (Efron & Morris 1975); at most 1.

    Examples
    --------
    >>> round(prior_scale(np.array([0.5, -0.5, 0.4, -0.6]), np.full(4, 0.1)), 3)
    0.495
    """
    known = np.isfinite(change) & np.isfinite(error)
    squares, variances = change[known] ** 2, error[known] ** 2

    def excess(variance: float) -> float:
        weight = 1 / (variance + variances) ** 2
        return float(np.sum((squares - variances) * weight) / np.sum(weight)) - variance

    low, high = _VARIANCES
    if not known.any() or excess(low) < 0:
        return float(np.sqrt(low))
    if excess(high) > 0:
        return _LARGEST_SCALE
    found = scipy.optimize.brentq(excess, low, high, xtol=1e-10)
    return min(_LARGEST_SCALE, float(np.sqrt(found)))


def shrink_changes(
    observed: Observed,
    model: Model,
    dispersion: Floats,
    beta: Floats,
    which: int,
    scale: float,
    *,
    threads: int | None = None,
) -> Shrunken:
    """Shrink one coefficient of every gene.

    Parameters
    ----------
    observed
        Genes with at least one read.
    dispersion, beta
        Their final dispersions and maximum-likelihood coefficients (natural log).
    which
        Column of the design.
    scale
        Of the prior, natural log (`prior_scale`).
    """
    n = observed.n_genes
    mode, error = np.empty((n, model.n_coefficients)), np.empty(n)

    def work(block: slice) -> None:
        part = observed.rows(block)
        shrink_coefficients(
            part.counts,
            part.factors,
            model.x,
            dispersion[block],
            beta[block],
            which,
            scale,
            mode[block],
            error[block],
        )

    for_blocks(n, observed.n_samples, work, threads)
    return Shrunken(LOG2_E * mode[:, which], LOG2_E * error, LOG2_E * scale)
