"""Which variants overlap a stretch: an index over the positions of a whole table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.data.genotypes.calls import Rows


class OverlapIndex:
    """Rows of a table, found by the stretch that their REF allele overlaps.

    Parameters
    ----------
    chroms
        (rows,) names, in any order; rows of chromosomes named ``None`` are left out.
    starts, lengths
        (rows,) first base and number of bases.

    Examples
    --------
    >>> index = OverlapIndex(np.array(["1", "1", "1", "2"], object), np.array([9, 2, 5, 5]),
    ...                      np.array([1, 6, 1, 1]))
    >>> index.find("1", 6, 10).tolist()
    [1, 0]
    """

    def __init__(self, chroms: npt.NDArray[np.object_], starts: Rows, lengths: Rows) -> None:
        self._rows: dict[str, Rows] = {}
        self._starts: dict[str, Rows] = {}
        self._ends: dict[str, Rows] = {}
        self._farthest: dict[str, Rows] = {}
        numbers: dict[str | None, int] = {}
        codes = np.array([numbers.setdefault(name, len(numbers)) for name in chroms], np.int64)
        order = np.lexsort((starts, codes))
        bounds = np.searchsorted(codes[order], np.arange(len(numbers) + 1))
        for name, first, last in zip(numbers, bounds[:-1], bounds[1:], strict=True):
            if name is None:
                continue
            rows = order[first:last]
            self._rows[name], self._starts[name] = rows, starts[rows]
            self._ends[name] = starts[rows] + lengths[rows]
            self._farthest[name] = np.maximum.accumulate(self._ends[name])

    @property
    def chromosomes(self) -> tuple[str, ...]:
        """Names in the order in which they first come."""
        return tuple(self._rows)

    @property
    def in_order(self) -> Rows:
        """All rows, by chromosome as they first come, then by position."""
        return np.concatenate([*self._rows.values(), np.zeros(0, np.int64)])

    def find(self, chrom: str, start: int, end: int) -> Rows:
        """Give the rows that overlap ``[start, end)``, by position; none where it is empty."""
        if end <= start:
            return np.zeros(0, np.int64)
        behind = int(np.searchsorted(self._starts[chrom], end))
        first = int(np.searchsorted(self._farthest[chrom], start, side="right"))
        found = slice(first, max(behind, first))
        rows: Rows = self._rows[chrom][found][self._ends[chrom][found] > start]
        return rows
