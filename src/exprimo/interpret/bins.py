"""Signed gradients in bins: what raises and what lowers the output, where, and in which cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.evaluate.results import FloatArray

BIN_COLUMNS = ("label", "row", "bin", "offset", "mean", "se", "n")


class BinSums(NamedTuple):
    """Sums of gradients and of their squares by label: (labels, rows, bins); examples of each."""

    total: FloatArray
    squares: FloatArray
    n: NDArray[np.int64]


def sum_by_label(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[Any]]],
    labels: NDArray[np.int64],
    n_labels: int,
) -> BinSums:
    """Add gradients up by the label of their example, block by block.

    Parameters
    ----------
    blocks
        Rows of the dataset, and their gradients (n, rows, bins).
    labels
        The label's number of each example of the dataset, -1 for none.
    n_labels
        How many labels there are.

    Examples
    --------
    >>> slopes = np.array([[[1.0, 2.0]], [[3.0, 2.0]], [[5.0, 0.0]]])
    >>> sums = sum_by_label([(np.array([0, 1, 2]), slopes)], np.array([0, 0, 1]), 2)
    >>> sums.total[:, 0].tolist(), sums.n.tolist()
    ([[4.0, 4.0], [5.0, 0.0]], [2, 1])
    """
    total: FloatArray | None = None
    squares: FloatArray | None = None
    count = np.zeros(n_labels, np.int64)
    for rows, slopes in blocks:
        if total is None or squares is None:
            total = np.zeros((n_labels, *slopes.shape[1:]))
            squares = np.zeros_like(total)
        for label in np.unique(labels[rows][labels[rows] >= 0]):
            here = slopes[labels[rows] == label].astype(np.float64)
            total[label] += here.sum(0)
            squares[label] += (here**2).sum(0)
            count[label] += len(here)
    if total is None or squares is None:
        return BinSums(np.zeros((n_labels, 0, 0)), np.zeros((n_labels, 0, 0)), count)
    return BinSums(total, squares, count)


def bin_table(
    sums: BinSums, labels: Sequence[str], rows: Sequence[str], offsets: Sequence[int]
) -> pd.DataFrame:
    """Give the mean gradient of each label, row and bin with its standard error.

    Parameters
    ----------
    labels, rows
        Names of the labels (cell types, genes) and of the input's rows (marks, k-mers).
    offsets
        First base of each bin relative to the TSS, in gene orientation.

    Returns
    -------
    DataFrame
        Columns `BIN_COLUMNS`, in that order; labels without examples are absent.

    Examples
    --------
    >>> sums = BinSums(np.array([[[4.0]]]), np.array([[[10.0]]]), np.array([2]))
    >>> bin_table(sums, ["C1"], ["H3K4me3"], [-100])["mean"].tolist()
    [2.0]
    """
    found = []
    for number, label in enumerate(labels):
        n = int(sums.n[number])
        if not n:
            continue
        mean = sums.total[number] / n
        spread = np.maximum(sums.squares[number] / n - mean**2, 0)
        se = np.sqrt(spread / max(n - 1, 1))
        n_rows, n_bins = mean.shape
        found.append(
            pd.DataFrame(
                {
                    "label": label,
                    "row": np.repeat(np.asarray(rows, dtype=object), n_bins),
                    "bin": np.tile(np.arange(n_bins), n_rows),
                    "offset": np.tile(np.asarray(offsets), n_rows),
                    "mean": mean.ravel(),
                    "se": se.ravel(),
                    "n": n,
                }
            )
        )
    if not found:
        return pd.DataFrame(columns=list(BIN_COLUMNS))
    return pd.concat(found, ignore_index=True)


def bin_offsets(n_bins: int, bin_size: int) -> list[int]:
    """Give the first base of each bin relative to the TSS: the middle bin begins at it.

    Examples
    --------
    >>> bin_offsets(4, 100)
    [-200, -100, 0, 100]
    """
    return [(number - n_bins // 2) * bin_size for number in range(n_bins)]
