"""Signal as intervals with a value each: bedGraph, plain or gzip."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exprimo.core.errors import FormatError
from exprimo.data.signals.adding import add_intervals
from exprimo.data.signals.intervals.spool import Intervals, IntervalSpool
from exprimo.data.signals.intervals.text import Stretch, first_fields, read_stretches
from exprimo.data.signals.track import Bins, Positions, SignalFile

WHAT = "a bedGraph: chromosome, start, end, value"


class BedGraphFile(SignalFile):
    """A bedGraph, sorted within chromosomes and without overlaps; read once, when first asked.

    Memory: the intervals of one chromosome, 16 bytes each.
    """

    kind = "bedgraph"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        fields = first_fields(path, WHAT)
        if len(fields) != 4:
            raise FormatError(
                "not a bedGraph", file=path, found=f"{len(fields)} columns", expected=WHAT
            )
        self._spool: IntervalSpool | None = None
        self._total = 0.0
        self._taken: tuple[str, Intervals] | None = None

    def close(self) -> None:
        """Drop what was kept of the file."""
        if self._spool is not None:
            self._spool.close()
        self._spool = self._taken = None

    @property
    def chromosomes(self) -> dict[str, int | None]:
        """Chromosomes with an interval, in the order of the file; it knows no lengths."""
        return dict.fromkeys(self._read().chromosomes)

    def total(self) -> float:
        """Give the signal summed over all bases."""
        self._read()
        return self._total

    def _bins(self, chrom: str, starts: Positions, n_bins: int, bin_size: int) -> Bins:
        if self._taken is None or self._taken[0] != chrom:
            self._taken = chrom, self._read().take(chrom)
        order = np.argsort(starts, kind="stable")
        sums = np.zeros((len(starts), n_bins))
        kept = self._taken[1]
        add_intervals(*kept, len(kept.starts), starts[order], bin_size, sums)
        sums /= bin_size
        found = np.empty(sums.shape, dtype=np.float32)
        found[order] = sums
        return found

    def _read(self) -> IntervalSpool:
        if self._spool is None:
            spool, total = IntervalSpool(), 0.0
            last_chrom, last_end = "", 0
            for piece in read_stretches(self.path, WHAT, with_values=True):
                if piece.chrom != last_chrom:
                    if piece.chrom in spool.chromosomes:
                        raise self._unsorted(piece, 0, "its chromosome ended further up")
                    last_chrom, last_end = piece.chrom, 0
                self._check_order(piece, last_end)
                last_end = int(piece.ends[-1])
                spool.add(piece.chrom, piece.starts, piece.ends, piece.values)
                total += float(np.dot(piece.values, piece.ends - piece.starts))
            self._spool, self._total = spool, total
        return self._spool

    def _check_order(self, piece: Stretch, last_end: int) -> None:
        before = np.append(last_end, piece.ends[:-1])
        wrong = np.flatnonzero(piece.starts < before)
        if len(wrong):
            at = int(wrong[0])
            raise self._unsorted(piece, at, f"the interval before it ends at {before[at]}")

    def _unsorted(self, piece: Stretch, at: int, found: str) -> FormatError:
        return FormatError(
            "intervals that overlap or are not sorted",
            file=self.path,
            record=f"line {piece.lines[at]} ({piece.chrom} {piece.starts[at]} {piece.ends[at]})",
            found=found,
            expected="chromosomes in one piece, starts ascending, no base twice",
            remedy="Sort it (sort -k1,1 -k2,2n); where intervals overlap, make the track anew",
        )
