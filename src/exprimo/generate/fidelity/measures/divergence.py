"""The Jensen-Shannon divergence of two distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def jensen_shannon(
    one: npt.NDArray[Any], other: npt.NDArray[Any], axis: int = -1
) -> npt.NDArray[np.float64]:
    """Give the divergence in bits, 0 (equal) to 1 (disjoint), of counts along an axis.

    The mean Kullback-Leibler divergence of both from their mean (Lin 1991). It is not the
    distance, which is its square root. Where one has no counts at all it is NaN.

    Examples
    --------
    >>> float(jensen_shannon(np.array([1, 1]), np.array([2, 2])))
    0.0
    >>> float(jensen_shannon(np.array([1, 0]), np.array([0, 5])))
    1.0
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        p = one / one.sum(axis=axis, keepdims=True)
        q = other / other.sum(axis=axis, keepdims=True)
        middle = (p + q) / 2
        found = (_information(p, middle, axis) + _information(q, middle, axis)) / 2
    return np.asarray(np.maximum(found, 0.0))


def _information(
    p: npt.NDArray[np.float64], middle: npt.NDArray[np.float64], axis: int
) -> npt.NDArray[np.float64]:
    terms = np.where(p == 0, 0.0, p * np.log2(p / middle))
    return np.asarray(terms.sum(axis=axis))
