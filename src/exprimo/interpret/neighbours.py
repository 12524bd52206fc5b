"""Exact nearest neighbours, block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exprimo.evaluate.results import FloatArray

_CELLS = 1 << 23
# Candidates beyond the k that are asked for: single precision may confuse near-ties.
_SPARE = 8


def nearest_neighbours(points: FloatArray, k: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Find the k nearest other points of each, by Euclidean distance, nearest first.

    Equal distances go by row number. Candidates are found in single precision and measured in
    double, so that the result does not depend on how products are summed.

    Returns
    -------
    indices, distances
        (n, k) each.

    Examples
    --------
    >>> indices, distances = nearest_neighbours(np.array([[0.0], [1.0], [3.0]]), 1)
    >>> indices.ravel().tolist(), distances.ravel().tolist()
    ([1, 0, 1], [1.0, 1.0, 2.0])
    """
    n = len(points)
    # Far from the origin, differences of large squares would lose what tells points apart.
    centred = (points - points.mean(0)).astype(np.float32)
    squares = np.einsum("ij,ij->i", centred, centred)
    wanted = min(k + _SPARE, n - 1)
    indices = np.empty((n, k), dtype=np.int64)
    distances = np.empty((n, k))
    size = max(1, _CELLS // n)
    for start in range(0, n, size):
        rows = np.arange(start, min(start + size, n))
        away = squares - 2 * centred[rows] @ centred.T
        away[rows - start, rows] = np.inf
        near = np.sort(np.argpartition(away, wanted - 1, axis=1)[:, :wanted], axis=1)
        exact = _distances(points, rows, near)
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        indices[rows] = np.take_along_axis(near, order, axis=1)
        distances[rows] = np.take_along_axis(exact, order, axis=1)
    return indices, distances


def _distances(
    points: FloatArray, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> FloatArray:
    squared = np.zeros(others.shape)
    for column in range(others.shape[1]):
        difference = points[rows] - points[others[:, column]]
        squared[:, column] = np.einsum("ij,ij->i", difference, difference)
    return np.sqrt(squared)
