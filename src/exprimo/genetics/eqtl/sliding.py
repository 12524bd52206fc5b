"""Prepared dosages of windows that overlap: each variant's covariates are taken out once."""

from __future__ import annotations

import numpy as np

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
        # Rows low to high hold the variants from number ``first`` on.
        self._first = self._low = self._high = 0
        self._rows = self._room_for(0)

    def of(self, window: CisWindow) -> Prepared:
        """Prepare a window. What is given is a view, whose rows are never written again."""
        number = window.place
        known = self._first + self._high - self._low
        if window.chrom != self._chrom or not self._first <= number <= known:
            # The rows stand behind the old ones, which threads may still read.
            self._chrom, self._first, self._low = window.chrom, number, self._high
            known = number
        end = number + len(window.dosage)
        if end > known:
            self._append(window, known)
        begin = self._low + number - self._first
        return _part(self._rows, begin, begin + len(window.dosage))

    def _append(self, window: CisWindow, known: int) -> None:
        """Prepare the variants of the window from the number ``known`` on."""
        new = window.dosage[known - window.place :]
        if self._high + len(new) > len(self._rows.length):
            self._move(window.place, len(window.dosage))
        end = self._high + len(new)
        prepare(new, self._space, out=_part(self._rows, self._high, end))
        self._high = end

    def _move(self, number: int, needed: int) -> None:
        """Copy what this window needs to the front of new arrays.

        Threads may still read the old ones.
        """
        old = _part(self._rows, self._low + number - self._first, self._high)
        kept = len(old.length)
        self._rows = self._room_for(needed * _ROOM)
        for new, before in zip(self._rows, old, strict=True):
            new[:kept] = before
        self._first, self._low, self._high = number, 0, kept

    def _room_for(self, rows: int) -> Prepared:
        return Prepared(
            np.empty((rows, len(self._space.basis))), np.empty(rows), np.empty(rows, np.bool_)
        )


def _part(rows: Prepared, low: int, high: int) -> Prepared:
    return Prepared(rows.unit[low:high], rows.length[low:high], rows.usable[low:high])
