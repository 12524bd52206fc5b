"""How alike two motifs are, with p-values, as Tomtom judges it (Gupta et al. 2007).

Columns are compared by Euclidean distance. A score is how much nearer two columns are than the
query's column is to the median column of the library; a query's column beside no column of the
target scores 0. The best sum of scores over all places is judged by the distribution of the best
sum, so that places at which few columns stand side by side have no advantage (the complete score of
Tanaka et al. 2011). Of each sum it is exact for columns drawn at random from the library, of the
best for places that are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.core.progress import track

Matrix = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Steps from the least to the greatest score of a column.
_STEPS = 100
# Fewer motifs than this tell little of what a random column looks like.
_FEW = 50
_OVERLAP = 5
# Bits of a query's column from which it counts.
_TELLING = 0.25


class Compared(NamedTuple):
    """Every query beside every target.

    Attributes
    ----------
    pvalue
        That a random motif of the target's width is as alike, at its best place on either strand,
        (queries, targets).
    offset
        Where the target begins in the query, as it is or reversed; below 0 before it.
    strand
        1, or -1 where the target is reversed and complemented.
    overlap
        Columns that stand side by side.
    """

    pvalue: Matrix
    offset: Ints
    strand: Ints
    overlap: Ints


def compare(queries: Sequence[Matrix], targets: Sequence[Matrix]) -> Compared:
    """Compare each query with each target on both strands.

    The p-value is the chance that a random motif reaches the best sum at any of its places. A
    random column is one of the library's, read on either strand. Of a library of fewer than 50
    motifs it is any of them with its bases exchanged in every way, so that the few motifs of a
    library do not themselves set the scale. Columns of a query below a quarter of a bit count as
    if they stood beside nothing.

    Parameters
    ----------
    queries, targets
        Probabilities of A, C, G, T, each (width, 4).

    Examples
    --------
    >>> tata, gata = np.eye(4)[[3, 0, 3, 0, 0, 0, 0]], np.eye(4)[[2, 0, 3, 0, 0, 2, 2]]
    >>> found = compare([tata[:, ::-1][::-1]], [tata, gata])
    >>> bool(found.pvalue[0, 0] < 0.01 < found.pvalue[0, 1]), found.strand[0].tolist()[0]
    (True, -1)
    """
    if not queries or not targets:
        raise InputError("nothing to compare", found=f"{len(queries)} and {len(targets)} motifs")
    library = _Library.of(targets)
    shape = (len(queries), len(targets))
    found = Compared(np.ones(shape), *(np.zeros(shape, dtype=np.int64) for _ in range(3)))
    for row, query in enumerate(track(queries, "Comparing motifs")):
        _compare_one(query, library, Compared(*(array[row] for array in found)))
    return found


class _Library(NamedTuple):
    """Columns of all targets, as they are and reversed, and where each target stands in them.

    Attributes
    ----------
    columns
        All columns, (n, 4).
    random
        What a random column is drawn from, (m, 4).
    first, width
        Of each target, (2, targets): its first column, on each strand; its width.
    """

    columns: Matrix
    random: Matrix
    first: Ints
    width: Ints

    @classmethod
    def of(cls, targets: Sequence[Matrix]) -> _Library:
        width = np.array([len(target) for target in targets])
        both = [*targets, *(target[::-1, ::-1] for target in targets)]
        columns = np.concatenate(both)
        first = np.concatenate([[0], np.cumsum(np.tile(width, 2))[:-1]]).reshape(2, -1)
        random = columns
        if len(targets) < _FEW:
            random = np.concatenate([columns[:, list(order)] for order in permutations(range(4))])
        return cls(columns, random, first, width)


def _compare_one(query: Matrix, library: _Library, into: Compared) -> None:
    scores, tails = _scored(query, library)
    width = len(query)
    for length in np.unique(library.width):
        which = np.flatnonzero(library.width == length)
        least = min(_OVERLAP, width, int(length))
        offsets = range(least - int(length), width - least + 1)
        best = np.full(len(which), np.iinfo(np.int64).min)
        for side, strand in enumerate((1, -1)):
            for offset in offsets:
                begin, end = max(0, offset), min(width, offset + int(length))
                total = np.zeros(len(which), dtype=np.int64)
                for column in range(begin, end):
                    total += scores[column, library.first[side, which] + column - offset]
                better = total > best
                best[better] = total[better]
                at = which[better]
                into.offset[at], into.strand[at] = offset, strand
                into.overlap[at] = end - begin
        none = np.zeros(len(which))
        for offset in offsets:
            reached = tails[max(0, offset), min(width, offset + int(length))].pvalue(best)
            none += 2 * np.log1p(-np.minimum(reached, 1 - 1e-16))
        into.pvalue[which] = -np.expm1(none)


class _Tail(NamedTuple):
    lowest: int
    tail: Matrix

    def pvalue(self, total: Ints) -> Matrix:
        above = total - self.lowest
        reached: Matrix = self.tail[np.clip(above, 0, len(self.tail) - 1)]
        return np.where(above < len(self.tail), reached, 0.0)


def _scored(query: Matrix, library: _Library) -> tuple[Ints, dict[tuple[int, int], _Tail]]:
    """Give scores in whole steps, (width, columns), and the tails of every span of the query."""
    to_random = _distances(query, library.random)
    middle = np.median(to_random, axis=1, keepdims=True)
    # A column that says next to nothing is like every other such column, and no evidence: in
    # wide vague patterns it would match the gap of any factor that binds as a dimer.
    told = (_bits(query) >= _TELLING)[:, None]
    drawn = (middle - to_random) * told
    step = float(np.ptp(drawn, axis=1).max()) / _STEPS or 1.0
    steps = np.rint(drawn / step).astype(np.int64)
    low = steps.min(axis=1)
    densities = [np.bincount(row - row.min()) / row.size for row in steps]
    tails: dict[tuple[int, int], _Tail] = {}
    for begin in range(len(query)):
        density = np.ones(1)
        for end in range(begin + 1, len(query) + 1):
            density = np.convolve(density, densities[end - 1])
            tail = np.minimum(density[::-1].cumsum()[::-1], 1.0)
            tails[begin, end] = _Tail(int(low[begin:end].sum()), np.maximum(tail, 1e-300))
    to_known = (middle - _distances(query, library.columns)) * told
    return np.rint(to_known / step).astype(np.int64), tails


def _bits(columns: Matrix) -> Matrix:
    shares = np.clip(columns, 1e-9, 1.0)
    bits: Matrix = 2.0 + (shares * np.log2(shares)).sum(axis=1)
    return bits


def _distances(query: Matrix, columns: Matrix) -> Matrix:
    squares: Matrix = ((query[:, None, :] - columns[None]) ** 2).sum(axis=2)
    return np.sqrt(squares)
