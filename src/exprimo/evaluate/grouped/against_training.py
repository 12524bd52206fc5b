"""R² of held-out people against the mean of the people who trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from exprimo.evaluate.results import FloatArray

# Below this share of the sum of squares, a variation is rounding error.
_ROUNDING = 1e-13


def r2_against_training(
    observed: ArrayLike, predicted: ArrayLike, training_mean: ArrayLike
) -> FloatArray:
    """Give 1 - RSS / TSS of each gene, where TSS is the squared error of the training mean.

    A predictor that selects nothing predicts that mean and scores 0; one that does worse is
    negative. The mean of the judged people themselves would give every predictor a handicap
    that grows as folds get small.

    Parameters
    ----------
    observed, predicted, training_mean
        (..., people), and what broadcasts to it: the training mean differs by fold. A person
        without an observation or prediction (NaN) is left out.

    Returns
    -------
    numpy.ndarray
        (...); NaN where nobody is left or everybody is at the training mean.

    Examples
    --------
    >>> r2_against_training([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], 2.0).item()
    0.8
    """
    y, told, mean = np.broadcast_arrays(
        np.asarray(observed, dtype=np.float64),
        np.asarray(predicted, dtype=np.float64),
        np.asarray(training_mean, dtype=np.float64),
    )
    kept = np.isfinite(y) & np.isfinite(told)
    rss = np.where(kept, (y - told) ** 2, 0.0).sum(axis=-1)
    tss = np.where(kept, (y - mean) ** 2, 0.0).sum(axis=-1)
    scale = np.where(kept, y * y, 0.0).sum(axis=-1)
    defined = tss > _ROUNDING * scale
    ratio = np.divide(rss, tss, out=np.full(np.shape(rss), np.nan), where=defined)
    r2: FloatArray = 1.0 - ratio
    return r2
