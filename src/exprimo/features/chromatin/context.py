"""What is common to the genes of one cell type: mean and deviation of each mark in each bin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError


class CellContext:
    """Mean and standard deviation over the genes of one cell type, chunk by chunk.

    Chunks are merged with their means (Chan, Golub and LeVeque 1983, eq. 2.1), in float64, so
    that a large common level costs no digits.

    Examples
    --------
    >>> context = CellContext()
    >>> context.add(np.array([[[1.0, 2.0]]], dtype=np.float32))
    >>> context.add(np.array([[[3.0, 2.0]]], dtype=np.float32))
    >>> context.statistics().tolist()
    [[2.0, 2.0], [1.0, 0.0]]
    """

    def __init__(self) -> None:
        self._n = 0
        self._mean: npt.NDArray[np.float64] = np.zeros(0)
        self._squares: npt.NDArray[np.float64] = np.zeros(0)

    def add(self, signal: npt.NDArray[np.float32]) -> None:
        """Take the signal of some more genes, shape (genes, marks, bins)."""
        more = len(signal)
        if not more:
            return
        mean = signal.mean(axis=0, dtype=np.float64)
        squares = signal.var(axis=0, dtype=np.float64) * more
        if not self._n:
            self._n, self._mean, self._squares = more, mean, squares
            return
        total = self._n + more
        step = mean - self._mean
        self._squares += squares + step**2 * (self._n * more / total)
        self._mean += step * (more / total)
        self._n = total

    def statistics(self) -> npt.NDArray[np.float32]:
        """Give (2 * marks, bins): the means of the marks, then their population deviations."""
        if not self._n:
            raise InputError("a cell type without genes has no mean signal")
        deviation = np.sqrt(self._squares / self._n)
        return np.concatenate([self._mean, deviation]).astype(np.float32)


def cell_context(signal: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give mean and population standard deviation over the genes of one cell type.

    Parameters
    ----------
    signal
        Of all its genes, shape (genes, marks, bins), on the scale of the dataset.

    Returns
    -------
    array
        Shape (2 * marks, bins): means of the marks in their order, then deviations.

    Examples
    --------
    >>> cell_context(np.array([[[0.0]], [[2.0]]], dtype=np.float32)).tolist()
    [[1.0], [1.0]]
    """
    context = CellContext()
    context.add(signal)
    return context.statistics()


def context_labels(marks: Sequence[str]) -> tuple[str, ...]:
    """Name the rows of `cell_context`.

    Examples
    --------
    >>> context_labels(["H3K4me3"])
    ('mean H3K4me3', 'sd H3K4me3')
    """
    return (*(f"mean {mark}" for mark in marks), *(f"sd {mark}" for mark in marks))
