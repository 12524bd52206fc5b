"""Prepared dosages of windows that overlap: each variant's covariates are taken out once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.genetics.cohort import CisWindow
from exprimo.genetics.eqtl.projection import Projection
from exprimo.genetics.eqtl.statistics.association import Prepared, prepare

# Windows' worth of rows in one array; then what is still needed is copied to a new one.
_ROOM = 2


class SlidingPrepared:
    """Windows of a chromosome in order, prepared; what two share is prepared once.

    Parameters
    ----------
    space
        Of the covariates.
    """

    def __init__(self, space: Projection) -> None:
        self._space = space
        self._chrom = ""
        self._starts = np.empty(0, dtype=np.int64)
        self._low = self._high = 0
        people = len(space.basis)
        self._unit = np.empty((0, people))
        self._length = np.empty(0)
        self._usable = np.empty(0, dtype=np.bool_)

    def of(self, window: CisWindow) -> Prepared:
        """Prepare a window. What is given is a view, whose rows are never written again."""
        starts = window.variants["start"].to_numpy(np.int64)
        same = self._shared(window.chrom, starts)
        # Where nothing is shared the rows stand behind the old ones, which threads may still read.
        self._low = self._high - same
        self._chrom, self._starts = window.chrom, starts
        self._append(prepare(window.dosage[same:], self._space))
        part = slice(self._low, self._high)
        return Prepared(self._unit[part], self._length[part], self._usable[part])

    def _shared(self, chrom: str, starts: npt.NDArray[np.int64]) -> int:
        """Count the variants at the end of the window before that begin this one.

        Positions tell: a window has all variants of a position or none.
        """
        if chrom != self._chrom or not len(starts):
            return 0
        old = self._starts[np.searchsorted(self._starts, starts[0]) :]
        return len(old) if np.array_equal(old, starts[: len(old)]) else 0

    def _append(self, new: Prepared) -> None:
        end = self._high + len(new.unit)
        if end > len(self._unit):
            kept = self._high - self._low
            self._grow(kept, kept + len(new.unit))
            end = kept + len(new.unit)
        part = slice(self._high, end)
        self._unit[part], self._length[part], self._usable[part] = new
        self._high = end

    def _grow(self, kept: int, needed: int) -> None:
        """Copy what is kept to the front of new arrays: threads may still read the old ones."""
        part = slice(self._low, self._high)
        old = self._unit[part], self._length[part], self._usable[part]
        self._unit = np.empty((needed * _ROOM, self._unit.shape[1]))
        self._length = np.empty(needed * _ROOM)
        self._usable = np.empty(needed * _ROOM, dtype=np.bool_)
        self._unit[:kept], self._length[:kept], self._usable[:kept] = old
        self._low, self._high = 0, kept
