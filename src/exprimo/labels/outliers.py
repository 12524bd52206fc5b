"""Which counts are outliers, and what is put in their place.

A count whose Cook's distance exceeds the 99% quantile of F(p, m - p) is an outlier. Where its cell
has seven replicates or more it is replaced by the trimmed mean; where it has three to six, the
gene's p-value is withheld (Love, Huber & Anders 2014, "Automatic detection of outliers").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri

from exprimo.labels.engine.cooks import trimmed_mean
from exprimo.labels.model import Model, Observed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FEWEST_TO_JUDGE, FEWEST_TO_REPLACE = 3, 7
_TRIM = 0.2
_LARGER_COUNTS = 3


def cooks_cutoff(model: Model) -> float:
    """Give the distance beyond which a count is an outlier.

    Examples
    --------
    >>> x = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    >>> round(cooks_cutoff(Model(x)), 3)
    10.925
    """
    p, m = model.n_coefficients, model.n_samples
    return float(fdtri(p, m - p, 0.99))


def judged_samples(model: Model) -> Flags:
    """Mark samples of cells that are large enough to tell an outlier."""
    return np.asarray(model.replicates >= FEWEST_TO_JUDGE)


def replaceable_samples(model: Model) -> Flags:
    """Mark samples of cells that are large enough to do without an outlier."""
    return np.asarray(model.replicates >= FEWEST_TO_REPLACE)


def replaced_counts(part: Observed, distances: Floats, model: Model) -> Ints:
    """Put the trimmed mean, scaled to the sample, in place of outliers; (genes, samples)."""
    normalized = part.normalized()
    means = np.array([trimmed_mean(row.copy(), _TRIM) for row in normalized])
    # Cut off after the point, as an integer count.
    stand_in = (means[:, None] * np.broadcast_to(part.factors, normalized.shape)).astype(np.int64)
    outlying = (distances > cooks_cutoff(model)) & replaceable_samples(model)
    return np.ascontiguousarray(np.where(outlying, stand_in, part.counts))


def exempt(counts: Ints, worst_sample: Ints) -> Flags:
    """Tell genes whose worst count is a low one: three counts or more are larger.

    Parameters
    ----------
    counts
        (genes, samples) of flagged genes.
    worst_sample
        The sample with the largest distance, (genes,).
    """
    worst = counts[np.arange(len(counts)), worst_sample]
    return np.asarray((counts > worst[:, None]).sum(1) >= _LARGER_COUNTS)
