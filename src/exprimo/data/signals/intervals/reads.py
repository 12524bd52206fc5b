"""Reads that are counted in bins: what BED and BAM share, and BED."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.data.signals.intervals.spool import IntervalSpool
from exprimo.data.signals.intervals.text import first_fields, read_stretches
from exprimo.data.signals.track import Bins, Positions, SignalFile

WHAT = "reads in BED: chromosome, start, end, and what else there is"


class ReadsFile(SignalFile):
    """Aligned reads, in any order and without an index; gone through once, when first asked.

    Memory: starts and ends of the reads of one chromosome, 8 bytes a read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._spool: IntervalSpool | None = None
        self._sorted: tuple[str, npt.NDArray[np.int32], npt.NDArray[np.int32]] | None = None

    def close(self) -> None:
        """Drop what was kept of the file."""
        if self._spool is not None:
            self._spool.close()
        self._spool = self._sorted = None

    def total(self) -> float:
        """Give the number of reads that count."""
        return float(self._read().count)

    def _bins(self, chrom: str, starts: Positions, n_bins: int, bin_size: int) -> Bins:
        if self._sorted is None or self._sorted[0] != chrom:
            reads = self._read().take(chrom)
            self._sorted = chrom, np.sort(reads.starts), np.sort(reads.ends)
        _, first, last = self._sorted
        lefts = starts[:, None] + bin_size * np.arange(n_bins)
        return count_overlaps(first, last, lefts, lefts + bin_size).astype(np.float32)

    def _read(self) -> IntervalSpool:
        if self._spool is None:
            self._spool = self._collect()
        return self._spool

    @abstractmethod
    def _collect(self) -> IntervalSpool: ...


class BedFile(ReadsFile):
    """Reads in BED (tagAlign, too): a line each, plain or gzip; strands are not looked at."""

    kind = "bed"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        first_fields(path, WHAT)

    @property
    def chromosomes(self) -> dict[str, int | None]:
        """Chromosomes with a read, in the order of the file; it knows no lengths."""
        return dict.fromkeys(self._read().chromosomes)

    def _collect(self) -> IntervalSpool:
        spool = IntervalSpool()
        for piece in read_stretches(self.path, WHAT, with_values=False):
            spool.add(piece.chrom, piece.starts, piece.ends, piece.values)
        return spool


def count_overlaps(
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    lefts: Positions,
    rights: Positions,
) -> npt.NDArray[np.int64]:
    """Count the reads that share a base with each of [left, right).

    ``starts`` and ``ends`` of the reads are sorted, each for itself: a read overlaps unless it
    starts at or behind ``right``, or ends at or before ``left``.

    Examples
    --------
    >>> count_overlaps(np.array([0, 8], np.int32), np.array([10, 12], np.int32),
    ...                np.array([5, 10]), np.array([10, 15])).tolist()
    [2, 1]
    """
    limits = np.iinfo(np.int32)
    # In the same type as the reads, else they are copied for each search.
    before = np.clip(rights, limits.min, limits.max).astype(np.int32)
    behind = np.clip(lefts, limits.min, limits.max).astype(np.int32)
    return np.searchsorted(starts, before, side="left") - np.searchsorted(
        ends, behind, side="right"
    )
