"""Count pairs of related examples by the parts that they stand in, without listing them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.split import PARTS

TRAIN, VAL, TEST = (PARTS.index(part) for part in ("train", "val", "test"))
N_USED = 3
"""Train, val and test; the fourth part, none, is set aside."""

Ints = npt.NDArray[np.int64]


class PairCounts(NamedTuple):
    """Pairs of examples: all, on one side, across train and test, across any two parts.

    ``aside`` are those with a member in no part.
    """

    pairs: int
    together: int
    torn: int
    train_test: int
    aside: int

    @classmethod
    def from_matrix(cls, matrix: Ints, pairs: int) -> PairCounts:
        """Sum up a symmetric-free matrix (part, part) whose entries count each pair once."""
        used = int(matrix.sum())
        together = int(np.trace(matrix))
        train_test = int(matrix[TRAIN, TEST] + matrix[TEST, TRAIN])
        return cls(pairs, together, used - together, train_test, pairs - used)


def count_by_part(labels: Ints, parts: Ints, n_labels: int) -> Ints:
    """Count the examples of each label in each part, shape (labels, 4); label -1 is left out."""
    counts = np.zeros((n_labels, len(PARTS)), np.int64)
    known = labels >= 0
    np.add.at(counts, (labels[known], parts[known]), 1)
    return counts


def pairs_within(counts: Ints) -> PairCounts:
    """Count the pairs of examples that share a label.

    Examples
    --------
    >>> pairs_within(np.array([[3, 0, 1, 0]]))
    PairCounts(pairs=6, together=3, torn=3, train_test=3, aside=0)
    """
    used = counts[:, :N_USED]
    matrix = np.triu(used.T @ used, 1)
    matrix[np.diag_indices(N_USED)] = (used * (used - 1) // 2).sum(axis=0)
    total = counts.sum(axis=1)
    return PairCounts.from_matrix(matrix, int((total * (total - 1) // 2).sum()))


def pairs_between(counts: Ints, pairs: Ints) -> PairCounts:
    """Count the pairs of examples whose labels form one of ``pairs``, shape (pairs, 2).

    Examples
    --------
    >>> pairs_between(np.array([[2, 0, 0, 0], [0, 0, 1, 1]]), np.array([[0, 1]]))
    PairCounts(pairs=4, together=0, torn=2, train_test=2, aside=2)
    """
    one, other = counts[pairs[:, 0]], counts[pairs[:, 1]]
    matrix = one[:, :N_USED].T @ other[:, :N_USED]
    return PairCounts.from_matrix(matrix, int((one.sum(axis=1) * other.sum(axis=1)).sum()))


def overlapping_intervals(
    chrom: Ints, start: Ints, end: Ints, parts: Ints
) -> tuple[PairCounts, npt.NDArray[np.bool_]]:
    """Count the pairs of examples whose genome intervals overlap.

    Parameters
    ----------
    chrom
        Chromosome number, shape (examples,); -1 where the place is not known.
    start, end
        0-based, half-open.
    parts
        Part number of each example.

    Returns
    -------
    counts, related
        And, for each example, whether it overlaps a training example other than itself.
    """
    matrix = np.zeros((len(PARTS), len(PARTS)), np.int64)
    related = np.zeros(len(parts), dtype=bool)
    for number in np.unique(chrom[chrom >= 0]):
        here = np.flatnonzero(chrom == number)
        for part in range(len(PARTS)):
            rows = here[parts[here] == part]
            hits = _count_hits(start[here], end[here], start[rows], end[rows])
            matrix[:, part] += np.bincount(parts[here], weights=hits, minlength=len(PARTS)).astype(
                np.int64
            )
            if part == TRAIN:
                related[here] = hits > (parts[here] == TRAIN)
    # Every ordered pair was counted, each example with itself too.
    np.fill_diagonal(matrix, (np.diag(matrix) - np.bincount(parts[chrom >= 0], minlength=4)) // 2)
    once = np.triu(matrix)
    return PairCounts.from_matrix(once[:N_USED, :N_USED], int(once.sum())), related


def _count_hits(start: Ints, end: Ints, other_start: Ints, other_end: Ints) -> Ints:
    # Those that begin before my end, less those that ended before my start.
    begun = np.searchsorted(np.sort(other_start), end, side="left")
    over = np.searchsorted(np.sort(other_end), start, side="right")
    return (begun - over).astype(np.int64)
