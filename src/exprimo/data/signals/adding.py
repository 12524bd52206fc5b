"""The compiled loop that adds intervals to the bins of windows, without a value per base."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

# Whole numbers as they come out of arrays, kept signed: numba makes uint64 and int64 a float.
Int = int | np.int64
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@compiled
def first_behind(sorted_numbers: npt.NDArray[np.integer], n: Int, limit: Int) -> Int:
    """Find the first of ``n`` ascending numbers that is larger than ``limit``; ``n`` if none is.

    Examples
    --------
    >>> first_behind(np.array([3, 5, 5, 9]), 4, 5)
    3
    """
    low: Int = np.int64(0)
    high: Int = np.int64(n)
    while low < high:
        middle = (low + high) >> 1
        if sorted_numbers[middle] > limit:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def add_intervals(
    starts: npt.NDArray[np.integer],
    ends: npt.NDArray[np.integer],
    values: npt.NDArray[np.floating],
    n: Int,
    windows: Ints,
    bin_size: Int,
    sums: Floats,
) -> Int:
    """Add value × overlapping bases of the first ``n`` intervals to the bins they overlap.

    Parameters
    ----------
    starts, ends, values
        Intervals, 0-based and half-open, ascending, no base twice.
    windows
        First bases of the windows, ascending.
    sums
        Shape (windows, bins); added to.

    Returns
    -------
    -1, or the first interval under a window whose value is NaN or infinite.

    Examples
    --------
    >>> sums = np.zeros((1, 2))
    >>> add_intervals(np.array([3]), np.array([7]), np.array([2.0]), 1, np.array([0]), 5, sums)
    -1
    >>> sums.tolist()
    [[4.0, 4.0]]
    """
    if n == 0:
        return -1
    n_bins = sums.shape[1]
    length = n_bins * bin_size
    window = first_behind(windows, len(windows), starts[0] - length)
    while window < len(windows) and windows[window] < ends[n - 1]:
        origin = windows[window]
        item = first_behind(ends, n, origin)
        column: Int = np.int64(0)
        edge = origin + bin_size  # where the column ends
        # One bin is summed in a register: adding each item to memory takes twice as long.
        whole = 0.0
        while item < n and starts[item] < origin + length:
            left, right = max(np.int64(starts[item]), origin), np.int64(ends[item])
            value = np.float64(values[item])
            if not np.isfinite(value):
                return item
            if left >= edge:
                sums[window, column] += whole
                whole = 0.0
                column = (left - origin) // bin_size
                edge = origin + (column + 1) * bin_size
            while right > edge and column < n_bins - 1:
                sums[window, column] += whole + value * (edge - left)
                whole = 0.0
                left = edge
                column += 1
                edge += bin_size
            whole += value * (min(right, edge) - left)
            item += 1
        sums[window, column] += whole
        window += 1
    return -1
